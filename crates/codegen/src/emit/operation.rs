//! Operations as `operation!` blocks; ZStack's plain queries as `query!` blocks.

use std::collections::BTreeSet;

use super::Emit;
use super::field::Field;
use super::text::{WIDTH, docs, fill, literal, with_settings};
use crate::model::{Member, Operation, Paging, Type};
use crate::names;
use crate::shapes::wrapped;

/// Up to this many required members are arguments of `new`; more stand in a structure, by name.
const POSITIONAL: usize = 3;

impl Emit<'_> {
    pub(super) fn operation(&self, operation: &Operation) -> String {
        let output = self
            .shapes
            .outputs
            .get(&operation.name)
            .map_or("Empty", String::as_str);
        if let (Some(Paging::Query { items }), []) = (&operation.paging, operation.input.as_slice())
        {
            return self.query(operation, output, items);
        }
        let members = self.input_members(operation);
        let form = match self.is_tagged(operation) {
            true => "tagged_operation! {\n",
            false => "operation! {\n",
        };
        let mut notes = vec![operation.summary.clone()];
        notes.extend(operation.notes.clone());
        notes.extend(self.vendor_page(operation));
        if operation.deprecated {
            notes.push("Deprecated by the vendor.".into());
        }
        let mut text = String::from(form) + &docs("    ", &notes);
        text += &head(operation, output, &settings(operation, &members));
        text += &blocks(&operation.name, &self.operation_fields(&members));
        if let Some((field, item)) = self.items(operation) {
            text += &format!("    pages {field}: {item};\n");
        }
        if let Some(clue) = self.clues.get(operation.name.as_str()) {
            text += &self.clue(operation, clue);
        }
        text += &constants(&members);
        text + "}\n"
    }

    /// A link to the vendor's page, for the vendor whose addresses follow a rule.
    fn vendor_page(&self, operation: &Operation) -> Option<String> {
        let service = self.model.service.as_str();
        let (book, version) = match service {
            "smc" => ("smc", "2019-06-01"),
            "smartag" => ("sag", "2018-03-13"),
            _ => return None,
        };
        let name = operation.name.to_lowercase();
        Some(format!(
            "[Vendor's page](https://www.alibabacloud.com/help/en/{book}/developer-reference/api-{service}-{version}-{name})."
        ))
    }

    /// Whether the client's own macro adds the tags that every call takes: it does so once for all
    /// operations, unless one has a member of that name itself.
    fn is_tagged(&self, operation: &Operation) -> bool {
        let common = &self.model.common_input;
        let own = |name: &str| operation.input.iter().any(|member| member.name == name);
        !common.is_empty() && !common.iter().any(|tags| own(&tags.name))
    }

    /// The model's members, and those that the model states once for many operations.
    fn input_members(&self, operation: &Operation) -> Vec<Member> {
        let mut members = operation.input.clone();
        let mut add = |more: &[Member]| {
            for member in more {
                if !members.iter().any(|own| own.name == member.name) {
                    members.push(member.clone());
                }
            }
        };
        if let Some(Paging::Query { .. }) = &operation.paging {
            add(&self.model.query_input);
        }
        if !self.is_tagged(operation) {
            let mut tags = self.model.common_input.clone();
            if operation.wrapper.is_none() {
                for tags in &mut tags {
                    tags.place = "query".into();
                }
            }
            add(&tags);
        }
        members
    }

    fn query(&self, operation: &Operation, output: &str, items: &str) -> String {
        let item = match operation
            .output
            .iter()
            .find(|m| m.name == items)
            .map(|m| &m.ty)
        {
            Some(Type::List(inner)) => self.rust(inner),
            _ => "Json".into(),
        };
        let mut notes = vec![operation.summary.clone()];
        if operation.deprecated {
            notes.push("Deprecated by the vendor.".into());
        }
        let notes = docs("    ", &notes);
        let path = literal(&operation.path);
        let items = names::snake(items);
        let head = format!("    {} -> {output}: {path};", operation.name);
        let items = format!("items {items}: {item};\n");
        let fits = head.len() + items.len() <= WIDTH;
        let line = head + if fits { " " } else { "\n    " } + &items;
        format!("query! {{\n{notes}{line}}}\n")
    }

    /// The output field that holds a page's items, and their type, where it is a list.
    fn items(&self, operation: &Operation) -> Option<(String, String)> {
        paging(operation, &operation.input)?;
        let (Paging::Number { items, .. }
        | Paging::Token { items, .. }
        | Paging::Offset { items, .. }) = operation.paging.as_ref()?
        else {
            return None;
        };
        let (first, inner) = items.split_once('.').unwrap_or((items, ""));
        let member = operation.output.iter().find(|m| m.name == first)?;
        let list = match wrapped(member, false) {
            Some(list) if list.name == inner => list,
            None if inner.is_empty() => member,
            _ => return None,
        };
        let Type::List(item) = &list.ty else {
            return None;
        };
        Some((
            names::field(first, "", &mut BTreeSet::new()),
            self.rust(item),
        ))
    }
}

/// The settings in brackets.
fn settings(operation: &Operation, members: &[Member]) -> Vec<String> {
    let mut settings = Vec::new();
    if let Some(token) = &operation.token {
        settings.push(format!("token({})", literal(token)));
    }
    if operation.job {
        settings.push("job()".into());
    }
    if let Some(wrapper) = &operation.wrapper {
        settings.push(format!("wrapper({})", literal(wrapper)));
    }
    if operation.anonymous {
        settings.push("anonymous()".into());
    }
    if !operation.gone.is_empty() {
        let codes: Vec<String> = operation.gone.iter().map(|code| literal(code)).collect();
        settings.push(format!("gone(&[{}])", codes.join(", ")));
    }
    if let Some((lane, members)) = &operation.lane {
        let members: Vec<String> = members.iter().map(|name| literal(name)).collect();
        settings.push(format!(
            "lane({}, &[{}])",
            literal(lane),
            members.join(", ")
        ));
    }
    if !operation.shown_once.is_empty() {
        let paths: Vec<String> = operation
            .shown_once
            .iter()
            .map(|path| literal(path))
            .collect();
        settings.push(format!("shown_once(&[{}])", paths.join(", ")));
    }
    settings.extend(paging(operation, members));
    settings
}

/// `Name -> Output: METHOD "path" Retry [settings];`, the request on a line of its own if need be.
fn head(operation: &Operation, output: &str, settings: &[String]) -> String {
    let name = format!("{} -> {output}:", operation.name);
    let path = literal(&operation.path);
    let request = format!("{} {path} {}", operation.method, operation.retry);
    let short = format!("{name} {request}");
    let line = with_settings("    ", &short, settings, ";");
    let fits = |text: &str| text.lines().all(|line| line.chars().count() <= WIDTH);
    if fits(&line) && (line.lines().count() == 1 || path.len() < 40) {
        return line;
    }
    let request = match settings {
        [] => request,
        _ => format!("{request} [{}]", settings.join(", ")),
    };
    let two = format!("    {name}\n        {request};\n");
    if fits(&two) || settings.is_empty() {
        return two;
    }
    let (request, _) = request.rsplit_once(" [").unwrap_or((&request, ""));
    format!(
        "    {name}\n        {request}\n        [{}];\n",
        settings.join(", ")
    )
}

/// `required {..}` and `optional {..}`. More than three required members stand in a structure.
pub(super) fn blocks(name: &str, fields: &[Field]) -> String {
    let (required, optional): (Vec<&Field>, Vec<&Field>) = fields.iter().partition(|f| f.argument);
    let required_name = if required.len() > POSITIONAL {
        format!("{name}Required ")
    } else {
        String::new()
    };
    block(&format!("required {required_name}"), &required) + &block("optional ", &optional)
}

fn block(head: &str, fields: &[&Field]) -> String {
    if fields.is_empty() {
        return format!("    {head}{{}}\n");
    }
    let lines: String = fields.iter().map(|field| field.line("        ")).collect();
    format!("    {head}{{\n{lines}    }}\n")
}

/// The largest page where an operation documents none: what every other operation of Smart Access
/// Gateway and of SMC that pages by number takes.
const RPC_PAGE: i64 = 50;
/// The same for API Gateway.
const REST_PAGE: i64 = 500;

/// The paging setting, where the members that it needs exist.
fn paging(operation: &Operation, members: &[Member]) -> Option<String> {
    let input = |name: &str| members.iter().find(|m| m.name == name);
    let output = |name: &str| operation.output.iter().any(|m| m.name == name);
    match operation.paging.as_ref()? {
        Paging::Number {
            page, size, total, ..
        } => {
            let works = input(page).is_some() && input(size).is_some() && output(total);
            let names = [page, size, total].map(|name| literal(name)).join(", ");
            let most = input(size)?.limits.max.unwrap_or(RPC_PAGE);
            works.then(|| format!("page_number({names}, {most})"))
        }
        Paging::Token {
            token, next, size, ..
        } => {
            let works = input(token).is_some() && output(next);
            let most = input(size).and_then(|size| size.limits.max);
            let size = match most {
                Some(most) => format!("Some(({}, {most}))", literal(size)),
                None => "None".to_owned(),
            };
            let names = [token, next].map(|name| literal(name)).join(", ");
            works.then(|| format!("page_token({names}, {size})"))
        }
        Paging::Offset {
            offset,
            limit,
            total,
            ..
        } => {
            let most = input(limit)?.limits.max.unwrap_or(REST_PAGE);
            let works = input(offset).is_some() && output(total);
            let names = [offset, limit, total].map(|name| literal(name)).join(", ");
            works.then(|| format!("page_offset({names}, {most})"))
        }
        Paging::Query { .. } => None,
    }
}

fn constants(members: &[Member]) -> String {
    let mut taken = BTreeSet::new();
    let mut items = Vec::new();
    let parts = members
        .iter()
        .flat_map(|m| match (&m.ty, m.style.as_str()) {
            (Type::Struct(parts), "multipart") => parts.iter().collect(),
            _ => vec![m],
        });
    for member in parts.filter(|m| *m.ty.innermost() == Type::Text) {
        for value in &member.limits.values {
            let name = names::constant(&member.name, value, &mut taken);
            items.push(format!("{name} = {}", literal(value)));
        }
    }
    if items.is_empty() {
        return String::new();
    }
    let line = format!("    constants {{ {} }}\n", items.join(", "));
    if line.chars().count() <= WIDTH + 1 {
        return line;
    }
    format!("    constants {{\n{}    }}\n", fill(&items, "        "))
}
