//! Texts of the library name the methods of its builders, and whoever types a command knows only flags.
//!
//! The library writes a method in one form, `` `region(..)` ``, so that one table puts the flags in their
//! place, in every text that it may ever compose.

use std::borrow::Cow;

/// What the library says, and what the command says in its place; the longer before its parts.
const PHRASES: &[(&str, &str)] = &[
    ("`allow_http(true)`", "--allow-http"),
    ("`client_certificate(..)` or ", ""),
    ("`client_token(..)`", "--client-token"),
    ("`danger_accept_invalid_certs(true)`", "--insecure"),
    ("`endpoint(..)`", "--endpoint-url"),
    (
        "`explain()` compares",
        "the lines on standard error compare",
    ),
    (" (see `explain()`)", ""),
    ("`extra_ca(..)`", "--ca-file"),
    ("`instance_id(..)`", "--instance-id"),
    (", or allow more with `largest_answer(bytes)`", ""),
    ("`project_id(..)`", "--project-id"),
    (": see `raw_body()`", ""),
    ("`region(..)`", "--region"),
];

/// `text` as the command says it.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    // Nearly no text names a method, and all that do have this.
    if text.contains(")`") {
        for (method, said) in PHRASES {
            if text.contains(method) {
                text = text.replace(method, said).into();
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Methods in backquotes within the string literals of `source`, without its tests and comments.
    fn methods(source: &str, found: &mut BTreeSet<String>) {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().map(str::trim_start);
        for line in lines.filter(|line| !line.starts_with("//") && !line.starts_with("#[")) {
            for quoted in line.split('`').skip(1).step_by(2) {
                let name = quoted.split('(').next().unwrap_or_default();
                let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
                if quoted.ends_with(')') && !name.is_empty() && name.chars().all(is_name) {
                    found.insert(format!("`{quoted}`"));
                }
            }
        }
    }

    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "tests" {
                walk(&path, found);
            } else if name.ends_with(".rs")
                && !matches!(&*name, "tests.rs" | "once.rs" | "macros.rs")
            {
                methods(&std::fs::read_to_string(&path).unwrap(), found);
            }
        }
    }

    /// A text that names a method which the table lacks would tell people to write Rust.
    #[test]
    fn every_method_that_the_library_names_has_other_words() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = BTreeSet::new();
        walk(&crates.join("core/src"), &mut found);
        for service in ["smc", "smartag", "apig", "zstack"] {
            methods(
                &std::fs::read_to_string(crates.join(service).join("src/generated/client.rs"))
                    .unwrap(),
                &mut found,
            );
        }
        assert!(found.len() >= 8, "{found:?}");
        let left: Vec<_> = found
            .iter()
            .filter(|method| !PHRASES.iter().any(|(phrase, _)| phrase.contains(*method)))
            .collect();
        assert!(left.is_empty(), "PHRASES lacks {left:?}");
    }

    #[test]
    fn flags_in_place_of_methods() {
        for (said, plainly) in [
            (
                "Use https://, or allow it with `allow_http(true)`",
                "Use https://, or allow it with --allow-http",
            ),
            (
                "no region is set: use `region(..)` or X",
                "no region is set: use --region or X",
            ),
            (
                "`q[0]` is no condition (such as `name=x`)",
                "`q[0]` is no condition (such as `name=x`)",
            ),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }
}
