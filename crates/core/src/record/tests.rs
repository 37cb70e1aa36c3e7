#![allow(
    dead_code,
    unreachable_pub,
    reason = "what the macros make is public and complete"
)]

use std::collections::BTreeMap;

use super::*;
use crate::{input, operation, output};

output! {
    /// An item.
    Item {
        "Id" id: Option<String>,
        "Count" count: Option<String>,
        "Size" size: Option<i64>,
        "Ratio" ratio: Option<f64>,
        "Ready" ready: Option<bool>,
        "Code" code: Option<Secret>,
        "Tags" tags: BTreeMap<String, String>,
        "State" state: Option<String> [named("name")],
        "Any" any: Option<Json>,
        "Made" made: Option<Timestamp>,
        "Inner" inner: Option<Box<Item>>,
    }
}

output! {
    /// A list.
    Items {
        "Items" items: Vec<Item> [wrapped("Item")],
        "Names" names: Vec<String>,
        "Total" total: Option<i64>,
        "RequestId" request_id: Option<String>,
    }
}

input! {
    /// A disk.
    Disk;
    required { "Size" size: i64 [range(1, 100)], }
    optional { "Name" name: String [len(2, 4)], }
}

operation! {
    /// Makes something.
    MakeThing -> Items: POST "/things/{id}" Unsafe;
    required { path "id" id: String, }
    optional {
        query "Count" count: String [range(1, 1000)],
        query "Secret" secret: Secret,
        query "Ids" ids: Vec<String>,
        query "Disk" disk: Disk,
        query "Disks" disks: Vec<Disk>,
        query "Region" region: String [required(), setting("region")],
        query "Kind" kind: String [values(&["one", "two"])],
        query "Name" name: String [pattern("^[a-z]+$", "must be letters"), not_prefix(&["http"])],
    }
    constants { KIND_ONE = "one", KIND_TWO = "two" }
}

fn lenient(json: &str) -> (Items, Vec<String>) {
    let mut items = Items::default();
    let problems = decode(&mut items, json.as_bytes()).unwrap();
    (items, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn drifting_answers_keep_what_fits() {
    let (items, problems) = lenient(
        r#"{"Items":{"Item":[
            {"Id":1,"Count":10,"Size":"12","Ratio":"1.5","Ready":"TRUE","Code":"s","Tags":{"a":"b","n":null,"x":1},"State":{"name":"Enabled","ordinal":0},"Any":{"k":[1]},"New":{"deep":[1,2]}},
            {"Id":null,"Size":7.0,"Ratio":2,"Ready":1,"State":"Disabled","Any":null,"Made":1595558244,"Inner":{"Id":"in"}},
            null
        ]},"Names":["a",null,2],"Total":"2","RequestId":"r"}"#,
    );
    assert_eq!(problems, Vec::<String>::new());
    let [first, second] = &items.items[..] else {
        panic!("two items: {items:?}");
    };
    assert_eq!(first.id.as_deref(), Some("1"));
    assert_eq!((first.count.as_deref(), first.size), (Some("10"), Some(12)));
    assert_eq!((first.ratio, first.ready), (Some(1.5), Some(true)));
    assert_eq!(first.tags.len(), 2);
    assert_eq!(first.state.as_deref(), Some("Enabled"));
    assert_eq!(first.any.as_ref().unwrap()["k"][0], 1);
    assert_eq!((second.size, second.ready), (Some(7), Some(true)));
    assert_eq!(second.state.as_deref(), Some("Disabled"));
    assert_eq!(
        second.made.as_ref().unwrap().unix_seconds(),
        Some(1_595_558_244)
    );
    assert_eq!(second.inner.as_ref().unwrap().id.as_deref(), Some("in"));
    assert_eq!(items.names, ["a", "2"]);
    assert_eq!(items.total, Some(2));
}

/// Found by fuzzing: the tokenizer's fast way to read fractions is off by one in the last place.
#[test]
fn fractions_are_read_to_the_last_digit() {
    let (items, _) = lenient(r#"{"Items":{"Item":[{"Ratio":1844674407370955.0}]}}"#);
    assert_eq!(items.items[0].ratio, Some(1_844_674_407_370_955.0));
    let written = to_json(Wire::clear(&items));
    assert!(
        String::from_utf8(written)
            .unwrap()
            .contains("1844674407370955.0")
    );
}

/// Found by fuzzing: `inf` is a number to Rust, and none to JSON, so that it came out as null.
#[test]
fn what_is_no_number_of_json_is_no_fraction() {
    for text in ["inf", "-Infinity", "NaN", "1e999"] {
        let (items, problems) =
            lenient(&format!(r#"{{"Items":{{"Item":[{{"Ratio":"{text}"}}]}}}}"#));
        assert_eq!(items.items[0].ratio, None, "{text}");
        assert_eq!(
            problems,
            ["Items.Item[0].Ratio: expected a number, got text"]
        );
    }
}

#[test]
fn wrong_shapes_leave_the_member_empty_and_are_reported_with_their_path() {
    let (items, problems) = lenient(
        r#"{"Items":{"Item":[{"Id":"a"},{"Count":{"x":1},"Size":"many","Ready":[true],"Id":"b"}]},"Names":{"x":1},"Total":[1],"RequestId":"r"}"#,
    );
    assert_eq!(
        problems,
        [
            "Items.Item[1].Count: expected text, got an object",
            "Items.Item[1].Size: expected a whole number, got text",
            "Items.Item[1].Ready: expected true or false, got a list",
            "Names: expected a list, got an object",
            "Total: expected a whole number, got a list",
        ]
    );
    assert_eq!(items.items[1].id.as_deref(), Some("b"));
    assert_eq!((items.items[1].size, items.total), (None, None));
    assert_eq!(items.request_id.as_deref(), Some("r"));
}

#[test]
fn lists_come_with_and_without_their_wrapper() {
    assert_eq!(lenient(r#"{"Items":[{"Id":"a"}]}"#).0.items.len(), 1);
    assert_eq!(lenient(r#"{"Items":{}}"#).0.items.len(), 0);
    assert_eq!(lenient(r#"{"Items":""}"#).0.items.len(), 0);
    let (items, problems) = lenient(r#"{"Items":{"Item":{"Id":"a"}}}"#);
    assert_eq!(items.items.len(), 1);
    assert_eq!(problems.len(), 1);
}

#[test]
fn numbers_at_the_edge() {
    let (items, problems) = lenient(r#"{"Total":9223372036854775807}"#);
    assert_eq!((items.total, problems.len()), (Some(i64::MAX), 0));
    let (items, problems) = lenient(r#"{"Total":18446744073709551615}"#);
    assert_eq!((items.total, problems.len()), (None, 1));
    let (items, problems) = lenient(r#"{"Total":1e300}"#);
    assert_eq!((items.total, problems.len()), (None, 1));
    let (items, _) = lenient(r#"{"RequestId":18446744073709551615}"#);
    assert_eq!(items.request_id.as_deref(), Some("18446744073709551615"));
}

#[test]
fn what_is_not_json_is_an_error_and_never_a_panic() {
    for bad in [
        "",
        "{",
        "nul",
        "{\"Items\":",
        "<html>",
        "{}x",
        "[1]x",
        "\u{feff}",
        "\u{feff}\u{feff}{}",
    ] {
        assert!(
            decode(&mut Items::default(), bad.as_bytes()).is_err(),
            "{bad}"
        );
    }
    assert!(decode(&mut Items::default(), b"\xff\xfe").is_err());
    let deep = "{\"Inner\":".repeat(5000);
    assert!(decode(&mut Item::default(), deep.as_bytes()).is_err());
}

#[test]
fn a_top_level_of_another_kind_is_no_answer() {
    for (other, words) in [
        ("null", "expected an object, got null or an empty text"),
        ("[]", "expected an object, got a list"),
        ("[{}]", "expected an object, got a list"),
        ("7", "expected an object, got a number"),
        ("true", "expected an object, got true or false"),
        ("\"\"", "expected an object, got null or an empty text"),
        ("\"x\"", "expected an object, got text"),
    ] {
        let answer = decode_answer(&mut Items::default(), other.as_bytes(), &[]);
        let Err(Unreadable::OtherKind(message)) = answer else {
            panic!("{other}: {answer:?}");
        };
        assert_eq!(message, words, "{other}");
        assert!(decode(&mut Items::default(), other.as_bytes()).is_err());
    }
    assert_eq!(lenient("\u{feff}{}").1.len(), 0);
}

#[test]
fn members_that_the_record_lacks_are_picked_up_where_they_are_asked_for() {
    let mut items = Items::default();
    let json = r#"{"Total":1,"error":{"a":[1,"x",{}]},"Items":{"Item":[{"error":1}]},"Code":"a","Code":"b","New":[{}]}"#;
    let watch = &["Code", "error", "Total"];
    let answer = decode_answer(&mut items, json.as_bytes(), watch).unwrap();
    let told: Vec<_> = answer
        .told
        .iter()
        .map(|(n, v)| (*n, v.to_string()))
        .collect();
    let expected = [
        ("error", r#"{"a":[1,"x",{}]}"#.to_owned()),
        ("Code", r#""a""#.to_owned()),
        ("Code", r#""b""#.to_owned()),
    ];
    assert_eq!(told, expected);
    assert_eq!((items.total, answer.problems.len()), (Some(1), 0));
}

/// A body of about `length` bytes: `unit` over and over between `head` and `tail`.
fn flood(head: &str, unit: &str, tail: &str, length: usize) -> String {
    let units = vec![unit; length / (unit.len() + 1)].join(",");
    format!("{head}{units}{tail}")
}

#[test]
fn answers_that_swell_are_refused_and_say_so() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (head, unit, tail) in [
        (r#"{"Items":{"Item":["#, "{}", "]}}"),
        (r#"{"Items":["#, r#"{"Inner":{"Inner":{}}}"#, "]}"),
        (r#"{"Items":["#, r#"{"Tags":{"a":"b"}}"#, "]}"),
        (r#"{"Items":[{"Any":["#, "[]", "]}]}"),
        (r#"{"Items":[{"Any":["#, "0", "]}]}"),
        (r#"{"Items":[{"Any":["#, r#"{"a":0}"#, "]}]}"),
        (r#"{"Items":[{"Any":["#, &deep, "]}]}"),
        (r#"{"Names":["#, r#""a""#, "]}"),
        (r#"{"Names":["#, "1", "]}"),
    ] {
        let body = flood(head, unit, tail, 3 << 20);
        let answer = decode_answer(&mut Items::default(), body.as_bytes(), &[]);
        let Err(error @ Unreadable::TooMuch(_)) = answer else {
            panic!("{unit}: {answer:?}");
        };
        let limit = format!("{} MiB", (body.len() * 8) >> 20);
        assert!(error.to_string().contains(&limit), "{unit}: {error}");
    }
    let body = flood("[", "[]", "]", 3 << 20);
    assert!(matches!(
        decode_json(body.as_bytes()),
        Err(Unreadable::TooMuch(_))
    ));
}

#[test]
fn answers_full_of_content_are_read() {
    let item = format!(
        r#"{{"Id":"{}","Count":"7","Any":{{"a":1}}}}"#,
        "i".repeat(80)
    );
    let body = flood(r#"{"Items":{"Item":["#, &item, "]}}", 3 << 20);
    let mut items = Items::default();
    assert_eq!(decode(&mut items, body.as_bytes()).unwrap(), []);
    assert!(items.items.len() > 25_000, "{}", items.items.len());
    // Small answers may swell: these are few bytes, and lists of structures with one member set.
    let body = flood(r#"{"Items":{"Item":["#, "{}", "]}}", 10_000);
    assert_eq!(decode(&mut items, body.as_bytes()).unwrap(), []);
    // What a user gives is never refused for its size.
    let body = flood(r#"{"id":"a","Region":"r","Ids":["#, r#""a""#, "]}", 3 << 20);
    assert_eq!(
        decode_strict(&mut MakeThing::default(), body.as_bytes()).unwrap(),
        []
    );
}

#[test]
fn reports_stay_short_whatever_the_keys() {
    let key = format!("\\u001b[31m{}", "k".repeat(100_000));
    let entries: Vec<String> = (0..200).map(|n| format!(r#""{n}{key}":[]"#)).collect();
    let body = format!(r#"{{"Tags":{{{}}}}}"#, entries.join(","));
    let problems = decode(&mut Item::default(), body.as_bytes()).unwrap();
    assert_eq!(problems.len(), 100);
    for problem in problems {
        assert!(
            problem.path.len() < 300 && !problem.path.contains('\u{1b}'),
            "{problem}"
        );
    }
}

fn strict(json: &str) -> Vec<String> {
    let mut input = MakeThing::default();
    let problems = decode_strict(&mut input, json.as_bytes()).unwrap();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn users_are_told_every_mistake_at_once() {
    assert_eq!(strict(r#"{"id":"x","Count":10}"#), Vec::<String>::new());
    assert_eq!(
        strict(r#"{"count":1,"Disk":{"Name":"n"},"Disks":[{"Size":1},{"size":2}],"Ids":"x"}"#),
        [
            "MakeThing has no member `count`; did you mean `Count`?",
            "Disk.Size: required, but not set",
            "Disks[1]: Disk has no member `size`; did you mean `Size`?",
            "Disks[1].Size: required, but not set",
            "Ids: expected a list, got text",
            "id: required, but not set",
        ]
    );
}

/// Required members would otherwise be missing without a word.
#[test]
fn nothing_at_all_is_no_input() {
    let whole = "expected an object, got null";
    assert_eq!(strict("null"), [whole]);
    assert_eq!(strict("7"), ["expected an object, got a number"]);
    #[cfg(feature = "serde")]
    {
        let read = serde_json::from_str::<MakeThing>("null");
        assert!(read.unwrap_err().to_string().contains(whole));
    }
}

#[test]
fn query_pairs_are_numbered_and_nested() {
    let thing = MakeThing::new("x")
        .ids(["a", "b"])
        .disk(Disk::new(1).name("d"))
        .disks(vec![Disk::new(2)]);
    let mut pairs = Vec::new();
    let schema = thing.schema();
    thing.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            let mut key = member.name.to_owned();
            flatten(
                &mut key,
                *value,
                member.shape,
                ListKeys::Numbered,
                &mut |key, text| {
                    pairs.push(format!("{key}={text}"));
                },
            );
        }
    });
    assert_eq!(
        pairs,
        [
            "id=x",
            "Ids.1=a",
            "Ids.2=b",
            "Disk.Size=1",
            "Disk.Name=d",
            "Disks.1.Size=2"
        ]
    );
}

#[test]
fn json_restores_the_wire_shape_and_hides_secrets_when_asked() {
    let (items, _) = lenient(r#"{"Items":{"Item":[{"Id":"a","Code":"hunter2"}]},"Names":["n"]}"#);
    let clear = String::from_utf8(to_json(Wire::clear(&items))).unwrap();
    assert_eq!(
        clear,
        r#"{"Items":{"Item":[{"Id":"a","Code":"hunter2","Tags":{}}]},"Names":["n"]}"#
    );
    let shown = to_value(Wire::redacted(&items)).to_string();
    assert!(!shown.contains("hunter2"), "{shown}");
    let debug = format!("{items:?}{items:#?}");
    assert!(
        debug.contains("Id: \"a\"") && !debug.contains("hunter2"),
        "{debug}"
    );
}

#[test]
fn validation_names_every_fault() {
    assert!(MakeThing::new("x").validate().is_ok());
    let faults = MakeThing::new("x")
        .count(5000)
        .kind("three")
        .name("http1")
        .disk(Disk::new(500).name("long name"))
        .validate()
        .unwrap_err()
        .violations;
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        ["Count", "Disk.Size", "Disk.Name", "Kind", "Name", "Name"]
    );
    assert_eq!(MakeThing::KIND_ONE, "one");
}

#[test]
fn members_are_found_by_their_wire_name() {
    let mut thing = MakeThing::new("x");
    assert!(set(&mut thing, "Count", "7"));
    assert_eq!(thing.count.as_deref(), Some("7"));
    assert_eq!(get(&thing, "Count").as_deref(), Some("7"));
    assert_eq!(get(&thing, "Kind"), None);
    assert!(!set(&mut thing, "Nothing", "7"));
}

proptest::proptest! {
    #[test]
    fn any_json_decodes_or_fails_without_panic(text in "\\PC{0,200}") {
        let _ = decode(&mut Items::default(), text.as_bytes());
        let _ = decode_strict(&mut MakeThing::default(), text.as_bytes());
    }

    #[test]
    fn texts_survive_the_round_trip(id in "\\PC{0,40}", names in proptest::collection::vec("\\PC{1,10}", 0..5)) {
        let items = Items { names: names.clone(), request_id: Some(id.clone()), ..Items::default() };
        let mut back = Items::default();
        let problems = decode(&mut back, &to_json(Wire::clear(&items))).unwrap();
        proptest::prop_assert!(problems.is_empty());
        proptest::prop_assert_eq!(back.names, names);
        proptest::prop_assert_eq!(back.request_id, Some(id));
    }
}
