//! The second table: rows that rules find, rows that people write, and names that the model lacks.

use serde_json::{Value, json};

const CLOUD: &str = r#"
[error]
Throttling = { kind = "Throttled" }
[client]
from_env = "A client from the environment."
[client.setting.region]
doc = "The region."
how = "Set it."
"#;

fn rest() -> Value {
    let item = json!([{"name": "id", "type": "string"}, {"name": "name", "type": "string"}]);
    let operation = |name: &str, method: &str, path: &str, output: &Value| {
        json!({"name": name, "group": "thing", "method": method, "path": path, "input":
            path.split('/').filter_map(|part| part.strip_prefix('{')).map(|part| json!(
                {"name": part.trim_end_matches('}'), "in": "path", "type": "string", "required": true}
            )).collect::<Vec<_>>(), "output": output})
    };
    let list = json!([{"name": "things", "type": {"list": {"struct": item}}}]);
    json!({
        "service": "demo", "version": "v1", "protocol": "huawei-rest", "types": {},
        "operations": [
            operation("CreateThing", "POST", "/things", &item),
            operation("DeleteThing", "DELETE", "/things/{thing_id}", &json!([])),
            operation("ListThings", "GET", "/things", &list),
            operation("ShowThing", "GET", "/things/{id}", &item),
            operation("StartThing", "POST", "/things/{thing_id}/start", &json!([])),
            operation("UpdateThing", "PUT", "/things/{thing_id}", &item),
        ],
    })
}

fn overlay(rows: &str) -> String {
    let names = [
        "CreateThing",
        "DeleteThing",
        "ListThings",
        "ShowThing",
        "StartThing",
        "UpdateThing",
    ];
    let each = |value: &str| names.map(|name| format!("{name} = \"{value}\"\n")).concat();
    format!(
        "[summary]\n{}[retry]\n{}[group]\nthing = \"Things.\"\n[client]\ntitle = \"Demo\"\n{rows}",
        each("Does it."),
        each("Idempotent")
    )
}

fn generated(rows: &str) -> Result<Vec<Value>, Vec<String>> {
    match cumulo_codegen::files("demo", &rest().to_string(), &overlay(rows), ("sky", CLOUD)) {
        Ok(files) => {
            let (_, text) = files
                .iter()
                .find(|(path, _)| path.ends_with("demo.resources.json"))
                .expect("the table is written");
            Ok(serde_json::from_str(text).expect("it is JSON"))
        }
        Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_rule_reads_a_row_off_the_addresses() {
    let rows = generated("").unwrap();
    assert_eq!(
        rows,
        [json!({
            "name": "thing", "id": "id", "title": "name", "create": ["CreateThing"],
            "read": {"op": "ShowThing", "by": "id", "at": ""},
            "list": {"op": "ListThings", "by": "", "at": "things"},
            "update": ["UpdateThing"], "delete": ["DeleteThing"], "others": ["StartThing"],
        })]
    );
}

#[test]
fn an_overlay_completes_renames_and_skips() {
    let rows = generated("[resource.thing]\nstates = { member = \"name\", good = \"a\" }").unwrap();
    assert_eq!(
        rows[0]["states"],
        json!({"member": "name", "good": ["a"], "bad": []})
    );
    let rows = generated("[resource.gadget]\nof = \"thing\"").unwrap();
    assert_eq!(rows[0]["name"], "gadget");
    assert_eq!(
        generated("[resource.thing]\nskip = true").unwrap(),
        [json!(null); 0]
    );
    // What a person gives to a row is no verb of another.
    let rows = generated("[resource.start]\nparent = \"thing\"\ncreate = \"StartThing\"").unwrap();
    assert_eq!(rows[0]["name"], "start");
    assert!(rows[1].get("others").is_none(), "{rows:?}");
}

#[test]
fn a_name_that_the_model_lacks_stops_the_generator() {
    for (rows, said) in [
        (
            "[resource.thing]\ncreate = \"MakeThing\"",
            "unknown operation `MakeThing`",
        ),
        (
            "[resource.thing]\nid = \"uuid\"",
            "no answer has its id `uuid`",
        ),
        ("[resource.thing]\nparent = \"box\"", "unknown parent `box`"),
        (
            "[resource.thing]\nlist = { op = \"ListThings\", at = \"boxes\" }",
            "answers nothing at `boxes`",
        ),
        (
            "[resource.thing]\nread = { op = \"ShowThing\", by = \"Id\" }",
            "takes no `Id`",
        ),
        (
            "[resource.thing]\nstates = { member = \"state\" }",
            "answers no `state`",
        ),
        ("[resource.thing]\nidd = \"id\"", "unknown key `idd`"),
        ("[resource.box]\nskip = true", "nothing to skip"),
        (
            "[resource.box]\nof = \"crate\"",
            "no rule makes the row `crate`",
        ),
    ] {
        let faults = generated(rows).unwrap_err();
        let place = rows.lines().next().unwrap_or_default();
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains(said) && fault.contains(place)),
            "{rows}: {faults:?}"
        );
    }
}
