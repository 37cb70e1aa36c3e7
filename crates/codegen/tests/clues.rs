//! By what is found again whatever has a name? Of all rows of all services.

use std::path::Path;

use cumulo_codegen::clue::{Clue, clues};
use cumulo_codegen::model::{Member, Model, Operation};
use cumulo_codegen::overlay::{self, Overlay};
use cumulo_codegen::resource::{self, Resource};
use cumulo_codegen::{SERVICES, read};

/// Creates of named things that cannot be found by it: the name is not theirs to give.
const WITHOUT: &[&str] = &[
    "CreateCrossZoneMigrationJob",
    "CreateSmartAccessGatewaySoftware",
];

fn service(name: &str) -> (Model, Vec<Resource>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let text = |file: String| std::fs::read_to_string(root.join(file)).unwrap();
    let mut json = serde_json::from_str(&text(format!("{name}.json"))).unwrap();
    let file = format!("overlays/{name}.toml");
    let overlay = Overlay::parse(&file, &text(file.clone())).unwrap();
    overlay::repair(&overlay, &mut json, overlay::Reader::Client).unwrap();
    let mut model = read::model(name, &json).unwrap();
    overlay::apply(&overlay, &mut model).unwrap();
    let rows = resource::resources(&model, &overlay).unwrap();
    (model, rows)
}

fn operation<'a>(model: &'a Model, name: &str) -> &'a Operation {
    let found = model.operations.iter().find(|o| o.name == name);
    found.unwrap_or_else(|| panic!("no operation {name}"))
}

fn has(members: &[Member], name: &str) -> bool {
    members.iter().any(|member| member.name == name)
}

/// Whatever a clue names is there.
fn check(model: &Model, clue: &Clue) {
    let at = format!("{clue:?}");
    let (create, list) = (operation(model, &clue.create), operation(model, &clue.list));
    assert!(!clue.keys.is_empty(), "{at}");
    for key in &clue.keys {
        assert!(has(&create.input, &key.given), "{at}");
        let (filter, before) = &key.filter;
        let query = filter == "q" && *before == format!("{}=", key.shown);
        assert!(
            query || before.is_empty() && (filter.is_empty() || has(&list.input, filter)),
            "{at}"
        );
    }
    for member in &clue.within {
        assert!(
            has(&create.input, member) && has(&list.input, member),
            "{at}"
        );
    }
    for member in [&clue.inside, &clue.told] {
        assert!(member.is_empty() || has(&create.output, member), "{at}");
    }
}

#[test]
fn whatever_has_a_name_is_found_by_it() {
    let mut without = Vec::new();
    let mut found = Vec::new();
    for (name, _) in SERVICES {
        let (model, rows) = service(name);
        let all = clues(&model, &rows);
        for clue in &all {
            check(&model, clue);
        }
        let named = rows
            .iter()
            .filter(|row| !row.title.is_empty() && row.list.is_some());
        for create in named.flat_map(|row| &row.create) {
            if !all.iter().any(|clue| clue.create == *create) {
                without.push(create.clone());
            }
        }
        found.push((*name, all.len()));
    }
    without.sort();
    assert_eq!(without, WITHOUT, "{found:?}");
    assert!(found.iter().all(|(_, count)| *count >= 3), "{found:?}");
}
