//! By which members do requests name a thing? Each service has its own way to make a member's
//! name from a noun.

use serde_json::Value;

use crate::model::input::Input;
use crate::wire::Service;

/// Gateways and their devices go by several names in Smart Access Gateway, and the policies of
/// API Gateway by another name where they are bound.
const ALSO: &[(Service, &str, &[&str])] = &[
    (
        Service::Smartag,
        "gateway",
        &["SmartAGId", "SagId", "SagInsId", "InstanceId"],
    ),
    (
        Service::Smartag,
        "device",
        &["SmartAGSn", "SagSn", "DevSn", "SerialNumber"],
    ),
    (
        Service::Smartag,
        "cloud-connect-network",
        &["CcnId", "CcnInstanceId"],
    ),
    (Service::Smartag, "health-check", &["HcInstanceId"]),
    (Service::Apig, "api-group", &["group_id"]),
    (Service::Apig, "throttle", &["throttle_id", "strategy_id"]),
    (Service::Apig, "throttle-binding", &["throttle_binding_id"]),
];

/// The members that name a thing of a row, by rule.
pub(super) fn of_row(service: Service, row: &str) -> Vec<String> {
    let also = ALSO
        .iter()
        .find(|(of, name, _)| (*of, *name) == (service, row))
        .map_or(&[] as &[&str], |(_, _, names)| names);
    let mut names: Vec<String> = also.iter().map(|name| (*name).to_owned()).collect();
    names.extend(match service {
        Service::Smc | Service::Smartag => None,
        Service::Apig | Service::Iam => Some(format!("{}_id", row.replace('-', "_"))),
        Service::Zstack => Some(format!("{}Uuid", camel(row))),
    });
    names
}

/// `vm-instance` as `vmInstance`.
fn camel(noun: &str) -> String {
    let mut words = noun.split('-');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// `vmInstance` as `vm-instance`.
pub(super) fn kebab(noun: &str) -> String {
    let mut out = String::new();
    for letter in noun.chars() {
        if letter.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The names that a request gives under a member, alone or as a list, in singular or plural.
pub(super) fn given(input: &Input, member: &str) -> Vec<String> {
    let found = input
        .get(member)
        .or_else(|| input.get(&format!("{member}s")));
    match found {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(one) => text(one)
            .map(|text| match text.strip_prefix('[') {
                // Lists as JSON in a text, as some of Alibaba Cloud's operations take them.
                Some(_) => serde_json::from_str(&text).unwrap_or_else(|_| vec![text]),
                None => text.split(',').map(|one| one.trim().to_owned()).collect(),
            })
            .unwrap_or_default(),
        None => Vec::new(),
    }
}

/// A scalar as text, which must say something.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nouns_become_members() {
        assert_eq!(of_row(Service::Zstack, "l3-network"), ["l3NetworkUuid"]);
        assert_eq!(of_row(Service::Apig, "app-quota"), ["app_quota_id"]);
        assert_eq!(of_row(Service::Smc, "workgroup"), [""; 0]);
    }

    #[test]
    fn names_come_alone_and_in_lists() {
        let input = json!({"AclIds": "a,b", "JobId": ["x", 5], "Ids": "[\"c\"]", "No": ""});
        let input = input.as_object().unwrap();
        assert_eq!(given(input, "AclId"), ["a", "b"]);
        assert_eq!(given(input, "JobId"), ["x", "5"]);
        assert_eq!(given(input, "Ids"), ["c"]);
        assert!(given(input, "No").is_empty() && given(input, "Absent").is_empty());
    }
}
