//! Files as people write them, against what `PyYAML` reads in them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Json, Fault> {
    parse(text).map(|mut json| take(&mut json.0))
}

#[test]
fn a_clouds_file_as_people_write_it() {
    let text = r#"---
# our clouds
defaults: &defaults   # shared
  region_name: eu-de
  auth_type: password
clouds:
  otc:
    <<: *defaults
    profile: otc
    auth:
      auth_url: https://iam.eu-de.otc.t-systems.com/v3   # with a colon
      username: 'it''s me'
      password: "a #b: \"c\" \u00fc"
      project_id: 0123
      user_domain_name: OTC-EU-DE-00000000001000000001
    regions:
    - eu-de
    - name: eu-nl
      values: {a: 1, "b c": [x, 'y']}
  other: { auth: { username: u,
      password: p#1 }, region_name: eu-nl }
  empty:
  note: |
    two
      lines
  folded: >-
    one
    line
  plain: a text
    over two lines
...
ignored: yes
"#;
    let json = read(text).unwrap();
    let otc = &json["clouds"]["otc"];
    assert_eq!(otc["region_name"], "eu-de");
    assert_eq!(otc["profile"], "otc");
    assert_eq!(
        otc["auth"]["auth_url"],
        "https://iam.eu-de.otc.t-systems.com/v3"
    );
    assert_eq!(otc["auth"]["username"], "it's me");
    assert_eq!(otc["auth"]["password"], "a #b: \"c\" ü");
    assert_eq!(otc["auth"]["project_id"], "0123");
    assert_eq!(
        otc["regions"],
        json!(["eu-de", {"name": "eu-nl", "values": {"a": "1", "b c": ["x", "y"]}}])
    );
    assert_eq!(
        json["clouds"]["other"],
        json!({"auth": {"username": "u", "password": "p#1"}, "region_name": "eu-nl"})
    );
    assert_eq!(json["clouds"]["empty"], Json::Null);
    assert_eq!(json["clouds"]["note"], "two\n  lines\n");
    assert_eq!(json["clouds"]["folded"], "one line");
    assert_eq!(json["clouds"]["plain"], "a text over two lines");
    assert_eq!(json.get("ignored"), None);
}

#[test]
fn what_is_not_understood_is_told_by_line() {
    for (text, line) in [
        // A text that goes on below is wrong where it begins.
        ("a: 1\n\tb: 2", 1),
        ("a:\n\tb: 2", 2),
        ("a: 1\nb", 2),
        ("a: 1\na: 2", 2),
        ("a:\n    b: 1\n  c: 2", 3),
        ("a: !tag x", 1),
        ("a: *b", 1),
        ("a: \"open", 1),
        ("a: {b: c", 1),
        ("a: {b: c} d", 1),
        ("a: \"\\q\"", 1),
    ] {
        let Err(Fault { line: at, .. }) = read(text) else {
            panic!("{text:?} was read");
        };
        assert_eq!(at, line, "{text:?}");
    }
    assert_eq!(read("").unwrap(), Json::Null);
    assert_eq!(read("# nothing\n---\n").unwrap(), Json::Null);
}

#[test]
fn nesting_and_unfolding_have_limits() {
    let deep = "[".repeat(10_000);
    assert!(read(&format!("a: {deep}")).is_err());
    let mut steps = String::new();
    for level in 0..10_000 {
        steps.push_str(&" ".repeat(level));
        steps.push_str("- \n");
    }
    assert!(read(&steps).is_err());
    assert!(read(&"- ".repeat(10_000)).is_err());
    let mut bomb = "x0: &x0 [a, b, c, d, e, f, g, h]\n".to_owned();
    for level in 1..30 {
        let before = level - 1;
        bomb +=
            &format!("x{level}: &x{level}\n  a: *x{before}\n  b: *x{before}\n  c: *x{before}\n");
    }
    assert!(read(&bomb).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[-:# {}\\[\\]\"'a-c&*|>\\n\\\\!?,\\t]{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn a_json_text_reads_as_itself(text in "\\PC{0,40}") {
        let quoted = Json::String(text.clone()).to_string();
        let json = read(&format!("a: {quoted}\n"));
        // JSON's escapes \b and \f are the ones that people never write.
        if let Ok(json) = json {
            prop_assert_eq!(&json["a"], &Json::String(text));
        }
    }
}

#[test]
fn files_are_read_as_pyyaml_reads_them() {
    // PyYAML 6.0.2. Of merged mappings that have a key in common, 6.0.4 takes the last, against the
    // specification and all versions before.
    for (text, json) in [
        (
            "password: |\n  Secr3t\nz: 1\n",
            json!({"password": "Secr3t\n", "z": "1"}),
        ),
        ("password: |-\n  Secr3t\n", json!({"password": "Secr3t"})),
        (
            "password: |+\n  a\n\nz: 1\n",
            json!({"password": "a\n\n", "z": "1"}),
        ),
        ("password: |\n  Secr3t", json!({"password": "Secr3t"})),
        (
            "k: |\n\n  a\n\n    b\n  c\n",
            json!({"k": "\na\n\n  b\nc\n"}),
        ),
        ("k: |2\n    a\n   b\n", json!({"k": "  a\n b\n"})),
        ("k: |2-\n    a\n", json!({"k": "  a"})),
        ("k: | # c\n  a # b\n", json!({"k": "a # b\n"})),
        ("k: >\n  a\n  b\n\n  c\n", json!({"k": "a b\nc\n"})),
        ("k: >-\n  a\n    b\n  c\n", json!({"k": "a\n  b\nc"})),
        ("k: >+\n  a\n\n", json!({"k": "a\n\n"})),
        ("k: >-\n\n  a\n", json!({"k": "\na"})),
        ("k: |\nz: 1\n", json!({"k": "", "z": "1"})),
        ("- |\n  a\n- b\n", json!(["a\n", "b"])),
        ("k: |\r\n  a\r\n  b\r\n", json!({"k": "a\nb\n"})),
        ("k: a 'b # c\n", json!({"k": "a 'b"})),
        ("k: a \"b # c\n", json!({"k": "a \"b"})),
        ("k: a #b\n", json!({"k": "a"})),
        ("k: a#b\n", json!({"k": "a#b"})),
        ("k: 'a #b'\n", json!({"k": "a #b"})),
        ("k: \"a #b\" # c\n", json!({"k": "a #b"})),
        ("k: 'a''b'\n", json!({"k": "a'b"})),
        (
            "k: \"\\x41\\u00fc\\U0001F600\\/\\t\"\n",
            json!({"k": "Aü😀/\t"}),
        ),
        ("k: \"a\\\n  b\"\n", json!({"k": "ab"})),
        ("k: \"a\n  b\n\n  c\"\n", json!({"k": "a b\nc"})),
        ("k: 'a\n  # b'\n", json!({"k": "a # b"})),
        ("k: a\n  b\n\n  c\n", json!({"k": "a b\nc"})),
        ("k:\n  a\n  b\n", json!({"k": "a b"})),
        ("a:\n- b\nc: d\n", json!({"a": ["b"], "c": "d"})),
        (
            "- - a\n  - b\n- c: d\n  e: f\n",
            json!([["a", "b"], {"c": "d", "e": "f"}]),
        ),
        ("-\n  a: b\n", json!([{"a": "b"}])),
        (
            "{\n  \"a\": \"b\",\n  \"c\": [\n    \"d\",\n    {\"e\": null}\n  ]\n}\n",
            json!({"a": "b", "c": ["d", {"e": null}]}),
        ),
        ("a: {\nb: c\n}\n", json!({"a": {"b": "c"}})),
        (
            "{\"a\":\"b\",\"c\":{\"d\":[]}}",
            json!({"a": "b", "c": {"d": []}}),
        ),
        ("{a: b, c}\n", json!({"a": "b", "c": null})),
        ("a: [b, c, ]\n", json!({"a": ["b", "c"]})),
        (
            "a: {b: http://x/y#z}\n",
            json!({"a": {"b": "http://x/y#z"}}),
        ),
        ("[a: b]\n", json!([{"a": "b"}])),
        (
            "a: &x {p: q}\nb: {<<: *x, p: z}\n",
            json!({"a": {"p": "q"}, "b": {"p": "z"}}),
        ),
        (
            "a: &x {pp: q}\nc: &y {pp: r, ss: t}\nb:\n  <<: [*x, *y]\n  uu: v\n",
            json!({"a": {"pp": "q"}, "c": {"pp": "r", "ss": "t"}, "b": {"pp": "q", "ss": "t", "uu": "v"}}),
        ),
        (
            "a: &x {pp: q}\nc: &y {pp: r, ss: t}\nb:\n  <<: *x\n  <<: *y\n",
            json!({"a": {"pp": "q"}, "c": {"pp": "r", "ss": "t"}, "b": {"pp": "r", "ss": "t"}}),
        ),
        ("b:\n  <<: {p: q}\n", json!({"b": {"p": "q"}})),
        ("b:\n  \"<<\": {p: q}\n", json!({"b": {"<<": {"p": "q"}}})),
        ("a: &x\n  - b\nc: *x\n", json!({"a": ["b"], "c": ["b"]})),
        ("a: &x |\n  t\nb: *x\n", json!({"a": "t\n", "b": "t\n"})),
        ("a: [&b c, *b]\n", json!({"a": ["c", "c"]})),
        ("&x a: b\nc: *x\n", json!({"a": "b", "c": "a"})),
        ("a: &x b\n*x : c\n", json!({"a": "b", "b": "c"})),
        ("a: &x\nb: *x\n", json!({"a": null, "b": null})),
        ("a: !!str 0123\n", json!({"a": "0123"})),
        ("a: !!str null\n", json!({"a": "null"})),
        ("a: !!str\nb: c\n", json!({"a": "", "b": "c"})),
        ("a: !!null x\n", json!({"a": null})),
        ("a: !!int 0x10\n", json!({"a": "0x10"})),
        ("a: !!map {b: c}\n", json!({"a": {"b": "c"}})),
        ("a: !!seq\n- b\n", json!({"a": ["b"]})),
        ("a: ! x\n", json!({"a": "x"})),
        (
            "%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n",
            json!({"a": "1"}),
        ),
        ("%YAML 1.1\n---\na: b\n", json!({"a": "b"})),
        ("%YAML 1.2\n---\na: b\n", json!({"a": "b"})),
        ("--- # c\na: b\n...\n", json!({"a": "b"})),
        ("\u{feff}a: b\n", json!({"a": "b"})),
        ("a: b\r\nc:\r\n- d\r\n", json!({"a": "b", "c": ["d"]})),
        ("? a\n: b\n", json!({"a": "b"})),
        ("\"a: b\" : c\n", json!({"a: b": "c"})),
        ("a:b: c\n", json!({"a:b": "c"})),
        ("a : b\n", json!({"a": "b"})),
        ("yes: a\n0123: b\n", json!({"yes": "a", "0123": "b"})),
        ("~: a\n", json!({"~": "a"})),
    ] {
        assert_eq!(read(text), Ok(json), "{text:?}");
    }
}

#[test]
fn scalars_stay_the_texts_that_were_written() {
    for text in [
        "012345",
        "1_000",
        "0x10",
        "0o17",
        "1e5",
        "1.5",
        "12:30:45",
        "2026-01-01",
        ".inf",
        "yes",
        "No",
        "on",
        "OFF",
        "true",
        "y",
        "=",
        "nullx",
        "-1",
        "+1",
    ] {
        for text in [
            text.to_owned(),
            format!("'{text}'"),
            format!("!!str {text}"),
        ] {
            let plain = text.trim_start_matches("!!str ").trim_matches('\'');
            assert_eq!(read(&format!("k: {text}")), Ok(json!({"k": plain})));
        }
    }
    for text in ["null", "Null", "NULL", "~", ""] {
        assert_eq!(read(&format!("k: {text}")), Ok(json!({"k": null})));
        assert_eq!(read(&format!("k: '{text}'")), Ok(json!({"k": text})));
    }
}

#[test]
fn what_could_be_meant_otherwise_is_refused() {
    for (text, what) in [
        (
            "password: |Secr3t\n",
            "has something after the sign that starts a block text",
        ),
        (
            "password: >x\n",
            "has something after the sign that starts a block text",
        ),
        ("a: b\na: c\n", "repeats a key"),
        (
            "a: &x [*x]\n",
            "uses an anchor inside the value that it names",
        ),
        ("a: *x\nb: &x 1\n", "uses an anchor that is not set before"),
        ("b:\n  <<: 1\n", "merges what is no mapping"),
        ("b:\n  <<: [1]\n", "merges what is no mapping"),
        ("? [a]\n: b\n", "has a key that is no text"),
        ("a: !!binary aGk=\n", "has a tag that is not supported here"),
        (
            "a: !!python/name:os.system\n",
            "has a tag that is not supported here",
        ),
        ("a: !x b\n", "has a tag that is not supported here"),
        (
            "%YAML 2.0\n---\na: b\n",
            "names a version of YAML that is not known",
        ),
        (
            "a: \"b\"#c\n",
            "lacks the space that comes before a comment",
        ),
        ("a: @b\n", "has a character that YAML allows only in quotes"),
        ("a: b: c\n", "has a colon where none may stand"),
        (
            "a: \"b\" c\n",
            "has something after a closing quote or bracket",
        ),
        ("a: [b}\n", "ends a bracket that does not start"),
        (
            "c\0l\0",
            "holds NUL characters, as UTF-16 text does: save the file as UTF-8",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().what, what, "{text:?}");
    }
}

#[test]
fn copies_are_counted_by_what_they_take() {
    // One long text, named again and again.
    let long = "x".repeat(1 << 16);
    let copies = "- *a\n".repeat(1000);
    let what = read(&format!("- &a {long}\n{copies}")).unwrap_err().what;
    assert_eq!(what, "unfolds into too much");
    // Each one deeper than the one before.
    let mut deep = "- &a0 x\n".to_owned();
    for level in 1..100 {
        deep += &format!("- &a{level} [*a{}]\n", level - 1);
    }
    let what = read(&deep).unwrap_err().what;
    assert_eq!(what, "is nested too deeply");
}

#[test]
fn the_first_document_counts() {
    for text in [
        "a: b\n---\nc: d\n",
        "a: b\n...\n---\n[\n",
        "--- {a: b}\n--- x",
    ] {
        assert_eq!(read(text), Ok(json!({"a": "b"})), "{text:?}");
    }
    assert_eq!(read("---\n---\na: b\n"), Ok(Json::Null));
}
