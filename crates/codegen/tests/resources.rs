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
    let item = json!([{"name": "id", "type": "string"}, {"name": "name", "type": "string"},
        {"name": "mode", "type": "string", "values": ["on", "off"]}]);
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

fn waits(rows: &str) -> Result<String, Vec<String>> {
    match cumulo_codegen::files("demo", &rest().to_string(), &overlay(rows), ("sky", CLOUD)) {
        Ok(files) => {
            let found = files.iter().find(|(path, _)| path.ends_with("wait.rs"));
            Ok(found.map(|(_, text)| text.clone()).unwrap_or_default())
        }
        Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_waiter_takes_what_it_does_not_say_from_the_row() {
    assert_eq!(waits("").unwrap(), "");
    let states = "[resource.thing]\nstates = { member = \"mode\", good = \"on\", bad = \"off\" }\n";
    let text = waits(&format!(
        "{states}[wait.thing-on]\ndoc = \"Until it is on.\"\nof = \"thing\""
    ))
    .unwrap();
    for line in [
        "pub fn thing_on(id: impl Into<String>) -> Waiter {",
        "Target::new(\"thing_on\", \"thing\", super::thing::ShowThing::operation)",
        ".by(\"id\", \"\")",
        ".at(\"\", \"id\")",
        ".states(\"mode\", &[\"on\"], &[\"off\"])",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let text = waits(&format!(
        "{states}[wait.thing-named]\ndoc = \"Until its name is so.\"\nof = \"thing\"\nread = \"ListThings\"\n\
         member = \"name\"\ngood = [\"$wanted if mode=on\"]\nbad = []\nhits = 2"
    ));
    // Where a list stands in an answer is known of pages only.
    assert!(text.unwrap_err()[0].contains("answers no `id`"));
    let text = waits(&format!(
        "{states}[wait.thing-named]\ndoc = \"Until its name is so.\"\nof = \"thing\"\n\
         read = {{ op = \"ListThings\", at = \"things\" }}\n\
         member = \"name\"\ngood = [\"$wanted if mode=on\"]\nbad = []\nhits = 2"
    ))
    .unwrap();
    assert!(
        text.contains("(id: impl Into<String>, wanted: impl Into<String>)"),
        "{text}"
    );
    assert!(
        text.contains("Waiter::new(&THING_NAMED, id).with(\"$wanted\", wanted)"),
        "{text}"
    );
    assert!(text.contains(".hits(2)"), "{text}");
    assert!(text.contains(".with(&[\"$wanted\"])"), "{text}");
    let text = waits(&format!(
        "{states}[wait.thing-on]\ndoc = \"Until it is on.\"\nof = \"thing\"\nafter = [\"CreateThing\"]"
    ))
    .unwrap();
    assert!(text.contains(".after(&[\"CreateThing\"])"), "{text}");
    assert!(text.contains("&[\n    &THING_ON,\n];"), "{text}");
}

#[test]
fn a_waiter_that_cannot_be_right_stops_the_generator() {
    let usual = "[wait.x]\ndoc = \"Until.\"\nof = \"thing\"\nmember = \"mode\"\ngood = [\"on\"]\n";
    assert!(waits(usual).is_ok());
    for (row, said) in [
        (
            "[wait.x]\ndoc = \"Until.\"\nof = \"box\"".to_owned(),
            "no resource `box`",
        ),
        (format!("{usual}goood = 1"), "unknown key `goood`"),
        (
            format!("{usual}bad = [\"of\"]"),
            "the model knows no `mode` `of`",
        ),
        (
            format!("{usual}through = \"on > of\""),
            "the model knows no `mode` `of`",
        ),
        (format!("{usual}why = \"reason\""), "answers no `reason`"),
        (
            format!("{usual}progress = \"name\"\nid = \"uuid\""),
            "answers no `uuid`",
        ),
        (format!("{usual}with = [\"box_id\"]"), "takes no `box_id`"),
        (usual.replace("on\"", "on if box=1\""), "answers no `box`"),
        (
            usual.replace("good = [\"on\"]", "good = []"),
            "has no state that ends it",
        ),
        (usual.replace("doc = \"Until.\"", ""), "needs a `doc`"),
        (
            format!("{usual}after = [\"MoveThing\"]"),
            "no operation `MoveThing` to wait after",
        ),
        (
            format!("{usual}after = [\"StartThing\"]"),
            "does not tell which thing it is about",
        ),
        (
            format!("{usual}read = \"ReadThing\""),
            "no operation `ReadThing`",
        ),
    ] {
        let faults = waits(&row).unwrap_err();
        assert!(
            faults
                .iter()
                .any(|fault| fault.contains(said) && fault.contains("[wait.x]")),
            "{row}: {faults:?}"
        );
    }
}
