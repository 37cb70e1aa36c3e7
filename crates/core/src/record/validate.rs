//! Checks a record against what the vendor documents, all faults at once, without a network.
//!
//! The limits are advice: services change them, so `send` does not consult them and lets the
//! service decide.

use std::fmt;

use super::{Limits, List, Record, Value, View};

/// One member outside its documented limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, such as `Disks.System.Size`.
    pub path: String,
    /// What the documentation asks for. The value itself is not repeated: it may be a secret.
    pub message: String,
}

/// Everything that `validate()` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The operation.
    pub operation: &'static str,
    /// At least one fault.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is outside its documented limits: ", self.operation)?;
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", fault.path, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Checks all documented limits of `record` and of what it contains.
pub fn validate(record: &dyn Record) -> Result<(), Invalid> {
    let mut faults = Vec::new();
    walk(record, "", &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Invalid {
        operation: record.schema().name,
        faults,
    })
}

fn walk(record: &dyn Record, prefix: &str, faults: &mut Vec<Fault>) {
    let schema = record.schema();
    record.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            let path = match prefix {
                "" => member.name.to_owned(),
                _ => format!("{prefix}.{}", member.name),
            };
            let view = value.view();
            if member.required && matches!(view, View::Absent) && member.setting.is_none() {
                faults.push(Fault {
                    path,
                    message: "is required".into(),
                });
                continue;
            }
            check(&path, &member.limits, *value, faults);
        }
    });
}

fn check(path: &str, limits: &Limits, value: &dyn Value, faults: &mut Vec<Fault>) {
    match value.view() {
        View::Record(record) => walk(record, path, faults),
        View::List(list) => each(path, limits, list, faults),
        View::Text(text) | View::Secret(text) => scalar(path, limits, text, faults),
        View::Int(number) => scalar(path, limits, &number.to_string(), faults),
        View::Float(number) => scalar(path, limits, &number.to_string(), faults),
        _ => {}
    }
}

fn each(path: &str, limits: &Limits, list: &dyn List, faults: &mut Vec<Fault>) {
    for index in 0..list.len() {
        if let Some(element) = list.at(index) {
            check(&format!("{path}[{index}]"), limits, element, faults);
        }
    }
}

fn scalar(path: &str, limits: &Limits, text: &str, faults: &mut Vec<Fault>) {
    let mut fault = |message: String| {
        faults.push(Fault {
            path: path.to_owned(),
            message,
        });
    };
    if let Some((min, max)) = limits.range
        && !text
            .parse::<f64>()
            .is_ok_and(|number| number >= min as f64 && number <= max as f64)
    {
        fault(format!("must be a number from {min} to {max}"));
    }
    if let Some((min, max)) = limits.len {
        let length = text.chars().count();
        if length < min as usize || length > max as usize {
            fault(match (min, max) {
                (0, max) => format!("must have at most {max} characters, has {length}"),
                (min, max) if min == max => format!("must have {min} characters, has {length}"),
                (min, max) => format!("must have {min} to {max} characters, has {length}"),
            });
        }
    }
    if !limits.values.is_empty()
        && !limits
            .values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(text))
    {
        fault(format!("must be one of {}", limits.values.join(", ")));
    }
    if let Some((pattern, rule)) = limits.pattern
        && regex_lite::Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        fault(rule.to_owned());
    }
    for prefix in limits.not_prefix {
        if text.starts_with(prefix) {
            fault(format!("must not start with {prefix}"));
        }
    }
}
