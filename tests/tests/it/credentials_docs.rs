//! Does every test that `docs/credentials.md` names exist, and does every row of its tables name one?

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The texts in back quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_tables_of_sources_name_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/credentials.md")).unwrap();
    let mut code = String::new();
    sources(&root().join("crates/core/src/credentials"), &mut code);
    sources(&root().join("tests/tests"), &mut code);
    sources(&root().join("crates/cli/tests"), &mut code);
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let last = cells.last().unwrap().trim();
        if last == "test" || last.starts_with("---") {
            continue;
        }
        rows += 1;
        assert!(quoted(last).count() > 0, "no test is named in: {line}");
        for name in quoted(last) {
            let function = name.rsplit("::").next().unwrap();
            assert!(
                code.contains(&format!("fn {function}()")),
                "there is no test `{name}`"
            );
        }
    }
    assert!(rows > 30, "{rows} rows");
    // Names in the text around the tables count too.
    for name in quoted(&page).filter(|name| name.matches('_').count() >= 3) {
        let function = name.rsplit("::").next().unwrap();
        let is_test = function
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(
            !is_test || code.contains(&format!("fn {function}()")),
            "there is no test `{name}`"
        );
    }
}
