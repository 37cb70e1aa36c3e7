//! Takes the programs out of the pages, so that what the tests run is what readers copy.
//!
//! A program is a block of Rust with a `main` or with tests of its own. Each becomes a module of the
//! generated file; `tests/it/guide.rs` runs them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let docs = Path::new("../docs");
    println!("cargo::rerun-if-changed={}", docs.display());
    let mut pages: Vec<PathBuf> = fs::read_dir(docs)
        .expect("the pages are beside the tests")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.sort();
    let (mut modules, mut table) = (String::new(), String::new());
    for path in pages {
        println!("cargo::rerun-if-changed={}", path.display());
        let page = fs::read_to_string(&path).expect("a page can be read");
        let stem = path.file_stem().and_then(|name| name.to_str());
        let stem = stem.expect("a page has a name").replace('-', "_");
        let seed = blocks(&page, "json").next().unwrap_or_default();
        for (number, program) in blocks(&page, "rust").enumerate() {
            let runs = program.contains("fn main()");
            if !runs && !program.contains("#[tokio::test]") {
                continue;
            }
            let name = format!("{stem}_{number}");
            let _ = write!(modules, "mod {name} {{\n{program}");
            if runs {
                modules.push_str("pub fn run() -> Result<(), String> { main().map_err(|error| format!(\"{error:?}\")) }\n");
                let _ = writeln!(table, "({name:?}, {seed:?}, {name}::run),");
            }
            modules.push_str("}\n");
        }
    }
    let all = format!("{modules}\npub(super) const PROGRAMS: &[Program] = &[\n{table}];\n");
    let folder = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(folder.join("guide.rs"), all).expect("the folder can be written");
}

/// The texts of the blocks of a language.
fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = String> + 'a {
    page.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| {
            let (opening, text) = block.split_once('\n')?;
            let named = opening.trim_end().split(',').next()?;
            (named == language).then(|| format!("{text}\n"))
        })
}
