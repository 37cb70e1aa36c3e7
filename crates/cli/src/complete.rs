//! What could come next on this command line? Asked by the shell at each Tab, so answered without clients,
//! credentials or network.
//!
//! Commands and flags are those of the parser itself. Operations, members and resources are those of the service
//! that stands on the line.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::{Arg, ArgAction, Command, CommandFactory, ValueEnum};
use cumulo_core::record::{Member, Record, Shape, Slot};

use crate::args::{Cumulo, Shell};
use crate::service::Service;
use crate::topics;

/// What may be typed, and what it is.
type Candidate = (String, String);

/// Prints what may come next, a line each, for a line that was typed up to the cursor.
pub(crate) fn run(shell: Shell, line: &str) -> io::Result<u8> {
    let mut text = String::new();
    for (value, about) in candidates(&split(line)) {
        match shell {
            Shell::Bash => text += &format!("{value}\n"),
            _ => text += &format!("{value}\t{about}\n"),
        }
    }
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(0)
}

/// The script that makes a shell ask.
pub(crate) fn script(shell: Shell) -> Option<&'static str> {
    match shell {
        Shell::Bash => Some(include_str!("complete/bash.sh")),
        Shell::Zsh => Some(include_str!("complete/zsh.sh")),
        Shell::Fish => Some(include_str!("complete/fish.fish")),
        _ => None,
    }
}

/// A line in words, as far as they were typed: the last is the one at the cursor.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let Some(word) = words.last_mut() else { break };
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\\', None) => word.extend(chars.next()),
            ('\'' | '"', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(String::new());
                }
            }
            (c, _) => word.push(c),
        }
    }
    words
}

/// What may stand in place of the last of `words`, the first of which is the program.
fn candidates(words: &[String]) -> Vec<Candidate> {
    let mut root = Cumulo::command();
    root.build();
    let Some((typed, before)) = words.split_last() else {
        return Vec::new();
    };
    let mut command = &root;
    let mut given: Vec<&str> = Vec::new();
    let mut before = before.iter().skip(1).map(String::as_str);
    while let Some(word) = before.next() {
        if let Some(flag) = flag(command, word) {
            if takes_value(flag) && !word.contains('=') {
                match before.next() {
                    Some(_) => {}
                    None => return starting(typed, values(flag, &given)),
                }
            }
        } else if let Some(found) = command.find_subcommand(word).filter(|_| given.is_empty()) {
            command = found;
        } else {
            given.push(word);
        }
    }
    if let Some((name, _)) = typed.split_once('=').filter(|_| typed.starts_with("--")) {
        let Some(flag) = flag(command, name) else {
            return Vec::new();
        };
        let all = values(flag, &given).into_iter();
        let all = all.map(|(value, about)| (format!("{name}={value}"), about));
        return starting(typed, all.collect());
    }
    if typed.starts_with('-') {
        return starting(typed, flags(command));
    }
    if command.has_subcommands() {
        let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
        let all = shown.map(|one| (one.get_name().to_owned(), about(one.get_about())));
        return starting(typed, all.collect());
    }
    let positionals: Vec<&Arg> = command.get_positionals().collect();
    let Some(last) = positionals.last() else {
        return Vec::new();
    };
    let argument = positionals.get(given.len()).unwrap_or(last);
    if argument.get_id() == "input" {
        return starting(typed, input(&given, typed));
    }
    starting(typed, values(argument, &given))
}

fn starting(typed: &str, all: Vec<Candidate>) -> Vec<Candidate> {
    let fits = |(value, _): &Candidate| value.starts_with(typed);
    all.into_iter().filter(fits).collect()
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn flag<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or(word);
    command.get_arguments().find(|argument| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let short = argument.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(name) || short.as_deref() == Some(name)
    })
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

fn flags(command: &Command) -> Vec<Candidate> {
    let shown = command.get_arguments().filter(|one| !one.is_hide_set());
    shown
        .filter_map(|one| Some((format!("--{}", one.get_long()?), about(one.get_help()))))
        .collect()
}

/// The values of an argument, by its name or by what the parser takes; none where the shell knows better, as of
/// files.
fn values(argument: &Arg, given: &[&str]) -> Vec<Candidate> {
    let service = given.first().and_then(|name| Service::find(name).ok());
    let services = || service.map_or(Service::ALL.to_vec(), |service| vec![service]);
    match argument.get_id().as_str() {
        "operation" => services()
            .into_iter()
            .flat_map(Service::operations)
            .map(|listed| {
                let operation = listed.operation();
                (
                    operation.name.to_owned(),
                    operation.summary.trim().to_owned(),
                )
            })
            .collect(),
        "group" => {
            let all = services().into_iter().flat_map(Service::operations);
            let groups: BTreeSet<&str> = all.map(|listed| listed.group).collect();
            groups
                .into_iter()
                .map(|group| (group.to_owned(), String::new()))
                .collect()
        }
        "resource" => services()
            .into_iter()
            .flat_map(Service::resources)
            .map(|row| (row.name.to_owned(), row.title.to_owned()))
            .collect(),
        "topic" if given.is_empty() => {
            let topics = topics::ALL.iter();
            let topics = topics.map(|topic| (topic.name.to_owned(), topic.about().to_owned()));
            let services =
                Service::ALL.map(|service| (service.name().to_owned(), about_value(service)));
            topics.chain(services).collect()
        }
        "topic" => match service {
            Some(service) => service
                .operations()
                .map(|listed| (listed.operation().name.to_owned(), String::new()))
                .collect(),
            None => Vec::new(),
        },
        _ => {
            let possible = argument.get_possible_values();
            let shown = possible.iter().filter(|one| !one.is_hide_set());
            shown
                .map(|one| (one.get_name().to_owned(), about(one.get_help())))
                .collect()
        }
    }
}

fn about_value(service: Service) -> String {
    let value = service.to_possible_value();
    let help = value.as_ref().and_then(|value| value.get_help());
    about(help)
}

/// Members of the operation's input, as words: what was typed of one says how deep.
fn input(given: &[&str], typed: &str) -> Vec<Candidate> {
    let [service, name, words @ ..] = given else {
        return Vec::new();
    };
    let Ok(service) = Service::find(service) else {
        return Vec::new();
    };
    let Some(listed) = service
        .operations()
        .find(|listed| listed.operation().name == *name)
    else {
        return Vec::new();
    };
    let mut record = (listed.operation().input)();
    let mut all = Vec::new();
    let (path, value) = match typed.split_once('=') {
        Some((path, _)) => (path, true),
        None => (typed, false),
    };
    let parts: Vec<&str> = path.split('.').collect();
    members(&mut *record, &parts, "", value, &mut all);
    // What stands on the line already is not wanted again, unless it is a list.
    let again = |word: &&str| word.split('=').next().map(str::to_owned);
    let done: BTreeSet<String> = words.iter().filter_map(again).collect();
    all.retain(|(word, about)| {
        value || !done.contains(word.trim_end_matches('=')) || about.starts_with("list")
    });
    all
}

/// The members of `record` that `parts` may mean; `before` is what leads there.
fn members(
    record: &mut dyn Record,
    parts: &[&str],
    before: &str,
    value: bool,
    all: &mut Vec<Candidate>,
) {
    let schema = record.schema();
    let [name, deeper @ ..] = parts else { return };
    record.write(&mut |slots| {
        for (member, slot) in schema.members.iter().zip(slots) {
            let here = format!("{before}{}", member.name);
            if deeper.is_empty() && !value {
                all.push(candidate(&here, member, &slot.slot()));
            } else if member.name == *name {
                inside(slot.slot(), member, deeper, &here, value, all);
            }
        }
    });
}

fn inside(
    slot: Slot<'_>,
    member: &Member,
    parts: &[&str],
    here: &str,
    value: bool,
    all: &mut Vec<Candidate>,
) {
    match (slot, parts) {
        (Slot::Bool(_), []) if value => {
            all.extend(["true", "false"].map(|truth| (format!("{here}={truth}"), String::new())));
        }
        (Slot::Text(_), []) if value => {
            let values = member.limits.values.iter();
            all.extend(values.map(|value| (format!("{here}={value}"), String::new())));
        }
        (Slot::List(list), []) if value => inside(list.push().slot(), member, &[], here, true, all),
        (Slot::Record(record), parts) => members(record, parts, &format!("{here}."), value, all),
        (Slot::List(list), [first, rest @ ..]) => {
            let wrapper = matches!(member.shape, Shape::Wrapped(inner) if inner == *first);
            if wrapper {
                inside(
                    Slot::List(list),
                    member,
                    rest,
                    &format!("{here}.{first}"),
                    value,
                    all,
                );
            } else if first.is_empty() || first.parse::<u32>().is_ok() {
                let number = if first.is_empty() { "1" } else { first };
                let here = format!("{here}.{number}");
                match list.push().slot() {
                    Slot::Record(record) => {
                        let rest = if rest.is_empty() { &[""][..] } else { rest };
                        members(record, rest, &format!("{here}."), value, all);
                    }
                    slot => inside(slot, member, rest, &here, value, all),
                }
            }
        }
        _ => {}
    }
}

fn candidate(here: &str, member: &Member, slot: &Slot<'_>) -> Candidate {
    let (word, kind) = match slot {
        Slot::Record(_) | Slot::Map(_) => (format!("{here}."), "object"),
        Slot::List(_) => (format!("{here}="), "list"),
        Slot::Int(_) => (format!("{here}="), "whole number"),
        Slot::Float(_) => (format!("{here}="), "number"),
        Slot::Bool(_) => (format!("{here}="), "true or false"),
        Slot::Secret(_) => (format!("{here}=@"), "secret text, from a file"),
        Slot::Json(_) => (format!("{here}:="), "any JSON"),
        Slot::Text(_) | Slot::Bytes(_) => (format!("{here}="), "text"),
    };
    let required = if member.required { ", required" } else { "" };
    (word, format!("{kind}{required}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(line: &str) -> Vec<String> {
        let all = candidates(&split(line)).into_iter();
        all.map(|(value, _)| value).collect()
    }

    #[test]
    fn commands_services_operations() {
        assert_eq!(next("cumulo cal"), ["call"]);
        assert!(!next("cumulo ").contains(&"complete".to_owned()));
        assert_eq!(next("cumulo call "), ["smc", "smartag", "apig", "zstack"]);
        assert_eq!(next("cumulo call s"), ["smc", "smartag"]);
        assert_eq!(next("cumulo -v call smc ListAcc"), ["ListAccessTokens"]);
        let queries = next("cumulo describe zstack QueryVmInst");
        assert!(
            queries.contains(&"QueryVmInstance".to_owned()),
            "{queries:?}"
        );
        assert_eq!(next("cumulo ops smc --group access"), ["access-token"]);
    }

    #[test]
    fn flags_and_their_values() {
        assert_eq!(next("cumulo call --outp"), ["--output"]);
        assert_eq!(next("cumulo call smc ListTags --output ta"), ["table"]);
        assert_eq!(
            next("cumulo call smc ListTags --output=ta"),
            ["--output=table"]
        );
        assert_eq!(
            next("cumulo call --region cn-x smc ListAcc"),
            ["ListAccessTokens"]
        );
        // Of files the shell knows more.
        assert!(next("cumulo call --ca-file ").is_empty());
    }

    #[test]
    fn members_of_the_input() {
        let call = |rest: &str| next(&format!("cumulo call {rest}"));
        assert_eq!(call("smc CreateAccessToken Na"), ["Name="]);
        assert!(call("smc CreateAccessToken Name=x Na").is_empty());
        assert_eq!(call("zstack CreateUser pass"), ["password=@"]);
        assert_eq!(
            call("zstack QueryZone count="),
            ["count=true", "count=false"]
        );
        assert_eq!(
            call("smc TagResources Tag.1."),
            ["Tag.1.Key=", "Tag.1.Value="]
        );
        assert_eq!(call("smc TagResources Tag.2.K"), ["Tag.2.Key="]);
        assert!(call("smc NoSuchThing N").is_empty());
    }

    #[test]
    fn words_as_a_shell_sees_them() {
        assert_eq!(
            split("cumulo  call 'a b' c\\ d \"e"),
            ["cumulo", "call", "a b", "c d", "e"]
        );
        assert_eq!(split("cumulo call "), ["cumulo", "call", ""]);
    }
}
