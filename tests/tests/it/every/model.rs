//! What does an operation look like? The models as they are written, read without any of the
//! clients' tables.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Map, Value};

/// A service's operations and types.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) service: &'static str,
    operations: Vec<Operation>,
    types: Map<String, Value>,
    /// Operations and members whose values are never in a URL, as the overlay lists them.
    secret: BTreeSet<(String, String)>,
}

/// One operation, with the members that the model states once for many.
#[derive(Debug)]
pub(crate) struct Operation {
    json: Value,
    pub(crate) input: Vec<Member>,
    pub(crate) output: Vec<Member>,
    /// The path of the service, with that of the operation.
    pub(crate) path: String,
}

/// A member of an operation or of a structure.
#[derive(Debug, Clone)]
pub(crate) struct Member(Value);

/// What a type is, names resolved.
pub(crate) enum Kind<'m> {
    Text,
    Enum(&'m [Value]),
    Int32,
    Int64,
    Float,
    Bool,
    Any,
    Binary,
    List(&'m Value),
    Map(&'m Value),
    /// With the name of a shared structure.
    Struct(Option<&'m str>, Vec<Member>),
}

impl Model {
    pub(crate) fn smc() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        let written = include_str!("../../../../models/overlays/smc.toml");
        let compact = include_str!("../../../../crates/localcloud/models/smc.json");
        MODEL.get_or_init(|| Self::read("smc", compact, "{}", written))
    }

    pub(crate) fn smartag() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        let written = include_str!("../../../../models/overlays/smartag.toml");
        let compact = include_str!("../../../../crates/localcloud/models/smartag.json");
        MODEL.get_or_init(|| Self::read("smartag", compact, "{}", written))
    }

    pub(crate) fn apig() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        let compact = include_str!("../../../../crates/localcloud/models/apig.json");
        MODEL.get_or_init(|| Self::read("apig", compact, "{}", ""))
    }

    pub(crate) fn zstack() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        let compact = include_str!("../../../../crates/localcloud/models/zstack.json");
        let full = include_str!("../../../../models/zstack.json");
        MODEL.get_or_init(|| Self::read("zstack", compact, full, ""))
    }

    /// The compact model has all repairs; only the full one has the members that every call takes.
    fn read(service: &'static str, compact: &str, full: &str, overlay: &str) -> Self {
        let compact: Value = serde_json::from_str(compact).expect("a model");
        let full: Value = serde_json::from_str(full).expect("a model");
        let base = compact["base_path"].as_str().unwrap_or_default();
        let common = members(&full["common_input"]);
        let query = members(&compact["query_input"]);
        let operations =
            array(&compact["operations"]).map(|json| Operation::read(json, base, &common, &query));
        Self {
            service,
            operations: operations.collect(),
            types: compact["types"].as_object().cloned().unwrap_or_default(),
            secret: secrets(overlay),
        }
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether a member's value may not stand in a URL.
    pub(crate) fn is_secret(&self, operation: &str, member: &str) -> bool {
        let key = (operation.to_owned(), member.to_owned());
        self.secret.contains(&key)
    }

    pub(crate) fn kind<'m>(&'m self, ty: &'m Value) -> Kind<'m> {
        if let Some((kind, inner)) = ty.as_object().and_then(|object| object.iter().next()) {
            return match kind.as_str() {
                "list" => Kind::List(inner),
                "map" => Kind::Map(inner),
                "struct" => Kind::Struct(None, members(inner)),
                "ref" => self.shared(inner.as_str().unwrap_or_default()),
                other => panic!("the model has a type {other}"),
            };
        }
        match ty.as_str().unwrap_or_default() {
            "string" | "timestamp" => Kind::Text,
            "int32" => Kind::Int32,
            "int64" => Kind::Int64,
            "float" | "double" => Kind::Float,
            "bool" => Kind::Bool,
            "any" => Kind::Any,
            "binary" => Kind::Binary,
            other => panic!("the model has a type {other}"),
        }
    }

    fn shared<'m>(&'m self, name: &'m str) -> Kind<'m> {
        let shared = self.types.get(name);
        let shared = shared.unwrap_or_else(|| panic!("the model has no type {name}"));
        match &shared["values"] {
            Value::Array(values) => Kind::Enum(values),
            _ => Kind::Struct(Some(name), members(&shared["members"])),
        }
    }
}

/// Lines such as `ModifySagWan = ["input.Password"]` of the table `[secret]`.
fn secrets(overlay: &str) -> BTreeSet<(String, String)> {
    let table = overlay
        .split_once("\n[secret]\n")
        .map_or("", |(_, rest)| rest);
    table
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .flat_map(|(operation, paths)| {
            paths
                .split('"')
                .filter_map(|path| path.strip_prefix("input."))
                .map(|member| (operation.trim().to_owned(), member.to_owned()))
        })
        .collect()
}

fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn members(json: &Value) -> Vec<Member> {
    array(json).cloned().map(Member).collect()
}

impl Operation {
    fn read(json: &Value, base: &str, common: &[Member], query: &[Member]) -> Self {
        let mut one = Self {
            input: members(&json["input"]),
            output: members(&json["output"]),
            path: format!("{base}{}", json["path"].as_str().unwrap_or_default()),
            json: json.clone(),
        };
        let conditions = query.iter().filter(|_| one.is_query()).cloned();
        // What stands in the body of others travels in the query of an operation that has none.
        let place = match one.wrapper() {
            Some(_) => "body",
            None => "query",
        };
        let common = common.iter().map(|member| member.at(place));
        for member in conditions.chain(common).collect::<Vec<_>>() {
            if one.input.iter().all(|own| own.name() != member.name()) {
                one.input.push(member);
            }
        }
        one
    }

    pub(crate) fn name(&self) -> &str {
        self.json["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        self.json["method"].as_str().unwrap_or_default()
    }

    pub(crate) fn wrapper(&self) -> Option<&str> {
        self.json["wrapper"].as_str()
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.json["token"].as_str()
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.json["anonymous"] == true
    }

    pub(crate) fn is_job(&self) -> bool {
        self.json["job"] == true
    }

    /// The status that the documentation names first, or the usual one.
    pub(crate) fn success(&self) -> u16 {
        let status = self.json["success"][0].as_u64();
        status
            .and_then(|status| status.try_into().ok())
            .unwrap_or(200)
    }

    /// ZStack: a query with conditions.
    pub(crate) fn is_query(&self) -> bool {
        self.json["paging"]["style"] == "zstack-query"
    }

    /// The member that plays this part in paging.
    pub(crate) fn paging(&self, part: &str) -> Option<&str> {
        self.json["paging"][part].as_str()
    }
}

impl Member {
    /// The same member at another place.
    fn at(&self, place: &str) -> Self {
        let mut json = self.0.clone();
        json["in"] = place.into();
        Self(json)
    }

    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap_or_default()
    }

    pub(crate) fn ty(&self) -> &Value {
        &self.0["type"]
    }

    pub(crate) fn is_required(&self) -> bool {
        self.0["required"] == true
    }

    /// `path`, `query`, `header` or `body`.
    pub(crate) fn place(&self) -> &str {
        self.0["in"].as_str().unwrap_or("body")
    }

    /// `raw`, `multipart`, `comma` or nothing.
    pub(crate) fn style(&self) -> &str {
        self.0["style"].as_str().unwrap_or_default()
    }
}
