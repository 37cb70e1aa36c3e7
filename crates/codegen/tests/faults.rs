//! A mistake in a model or overlay stops the generator, and names file, operation and member.

use serde_json::{Value, json};

const OVERLAY: &str = r#"
[summary]
CreateThing = "Creates a thing."
[retry]
CreateThing = "Keyed"
[group]
thing = "Things."
"#;

fn model() -> Value {
    json!({
        "service": "demo", "protocol": "acs-rpc",
        "operations": [{
            "name": "CreateThing", "group": "thing", "method": "POST", "path": "/", "token": "ClientToken",
            "input": [
                {"name": "ClientToken", "in": "query", "type": "string"},
                {"name": "Size", "in": "query", "type": "int32", "required": true},
                {"name": "Part", "in": "query", "type": {"list": {"struct": [{"name": "Key", "type": "string"}]}}},
                {"name": "Owner", "in": "query", "type": {"ref": "Owner"}},
            ],
            "output": [{"name": "ThingId", "type": "string"}],
        }],
        "types": {"Owner": {"kind": "struct", "members": [{"name": "Id", "type": "string"}]}},
    })
}

/// What the generator says about a model and overlay.
fn faults(model: &Value, overlay: &str) -> Vec<String> {
    match cumulo_codegen::files("demo", &model.to_string(), overlay) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn one_fault(model: &Value, overlay: &str, expected: &str) {
    assert_eq!(faults(model, overlay), [expected]);
}

#[test]
fn a_sound_model_passes() {
    assert_eq!(faults(&model(), OVERLAY), [""; 0]);
}

#[test]
fn unknown_types_places_and_keys() {
    let mut bad = model();
    bad["operations"][0]["input"][1]["type"] = json!("int128");
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing.input.Size: unknown type `int128`",
    );
    let mut bad = model();
    bad["operations"][0]["input"][2]["type"]["list"]["struct"][0]["type"] =
        json!({"set": "string"});
    let expected =
        r#"models/demo.json: CreateThing.input.Part.Key: unknown type `{"set":"string"}`"#;
    one_fault(&bad, OVERLAY, expected);
    let mut bad = model();
    bad["operations"][0]["input"][1]["in"] = json!("cookie");
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing.input.Size: unknown place `cookie`",
    );
    let mut bad = model();
    bad["operations"][0]["input"][1]["maximum"] = json!(1);
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing.input.Size: unknown key `maximum`",
    );
}

#[test]
fn duplicate_names() {
    let mut bad = model();
    let twin = bad["operations"][0]["input"][1].clone();
    bad["operations"][0]["input"]
        .as_array_mut()
        .unwrap()
        .push(twin);
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing.input.Size: duplicate member",
    );
    let mut bad = model();
    let twin = bad["operations"][0].clone();
    bad["operations"].as_array_mut().unwrap().push(twin);
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing: duplicate operation",
    );
    let mut bad = model();
    bad["types"]["CreateThingOutput"] = json!({"kind": "struct", "members": []});
    let expected = "models/demo.json: types.CreateThingOutput: the name `CreateThingOutput` is also that of \
                    the output of CreateThing";
    one_fault(&bad, OVERLAY, expected);
}

#[test]
fn dangling_references() {
    let mut bad = model();
    bad["operations"][0]["input"][3]["type"] = json!({"list": {"ref": "Nobody"}});
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing.input.Owner: there is no type `Nobody`",
    );
    let mut bad = model();
    bad["operations"][0]["path"] = json!("/{id}");
    let expected = "models/demo.json: CreateThing: the path names `id`, which is no path member";
    one_fault(&bad, OVERLAY, expected);
    let mut bad = model();
    bad["operations"][0]["token"] = json!("Token");
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: CreateThing: the token member `Token` does not exist",
    );
}

#[test]
fn missing_words() {
    let file = "models/overlays/demo.toml";
    let overlay = OVERLAY.replace("CreateThing = \"Creates a thing.\"", "");
    one_fault(
        &model(),
        &overlay,
        &format!("{file}: CreateThing: has no summary"),
    );
    let overlay = OVERLAY.replace("CreateThing = \"Keyed\"", "");
    one_fault(
        &model(),
        &overlay,
        &format!("{file}: CreateThing: has no retry class"),
    );
    let overlay = OVERLAY.replace("\"Keyed\"", "\"Sometimes\"");
    let expected = format!("{file}: CreateThing: [retry] unknown retry class `Sometimes`");
    one_fault(&model(), &overlay, &expected);
    let overlay = OVERLAY.replace("thing = \"Things.\"", "");
    one_fault(
        &model(),
        &overlay,
        &format!("{file}: thing: the group has no description"),
    );
    let mut bad = model();
    bad["operations"][0]
        .as_object_mut()
        .unwrap()
        .remove("token");
    let expected = format!("{file}: CreateThing: [retry] Keyed needs a client token or a job");
    one_fault(&bad, OVERLAY, &expected);
}

#[test]
fn overlays_that_name_what_is_not_there() {
    let file = "models/overlays/demo.toml";
    for (more, expected) in [
        ("[summary]\nNo = \"No.\"", "No: [summary] unknown operation"),
        ("[retry]\nNo = \"Unsafe\"", "No: [retry] unknown operation"),
        (
            "[gone]\nNo = [\"Thing.NotFound\"]",
            "No: [gone] unknown operation",
        ),
        (
            "[gone]\nCreateThing = []",
            "CreateThing: [gone] names no code",
        ),
        (
            "[gone.rule]\nputs = [\"Thing.NotFound\"]",
            "[gone]: unknown rule `puts`",
        ),
        ("[group]\nno = \"No.\"", "no: [group] unknown group"),
        (
            "[lane.l]\nmembers = [\"Size\"]\noperations = [\"No\"]",
            "No: [lane.l] unknown operation",
        ),
        (
            "[lane.l]\nmembers = [[\"No\", \"Nos\"]]\noperations = [\"CreateThing\"]",
            "CreateThing: [lane.l] it has none of [\"No\", \"Nos\"]",
        ),
        (
            "[lane.l]\nmembers = []\noperations = [\"CreateThing\"]",
            "[lane.l]: `members` must be a list of names",
        ),
        (
            "[lane.l]\nmembers = [\"Size\"]\noperations = \"reads\"",
            "[lane.l]: `operations` must be a list or `writes`",
        ),
        (
            "[secret]\nNo = [\"input.Key\"]",
            "No.input.Key: unknown operation `No`",
        ),
        (
            "[secret]\nCreateThing = [\"input.Key\"]",
            "CreateThing.input.Key: unknown member `Key`",
        ),
        (
            "[secret]\nCreateThing = [\"input.Size\"]",
            "CreateThing.input.Size: a secret must be text, not Int",
        ),
        (
            "[secret.types]\nNo = [\"Key\"]",
            "types.No.Key: unknown type `No`",
        ),
        (
            "[shown_once]\nNo = [\"ThingId\"]",
            "No.output.ThingId: [shown_once] unknown operation `No`",
        ),
        (
            "[shown_once]\nCreateThing = [\"Thing\"]",
            "CreateThing.output.Thing: [shown_once] unknown member `Thing`",
        ),
        (
            "[shown_once]\nCreateThing = [\"ThingId\"]",
            "CreateThing.output.ThingId: [shown_once] is no secret; name it in [secret] first",
        ),
        (
            "[doc]\n\"CreateThing.input.Part.No\" = \"x\"",
            "CreateThing.input.Part.No: [doc] unknown member `No`",
        ),
        (
            "[constraint]\n\"CreateThing.input.Size\" = { most = 1 }",
            "CreateThing.input.Size: [constraint] unknown rule `most = 1`",
        ),
        (
            "[client_default]\nRegionId = \"region\"",
            "RegionId: [client_default] no operation requires it",
        ),
        (
            "[error]\nE1 = { kind = \"Odd\", hint = \"\" }",
            "E1: [error] unknown kind `Odd`",
        ),
        ("[words]\nx = 1", "[words]: unknown table"),
        (
            "[repair.r]\nreason = \"r\"\noperation = \"CreateThing\"\npath = \"input.Size\"\n\
             from = { type = \"string\" }\nto = { type = \"int64\" }",
            "CreateThing.input.Size: [repair.r] no longer applies: `type` is \"int32\", not \"string\"",
        ),
    ] {
        let table = more.split('\n').next().unwrap();
        let overlay = if OVERLAY.contains(table) {
            OVERLAY.replace(table, more)
        } else {
            format!("{OVERLAY}{more}")
        };
        one_fault(&model(), &overlay, &format!("{file}: {expected}"));
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let overlay = OVERLAY.replace("CreateThing", "Other");
    assert_eq!(faults(&model(), &overlay).len(), 4);
}
