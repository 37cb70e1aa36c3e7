//! Checks a record against what the vendor documents, everything at once, without a network.
//!
//! The limits are advice: services change them, so `send` does not consult them and lets the
//! service decide.

use std::fmt;

use super::{Limits, List, Record, Value, View};

/// One member outside its documented limits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where, such as `Disks.System.Size`.
    pub path: String,
    /// What the documentation asks for. The value itself is not repeated: it may be a secret.
    pub message: String,
}

/// Everything that `validate()` found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidationError {
    /// The operation.
    pub operation: &'static str,
    /// At least one violation.
    pub violations: Vec<Violation>,
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is outside its documented limits: ", self.operation)?;
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", violation.path, violation.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ValidationError {}

/// Checks all documented limits of `record` and of what it contains.
pub fn validate(record: &dyn Record) -> Result<(), ValidationError> {
    let mut violations = Vec::new();
    walk(record, "", &mut violations);
    if violations.is_empty() {
        return Ok(());
    }
    Err(ValidationError {
        operation: record.schema().name,
        violations,
    })
}

fn walk(record: &dyn Record, prefix: &str, violations: &mut Vec<Violation>) {
    let schema = record.schema();
    record.read(&mut |values| {
        for (member, value) in schema.members.iter().zip(values) {
            let path = match prefix {
                "" => member.name.to_owned(),
                _ => format!("{prefix}.{}", member.name),
            };
            let view = value.view();
            if member.required && matches!(view, View::Absent) && member.setting.is_none() {
                violations.push(Violation {
                    path,
                    message: "is required".into(),
                });
                continue;
            }
            check(&path, &member.limits, *value, violations);
        }
    });
}

fn check(path: &str, limits: &Limits, value: &dyn Value, violations: &mut Vec<Violation>) {
    match value.view() {
        View::Record(record) => walk(record, path, violations),
        View::List(list) => each(path, limits, list, violations),
        View::Text(text) | View::Secret(text) => scalar(path, limits, text, violations),
        View::Int(number) => scalar(path, limits, &number.to_string(), violations),
        View::Float(number) => scalar(path, limits, &number.to_string(), violations),
        _ => {}
    }
}

fn each(path: &str, limits: &Limits, list: &dyn List, violations: &mut Vec<Violation>) {
    for index in 0..list.len() {
        if let Some(element) = list.at(index) {
            check(&format!("{path}[{index}]"), limits, element, violations);
        }
    }
}

fn scalar(path: &str, limits: &Limits, text: &str, violations: &mut Vec<Violation>) {
    let mut violation = |message: String| {
        violations.push(Violation {
            path: path.to_owned(),
            message,
        });
    };
    if let Some((min, max)) = limits.range
        && !text
            .parse::<f64>()
            .is_ok_and(|number| number >= min as f64 && number <= max as f64)
    {
        violation(format!("must be a number from {min} to {max}"));
    }
    if let Some((min, max)) = limits.len {
        let length = text.chars().count();
        if length < min as usize || length > max as usize {
            violation(match (min, max) {
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
        violation(format!("must be one of {}", limits.values.join(", ")));
    }
    if let Some((pattern, rule)) = limits.pattern
        && regex_lite::Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
    {
        violation(rule.to_owned());
    }
    for prefix in limits.not_prefix {
        if text.starts_with(prefix) {
            violation(format!("must not start with {prefix}"));
        }
    }
}
