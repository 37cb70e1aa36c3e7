//! The client of a service: what it tells the runtime, its builder, and how the two come together.
//!
//! The services of Alibaba Cloud are regular, down to their addresses. Where a service answers is otherwise
//! its own affair: then the crate's `prepare.rs`, written by hand, says it.

use super::Emit;
use super::text::{self, literal};
use crate::overlay::{Choice, Client};

/// The cloud's protocol: its type, and a value for a builder that was told nothing yet.
fn protocol(name: &str) -> (&'static str, &'static str) {
    match name {
        "acs-rpc" => ("Acs", "Acs::default()"),
        "huawei-rest" => ("Huawei", "Huawei::default()"),
        _ => ("ZStack", "ZStack::new(0, false)"),
    }
}

impl Emit<'_> {
    /// The text of `client.rs` without its first line. `cloud`: the file of its cloud; `codes`: whether the service has codes of its own.
    pub(super) fn client(&self, client: &Client, cloud: &str, codes: bool) -> String {
        [
            format!(
                "//! The client, and what users set on its builder; what all clients of the cloud have is in\n\
                 //! `{cloud}`.\n\n"
            ),
            self.imports(client, codes),
            self.service(client, codes),
            self.type_and_constructors(client),
            builder(client),
            "cumulo_core::common_settings!(Builder for Client: GROUPS);\n\nimpl Builder {\n".to_owned(),
            setters(client),
            self.build(client),
            "}\n".to_owned(),
        ]
        .concat()
    }

    fn regular(&self) -> bool {
        self.model.protocol == "acs-rpc"
    }

    fn imports(&self, client: &Client, codes: bool) -> String {
        let mut protocol = vec![protocol(&self.model.protocol).0];
        let of_protocol = |choice: &&Choice| !matches!(&*choice.ty, "bool" | "i32" | "String");
        let types = client.options.iter().filter(of_protocol);
        protocol.extend(types.map(|choice| choice.ty.as_str()));
        let protocol = match protocol.as_slice() {
            [only] => (*only).to_owned(),
            many => format!("{{{}}}", many.join(", ")),
        };
        let hidden = client.options.iter().any(|choice| choice.hidden);
        let room = match self.model.protocol.as_str() {
            "acs-rpc" => "alibaba",
            "huawei-rest" => "huawei",
            _ => "zstack",
        };
        let mut core = vec![
            "Error".to_owned(),
            format!("{room}::{protocol}"),
            "client".to_owned(),
            "operation::Spec".to_owned(),
            match client.settings.is_empty() {
                true => "service::Service".to_owned(),
                false => "service::{Service, Setting}".to_owned(),
            },
        ];
        if self.regular() {
            core.push(format!("{room}::credentials as {room}"));
        }
        core.sort();
        format!(
            "{fmt}use std::sync::Arc;\n\n{core}\n{tables}\n",
            fmt = if hidden { "use std::fmt;\n" } else { "" },
            core = core
                .iter()
                .map(|path| format!("use cumulo_core::{path};\n"))
                .collect::<String>(),
            tables = match (codes, self.regular()) {
                (true, true) => "use super::{GROUPS, codes};\n",
                (true, false) => "use super::{GROUPS, codes};\nuse crate::prepare;\n",
                (false, _) => "use super::GROUPS;\nuse crate::prepare;\n",
            },
        )
    }

    fn service(&self, client: &Client, codes: bool) -> String {
        let (service, version) = (&self.model.service, &self.model.version);
        let codes = if codes { "codes::CODES" } else { "&[]" };
        let rows: String = client
            .settings
            .iter()
            .map(|setting| {
                format!(
                    "        Setting {{\n            name: {},\n            how: {},\n            variables: &[{}],\n        }},\n",
                    literal(&setting.name),
                    literal(&setting.how),
                    literals(&setting.variables),
                )
            })
            .collect();
        let rows = match rows.as_str() {
            "" => String::new(),
            rows => format!("\n{rows}    "),
        };
        format!(
            "#[rustfmt::skip]\nstatic SERVICE: Service = Service {{\n    name: {service:?},\n    version: {version:?},\n    \
             user_agent: concat!(\"cumulo-{service}/\", env!(\"CARGO_PKG_VERSION\")),\n    \
             codes: {codes},\n    settings: &[{rows}],\n    endpoint: &[{endpoint}],\n}};\n\n",
            endpoint = literals(&client.endpoint),
        )
    }

    fn type_and_constructors(&self, client: &Client) -> String {
        let title = &client.title;
        let fields: String = client
            .options
            .iter()
            .map(|choice| format!("            {}: {},\n", choice.name, initial(&choice.ty)))
            .collect();
        let compiled = match self.gated() {
            true => "All operations whose groups are compiled in.",
            false => "All operations.",
        };
        format!(
            "/// A client for {title}. Clones share connections, credentials and the retry budget.\n\
             #[derive(Clone, Debug)]\npub struct Client(cumulo_core::Client);\n\n\
             impl Client {{\n    /// A builder with the default settings.\n    pub fn builder() -> Builder {{\n        \
             Builder {{\n            core: cumulo_core::Client::builder(&SERVICE, Arc::new({initial})),\n{fields}        }}\n    }}\n\n\
             {from_env}    pub async fn from_env() -> Result<Self, Error> {{\n        Self::builder().connect().await\n    }}\n\n    \
             /// {compiled}\n    #[inline]\n    pub fn operations() -> impl Iterator<Item = Spec> {{\n        \
             GROUPS.iter().flat_map(|(_, specs)| specs.iter().copied())\n    }}\n}}\n\n",
            initial = protocol(&self.model.protocol).1,
            from_env = text::paragraph("    ", &client.from_env),
        )
    }

    fn build(&self, client: &Client) -> String {
        let start = "    /// The client. Nothing is sent yet.\n    \
                     pub fn build(mut self) -> Result<Client, Error> {\n";
        let end = "        self.core.build(endpoint).map(Client)\n    }\n";
        if !self.regular() {
            return format!("{start}        let endpoint = prepare::endpoint(&mut self)?;\n{end}");
        }
        let usual = literal(self.model.host.as_deref().unwrap_or_default());
        let other = client.options.iter().find_map(|choice| {
            let host = choice.host.as_ref()?;
            Some((&choice.name, literal(host)))
        });
        let host = match other {
            Some((flag, host)) => format!(
                "        let host = if self.{flag} {{\n            {host}\n        }} else {{\n            \
                 {usual}\n        }};\n        let endpoint = self.core.at(host)?;\n"
            ),
            None => format!("        let endpoint = self.core.at({usual})?;\n"),
        };
        format!(
            "{start}        if !self.core.has_provider() {{\n            \
             let profile = alibaba::CliProfile::new();\n            \
             if let Some((region, place)) = profile.region(self.core.get_environment()) {{\n                \
             self.core.found(\"region\", region, place);\n            }}\n            \
             self.core.provider(Arc::new(alibaba::DefaultChain::new()));\n        }}\n        \
             self.core.protocol(Arc::new(Acs {{\n            signature: self.signature,\n            \
             form: self.form_body,\n        }}));\n{host}{end}"
        )
    }
}

fn literals(words: &[String]) -> String {
    let literals: Vec<String> = words.iter().map(|word| literal(word)).collect();
    literals.join(", ")
}

fn builder(client: &Client) -> String {
    let fields: String = client
        .options
        .iter()
        .map(|choice| format!("    pub(crate) {}: {},\n", choice.name, field(&choice.ty)))
        .collect();
    let hidden = client.options.iter().any(|choice| choice.hidden);
    let derive = if hidden { "" } else { "#[derive(Debug)]\n" };
    let text = format!(
        "/// Builds a [`Client`].\n{derive}#[must_use = \"no client is there until it is built\"]\npub struct Builder {{\n    pub(crate) core: client::Builder,\n{fields}}}\n\n"
    );
    if !hidden {
        return text;
    }
    let shown: String = client
        .options
        .iter()
        .filter(|choice| !choice.hidden)
        .map(|Choice { name, .. }| format!("            .field({name:?}, &self.{name})\n"))
        .collect();
    format!(
        "{text}impl fmt::Debug for Builder {{\n    /// Without what may hold a secret.\n    \
         fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{\n        \
         f.debug_struct(\"Builder\")\n            .field(\"core\", &self.core)\n{shown}            \
         .finish_non_exhaustive()\n    }}\n}}\n\n"
    )
}

fn setters(client: &Client) -> String {
    let settings = client.settings.iter().map(|setting| {
        let name = &setting.name;
        let body = format!("self.core.setting({name:?}, {name});");
        setter(&setting.doc, name, "impl Into<String>", &body)
    });
    let options = client.options.iter().map(|choice| {
        let (name, ty) = (&choice.name, choice.ty.as_str());
        let (argument, value) = match ty {
            "String" => ("impl Into<String>", format!("Some({name}.into())")),
            "i32" => (ty, format!("Some({name})")),
            _ => (ty, name.clone()),
        };
        setter(
            &choice.doc,
            name,
            argument,
            &format!("self.{name} = {value};"),
        )
    });
    settings.chain(options).collect()
}

fn setter(doc: &str, name: &str, argument: &str, body: &str) -> String {
    format!(
        "{}    pub fn {name}(mut self, {name}: {argument}) -> Self {{\n        {body}\n        self\n    }}\n\n",
        text::paragraph("    ", doc),
    )
}

/// The type of a builder's field.
fn field(ty: &str) -> String {
    match ty {
        "String" | "i32" => format!("Option<{ty}>"),
        _ => ty.to_owned(),
    }
}

/// What it holds before anybody sets it.
fn initial(ty: &str) -> String {
    match ty {
        "bool" => "false".to_owned(),
        "String" | "i32" => "None".to_owned(),
        _ => format!("{ty}::default()"),
    }
}
