//! `cumulo ops`: what can be called?

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use cumulo_core::Json;
use cumulo_core::record::nearest;
use serde_json::json;

use crate::args::Ops;
use crate::result::USAGE;
use crate::service::{Listed, Service};
use crate::term::{self, cut, pad};

pub(crate) fn run(args: &Ops) -> io::Result<u8> {
    let mut wanted: Vec<Listed> = match args.service {
        Some(service) => service.operations().collect(),
        None => Service::ALL
            .into_iter()
            .flat_map(Service::operations)
            .collect(),
    };
    if let Some(group) = &args.group {
        let groups: BTreeSet<&str> = wanted.iter().map(|listed| listed.group).collect();
        if !groups.contains(group.as_str()) {
            term::say(unknown_group(group, &groups));
            return Ok(USAGE);
        }
        wanted.retain(|listed| listed.group == group);
    }
    let narrow = term::room();
    let mut stdout = BufWriter::new(io::stdout().lock());
    if args.json {
        for listed in &wanted {
            writeln!(stdout, "{}", line(listed))?;
        }
    } else {
        print(&wanted, narrow, &mut stdout)?;
    }
    stdout.flush()?;
    Ok(0)
}

fn unknown_group(group: &str, groups: &BTreeSet<&str>) -> String {
    match nearest(group, groups.iter().copied()) {
        Some(near) => format!("error: no group is called `{group}`; did you mean `{near}`?"),
        None => {
            let groups: Vec<&str> = groups.iter().copied().collect();
            format!(
                "error: no group is called `{group}`; there are {}",
                groups.join(", ")
            )
        }
    }
}

/// An operation as data.
pub(crate) fn line(listed: &Listed) -> Json {
    let operation = listed.operation();
    json!({
        "service": listed.service.name(),
        "group": listed.group,
        "name": operation.name,
        "method": operation.method.as_str(),
        "path": operation.path,
        "retry": format!("{:?}", operation.retry),
        "summary": operation.summary.trim(),
        "paginated": operation.paging.is_some(),
        "job": operation.job,
    })
}

/// One line each under a heading for each group; cut to `narrow` columns for a terminal, whole for a
/// pipe.
fn print(wanted: &[Listed], narrow: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let name_width = wanted
        .iter()
        .map(|listed| term::columns(listed.operation().name))
        .max();
    let name_width = name_width.unwrap_or(0);
    let mut heading = None;
    for listed in wanted {
        let here = (listed.service, listed.group);
        if heading != Some(here) {
            let gap = if heading.is_some() { "\n" } else { "" };
            writeln!(out, "{gap}{} {}", listed.service.name(), listed.group)?;
            heading = Some(here);
        }
        let operation = listed.operation();
        let text = format!(
            "  {}  {}",
            pad(operation.name, name_width),
            operation.summary.trim()
        );
        match narrow {
            Some(most) => writeln!(out, "{}", cut(&text, most))?,
            None => writeln!(out, "{text}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_as_data() {
        let listed = crate::request::find(Service::Smc, "CreateAccessToken").unwrap();
        let line = line(&listed);
        assert_eq!(line["service"], "smc");
        assert_eq!(line["group"], "access-token");
        assert_eq!(line["retry"], "Unsafe");
        assert_eq!(
            (&line["method"], &line["path"]),
            (&json!("POST"), &json!("/"))
        );
        assert_eq!(
            (&line["paginated"], &line["job"]),
            (&json!(false), &json!(false))
        );
        let list = crate::request::find(Service::Smc, "DescribeReplicationJobs").unwrap();
        assert_eq!(super::line(&list)["paginated"], true);
    }

    #[test]
    fn every_operation_has_a_summary_of_one_line() {
        for listed in Service::ALL.into_iter().flat_map(Service::operations) {
            let summary = listed.operation().summary.trim();
            assert!(
                !summary.is_empty() && !summary.contains('\n'),
                "{}",
                listed.operation().name
            );
        }
    }
}
