//! `cumulo describe`: which members does an operation take, and what does it answer?

mod member;

use std::io::{self, Write};

use cumulo_core::Json;
use cumulo_core::operation::{Paging, RetryClass};

use crate::args::Describe;
use crate::request::find;
use crate::result::USAGE;
use crate::service::{Listed, Service};
use crate::{ops, term};

use member::Doc;

pub(crate) fn run(args: &Describe) -> io::Result<u8> {
    let listed = match find(args.service, &args.operation) {
        Ok(listed) => listed,
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            term::say(format_args!("error: {}. {hint}", error.message()));
            return Ok(USAGE);
        }
    };
    let operation = listed.operation();
    let input = member::docs(&mut *(operation.input)());
    let output = member::docs(&mut *(operation.output)());
    let text = if args.json {
        let mut json = ops::line(&listed);
        json["input"] = input.iter().map(Doc::json).collect();
        json["output"] = output.iter().map(Doc::json).collect();
        json["client_token"] = operation.token.map_or(Json::Null, Json::from);
        json["shown_once"] = operation.shown_once.into();
        format!("{json}\n")
    } else {
        text(&listed, &input, &output, term::width())
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(0)
}

fn text(listed: &Listed, input: &[Doc], output: &[Doc], width: usize) -> String {
    let operation = listed.operation();
    let mut lines = vec![
        format!(
            "{} {} (group {})",
            listed.service.name(),
            operation.name,
            listed.group
        ),
        term::wrap(operation.summary.trim(), width, ""),
        format!("{} {}", operation.method, operation.path),
        String::new(),
    ];
    for fact in facts(listed) {
        lines.push(term::wrap(&format!("- {fact}"), width, "  "));
    }
    for (heading, members, placed) in [("Input", input, true), ("Output", output, false)] {
        lines.push(String::new());
        if members.is_empty() {
            lines.push(format!("{heading}: no members"));
        } else {
            lines.push(heading.to_owned());
            list(members, placed, 1, width, &mut lines);
        }
    }
    lines.join("\n") + "\n"
}

fn list(members: &[Doc], placed: bool, depth: usize, width: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for member in members {
        let text = format!("{indent}{}", member.text(placed));
        lines.push(term::wrap(&text, width, &format!("{indent}    ")));
        list(&member.members, false, depth + 1, width, lines);
    }
}

fn facts(listed: &Listed) -> Vec<String> {
    let operation = listed.operation();
    let mut facts = vec![
        match operation.retry {
            RetryClass::ReadOnly => "Changes nothing; repeated when no answer comes.",
            RetryClass::Idempotent => "Doing it twice is the same as once; repeated when no answer comes.",
            RetryClass::Keyed => "The service recognises a repeat; repeated with the same token when no answer comes.",
            RetryClass::Unsafe => "A second copy could act a second time; never repeated while it is unknown whether the first was executed.",
        }
        .to_owned(),
    ];
    if let Some(token) = operation.token {
        facts.push(format!("`{token}` is supplied when the input has none."));
    }
    if operation.job {
        facts.push("Runs as a job, which is waited for.".to_owned());
    }
    for path in operation.shown_once {
        facts.push(format!(
            "`{path}` is shown only in this answer and can never be read again: --secrets-to FILE or --show-secrets says where it goes."
        ));
    }
    if operation.name.starts_with("Query") && listed.service == Service::Zstack {
        facts.push("Conditions are the elements of `q`, all of which must hold: `name=web-1`, `state!=Running`, `cpuNum>=4`, `name~=web-%`, `uuid?=a,b`, `hostUuid is null`. As words: q=name=web-1 q=state=Running.".to_owned());
    }
    if !operation.auth {
        facts.push("Needs no credentials.".to_owned());
    }
    match operation.paging {
        Some(Paging::Number { page, size, most, .. }) => {
            facts.push(format!("Answers in pages: `{page}` chooses one, `{size}` says how large, at most {most}."));
        }
        Some(Paging::Token { token, next, .. }) => {
            facts.push(format!("Answers in pages: `{token}` takes the `{next}` of the page before."));
        }
        Some(Paging::Offset { offset, limit, most, .. }) => facts.push(format!(
            "Answers in pages: `{offset}` items are skipped, `{limit}` are returned, at most {most}."
        )),
        None => {}
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(service: Service, name: &str) -> String {
        let listed = find(service, name).unwrap();
        let input = member::docs(&mut *(listed.operation().input)());
        let output = member::docs(&mut *(listed.operation().output)());
        text(&listed, &input, &output, 100)
    }

    #[test]
    fn the_whole_of_an_operation() {
        let text = described(Service::Smc, "ListAccessTokens");
        for expected in [
            "smc ListAccessTokens (group access-token)\n",
            "POST /\n",
            "- Changes nothing",
            "\nInput\n",
            "  AccessTokenId: list of text, in the query\n",
            "\nOutput\n",
            "  AccessTokens.AccessToken: list of objects (AccessToken)\n    ",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }

    #[test]
    fn pages_jobs_and_tokens() {
        let text = described(Service::Smc, "DescribeReplicationJobs");
        assert!(
            text.contains("- Answers in pages: `PageNumber` chooses one"),
            "{text}"
        );
        let text = described(Service::Smartag, "CreateEnterpriseCode");
        assert!(text.contains("- `ClientToken` is supplied"), "{text}");
        let text = described(Service::Zstack, "QueryZone");
        assert!(text.contains("As words: q=name=web-1"), "{text}");
        let text = described(Service::Zstack, "ChangeAccessKeyState");
        assert!(text.contains("- Runs as a job"), "{text}");
    }

    #[test]
    fn tags_of_every_zstack_operation() {
        for (name, place) in [
            ("QueryZone", ", in the query"),
            ("GetZone", ", in the query"),
            ("DeleteZone", ", in the query"),
            ("CreateZone", ""),
            ("UpdateZone", ""),
        ] {
            let text = described(Service::Zstack, name);
            for tags in ["systemTags", "userTags"] {
                let line = format!("  {tags}: list of text{place}\n");
                assert!(text.contains(&line), "{line} is not in\n{text}");
            }
        }
    }

    #[test]
    fn limits_settings_and_secrets() {
        let text = described(Service::Smc, "CreateAccessToken");
        assert!(
            text.contains("  Count: text, in the query; from 1 to 1000\n"),
            "{text}"
        );
        assert!(text.contains("  AccessTokenCode: secret text\n"), "{text}");
        assert!(
            text.contains("- `AccessTokenCode` is shown only in this answer"),
            "{text}"
        );
        let text = described(Service::Apig, "CreateAppCodeV2");
        assert!(
            text.contains("  instance_id: text, in the path, required (or --instance-id)"),
            "{text}"
        );
        assert!(text.contains("  app_code: secret text, required"), "{text}");
    }

    #[test]
    fn every_operation_can_be_described() {
        for listed in Service::ALL.into_iter().flat_map(Service::operations) {
            let name = listed.operation().name;
            let text = described(listed.service, name);
            assert!(text.len() < 400_000, "{name}: {}", text.len());
            assert!(text.contains("Input") && text.contains("Output"), "{name}");
        }
    }
}
