//! A mistake in a model or overlay stops the generator, and names file, operation and member.

use cumulo_codegen::File;
use cumulo_codegen::fault::Faults;
use serde_json::{Value, json};

const OVERLAY: &str = r#"
[summary]
CreateThing = "Creates a thing."
[retry]
CreateThing = "Keyed"
[group]
thing = "Things."
[client]
title = "Demo"
"#;

const CLOUD: &str = r#"
[error]
Throttling = { kind = "Throttled" }
[client]
from_env = "A client from the environment."
[client.setting.region]
doc = "The region."
how = "Set it."
"#;

fn model() -> Value {
    json!({
        "service": "demo", "version": "v1", "protocol": "acs-rpc",
        "endpoints": {"default": "demo.{region}.example", "map": {"r1": "demo.r1.example"}},
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
    said(cumulo_codegen::files(
        "demo",
        &model.to_string(),
        overlay,
        ("sky", CLOUD),
    ))
}

fn said(made: Faults<Vec<File>>) -> Vec<String> {
    match made {
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
            "[client_default]\nSize = \"zone\"",
            "Size: [client_default] the client has no setting \"zone\"",
        ),
        ("[client]\nname = \"Demo\"", "[client]: unknown key `name`"),
        (
            "[client]\nfrom_env = \"Twice.\"",
            "[client]: the cloud says `from_env` already",
        ),
        (
            "[client.option.fast]\ntype = \"bool\"",
            "[client.option.fast]: `doc` is missing or not text",
        ),
        (
            "[client.option.fast]\ntype = \"i32\"\ndoc = \"x\"\nhost = \"fast.example\"",
            "[client.option.fast]: `host` belongs to a flag",
        ),
        (
            "[error]\nThrottling = { kind = \"Busy\" }",
            "Throttling: [error] hides `Throttling` of models/clouds/sky.toml",
        ),
        (
            "[error]\n\"Thr*\" = { kind = \"Busy\" }",
            "Thr*: [error] hides `Throttling` of models/clouds/sky.toml",
        ),
        (
            "[error]\nE1 = { kind = \"Busy\", remedy = \"\" }",
            "E1: [error] unknown key `remedy`",
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

#[test]
fn one_code_has_one_row() {
    let overlay =
        format!("{OVERLAY}[error]\nE1 = {{ kind = \"Busy\" }}\nE1 = {{ kind = \"Conflict\" }}\n");
    let faults = faults(&model(), &overlay);
    assert!(
        faults.len() == 1 && faults[0].contains("duplicate key"),
        "{faults:?}"
    );
}

#[test]
fn clouds() {
    let file = "models/clouds/sky.toml";
    for (text, expected) in [
        ("[group]\nx = \"X.\"", "[group]: unknown table"),
        (
            "[error]\nE1 = { kind = \"Odd\" }",
            "E1: [error] unknown kind `Odd`",
        ),
        (
            "[marker]\n\"too late\" = { hint = \"Hurry\" }",
            "too late: [marker] unknown kind ``",
        ),
        (
            "[error]\nE1 = { kind = \"Busy\" }\n[service.sts]\nE1 = { kind = \"Busy\" }",
            "E1: [service.sts] hides `E1` of models/clouds/sky.toml",
        ),
        (
            "[endpoint]\nr1 = \"{service}.r1.example\"",
            "*: [endpoint] is missing",
        ),
    ] {
        assert_eq!(
            said(cumulo_codegen::cloud::files("sky", text)),
            [format!("{file}: {expected}")]
        );
    }
}

#[test]
fn addresses_that_do_not_follow_the_rule() {
    let mut bad = model();
    bad["endpoints"]["map"]["r2"] = json!("demo.r3.example");
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: endpoints.map.r2: `demo.r3.example` is not `demo.r2.example`, which the rule says",
    );
    // Without a rule of its own, a model is held against that of the cloud.
    let mut listed = model();
    listed["protocol"] = json!("huawei-rest");
    listed["endpoints"] = json!({"here": {"r1": "demo.r1.example", "*": "demo.example"}});
    let cloud = |rule: &str| {
        let text = format!("{CLOUD}[endpoint]\n\"*\" = \"{rule}\"\n");
        let listed = listed.to_string();
        said(cumulo_codegen::files(
            "demo",
            &listed,
            OVERLAY,
            ("sky", &text),
        ))
    };
    assert_eq!(cloud("{service}.{region}.example"), [""; 0]);
    assert_eq!(
        cloud("{service}.{region}.test"),
        [
            "models/demo.json: endpoints.here.r1: `demo.r1.example` is not `demo.r1.test`, which the rule says"
        ]
    );
    let mut bad = model();
    bad.as_object_mut().unwrap().remove("endpoints");
    one_fault(
        &bad,
        OVERLAY,
        "models/demo.json: endpoints: `endpoints.default` is missing",
    );
}
