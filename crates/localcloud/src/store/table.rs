//! Which operations are about which thing? The rows of resources, read once from the copy that
//! this package carries, and turned round: what does an operation mean for each row?

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::names;
use crate::model::{Member, Model, Operation, Type};
use crate::wire::Service;

/// The rows of a service.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    roles: HashMap<String, Vec<(usize, Role)>>,
}

/// One kind of thing.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// The member that names a thing in answers; the one that it is read by where it has none.
    pub(crate) id: String,
    /// The member by which people call it.
    pub(crate) title: Option<String>,
    /// Members by which requests name a thing of this row, the likeliest first.
    pub(crate) named: Vec<String>,
    /// Rows to which a thing of this one belongs, with the members of requests that name them.
    pub(crate) parents: Vec<(usize, Vec<String>)>,
    /// Members that a client must give at creation.
    required: Vec<&'static str>,
    /// Rows of which a thing must be there at creation, with the member that names it.
    pub(crate) needs: Vec<(usize, Vec<String>)>,
    pub(crate) states: Option<States>,
    /// Whether something is here that a request makes; all else is the service's own.
    pub(crate) created: bool,
    /// Things of the row can be had back after they were deleted, until they are expunged.
    pub(crate) recycled: bool,
    /// All members that answers about a thing have.
    pub(crate) members: HashMap<&'static str, &'static Member>,
    /// Members that say when a thing was made or changed.
    pub(crate) times: Vec<Time>,
    /// Text members that a client may give at creation.
    pub(crate) optional: Vec<&'static str>,
}

/// A member that holds a moment.
#[derive(Debug)]
pub(crate) struct Time {
    pub(crate) name: &'static str,
    /// It moves with every change.
    pub(crate) of_change: bool,
    /// In milliseconds since 1970, where others are text.
    pub(crate) is_number: bool,
}

/// The member that holds a thing's state, and where it ends.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub(crate) member: String,
    pub(crate) good: Vec<String>,
    pub(crate) bad: Vec<String>,
    /// Documented values that are none of both.
    pub(crate) passing: Vec<String>,
    /// The state after a creation, where it is not the good one.
    pub(crate) first: Option<String>,
    /// Through which states operations lead, and where they end.
    pub(crate) moves: HashMap<String, Vec<String>>,
    /// The member that tells how far a thing is on its way, 0 to 100.
    pub(crate) progress: Option<String>,
}

/// What an operation does to a thing of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Create,
    /// The thing stands under this path of the answer; an empty one is the answer itself.
    Read(Vec<String>),
    /// The things stand in the list under this path.
    List(Vec<String>),
    Update,
    Delete,
    /// It is about a thing, and its name says how.
    Other,
}

impl Table {
    /// The rows of a service; none for the identity service.
    pub(crate) fn of(service: Service) -> &'static Self {
        static SMC: LazyLock<Table> = LazyLock::new(|| {
            Table::read(
                Service::Smc,
                include_str!("../../models/smc.resources.json"),
            )
        });
        static SMARTAG: LazyLock<Table> = LazyLock::new(|| {
            Table::read(
                Service::Smartag,
                include_str!("../../models/smartag.resources.json"),
            )
        });
        static APIG: LazyLock<Table> = LazyLock::new(|| {
            Table::read(
                Service::Apig,
                include_str!("../../models/apig.resources.json"),
            )
        });
        static ZSTACK: LazyLock<Table> = LazyLock::new(|| {
            Table::read(
                Service::Zstack,
                include_str!("../../models/zstack.resources.json"),
            )
        });
        static IAM: LazyLock<Table> = LazyLock::new(Table::default);
        match service {
            Service::Smc => &SMC,
            Service::Smartag => &SMARTAG,
            Service::Apig => &APIG,
            Service::Iam => &IAM,
            Service::Zstack => &ZSTACK,
        }
    }

    /// What an operation is to the rows, the roles that decide its answer first.
    pub(crate) fn roles(&self, operation: &str) -> &[(usize, Role)] {
        self.roles.get(operation).map_or(&[], Vec::as_slice)
    }

    /// The number of a row.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.name == name)
    }

    /// An operation that makes things of a row, or else one that lists or reads them.
    pub(crate) fn maker(&self, model: &'static Model, at: usize) -> Option<&'static Operation> {
        let of_row = |operation: &&Operation| {
            self.roles(&operation.name)
                .iter()
                .any(|(row, _)| *row == at)
        };
        model.operations.iter().find(of_row)
    }

    fn read(service: Service, text: &str) -> Self {
        let json: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
        let model = Model::of(service);
        let mut table = Self::default();
        let mut item_types: HashMap<&'static str, usize> = HashMap::new();
        for row in &json {
            let at = table.rows.len();
            let mut read = Row::of(service, row);
            for (operation, role) in roles(model, row) {
                read.learn(model, operation, &role);
                if service == Service::Zstack
                    && let Role::List(path) = &role
                    && let Some(Type::Ref(name)) = item(model, operation, path)
                {
                    item_types.entry(name).or_insert(at);
                }
                let of_operation = table.roles.entry(operation.name.clone()).or_default();
                // A list that can be asked for one thing is a list.
                if !of_operation.contains(&(at, role.clone())) {
                    of_operation.push((at, role));
                }
            }
            table.rows.push(read);
        }
        if service == Service::Zstack {
            table.adopt(model, &item_types);
        }
        for (at, row) in json.iter().enumerate() {
            let parents = texts(&row["parents"])
                .filter_map(|parent| {
                    let parent = table.position(&parent)?;
                    Some((parent, table.rows[parent].foreign()))
                })
                .collect();
            table.rows[at].parents = parents;
        }
        for at in 0..table.rows.len() {
            table.rows[at].needs = table.needs(at);
        }
        for roles in table.roles.values_mut() {
            roles.sort_by_key(|(_, role)| *role == Role::Other);
        }
        table
    }

    /// What must be there before a thing of a row can be made: what it belongs to, and what a
    /// required member names.
    fn needs(&self, at: usize) -> Vec<(usize, Vec<String>)> {
        let row = &self.rows[at];
        let mut needs = row.parents.clone();
        for (other, other_row) in self.rows.iter().enumerate() {
            let names: Vec<String> = other_row
                .foreign()
                .into_iter()
                .filter(|name| row.required.contains(&name.as_str()) && !row.named.contains(name))
                .collect();
            if other != at && !names.is_empty() && !needs.iter().any(|(one, _)| *one == other) {
                needs.push((other, names));
            }
        }
        needs
    }

    /// In ZStack what makes an inventory makes a thing of the row that lists such inventories,
    /// under whatever row the rules have put the operation.
    fn adopt(&mut self, model: &'static Model, item_types: &HashMap<&'static str, usize>) {
        for operation in &model.operations {
            let makes = operation.method == "POST"
                && ["Create", "Add", "Clone"]
                    .iter()
                    .any(|verb| operation.name.starts_with(verb));
            let Some(Type::Ref(name)) = envelope(operation) else {
                continue;
            };
            let known = self
                .roles(&operation.name)
                .iter()
                .any(|(_, role)| matches!(role, Role::Create | Role::Delete | Role::Update));
            if let Some(&at) = item_types.get(name.as_str())
                && makes
                && !known
            {
                self.rows[at].learn(model, operation, &Role::Create);
                let roles = self.roles.entry(operation.name.clone()).or_default();
                roles.push((at, Role::Create));
            }
        }
    }
}

impl Time {
    /// By the member's name: `createDate`, `update_time`, `GmtModified`.
    fn of(member: &'static Member) -> Option<Self> {
        const MADE: [&str; 5] = ["creat", "register", "add", "apply", "bind"];
        const CHANGED: [&str; 4] = ["updat", "modif", "lastop", "last_op"];
        let is_number = matches!(member.ty, Type::Int64);
        let fits = is_number || matches!(member.ty, Type::Text | Type::Timestamp);
        let name = member.name.to_ascii_lowercase();
        let is_moment = name.ends_with("time") || name.ends_with("date") || name.starts_with("gmt");
        let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let of_change = says(&CHANGED);
        (fits && is_moment && (of_change || says(&MADE))).then_some(Self {
            name: &member.name,
            of_change,
            is_number,
        })
    }
}

impl Row {
    fn of(service: Service, json: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = text(&json["name"]);
        let by = text(&json["read"]["by"]);
        let id = match json["id"].as_str() {
            Some(id) => id.to_owned(),
            None => by.clone(),
        };
        let mut named = vec![by];
        named.extend(names::of_row(service, &name));
        named.push(id.clone());
        named.retain(|name| !name.is_empty());
        let states = json.get("states").map(|states| States {
            member: text(&states["member"]),
            good: texts(&states["good"]).collect(),
            bad: texts(&states["bad"]).collect(),
            passing: Vec::new(),
            first: states["first"].as_str().map(str::to_owned),
            moves: states["moves"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(operation, way)| (operation.clone(), texts(way).collect()))
                .collect(),
            progress: states["progress"].as_str().map(str::to_owned),
        });
        Self {
            title: json["title"].as_str().map(str::to_owned),
            recycled: texts(&json["others"]).any(|other| other.starts_with("Expunge")),
            name,
            id,
            named,
            states,
            ..Self::default()
        }
    }

    /// Whether a thing is switched on and off beside its state, as ZStack's with `status` and `state` are.
    pub(super) fn has_switch(&self) -> bool {
        let own = self.states.as_ref().map(|states| states.member.as_str());
        own == Some("status") && self.members.contains_key("state")
    }

    /// Takes from an operation what it tells about the things.
    fn learn(&mut self, model: &'static Model, operation: &'static Operation, role: &Role) {
        let members: &[Member] = match role {
            Role::Read(path) | Role::List(path) => item(model, operation, path)
                .and_then(|ty| model.members(ty))
                .unwrap_or(&operation.output),
            Role::Create => envelope(operation)
                .and_then(|ty| model.members(ty))
                .unwrap_or(&operation.output),
            Role::Delete => {
                let last = operation.path.rsplit_once("/{");
                let last = last.and_then(|(_, name)| name.strip_suffix('}'));
                if let Some(last) = last.filter(|last| last.ends_with("_id")) {
                    self.named.insert(0, last.to_owned());
                }
                return;
            }
            Role::Update | Role::Other => return,
        };
        for member in members {
            self.members.entry(&member.name).or_insert(member);
        }
        self.times = self
            .members
            .values()
            .filter_map(|member| Time::of(member))
            .collect();
        if *role == Role::Create {
            self.created = true;
            for member in &operation.input {
                if matches!(member.ty, Type::Text) {
                    let list = if member.required {
                        &mut self.required
                    } else {
                        &mut self.optional
                    };
                    list.push(&member.name);
                }
            }
        }
        let Some(states) = &mut self.states else {
            return;
        };
        let Some(member) = self.members.get(states.member.as_str()) else {
            return;
        };
        let values: &[String] = match &member.ty {
            Type::Ref(name) => match model.shared(name) {
                Some(crate::model::Shared::Enum(values)) => values,
                _ => &[],
            },
            _ => &member.values,
        };
        let ends = |value: &&String| !states.good.contains(value) && !states.bad.contains(value);
        states.passing = values.iter().filter(ends).cloned().collect();
    }

    /// The members by which requests about other rows name a thing of this one.
    pub(super) fn foreign(&self) -> Vec<String> {
        let generic =
            |name: &String| !matches!(name.as_str(), "id" | "uuid" | "InstanceId" | "name");
        let mut names: Vec<String> = self
            .named
            .iter()
            .filter(|name| generic(name))
            .cloned()
            .collect();
        names.dedup();
        names
    }
}

/// The operations of a row that the model has, with what each is to it.
fn roles(model: &'static Model, row: &Value) -> impl Iterator<Item = (&'static Operation, Role)> {
    let path = |one: &Value| -> Vec<String> {
        let at = one["at"].as_str().unwrap_or_default();
        at.split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut found: Vec<(String, Role)> = Vec::new();
    for (member, role) in [
        ("create", Role::Create),
        ("update", Role::Update),
        ("delete", Role::Delete),
        ("others", Role::Other),
    ] {
        found.extend(texts(&row[member]).map(|name| (name, role.clone())));
    }
    for (member, role) in [
        ("read", Role::Read as fn(Vec<String>) -> Role),
        ("list", Role::List),
    ] {
        if let Some(name) = row[member]["op"].as_str() {
            found.push((name.to_owned(), role(path(&row[member]))));
        }
    }
    found.into_iter().filter_map(move |(name, role)| {
        let operation = model.operation(&name)?;
        let role = match role {
            Role::Read(path) if is_list(model, operation, &path) => Role::List(path),
            role => role,
        };
        Some((operation, role))
    })
}

fn texts(json: &Value) -> impl Iterator<Item = String> + '_ {
    let list = json.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
}

/// The type at a path of an answer.
fn at(
    model: &'static Model,
    operation: &'static Operation,
    path: &[String],
) -> Option<&'static Type> {
    let mut members: &[Member] = &operation.output;
    let mut found = None;
    for name in path {
        let member = members.iter().find(|member| member.name == *name)?;
        found = Some(&member.ty);
        members = model.members(&member.ty).unwrap_or_default();
    }
    found
}

fn is_list(model: &'static Model, operation: &'static Operation, path: &[String]) -> bool {
    matches!(at(model, operation, path), Some(Type::List(_)))
}

/// The type of a thing at a path of an answer.
fn item(
    model: &'static Model,
    operation: &'static Operation,
    path: &[String],
) -> Option<&'static Type> {
    match at(model, operation, path)? {
        Type::List(inner) => Some(inner),
        other => Some(other),
    }
}

/// The type of the one struct that an answer consists of.
pub(super) fn envelope(operation: &Operation) -> Option<&Type> {
    let mut structs = operation
        .output
        .iter()
        .filter(|member| matches!(member.ty, Type::Ref(_) | Type::Struct(_)));
    let first = structs.next()?;
    structs.next().is_none().then_some(&first.ty)
}
