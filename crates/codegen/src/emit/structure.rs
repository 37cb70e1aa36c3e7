//! Structures and documented values as `input!`, `output!` and `constants!` blocks.

use std::collections::BTreeSet;

use super::Emit;
use super::operation::blocks;
use super::text::{docs, fill, literal};
use crate::model::{Member, Shared};
use crate::names;
use crate::outputs::Output;
use crate::shapes::Shape;

impl Emit<'_> {
    /// The answer of one or several operations.
    pub(super) fn output(&self, name: &str, output: &Output) -> String {
        let doc = match output.operations.as_slice() {
            _ if name == "Empty" => "An answer that holds nothing more.".to_owned(),
            [only] => format!("Answer of [`{only}`]."),
            [first, second] => format!("Answer of `{first}` and `{second}`."),
            [first, rest @ ..] => {
                format!("Answer of `{first}` and {} other operations.", rest.len())
            }
            [] => "Answer.".to_owned(),
        };
        self.output_block(name, &doc, &output.members, true)
    }

    /// `whole` is an answer, not a part of one: its `RequestId` is the request's.
    fn output_block(&self, name: &str, doc: &str, members: &[Member], whole: bool) -> String {
        let mut text = String::from("output! {\n") + &docs("    ", &[doc.to_owned()]);
        let (ids, fields): (Vec<_>, Vec<_>) = self
            .output_fields(name, members)
            .into_iter()
            .partition(|field| whole && field.name == "request_id");
        if fields.is_empty() {
            text += &format!("    {name} {{}}\n");
        } else {
            text += &format!("    {name} {{\n");
            for field in fields {
                text += &field.line("        ");
            }
            text += "    }\n";
        }
        // `Response::request_id()` tells it: a public field would be mixed up with that.
        for id in ids {
            text += &format!("    request_id {};\n", literal(&id.wire));
        }
        text + "}\n"
    }

    /// A structure inside requests or answers, or the values of an enumeration.
    pub(super) fn shape(&self, name: &str, shape: &Shape) -> String {
        match &shape.content {
            Shared::Enum(values) => enumeration(name, &self.describe(shape, "Values of"), values),
            Shared::Struct(members) if shape.input => {
                let doc = self.describe(shape, "Part of requests:");
                let mut text = String::from("input! {\n") + &docs("    ", &[doc]);
                text += &format!("    {name};\n");
                text + &blocks(name, &self.input_fields(name, members)) + "}\n"
            }
            Shared::Struct(members) => self.output_block(
                name,
                &self.describe(shape, "Part of answers:"),
                members,
                false,
            ),
        }
    }

    /// "Part of answers: a VM NIC."
    fn describe(&self, shape: &Shape, lead: &str) -> String {
        let plain = shape
            .model_name
            .strip_suffix("Inventory")
            .unwrap_or(&shape.model_name);
        let words = match self.words.noun_phrase(plain) {
            Some(phrase) if self.has_words => phrase,
            _ => names::words(plain).join(" "),
        };
        format!("{lead} {words}.")
    }
}

fn enumeration(name: &str, doc: &str, values: &[String]) -> String {
    let mut taken = BTreeSet::new();
    let items: Vec<String> = values
        .iter()
        .map(|value| {
            format!(
                "{} = {}",
                names::constant("", value, &mut taken),
                literal(value)
            )
        })
        .collect();
    let doc = docs("    ", &[doc.to_owned()]);
    format!(
        "constants! {{\n{doc}    {name} {{\n{}    }}\n}}\n",
        fill(&items, "        ")
    )
}
