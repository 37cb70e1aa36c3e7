//! `cumulo man`: the manual pages, for packages and for `man cumulo`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::Cumulo;
use crate::topics::{self, Topic};

/// Writes a page for each command and topic to `folder`, or that of the whole to standard output.
pub(crate) fn run(folder: Option<&Path>) -> io::Result<u8> {
    let mut root = Cumulo::command().disable_help_subcommand(true);
    root.build();
    let Some(folder) = folder else {
        let mut page = Vec::new();
        Man::new(root).render(&mut page)?;
        io::stdout().lock().write_all(&page)?;
        return Ok(0);
    };
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(named)?;
    for (name, page) in pages(&root)? {
        fs::write(folder.join(name), page).map_err(named)?;
    }
    Ok(0)
}

/// Every page with its file's name.
fn pages(root: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    let shown = root.get_subcommands().filter(|one| !one.is_hide_set());
    for command in std::iter::once(root).chain(shown) {
        let name = match command.get_name() {
            "cumulo" => "cumulo".to_owned(),
            name => format!("cumulo-{name}"),
        };
        let mut page = Vec::new();
        Man::new(command.clone().display_name(name.clone()))
            .title(name.clone())
            .render(&mut page)?;
        pages.push((format!("{name}.1"), page));
    }
    for topic in topics::ALL {
        pages.push((
            format!("cumulo-{}.7", topic.name),
            topic_page(topic).into_bytes(),
        ));
    }
    Ok(pages)
}

/// A topic as a page: what is set in stays as it is.
fn topic_page(topic: &Topic) -> String {
    let name = format!("cumulo-{}", topic.name);
    let mut page = Roff::new();
    page.control("TH", [name.as_str(), "7"]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{name} - {}", topic.about()))]);
    page.control("SH", ["DESCRIPTION"]);
    let mut set_in = false;
    for line in topic.text.lines().skip(2) {
        if line.starts_with("  ") != set_in && !line.is_empty() {
            set_in = !set_in;
            page.control(if set_in { "nf" } else { "fi" }, []);
        }
        match line {
            "" => page.control("PP", []),
            line if set_in => page.text([roman(line)]),
            line => page.text([roman(line)]),
        };
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("cumulo"), roman("(1)")]);
    page.to_roff()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_every_command_and_topic() {
        let mut root = Cumulo::command();
        root.build();
        let pages = pages(&root).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for expected in [
            "cumulo.1",
            "cumulo-call.1",
            "cumulo-batch.1",
            "cumulo-secrets.7",
        ] {
            assert!(names.contains(&expected), "{expected} is not in {names:?}");
        }
        assert!(!names.contains(&"cumulo-complete.1"), "{names:?}");
        for (name, page) in &pages {
            let page = String::from_utf8(page.clone()).unwrap();
            assert!(
                page.contains(".TH") && page.contains("NAME"),
                "{name}: {page}"
            );
        }
    }
}
