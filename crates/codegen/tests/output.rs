//! What comes out of a small model that has one of each kind.

use serde_json::json;

const OVERLAY: &str = r#"
[summary]
CreateThing = "Creates a thing."
ListThings = "Lists things."
[retry]
CreateThing = "Keyed"
ListThings = "ReadOnly"
[secret]
CreateThing = ["input.Password"]
[client_default]
RegionId = "region"
[doc]
"CreateThing.input.Size" = "GiB."
[error]
"Thing.*" = { kind = "Conflict" }
"Thing.Gone" = { kind = "NotFound", hint = "Look \"elsewhere\"" }
"Thi*" = { kind = "Busy" }
[client]
title = "Demo"
[client.option.near]
type = "bool"
doc = "Calls from near by."
host = "demo-near.{region}.example"
[group]
thing = "Things."
"#;

const CLOUD: &str = r#"
[error]
Throttling = { kind = "Throttled" }
[marker]
"too late" = { kind = "ClockSkew", hint = "Hurry" }
[service.sts]
NoRole = { kind = "NotFound" }
[endpoint]
"*" = "{service}.{region}.example"
"iam.r1" = "iam-r1.example"
[client]
from_env = "A client from the environment."
[client.setting.region]
doc = "The region."
how = "Set it."
variables = ["DEMO_REGION"]
[client.option.secret]
type = "String"
doc = "An address."
hidden = true
[client.option.signature]
type = "AcsSignature"
doc = "The signature."
"#;

fn generated() -> Vec<(String, String)> {
    let member =
        |name: &str, ty: serde_json::Value| json!({"name": name, "in": "query", "type": ty});
    let required =
        |name: &str| json!({"name": name, "in": "query", "type": "string", "required": true});
    let model = json!({
        "service": "demo", "version": "v1", "protocol": "acs-rpc",
        "endpoints": {"default": "demo.{region}.example"},
        "operations": [
            {"name": "CreateThing", "group": "thing", "method": "POST", "path": "/", "token": "ClientToken",
             "input": [
                member("ClientToken", json!("string")), member("Password", json!("string")),
                required("RegionId"), required("A"), required("B"), required("C"), required("D"),
                {"name": "Size", "in": "query", "type": "int32", "min": 1, "default": 20},
                {"name": "Mode", "in": "query", "type": "string", "values": ["fast", "Slow-1"]},
                member("type", json!({"struct": [
                    {"name": "Self", "type": "string"},
                    {"name": "Inner", "type": {"list": {"struct": [{"name": "K", "type": "any"}]}}}]})),
             ],
             "output": [{"name": "RequestId", "type": "string"}]},
            {"name": "ListThings", "group": "thing", "method": "POST", "path": "/",
             "paging": {"style": "token", "token": "NextToken", "next": "NextToken", "limit": "MaxResults", "items": "Things.Thing"},
             "input": [member("NextToken", json!("string")),
                {"name": "MaxResults", "in": "query", "type": "int32", "max": 100}],
             "output": [
                {"name": "NextToken", "type": "string"},
                {"name": "Things", "type": {"struct": [{"name": "Thing", "type": {"list": {"struct": [
                    {"name": "Made", "type": "timestamp"}, {"name": "Next", "type": {"ref": "Node"}}]}}}]}}]},
        ],
        "types": {"Node": {"kind": "struct", "members": [
            {"name": "Value", "type": {"map": "double"}}, {"name": "Node", "type": {"ref": "Node"}}]}},
    });
    let files = cumulo_codegen::files("demo", &model.to_string(), OVERLAY, ("sky", CLOUD)).unwrap();
    let shared = cumulo_codegen::cloud::files("sky", CLOUD).unwrap();
    files
        .into_iter()
        .chain(shared)
        .map(|(path, text)| (path.display().to_string(), text))
        .collect()
}

fn file(name: &str) -> String {
    let files = generated();
    let found = files.iter().find(|(path, _)| path.ends_with(name));
    found.map_or_else(|| panic!("no {name}"), |(_, text)| text.clone())
}

#[track_caller]
fn holds(text: &str, part: &str) {
    assert!(text.contains(part), "no\n{part}\nin\n{text}");
}

#[test]
fn operations_read_like_written_by_hand() {
    let text = file("generated/thing.rs");
    holds(
        &text,
        "operation! {\n    /// Creates a thing.\n    \
         CreateThing -> Empty: POST \"/\" Keyed [token(\"ClientToken\")];\n    \
         required CreateThingRequired {\n        query \"A\" a: String,\n",
    );
    holds(&text, "query \"Password\" password: Secret,");
    holds(
        &text,
        "query \"RegionId\" region_id: String [required(), setting(\"region\")],",
    );
    holds(
        &text,
        "        /// GiB.\n        /// Taken if unset: `20`.\n        \
         query \"Size\" size: i64 [range(1, i64::MAX)],\n",
    );
    holds(
        &text,
        "query \"Mode\" mode: String [values(&[\"fast\", \"Slow-1\"])],",
    );
    holds(
        &text,
        "constants { MODE_FAST = \"fast\", MODE_SLOW_1 = \"Slow-1\" }",
    );
    holds(&text, "query \"type\" r#type: Type,");
    holds(&text, "\"Self\" self_: String,");
    holds(&text, "\"Inner\" inner: Vec<Inner>,");
}

#[test]
fn answers_unwrap_lists_and_box_themselves() {
    let text = file("generated/thing.rs");
    holds(&text, "\"Things\" things: Vec<Thing> [wrapped(\"Thing\")],");
    holds(&text, "    pages things: Thing;\n");
    holds(
        &text,
        "page_token(\"NextToken\", \"NextToken\", Some((\"MaxResults\", 100)))",
    );
    holds(&text, "\"Made\" made: Option<Timestamp>,");
    holds(&text, "\"Next\" next: Option<Node>,");
    holds(&text, "\"Value\" value: BTreeMap<String, f64>,");
    holds(&text, "\"Node\" node: Option<Box<Node>>,");
    holds(
        &file("generated/types.rs"),
        "Empty {\n        \"RequestId\" request_id: Option<String>,\n",
    );
}

#[test]
fn tables_list_everything() {
    let text = file("generated/thing.rs");
    holds(
        &text,
        "    CreateThing::operation, ListThings::operation,\n",
    );
    holds(
        &file("generated/mod.rs"),
        "    (\"thing\", thing::OPERATIONS),\n",
    );
    let compact = file("localcloud/models/demo.json");
    let compact: serde_json::Value = serde_json::from_str(&compact).unwrap();
    assert_eq!(compact["operations"][0]["input"][3]["required"], true);
    // Ranges and values go along, so that synthesized answers keep to them; texts for people do not.
    assert_eq!(compact["operations"][0]["input"][7]["min"], 1);
    assert_eq!(compact["operations"][0].get("summary"), None);
}

#[test]
fn the_more_exact_code_comes_first() {
    holds(
        &file("generated/codes.rs"),
        r#"pub(super) static CODES: &[Code] = &[
    Code { code: "Thing.Gone", kind: Kind::NotFound, hint: "Look \"elsewhere\"" },
    Code { code: "Thing.*", kind: Kind::Conflict, hint: "" },
    Code { code: "Thi*", kind: Kind::Busy, hint: "" },
];
"#,
    );
}

#[test]
fn what_a_cloud_shares_goes_into_the_runtime() {
    let codes = file("core/src/sky/codes.rs");
    for (name, row) in [
        ("CODES", r#""Throttling", kind: Kind::Throttled, hint: """#),
        (
            "MARKERS",
            r#""too late", kind: Kind::ClockSkew, hint: "Hurry""#,
        ),
        ("STS", r#""NoRole", kind: Kind::NotFound, hint: """#),
    ] {
        let expected =
            format!("pub(crate) static {name}: &[Code] = &[\n    Code {{ code: {row} }},\n];\n");
        holds(&codes, &expected);
    }
    holds(
        &file("core/src/sky/endpoints.rs"),
        "    (\"*\", \"{service}.{region}.example\"),\n    (\"iam.r1\", \"iam-r1.example\"),\n",
    );
}

#[test]
fn a_client_has_what_its_service_and_its_cloud_say() {
    let text = file("generated/client.rs");
    holds(&text, "name: \"region\",");
    holds(&text, "variables: &[\"DEMO_REGION\"],");
    holds(&text, "codes: codes::CODES,");
    holds(
        &text,
        "    /// The region.\n    pub fn region(mut self, region: impl Into<String>) -> Self {\n        \
         self.core.setting(\"region\", region);\n        self\n    }\n",
    );
    holds(
        &text,
        "    pub fn secret(mut self, secret: impl Into<String>) -> Self {\n        \
         self.secret = Some(secret.into());\n",
    );
    holds(&text, "    pub(crate) signature: AcsSignature,\n");
    holds(&text, ".field(\"near\", &self.near)");
    assert!(!text.contains("&self.secret"), "{text}");
    holds(
        &text,
        "let host = if self.near {\n            \"demo-near.{region}.example\"\n        } else {\n            \
         \"demo.{region}.example\"\n        };\n",
    );
    holds(
        &file("generated/mod.rs"),
        "pub use client::{Builder, Client};\n",
    );
}

#[test]
fn the_same_input_gives_the_same_output() {
    assert_eq!(generated(), generated());
}
