//! Things by their names: which row of a service's resources is meant, and what its reads are given.

use std::io::{self, IsTerminal};

use clap::Args;
use cumulo_core::operation::Operation;
use cumulo_core::record::{Slot, nearest};
use cumulo_core::resource::Resource;
use cumulo_core::{Error, Json, Kind};
use serde_json::json;

use crate::args::Output;
use crate::query::Query;
use crate::request::invalid;
use crate::result::View;
use crate::service::Service;
use crate::words;

/// What the reads of a thing need besides its id.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Given {
    /// What it belongs to, by kind, as `cumulo resources` names it: app=ID. May be repeated.
    #[arg(long = "parent", value_name = "KIND=ID")]
    pub(crate) parents: Vec<String>,
    /// Further members of the operation that reads it, as `cumulo call` takes them; for ZStack
    /// conditions, too, such as 'name~=web%'.
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) members: Vec<String>,
}

/// How a thing or a list of them is printed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shape {
    /// How it is printed; a table on a terminal and JSON elsewhere when left out.
    #[arg(long, value_enum)]
    output: Option<Output>,
    /// The columns of the table, in this order: A,B. It means --output table.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// What of it is printed, as a JMESPath expression.
    #[arg(long, value_name = "JMESPATH", value_parser = Query::parse)]
    query: Option<Query>,
}

impl Shape {
    pub(crate) fn view(self) -> View {
        let output = match self.columns.is_empty() {
            false => Output::Table,
            true => self.output.unwrap_or(match io::stdout().is_terminal() {
                true => Output::Table,
                false => Output::Json,
            }),
        };
        View {
            output,
            columns: self.columns,
            query: self.query,
        }
    }
}

/// The row called `name`.
pub(crate) fn row(service: Service, name: &str) -> Result<&'static Resource, Error> {
    let rows = service.resources();
    if let Some(row) = rows.iter().find(|row| row.name == name) {
        return Ok(row);
    }
    let error = invalid(format!("{} has no resource `{name}`", service.name()));
    Err(match nearest(name, rows.iter().map(|row| row.name)) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("`cumulo resources {}` lists them", service.name())),
    })
}

/// An operation that reads things of a row.
pub(crate) struct Read {
    pub(crate) service: Service,
    pub(crate) row: &'static Resource,
    pub(crate) operation: &'static Operation,
}

/// A member of the operation's input, and whether it is a list.
type Member = (&'static str, bool);

impl Read {
    /// The input for it: the thing's parents and what else was given, and its `id` under `by`.
    pub(crate) fn input(&self, given: &Given, thing: Option<(&str, &str)>) -> Result<Json, Error> {
        let members = self.members();
        let is_condition = |word: &&String| {
            let name = word.split('=').next().unwrap_or_default();
            let name = name.trim_end_matches(':');
            self.is_query() && !members.iter().any(|(member, _)| *member == name)
        };
        let (conditions, words): (Vec<&String>, Vec<&String>) =
            given.members.iter().partition(is_condition);
        let words: Vec<String> = words.into_iter().cloned().collect();
        let mut input = words::input(self.operation, &words)?;
        if let Some((by, id)) = thing.filter(|(by, _)| !by.is_empty()) {
            match self.is_query() {
                true => self.condition(&mut input, &format!("{by}={id}"))?,
                false => put(&mut input, self.member(&members, by)?, id),
            }
        }
        for parent in &given.parents {
            let (kind, id) = pair(parent)?;
            self.parent(&mut input, &members, kind, id)?;
        }
        for condition in conditions {
            self.condition(&mut input, condition)?;
        }
        in_stable_order(self.operation, &mut input);
        Ok(input)
    }

    /// ZStack's queries take conditions on any member of what they answer.
    fn is_query(&self) -> bool {
        is_query(self.operation)
    }

    fn members(&self) -> Vec<Member> {
        let mut record = (self.operation.input)();
        let names = record.schema().members;
        let mut members = Vec::new();
        record.write(&mut |values| {
            let lists = values
                .iter_mut()
                .map(|value| matches!(value.slot(), Slot::List(_)));
            members.extend(names.iter().map(|member| member.name).zip(lists));
        });
        members
    }

    /// The member called `name`.
    fn member(&self, members: &[Member], name: &str) -> Result<Member, Error> {
        if let Some(member) = members.iter().find(|(member, _)| *member == name) {
            return Ok(*member);
        }
        let message = format!("the operation takes no `{name}`");
        Err(Error::new(Kind::InvalidInput, self.operation.name, message))
    }

    /// Sets the member that names the parent of this kind.
    fn parent(
        &self,
        input: &mut Json,
        members: &[Member],
        kind: &str,
        id: &str,
    ) -> Result<(), Error> {
        let known = self.row.parents.iter().copied();
        if !self.row.parents.contains(&kind) {
            let error = invalid(format!("a {} has no parent `{kind}`", self.row.name));
            return Err(match (nearest(kind, known), self.row.parents) {
                (Some(near), _) => error.with_hint(format!("Did you mean `{near}`?")),
                (None, []) => error.with_hint("It belongs to nothing"),
                (None, all) => error.with_hint(format!("It belongs to: {}", all.join(", "))),
            });
        }
        let names = names_of(self.service, kind);
        let fits = |name: &str| names.contains(&plain(name));
        if let Some(member) = members.iter().find(|(name, _)| fits(name)) {
            put(input, *member, id);
            return Ok(());
        }
        let told = if self.is_query() {
            self.told()
        } else {
            Vec::new()
        };
        if let Some(member) = told.iter().find(|name| fits(name)) {
            return self.condition(input, &format!("{member}={id}"));
        }
        let message = format!("the operation does not go by the {kind}");
        let error = Error::new(Kind::InvalidInput, self.operation.name, message);
        Err(error.with_hint(format!(
            "`cumulo describe {} {}` lists what it takes as NAME=VALUE",
            self.service.name(),
            self.operation.name
        )))
    }

    /// The members of what a query answers.
    fn told(&self) -> Vec<&'static str> {
        let mut record = (self.operation.output)();
        let schema = record.schema();
        let mut names = Vec::new();
        record.write(&mut |values| {
            let inventories = schema.members.iter().zip(values);
            for (_, value) in inventories.filter(|(member, _)| member.name == "inventories") {
                if let Slot::List(list) = value.slot()
                    && let Slot::Record(item) = list.push().slot()
                {
                    names.extend(item.schema().members.iter().map(|member| member.name));
                }
            }
        });
        names
    }

    /// Adds a condition, such as `name~=web%`, on a member that there is.
    fn condition(&self, input: &mut Json, condition: &str) -> Result<(), Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = condition.find(|c| !plain(c)).unwrap_or(condition.len());
        let (field, operator) = condition.split_at(end);
        let told = self.told();
        let first = field.split('.').next().unwrap_or_default();
        let error = |message: String| Error::new(Kind::InvalidInput, self.operation.name, message);
        if operator.trim_start().is_empty() {
            return Err(error(format!("`{condition}` is no condition"))
                .with_hint("Write a member, an operator and a value: name=web, 'cpuNum>2'"));
        }
        // What begins with two lines, such as `__systemTag__`, is known to every query.
        if !first.starts_with("__") && !told.is_empty() && !told.contains(&first) {
            let error = error(format!("a {} has no `{first}`", self.row.name));
            return Err(match nearest(first, told.into_iter()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error,
            });
        }
        put(input, ("q", true), condition);
        Ok(())
    }
}

/// Whether the operation is one of ZStack's queries.
fn is_query(operation: &Operation) -> bool {
    let members = (operation.input)().schema().members;
    members.first().is_some_and(|member| member.name == "q")
}

/// Pages of a query are only whole when their order stays the same.
pub(crate) fn in_stable_order(operation: &Operation, input: &mut Json) {
    if is_query(operation) && input.get("sort").is_none_or(Json::is_null) {
        input["sort"] = "+uuid".into();
    }
}

/// How members may be called that hold the id of a thing of this kind.
fn names_of(service: Service, kind: &str) -> Vec<String> {
    let mut names = vec![
        plain(&format!("{kind}id")),
        plain(&format!("{kind}uuid")),
        plain(kind),
    ];
    let row = service.resources().iter().find(|row| row.name == kind);
    if let Some(row) = row {
        let by = row.read.map(|read| read.by).unwrap_or_default();
        let own = [row.id, by].map(plain);
        names.extend(
            own.into_iter()
                .filter(|name| !matches!(name.as_str(), "" | "id" | "uuid" | "name")),
        );
    }
    names
}

/// As names are compared: words count, not how they are joined.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.flat_map(char::to_lowercase).collect()
}

fn pair(parent: &str) -> Result<(&str, &str), Error> {
    parent
        .split_once('=')
        .filter(|(kind, _)| !kind.is_empty())
        .ok_or_else(|| invalid(format!("--parent `{parent}` is not of the form KIND=ID")))
}

fn put(input: &mut Json, (name, list): Member, value: &str) {
    match (list, input.get_mut(name).and_then(Json::as_array_mut)) {
        (true, Some(values)) => values.push(value.into()),
        (true, None) => input[name] = json!([value]),
        (false, _) => input[name] = value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::find;

    fn read(service: Service, name: &str) -> Read {
        let row = row(service, name).unwrap();
        let name = row.list.map(|list| list.operation).unwrap();
        let operation = find(service, name).unwrap().operation();
        Read {
            service,
            row,
            operation,
        }
    }

    fn given(parents: &[&str], members: &[&str]) -> Given {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Given {
            parents: own(parents),
            members: own(members),
        }
    }

    #[test]
    fn inputs_by_parent_and_member() {
        let codes = read(Service::Apig, "app-code");
        let input = codes
            .input(&given(&["app=a-1"], &["limit=5"]), None)
            .unwrap();
        assert_eq!(input, json!({"app_id": "a-1", "limit": 5}));
        let jobs = read(Service::Smc, "replication-job");
        let input = jobs
            .input(&given(&["source-server=s-1"], &[]), Some(("JobId", "j-1")))
            .unwrap();
        assert_eq!(input, json!({"JobId": ["j-1"], "SourceId": ["s-1"]}));
        let volumes = read(Service::Zstack, "volume-snapshot");
        let words = given(&[], &["name~=web%", "size>5", "limit=2", "__userTag__=a"]);
        assert_eq!(
            volumes.input(&words, Some(("uuid", "u"))).unwrap(),
            json!({"q": ["uuid=u", "name~=web%", "size>5", "__userTag__=a"], "limit": 2, "sort": "+uuid"})
        );
    }

    #[test]
    fn mistakes_are_answered_with_the_nearest_name() {
        let codes = read(Service::Apig, "app-code");
        let zones = read(Service::Zstack, "zone");
        let said = |read: &Read, given: Given| {
            let error = read.input(&given, None).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
            error.to_string()
        };
        let near = said(&codes, given(&["aps=a-1"], &[]));
        assert!(near.contains("`app`"), "{near}");
        let near = said(&codes, given(&[], &["app_ids=a-1"]));
        assert!(near.contains("`app_id`"), "{near}");
        let near = said(&zones, given(&[], &["nam=a"]));
        assert!(near.contains("`name`"), "{near}");
        assert!(said(&zones, given(&[], &["name"])).contains("no condition"));
        assert!(said(&codes, given(&["app"], &[])).contains("KIND=ID"));
        let error = row(Service::Zstack, "vm-instances")
            .unwrap_err()
            .to_string();
        assert!(error.contains("`vm-instance`"), "{error}");
        let error = row(Service::Smc, "elephant").unwrap_err().to_string();
        assert!(error.contains("cumulo resources smc"), "{error}");
    }

    /// Every parent can be given, or the operation does not go by it.
    #[test]
    fn parents_lead_to_members() {
        let mut missing = Vec::new();
        let mut found = 0;
        for service in Service::ALL {
            for row in service.resources().iter().filter(|row| row.list.is_some()) {
                let read = read(service, row.name);
                for parent in row.parents {
                    let given = given(&[&format!("{parent}=x")], &[]);
                    match read.input(&given, None) {
                        Ok(_) => found += 1,
                        Err(_) => missing.push(format!("{}/{}/{parent}", service.name(), row.name)),
                    }
                }
            }
        }
        assert!(found > 80, "{found} found; not {missing:?}");
        assert!(
            !missing.iter().any(|name| name.starts_with("apig/")),
            "{missing:?}"
        );
    }
}
