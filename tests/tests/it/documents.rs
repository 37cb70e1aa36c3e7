//! Do the documents name what exists, and does every package have what it must carry?

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

/// What `folder` holds.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let all = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    all.map(|entry| entry.unwrap().path())
}

/// Every row of `docs/credentials.md` names a test, and there is one of that name.
#[test]
fn the_tables_of_sources_name_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/credentials.md")).unwrap();
    let mut code = String::new();
    sources(&root().join("crates/core/src"), &mut code);
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

/// `SECURITY.md` says of each defence where it is tested.
#[test]
fn the_defences_name_files_that_exist() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut named = 0;
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let last = line.trim_matches('|').rsplit('|').next().unwrap().trim();
        if last == "tested in" {
            continue;
        }
        assert!(quoted(last).count() > 0, "no test is named in: {line}");
        // After the folder of the fuzz targets stand their names, in brackets.
        let mut folder = root();
        for name in quoted(last) {
            let path = if name.contains(['/', '.']) {
                folder = root();
                root().join(name)
            } else {
                folder.join(format!("{name}.rs"))
            };
            assert!(path.exists(), "there is no `{name}`: {line}");
            if name == "fuzz/" {
                folder = root().join("fuzz/fuzz_targets");
            }
            named += 1;
        }
    }
    assert!(named > 40, "{named} names");
    assert!(paths_that_exist("SECURITY.md") > 40);
}

/// What the documents call by its path is there.
#[test]
fn the_documents_name_files_that_exist() {
    assert!(paths_that_exist("ARCHITECTURE.md") > 60);
    assert!(paths_that_exist("CONTRIBUTING.md") > 40);
    let mut pages = vec![
        "CHANGELOG.md".to_owned(),
        "README.md".to_owned(),
        "models/README.md".to_owned(),
    ];
    let folder = |name: &str| entries(&root().join(name)).collect::<Vec<_>>();
    pages.extend(folder("docs").iter().map(|page| below_root(page)));
    let readme = |package: &PathBuf| below_root(&package.join("README.md"));
    pages.extend(folder("crates").iter().map(readme));
    for page in pages {
        paths_that_exist(&page);
    }
}

fn below_root(path: &Path) -> String {
    let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
    name.replace('\\', "/")
}

/// How many paths `page` names. They begin at the root, beside the page, or, as in the sections about
/// core, in its sources; what has no folder is a file of the page's folder or anywhere in the crates.
fn paths_that_exist(page: &str) -> usize {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let beside = root().join(page);
    let beside = beside.parent().unwrap();
    let anywhere = {
        let mut names = Vec::new();
        file_names(&root().join("crates"), &mut names);
        names
    };
    let mut missing = Vec::new();
    let mut named = 0;
    for written in quoted(&text).filter(|text| is_path(text)) {
        for name in alternatives(written) {
            named += 1;
            let places = [root(), beside.to_owned(), root().join("crates/core/src")];
            let there = places.iter().any(|place| is_there(place, &name));
            if !there && !anywhere.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(
        missing.is_empty(),
        "{page} names what is not there: {missing:?}"
    );
    named
}

fn file_names(folder: &Path, names: &mut Vec<String>) {
    for path in entries(folder) {
        if path.is_dir() {
            file_names(&path, names);
        } else {
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// Whether a quoted text is a path of the repository: neither code nor a place on a user's machine.
fn is_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-*{,}".contains(c);
    text.chars().all(plain)
        && !text.starts_with(['/', '{'])
        && text.chars().any(|c| c.is_ascii_alphabetic())
        && (text.contains('/') || Path::new(text).extension().is_some_and(|end| end == "rs"))
}

/// `a/{b,c}.rs` is two paths.
fn alternatives(name: &str) -> Vec<String> {
    let Some((before, rest)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    let (inside, after) = rest.split_once('}').expect("a brace is closed");
    let all = inside.split(',');
    all.map(|one| format!("{before}{one}{after}")).collect()
}

/// Whether `name` is there below `folder`. A star, and a word in capitals such as `SERVICE`, may be any
/// name.
fn is_there(folder: &Path, name: &str) -> bool {
    let (first, rest) = name.split_once('/').unwrap_or((name, ""));
    let plain = folder.join(first);
    if plain.exists() && (rest.is_empty() || is_there(&plain, rest)) {
        return plain.is_dir() || !name.ends_with('/');
    }
    let capitals = |part: &str| part.len() > 2 && part.chars().all(|c| c.is_ascii_uppercase());
    let (stem, end) = first.split_once('.').unwrap_or((first, ""));
    let any = capitals(stem) || stem == "*";
    any && folder.is_dir()
        && entries(folder).any(|entry| {
            let found = entry.file_name().unwrap().to_str().unwrap().to_owned();
            let fits = match end {
                "" => entry.is_dir() || name == first,
                end => found.ends_with(&format!(".{end}")),
            };
            fits && (rest.is_empty() || is_there(&entry, rest))
        })
}

#[test]
fn paths_are_told_from_other_texts() {
    for path in [
        "docs/crashes.md",
        "fuzz/",
        "prepare.rs",
        "crates/SERVICE/src/lib.rs",
    ] {
        assert!(is_path(path), "{path}");
    }
    for other in [
        "/zstack",
        "127.0.0.0/8",
        "send",
        "{},{},..",
        "~/.aliyun/config.json",
        "a / b",
    ] {
        assert!(!is_path(other), "{other}");
    }
    assert_eq!(alternatives("a/{b,c}.rs"), ["a/b.rs", "a/c.rs"]);
    let there = |name| is_there(&root(), name);
    assert!(there("crates/SERVICE/src/prepare.rs") && there("models/overlays/*.toml"));
    assert!(!there("crates/SERVICE/src/nowhere.rs") && !there("models/overlays/*.nothing"));
    assert!(!there("README.md/") && !there("crates/nowhere/"));
}

/// The copies of the licences are those of the repository: a package is given away without it.
#[test]
fn every_published_package_carries_the_licences() {
    let mut published = 0;
    for package in entries(&root().join("crates")) {
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        if manifest.contains("publish = false") {
            continue;
        }
        published += 1;
        for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let copy = fs::read_to_string(package.join(name)).unwrap_or_default();
            let text = fs::read_to_string(root().join(name)).unwrap();
            assert!(copy == text, "{} of {}", name, package.display());
        }
        assert!(
            manifest.contains("[package.metadata.docs.rs]\nall-features = true\n"),
            "{}: docs.rs would leave features out",
            package.display()
        );
        for list in ["keywords = [", "categories = ["] {
            assert!(manifest.contains(list), "{}: {list}", package.display());
        }
    }
    assert_eq!(published, 7);
}

/// A page with Rust on it that is not in `tests/pages.rs` is compiled by nobody.
#[test]
fn the_code_of_every_page_is_compiled() {
    let compiled = fs::read_to_string(root().join("tests/pages.rs")).unwrap();
    let mut pages = vec![root().join("README.md")];
    pages.extend(entries(&root().join("docs")));
    pages.extend(entries(&root().join("crates")).map(|package| package.join("README.md")));
    let mut with_code = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let name = below_root(&page);
        for (number, line) in text.lines().enumerate() {
            // A block without a language would be taken for Rust.
            let opens = text
                .lines()
                .take(number)
                .filter(|line| line.starts_with("```"));
            if !line.starts_with("```") || opens.count() % 2 == 1 {
                continue;
            }
            assert!(line != "```", "{name}:{}: say the language", number + 1);
            assert!(!line.contains("ignore"), "{name}:{}", number + 1);
            if line.starts_with("```rust") {
                with_code += 1;
                assert!(
                    compiled.contains(&format!("\"../{name}\"")),
                    "{name} is missing in tests/pages.rs"
                );
            }
        }
    }
    assert!(with_code >= 8, "{with_code}");
}
