//! `cumulo help`: what somebody asks who reads no manual: how credentials are found, what a status means.
//!
//! The texts stand in files of their own, and the manual pages are made of the same.

use std::io::{self, Write};

use clap::CommandFactory;
use cumulo_core::record::nearest;

use crate::args::{Cumulo, Describe, Help, Ops};
use crate::result::USAGE;
use crate::service::Service;
use crate::{describe, ops, term};

/// A text about one question.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! topics {
    ($($name:literal)*) => {
        &[$(Topic { name: $name, text: include_str!(concat!("topics/", $name, ".txt")) }),*]
    };
}

/// All of them.
pub(crate) const ALL: &[Topic] = topics!(
    "credentials" "environment" "exit-status" "local-cloud" "output" "pages" "retries" "secrets"
);

impl Topic {
    /// The question.
    pub(crate) fn about(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// A topic, a command, a service, or an operation of one.
pub(crate) fn run(args: &Help) -> io::Result<u8> {
    let mut words = args.topic.iter().map(String::as_str);
    let Some(first) = words.next() else {
        let mut text = Cumulo::command().render_long_help().to_string();
        text += "\nTopics, for `cumulo help TOPIC`:\n";
        for topic in ALL {
            text += &format!("  {:<13}{}\n", topic.name, topic.about());
        }
        text += "\n`cumulo help SERVICE` lists operations, `cumulo help SERVICE OPERATION` describes one.\n";
        return print(&text);
    };
    if let Some(topic) = ALL.iter().find(|topic| topic.name == first) {
        return print(topic.text);
    }
    if let Ok(service) = Service::find(first) {
        return match words.next() {
            Some(operation) => describe::run(&Describe {
                service,
                operation: operation.to_owned(),
                json: false,
            }),
            None => ops::run(&Ops {
                service: Some(service),
                group: None,
                json: false,
            }),
        };
    }
    let mut root = Cumulo::command();
    root.build();
    let mut command = &root;
    for word in &args.topic {
        let Some(found) = command.find_subcommand(word) else {
            term::say(unknown(word));
            return Ok(USAGE);
        };
        command = found;
    }
    print(&command.clone().render_long_help().to_string())
}

fn unknown(word: &str) -> String {
    let root = Cumulo::command();
    let mut names: Vec<&str> = ALL.iter().map(|topic| topic.name).collect();
    names.extend(Service::ALL.map(Service::name));
    names.extend(root.get_subcommands().map(clap::Command::get_name));
    let near = nearest(word, names.into_iter());
    let near = near.map_or(
        "`cumulo help` lists topics and commands".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    format!("error: there is no help on `{word}`; {near}")
}

fn print(text: &str) -> io::Result<u8> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_asks_its_question_and_answers_in_lines_that_fit() {
        for topic in ALL {
            assert!(topic.about().ends_with('?'), "{}", topic.name);
            for line in topic.text.lines() {
                assert!(term::columns(line) <= 120, "{}: {line}", topic.name);
            }
        }
    }

    #[test]
    fn near_names_are_told() {
        assert!(unknown("secret").ends_with("did you mean `secrets`?"));
        assert!(unknown("quantum").ends_with("lists topics and commands"));
    }
}
