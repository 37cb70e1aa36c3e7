//! Does every module know only those beneath it, and the generic part no cloud?
//!
//! Read from the text of `src/`. Tests may know more; comments import nothing, but name no cloud either.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the ground up; modules of one layer do not know each other.
const LAYERS: &[&[&str]] = &[
    &["wipe"],
    &["record"],
    &["sign"],
    &["address", "operation", "region", "resource"],
    &["clock"],
    &["idempotency", "retry"],
    &["error"],
    &["service", "transport"],
    &["credentials"],
    &["protocol"],
    &["ledger"],
    &["client"],
    &["page"],
    &["find", "wait"],
    &["blocking"],
    &["api"],
];
/// Above all layers; no room knows another.
const ROOMS: &[&str] = &["alibaba", "huawei", "zstack"];
/// What stands at the root of the crate beside modules: macros, which expand elsewhere.
const MACROS: &[&str] = &["input", "output"];
/// Files of the generic part that name clouds: the root, where their features are.
const MAY_NAME_CLOUDS: &[&str] = &["lib.rs"];
/// What no generic file holds, be it a part of a word.
const CLOUDS: &[&str] = &["alibaba", "huawei", "zstack", "keystone"];
/// The same as whole words.
const SHORT: &[&str] = &["acs", "otc"];

struct Source {
    /// Below `src/`.
    path: String,
    /// The module at the root that it belongs to.
    module: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All files but those of tests, each up to the tests at its end.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if ["tests", "testing", "hostile"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let whole = fs::read_to_string(&path).unwrap();
            let text = whole.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            let path = path.strip_prefix(root()).unwrap();
            let first = path.components().next().unwrap().as_os_str();
            let module = first.to_str().unwrap().trim_end_matches(".rs");
            found.push(Source {
                path: path.to_str().unwrap().replace('\\', "/"),
                module: module.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    assert!(found.len() > 100, "{} files", found.len());
    found
}

fn is_room(module: &str) -> bool {
    ROOMS.contains(&module)
}

/// The modules at the root that `text` names.
fn named(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` stands in a macro, and counts where that expands.
        if code[..at].ends_with('$') || code[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split_once("};").unwrap().0;
            names.extend(group.split(',').map(|part| first_word(part.trim())));
        } else {
            names.insert(first_word(rest));
        }
    }
    names.remove("");
    names
}

fn first_word(text: &str) -> String {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    text.chars().take_while(is_word).collect()
}

fn height(module: &str) -> Option<usize> {
    let layer = LAYERS.iter().position(|layer| layer.contains(&module));
    layer.or_else(|| is_room(module).then_some(LAYERS.len()))
}

#[test]
fn every_module_knows_only_those_beneath_it() {
    let mut wrong = Vec::new();
    for source in sources() {
        if ["lib", "macros"].contains(&source.module.as_str()) {
            continue;
        }
        let own = height(&source.module);
        let own = own.unwrap_or_else(|| panic!("{} is in no layer", source.path));
        for name in named(&source.text) {
            let allowed = match height(&name) {
                Some(other) => name == source.module || other < own,
                None => false,
            };
            if !allowed && !MACROS.contains(&name.as_str()) {
                wrong.push(format!("{} imports {name}", source.path));
            }
        }
        if source.text.contains("super::super") {
            wrong.push(format!("{} goes up twice: say `crate::`", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_generic_part_names_no_cloud() {
    let mut wrong = Vec::new();
    for source in sources() {
        if is_room(&source.module) || MAY_NAME_CLOUDS.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let line = line.to_lowercase();
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            if CLOUDS.iter().any(|cloud| line.contains(cloud)) || words.any(|w| SHORT.contains(&w))
            {
                wrong.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The order as documents write it: `a` < `b`, `c` < ..
fn written(document: &str) -> Vec<Vec<String>> {
    let begin = document.find("`wipe` <").expect("the list begins");
    let list = &document[begin..];
    let end = list
        .find("the rooms")
        .expect("the list ends with the rooms");
    let layers = list[..end].replace("//!", "");
    let layers = layers.trim_end().trim_end_matches('<');
    let names = |layer: &str| {
        let names = layer.split(',');
        names
            .map(|name| name.trim().trim_matches('`').to_owned())
            .collect()
    };
    layers.split('<').map(names).collect()
}

#[test]
fn the_documents_tell_the_same_layers() {
    let lib = fs::read_to_string(root().join("lib.rs")).unwrap();
    assert_eq!(written(&lib), LAYERS, "lib.rs");
    // A package of this crate alone has no such page.
    let page = root().join("../../../ARCHITECTURE.md");
    if let Ok(architecture) = fs::read_to_string(page) {
        assert_eq!(written(&architecture), LAYERS, "ARCHITECTURE.md");
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::record::{self, Json};\n    let x = crate::wipe::bytes(crate::clock::now());\n\
        // use crate::page::Pages;\nuse crate::{address, error::Kind};\n$crate::client::Call\n";
    let found: Vec<String> = named(text).into_iter().collect();
    assert_eq!(found, ["address", "clock", "error", "record", "wipe"]);
}
