//! Is the request whole? What a request says, as one JSON object by member names, is held
//! against the model: the first member that is missing or of the wrong type is named.

use serde_json::{Map, Value};

use super::{Location, Member, Model, Shared, Type};

/// The members of a request by their wire names, in natural nesting.
pub(crate) type Input = Map<String, Value>;

/// What is wrong with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A required member is not there.
    Missing(String),
    /// A member has not its type.
    Invalid {
        name: String,
        expected: &'static str,
    },
}

impl Problem {
    pub(super) fn invalid(name: &str, expected: &'static str) -> Self {
        Self::Invalid {
            name: name.to_owned(),
            expected,
        }
    }
}

/// How a service reads its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// JSON of exactly the documented types.
    Exact,
    /// Numbers and booleans may come as text and text as scalars, as Gson reads them.
    Loose,
    /// An empty text counts as absent, as in Alibaba Cloud's parameters.
    EmptyIsAbsent,
}

/// Holds `input` against the members of an operation, in their order.
pub(crate) fn check<'m>(
    model: &'m Model,
    members: impl IntoIterator<Item = &'m Member>,
    input: &Input,
    reading: Reading,
) -> Result<(), Problem> {
    Check { model, reading }.object(members, input, "")
}

struct Check<'a> {
    model: &'a Model,
    reading: Reading,
}

impl Check<'_> {
    fn object<'m>(
        &self,
        members: impl IntoIterator<Item = &'m Member>,
        input: &Input,
        prefix: &str,
    ) -> Result<(), Problem> {
        for member in members {
            let path = if prefix.is_empty() {
                member.name.clone()
            } else {
                format!("{prefix}.{}", member.name)
            };
            match input.get(&member.name) {
                None | Some(Value::Null) if member.required => return Err(Problem::Missing(path)),
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() && self.skips(member) => {
                    if member.required {
                        return Err(Problem::Missing(path));
                    }
                }
                Some(value) => self.value(&member.ty, value, &path)?,
            }
        }
        Ok(())
    }

    fn skips(&self, member: &Member) -> bool {
        self.reading == Reading::EmptyIsAbsent || member.location == Location::Path
    }

    fn value(&self, ty: &Type, value: &Value, path: &str) -> Result<(), Problem> {
        let loose = self.reading == Reading::Loose;
        let expected = match ty {
            Type::Any | Type::Binary => return Ok(()),
            Type::Text | Type::Timestamp => {
                let fits = value.is_string() || (loose && !value.is_object() && !value.is_array());
                return if fits {
                    Ok(())
                } else {
                    Err(Problem::invalid(path, "text"))
                };
            }
            Type::Int32 | Type::Int64 if is_integer(value, ty, loose) => return Ok(()),
            Type::Int32 => "a 32-bit integer",
            Type::Int64 => "an integer",
            Type::Float if value.is_number() || (loose && parses::<f64>(value)) => return Ok(()),
            Type::Float => "a number",
            Type::Bool if value.is_boolean() || (loose && parses::<bool>(value)) => return Ok(()),
            Type::Bool => "true or false",
            Type::List(inner) => {
                if let Value::Array(items) = value {
                    return items
                        .iter()
                        .zip(1..)
                        .try_for_each(|(item, at)| self.element(inner, item, path, at));
                }
                "a list"
            }
            Type::Map(inner) => {
                if let Value::Object(map) = value {
                    return map
                        .iter()
                        .filter(|(_, value)| !value.is_null())
                        .try_for_each(|(key, value)| {
                            self.value(inner, value, &format!("{path}.{key}"))
                        });
                }
                "an object"
            }
            Type::Struct(members) => return self.nested(members, value, path),
            Type::Ref(name) => match self.model.shared(name) {
                Some(Shared::Struct(members)) => return self.nested(members, value, path),
                Some(Shared::Enum(_)) => return self.value(&Type::Text, value, path),
                None => return Ok(()),
            },
        };
        Err(Problem::invalid(path, expected))
    }

    fn element(&self, ty: &Type, item: &Value, path: &str, at: usize) -> Result<(), Problem> {
        if item.is_null() {
            return Ok(());
        }
        self.value(ty, item, &format!("{path}.{at}"))
    }

    fn nested(&self, members: &[Member], value: &Value, path: &str) -> Result<(), Problem> {
        match value {
            Value::Object(object) => self.object(members, object, path),
            _ => Err(Problem::invalid(path, "an object")),
        }
    }
}

fn parses<T: std::str::FromStr>(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.trim().parse::<T>().is_ok())
}

fn is_integer(value: &Value, ty: &Type, loose: bool) -> bool {
    let number = match value {
        Value::String(text) if loose => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    match ty {
        Type::Int32 => number.is_some_and(|number| i32::try_from(number).is_ok()),
        _ => number.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Service;
    use serde_json::json;

    fn problem(service: Service, operation: &str, input: &Value, reading: Reading) -> String {
        let model = Model::of(service);
        let operation = model.operation(operation).unwrap();
        match check(model, &operation.input, input.as_object().unwrap(), reading) {
            Ok(()) => "none".to_owned(),
            Err(Problem::Missing(name)) => format!("missing {name}"),
            Err(Problem::Invalid { name, expected }) => format!("{name}: {expected}"),
        }
    }

    #[test]
    fn the_first_problem_is_named() {
        let path = json!({"project_id": "p", "instance_id": "i"});
        let with = |more: &Value| {
            let mut all = path.clone();
            all.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            problem(Service::Apig, "CreateVpcChannelV2", &all, Reading::Exact)
        };
        assert_eq!(with(&json!({"project_id": ""})), "missing project_id");
        let fine = json!({
            "name": "n", "port": 80, "balance_strategy": 1, "member_type": "ip", "type": 2,
        });
        let but = |name: &str, value: Value| {
            let mut body = fine.clone();
            body[name] = value;
            with(&body)
        };
        assert_eq!(with(&fine), "none");
        assert_eq!(but("port", json!("80")), "port: a 32-bit integer");
        assert_eq!(but("port", json!(1_u64 << 40)), "port: a 32-bit integer");
        assert_eq!(but("name", json!(5)), "name: text");
        assert_eq!(but("name", Value::Null), "missing name");
        assert_eq!(but("members", json!({})), "members: a list");
        assert_eq!(
            but("member_groups", json!([{"member_group_weight": 1}])),
            "missing member_groups.1.member_group_name"
        );
    }

    #[test]
    fn loose_reading_takes_scalars_for_each_other() {
        let one = |size: Value| {
            let input = json!({"name": 5, "primaryStorageUuid": "p", "diskSize": size});
            problem(Service::Zstack, "CreateDataVolume", &input, Reading::Loose)
        };
        assert_eq!(one(json!("12")), "none");
        assert_eq!(one(json!("12 GB")), "diskSize: an integer");
        assert_eq!(one(json!([12])), "diskSize: an integer");
    }

    #[test]
    fn empty_parameters_count_as_absent() {
        let input = json!({"RegionId": "r", "SmartAGId": ""});
        for (reading, expected) in [
            (Reading::EmptyIsAbsent, "missing SmartAGId"),
            (Reading::Exact, "none"),
        ] {
            let found = problem(
                Service::Smartag,
                "ActivateSmartAccessGateway",
                &input,
                reading,
            );
            assert_eq!(found, expected);
        }
    }
}
