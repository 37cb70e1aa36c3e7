//! What do the operations look like that have no hand-written behaviour here? Their models:
//! members, types, paths, read once from the copy that this package carries.

#[cfg(test)]
mod every;
pub(crate) mod flat;
pub(crate) mod input;
pub(crate) mod page;
mod parse;
pub(crate) mod routes;
pub(crate) mod values;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::wire::Service;
use routes::Routes;

/// All operations of a service.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) operations: Vec<Operation>,
    by_name: HashMap<String, usize>,
    types: HashMap<String, Shared>,
    pub(crate) routes: Routes,
}

/// A type with a name.
#[derive(Debug)]
pub(crate) enum Shared {
    Struct(Vec<Member>),
    Enum(Vec<String>),
}

/// One operation.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// ZStack: answered through a job.
    pub(crate) job: bool,
    /// Needs no session and no signature.
    pub(crate) anonymous: bool,
    /// ZStack: the key of the body under which the members stand.
    pub(crate) wrapper: Option<String>,
    pub(crate) paging: Option<Paging>,
    /// The status of a success.
    pub(crate) success: Option<u16>,
    /// Documented codes of errors, each with its status.
    errors: Vec<(String, u16)>,
    pub(crate) input: Vec<Member>,
    pub(crate) output: Vec<Member>,
}

/// How a list is paged.
#[derive(Debug, Default)]
pub(crate) struct Paging {
    pub(crate) style: PagingStyle,
    /// The list in the answer, member by member.
    pub(crate) items: Vec<String>,
    /// Members of the request: number of the page, offset or token, and the length of a page.
    pub(crate) position: String,
    pub(crate) length: Option<String>,
    /// Member of the answer: how many items there are.
    pub(crate) total: Option<String>,
    /// Member of the answer: token of the next page.
    pub(crate) next: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PagingStyle {
    #[default]
    PageNumber,
    Token,
    Offset,
    /// ZStack's queries, which do more than paging.
    Query,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Location {
    #[default]
    Body,
    Query,
    Path,
    Header,
}

/// A member of a request, an answer or a struct.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) ty: Type,
    pub(crate) required: bool,
    /// The member is the whole body of an answer.
    pub(crate) raw: bool,
    /// The member is a whole body of parts.
    pub(crate) multipart: bool,
    /// Documented values, the first one first.
    pub(crate) values: Vec<String>,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

#[derive(Debug, Default)]
pub(crate) enum Type {
    #[default]
    Text,
    Int32,
    Int64,
    Float,
    Bool,
    Timestamp,
    Any,
    Binary,
    List(Box<Type>),
    Map(Box<Type>),
    Ref(String),
    Struct(Vec<Member>),
}

impl Operation {
    /// The status with which the operation is documented to answer a code.
    pub(crate) fn declares(&self, code: &str) -> Option<u16> {
        let found = self.errors.iter().find(|(own, _)| own == code);
        found.map(|(_, status)| *status)
    }

    /// ZStack: a query with conditions.
    pub(crate) fn is_query(&self) -> bool {
        self.paging
            .as_ref()
            .is_some_and(|paging| paging.style == PagingStyle::Query)
    }
}

impl Model {
    /// The model of a service; empty for the identity service, which is written by hand.
    pub(crate) fn of(service: Service) -> &'static Self {
        static SMC: LazyLock<Model> =
            LazyLock::new(|| parse::model(include_str!("../../models/smc.json")));
        static SMARTAG: LazyLock<Model> =
            LazyLock::new(|| parse::model(include_str!("../../models/smartag.json")));
        static APIG: LazyLock<Model> =
            LazyLock::new(|| parse::model(include_str!("../../models/apig.json")));
        static ZSTACK: LazyLock<Model> =
            LazyLock::new(|| parse::model(include_str!("../../models/zstack.json")));
        static IAM: LazyLock<Model> = LazyLock::new(Model::default);
        match service {
            Service::Smc => &SMC,
            Service::Smartag => &SMARTAG,
            Service::Apig => &APIG,
            Service::Iam => &IAM,
            Service::Zstack => &ZSTACK,
        }
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(*self.by_name.get(name)?)
    }

    pub(crate) fn shared(&self, name: &str) -> Option<&Shared> {
        self.types.get(name)
    }

    /// The members of a type, if it has any.
    pub(crate) fn members<'a>(&'a self, ty: &'a Type) -> Option<&'a [Member]> {
        match ty {
            Type::Struct(members) => Some(members),
            Type::Ref(name) => match self.shared(name)? {
                Shared::Struct(members) => Some(members),
                Shared::Enum(_) => None,
            },
            _ => None,
        }
    }
}
