//! `cumulo resources`: which things are there, and which operations are about them?

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use cumulo_core::Json;
use cumulo_core::resource::{Find, Origin, Resource};
use serde_json::json;

use crate::args::Resources;
use crate::service::Service;

pub(crate) fn run(args: &Resources) -> io::Result<u8> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    for service in Service::ALL {
        if args.service.is_some_and(|wanted| wanted != service) {
            continue;
        }
        let rows = service.resources();
        let none = unowned(service);
        if args.json {
            for row in rows {
                writeln!(stdout, "{}", line(service, row))?;
            }
            writeln!(
                stdout,
                "{}",
                json!({ "service": service.name(), "none": none })
            )?;
        } else {
            print(service, rows, &none, &mut stdout)?;
        }
    }
    stdout.flush()?;
    Ok(0)
}

/// The operations that are about no thing.
fn unowned(service: Service) -> Vec<&'static str> {
    let owned: BTreeSet<&str> = service
        .resources()
        .iter()
        .flat_map(Resource::operations)
        .collect();
    let names = service.operations().map(|listed| listed.operation().name);
    names.filter(|name| !owned.contains(name)).collect()
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Rule => "rule",
        Origin::Overlay => "overlay",
        Origin::Both => "rule, overlay",
    }
}

/// The same for people: rules over the vendors' models wrote the row, or a person did, or one mended the other.
fn told(origin: Origin) -> &'static str {
    match origin {
        Origin::Rule => "by rule",
        Origin::Overlay => "by hand",
        Origin::Both => "by rule, mended by hand",
    }
}

/// A row as data; what is empty is left out.
fn line(service: Service, row: &Resource) -> Json {
    let find = |find: &Find| json!({ "operation": find.operation, "by": find.by, "at": find.at });
    let states = row
        .states
        .map(|states| json!({ "member": states.member, "good": states.good, "bad": states.bad }));
    let mut line = json!({
        "service": service.name(),
        "name": row.name,
        "id": row.id,
        "title": row.title,
        "parents": row.parents,
        "create": row.create,
        "read": row.read.as_ref().map(find),
        "list": row.list.as_ref().map(find),
        "update": row.update,
        "delete": row.delete,
        "others": row.others,
        "states": states,
        "origin": origin(row.origin),
    });
    if let Some(members) = line.as_object_mut() {
        members.retain(|_, value| match value {
            Json::Null => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            _ => true,
        });
    }
    line
}

fn print(
    service: Service,
    rows: &[Resource],
    none: &[&str],
    out: &mut impl Write,
) -> io::Result<()> {
    let total = service.operations().count();
    let owned = total - none.len();
    writeln!(
        out,
        "{}: {} resources, {owned} of {total} operations",
        service.name(),
        rows.len()
    )?;
    for row in rows {
        let parents = match row.parents {
            [] => String::new(),
            parents => format!(" of {}", parents.join(", ")),
        };
        writeln!(out, "  {}{parents} ({})", row.name, told(row.origin))?;
        let found = |find: Option<Find>| find.map(|find| find.operation).into_iter().collect();
        let (read, list): (Vec<&str>, Vec<&str>) = (found(row.read), found(row.list));
        let lines = [
            ("create", row.create),
            ("read", &read),
            ("list", &list),
            ("update", row.update),
            ("delete", row.delete),
            ("others", row.others),
        ];
        for (verb, names) in lines.into_iter().filter(|(_, names)| !names.is_empty()) {
            writeln!(out, "    {verb:6}  {}", names.join(", "))?;
        }
    }
    if !none.is_empty() {
        writeln!(out, "  of no resource: {}", none.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the project promises: so many things of each service, so many operations about them.
    #[test]
    fn most_operations_are_about_a_thing() {
        let least = [6, 30, 35, 300];
        for (service, least) in Service::ALL.into_iter().zip(least) {
            let rows = service.resources();
            assert!(rows.len() >= least, "{}: {}", service.name(), rows.len());
        }
        let owned: usize = Service::ALL
            .into_iter()
            .map(|service| service.operations().count() - unowned(service).len())
            .sum();
        assert!(owned >= 1_700, "{owned}");
    }

    #[test]
    fn a_row_as_data() {
        let rows = Service::Smc.resources();
        let job = rows
            .iter()
            .find(|row| row.name == "replication-job")
            .unwrap();
        let line = line(Service::Smc, job);
        assert_eq!(line["create"], json!(["CreateReplicationJob"]));
        assert_eq!(line["read"]["by"], "JobId");
        assert_eq!(line["read"]["at"], "ReplicationJobs.ReplicationJob");
        assert_eq!(line["parents"], json!(["source-server"]));
        assert_eq!(line["origin"], "overlay");
        assert!(line.get("update").is_some());
    }
}
