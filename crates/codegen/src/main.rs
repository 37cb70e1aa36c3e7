//! The generator's command line; see the README of this crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cumulo_codegen::fault::{Fault, Faults};
use cumulo_codegen::{File, SERVICES, generate, import};

const USAGE: &str = "usage: cumulo-codegen [--check] | import <directory of facts>";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => generate(&root).and_then(|files| write(&root, &files)),
        ["--check"] => generate(&root).and_then(|files| check(&root, &files)),
        ["import", facts] => models(Path::new(facts)).and_then(|files| write(&root, &files)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(faults) => {
            for fault in &faults {
                eprintln!("{fault}");
            }
            eprintln!("{} found", count(faults.len(), "fault"));
            ExitCode::FAILURE
        }
    }
}

fn models(facts: &Path) -> Faults<Vec<File>> {
    let mut files = Vec::new();
    for (service, _) in SERVICES {
        let name = format!("{service}.json");
        let text = std::fs::read_to_string(facts.join(&name)).map_err(|e| io(&name, &e))?;
        files.push((Path::new("models").join(&name), import(&name, &text)?));
    }
    Ok(files)
}

fn write(root: &Path, files: &[File]) -> Faults<()> {
    let mut written = 0;
    for (path, text) in files {
        let target = root.join(path);
        if std::fs::read_to_string(&target).is_ok_and(|now| now == *text) {
            continue;
        }
        let name = path.display().to_string();
        if let Some(directory) = target.parent() {
            std::fs::create_dir_all(directory).map_err(|e| io(&name, &e))?;
        }
        std::fs::write(&target, text).map_err(|e| io(&name, &e))?;
        written += 1;
    }
    for stray in strays(root, files) {
        std::fs::remove_file(root.join(&stray))
            .map_err(|e| io(&stray.display().to_string(), &e))?;
    }
    println!("{} of {} written", written, count(files.len(), "file"));
    Ok(())
}

fn check(root: &Path, files: &[File]) -> Faults<()> {
    let mut faults = Vec::new();
    for (path, text) in files {
        let now = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        if now != *text {
            let line = 1 + now
                .lines()
                .zip(text.lines())
                .take_while(|(a, b)| a == b)
                .count();
            faults.push(drift(
                path,
                &format!("line {line} differs from what the models say"),
            ));
        }
    }
    faults.extend(
        strays(root, files)
            .iter()
            .map(|path| drift(path, "no model makes this file")),
    );
    if !faults.is_empty() {
        faults.push(Fault::new(
            "cumulo-codegen",
            "",
            "run `cargo run -p cumulo-codegen`",
        ));
        return Err(faults);
    }
    println!("{} as the models say", count(files.len(), "file"));
    Ok(())
}

fn drift(path: &Path, message: &str) -> Fault {
    Fault::new(path.display().to_string(), "", message)
}

/// Files beside the generated ones that the models no longer make.
fn strays(root: &Path, files: &[File]) -> Vec<PathBuf> {
    let expected: BTreeSet<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let generated = |path: &&Path| path.parent().is_some_and(|p| p.ends_with("generated"));
    let directories: BTreeSet<&Path> = expected
        .iter()
        .copied()
        .filter(generated)
        .filter_map(Path::parent)
        .collect();
    let mut strays = Vec::new();
    for directory in directories {
        let entries = std::fs::read_dir(root.join(directory))
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries {
            let path = directory.join(entry.file_name());
            if !expected.contains(path.as_path()) {
                strays.push(path);
            }
        }
    }
    strays.sort();
    strays
}

fn io(file: &str, error: &std::io::Error) -> Vec<Fault> {
    vec![Fault::new(file, "", error.to_string())]
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
