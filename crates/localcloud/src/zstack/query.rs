//! How does a query API choose its rows? Conditions, order, paging and field selection, with the
//! server's own parsing: it looks for its operators in a fixed order, anywhere in a condition.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::model::input::Input;

use super::failure::{ErrorCode, Failure, Output, refuse};
use super::operation::Operation;

/// In the order in which the server looks for them.
const OPERATORS: [&str; 12] = [
    "!=", ">=", "<=", "!?=", "!~=", "~=", "?=", "=", ">", "<", "is null", "not null",
];

const DEFAULT_LIMIT: usize = 1000;

/// One condition: field, operator, value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition<'a> {
    pub(super) field: &'a str,
    pub(super) operator: &'static str,
    /// One, but for operators that take several.
    pub(super) values: Vec<&'a str>,
}

/// What rows are joined with.
#[derive(Default)]
pub(super) struct Joins<'a> {
    /// What the rows are called where others name them: `vmInstance`, as in `vmInstanceUuid`.
    pub(super) of: String,
    /// By the noun that stands in dotted names.
    pub(super) with: HashMap<String, Joined<'a>>,
}

/// All things of a kind, each found at once by what joins it.
pub(super) struct Joined<'a> {
    /// Whether what is not among them is not there.
    strict: bool,
    things: HashMap<&'a str, &'a Input>,
    /// By the member that names another thing, such as `zoneUuid`, and its value.
    naming: HashMap<String, HashMap<&'a str, Vec<&'a Input>>>,
}

impl<'a> Joined<'a> {
    /// `things` by their ids. They can be joined to what the members in `by` name.
    pub(super) fn new(
        strict: bool,
        things: impl Iterator<Item = (&'a str, &'a Input)>,
        by: &[String],
    ) -> Self {
        let things: HashMap<_, _> = things.collect();
        let naming = by.iter().map(|member| {
            let mut found: HashMap<&str, Vec<&Input>> = HashMap::new();
            for &thing in things.values() {
                if let Some(uuid) = thing.get(member).and_then(Value::as_str) {
                    found.entry(uuid).or_default().push(thing);
                }
            }
            (member.clone(), found)
        });
        Self {
            strict,
            naming: naming.collect(),
            things,
        }
    }
}

/// The nouns on the way to a member: `host` and `cluster` in `host.cluster.name`.
pub(super) fn nouns(field: &str) -> impl Iterator<Item = &str> {
    let way = field.rsplit_once('.').map_or("", |(way, _)| way);
    way.split('.').filter(|noun| !noun.is_empty())
}

fn parse(condition: &str) -> Result<Condition<'_>, Failure> {
    OPERATORS
        .iter()
        .find_map(|operator| {
            let (field, value) = condition.split_once(operator)?;
            Some(Condition {
                field: field.trim(),
                operator,
                values: match operator.ends_with("?=") {
                    true => value.split(',').collect(),
                    false => vec![value],
                },
            })
        })
        .ok_or_else(|| {
            // The REST layer takes conditions apart, before the API sees them.
            Failure::Rest(refuse(
                400,
                format!(
                    "Invalid query parameter. The '{condition}' in the parameter[q] has no operator"
                ),
            ))
        })
}

/// Field and value of a condition that asks for one value.
pub(super) fn equal(condition: &str) -> Option<(&str, &str)> {
    let read = parse(condition).ok().filter(|read| read.operator == "=")?;
    Some((read.field, *read.values.first()?))
}

/// Field, operator and value of a condition, as the server takes it apart.
#[cfg(any(test, fuzzing))]
pub(crate) fn condition(text: &str) -> Option<(&str, &'static str, &str)> {
    let read = parse(text).ok()?;
    let at = text.find(read.operator)? + read.operator.len();
    Some((read.field, read.operator, &text[at..]))
}

/// What can be chosen among.
pub(super) trait Row {
    fn member(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// What can be shown, too.
pub(super) trait Shown: Row {
    fn into_value(self) -> Value;
}

impl Row for Value {
    fn member(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.get(name).map(Cow::Borrowed)
    }
}

impl Shown for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl Row for Input {
    fn member(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.get(name).map(Cow::Borrowed)
    }
}

/// The text that a member is compared by; an enum's object form counts as its name.
fn text<'r>(row: &'r impl Row, field: &str) -> Option<Cow<'r, str>> {
    fn of(value: &Value) -> Option<Cow<'_, str>> {
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.into()),
            Value::Object(object) => object.get("name")?.as_str().map(Cow::Borrowed),
            other => Some(other.to_string().into()),
        }
    }
    match row.member(field)? {
        Cow::Borrowed(value) => of(value),
        Cow::Owned(value) => of(&value).map(|text| text.into_owned().into()),
    }
}

fn compare(left: &str, right: &str) -> Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.total_cmp(&right),
        _ => left.cmp(right),
    }
}

/// SQL's LIKE: `%` is any text, `_` any character, letter case does not count.
fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|at| like(&text[at..], rest)),
        Some((one, rest)) => text.split_first().is_some_and(|(first, others)| {
            (*one == '_' || one.to_lowercase().eq(first.to_lowercase())) && like(others, rest)
        }),
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    // Runs of % mean the same as one, and would cost exponential time here.
    let mut pattern = chars(pattern);
    pattern.dedup_by(|a, b| *a == '%' && *b == '%');
    like(&chars(text), &pattern)
}

impl Condition<'_> {
    pub(super) fn holds(&self, row: &impl Row, joins: &Joins<'_>) -> bool {
        self.holds_at(row, &joins.of, self.field, joins)
    }

    /// Of things that are joined, one for which it holds is enough.
    fn holds_at(&self, row: &impl Row, of: &str, field: &str, joins: &Joins<'_>) -> bool {
        let Some((noun, rest)) = field.split_once('.') else {
            return self.compares(row, field);
        };
        let holds = |thing: &Value| self.holds_at(thing, noun, rest, joins);
        match row.member(noun).as_deref() {
            Some(Value::Array(all)) => return all.iter().any(holds),
            Some(one @ Value::Object(_)) => return holds(one),
            _ => {}
        }
        let Some(joined) = joins.with.get(noun) else {
            return false;
        };
        let holds = |thing: &Input| self.holds_at(thing, noun, rest, joins);
        if let Some(uuid) = text(row, &format!("{noun}Uuid")) {
            return joined
                .things
                .get(&*uuid)
                .map_or(!joined.strict, |thing| holds(thing));
        }
        // The other way: clusters name the zone that they belong to.
        let theirs = text(row, "uuid").and_then(|own| {
            let naming = joined.naming.get(&format!("{of}Uuid"))?;
            naming.get(&*own)
        });
        !joined.strict || theirs.into_iter().flatten().any(|thing| holds(thing))
    }

    fn compares(&self, row: &impl Row, field: &str) -> bool {
        let own = text(row, field);
        match self.operator {
            "is null" => return own.is_none(),
            "not null" => return own.is_some(),
            _ => {}
        }
        // As in SQL, nothing compares with an absent value.
        let Some(own) = own else { return false };
        let value = self.values.first().copied().unwrap_or_default();
        match self.operator {
            "=" => own == value,
            "!=" => own != value,
            ">" => compare(&own, value).is_gt(),
            "<" => compare(&own, value).is_lt(),
            ">=" => compare(&own, value).is_ge(),
            "<=" => compare(&own, value).is_le(),
            "?=" => self.values.contains(&&*own),
            "!?=" => !self.values.contains(&&*own),
            "~=" => is_like(&own, value),
            "!~=" => !is_like(&own, value),
            _ => false,
        }
    }
}

fn number(operation: &Operation<'_>, name: &str, default: usize) -> Result<usize, Failure> {
    match operation.request.query_value(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            Failure::Rest(refuse(
                400,
                format!("Invalid query parameter, '{name}' must be an integer"),
            ))
        }),
    }
}

/// The fields that may be asked for.
#[derive(Clone, Copy)]
pub(super) enum Fields<'a> {
    /// These and no others.
    Only(&'a [&'a str]),
    /// These, those of what is joined (`vmNics.ip`, `host.name`), and tags, by which nothing is chosen
    /// here.
    Inventory(&'a [&'a str]),
    /// Nobody knows which.
    Unknown,
}

impl Fields<'_> {
    /// Whether rows can be chosen by a field; an error when there is no such field.
    pub(super) fn knows(self, field: &str, joins: &Joins<'_>) -> Result<bool, ErrorCode> {
        match self {
            Self::Only(own) | Self::Inventory(own) if own.contains(&field) => Ok(true),
            Self::Inventory(_) if field.starts_with("__") => Ok(false),
            Self::Inventory(own)
                if nouns(field)
                    .next()
                    .is_some_and(|noun| own.contains(&noun) || joins.with.contains_key(noun)) =>
            {
                Ok(true)
            }
            Self::Unknown => Ok(false),
            Self::Only(_) | Self::Inventory(_) => Err(ErrorCode::invalid(format!(
                "field[{field}] is not a queryable field"
            ))),
        }
    }
}

/// Runs the query of a request over `rows`, of which there are `count`; a query that asks for nothing
/// looks at its page alone. A uuid in the path makes it a query by uuid, for which all else is ignored.
pub(super) fn run<R: Shown>(
    operation: &Operation<'_>,
    (count, rows): (usize, impl Iterator<Item = R>),
    (fields, joins): (Fields<'_>, &Joins<'_>),
    class: &str,
) -> Output {
    let request = operation.request;
    let uuid = operation.path("uuid");
    if !uuid.is_empty() {
        let rows = rows.filter(|row| text(row, "uuid").is_some_and(|own| own == uuid));
        return Ok(reply(rows.map(Shown::into_value).collect(), None, class));
    }
    let pairs = request.query_pairs();
    let mut conditions = Vec::new();
    for (_, condition) in pairs.iter().filter(|(name, _)| name == "q") {
        let condition = parse(condition)?;
        if fields.knows(condition.field, joins)? {
            conditions.push(condition);
        }
    }
    let given = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let group = given("groupBy");
    if let Some(field) = &group {
        fields.knows(field, joins)?;
    }
    let flag = |name: &str| {
        request
            .query_value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let start = number(operation, "start", 0)?;
    let limit = number(operation, "limit", DEFAULT_LIMIT)?;
    // Unescaped, the plus of `+name` arrives as a space.
    let order = given("sort");
    let order = order.as_deref().map(str::trim);
    let order = order.filter(|order| !order.is_empty() && !flag("count"));
    let plain = conditions.is_empty() && group.is_none() && order.is_none();
    let (total, page): (usize, Vec<R>) = if plain {
        (count, rows.skip(start).take(limit).collect())
    } else {
        let mut rows: Vec<R> = rows
            .filter(|row| conditions.iter().all(|one| one.holds(row, joins)))
            .collect();
        if let Some(field) = &group {
            let mut seen = HashSet::new();
            rows.retain(|row| seen.insert(text(row, field).map(Cow::into_owned)));
        }
        if let Some(order) = order {
            let (field, descending) = match order.strip_prefix('-') {
                Some(field) => (field, true),
                None => (order.strip_prefix('+').unwrap_or(order), false),
            };
            fields.knows(field, joins)?;
            sort(&mut rows, field, descending);
        }
        let total = rows.len();
        (total, rows.into_iter().skip(start).take(limit).collect())
    };
    if flag("count") {
        return Ok(Map::from_iter([("total".to_owned(), total.into())]));
    }
    let mut rows: Vec<Value> = page.into_iter().map(Shown::into_value).collect();
    if let Some(wanted) = given("fields") {
        let wanted: Vec<&str> = wanted.split(',').collect();
        for field in &wanted {
            fields.knows(field, joins)?;
        }
        only(&mut rows, &wanted);
    }
    let total = flag("replyWithCount").then_some(total);
    Ok(reply(rows, total, class))
}

pub(super) fn sort<R: Row>(rows: &mut [R], field: &str, descending: bool) {
    rows.sort_by_cached_key(|row| text(row, field).map(Cow::into_owned));
    if descending {
        rows.reverse();
    }
}

/// Leaves the members that are wanted.
pub(super) fn only(rows: &mut [Value], wanted: &[&str]) {
    for row in rows {
        if let Value::Object(members) = row {
            members.retain(|name, _| wanted.contains(&name.as_str()));
        }
    }
}

/// The inventories with the schema that the server adds to every query.
fn reply(rows: Vec<Value>, total: Option<usize>, class: &str) -> Map<String, Value> {
    let schema: Map<String, Value> = (0..rows.len())
        .map(|at| (format!("inventories[{at}]"), json!(class)))
        .collect();
    let mut out = Map::new();
    out.insert("inventories".to_owned(), rows.into());
    if let Some(total) = total {
        out.insert("total".to_owned(), total.into());
    }
    out.insert("schema".to_owned(), schema.into());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_found_in_the_server_s_order() {
        for (condition, field, operator, value) in [
            ("name=a", "name", "=", "a"),
            (" name = a ", "name", "=", " a "),
            ("name=a>=b", "name=a", ">=", "b"),
            ("name!?=a", "name", "!?=", "a"),
            ("name!~=%a", "name", "!~=", "%a"),
            ("description is null", "description", "is null", ""),
            ("x=not null", "x", "=", "not null"),
        ] {
            assert_eq!(
                parse(condition).ok().unwrap(),
                Condition {
                    field,
                    operator,
                    values: vec![value]
                },
                "{condition}"
            );
        }
        assert_eq!(parse("name?=a,b").ok().unwrap().values, ["a", "b"]);
        assert!(parse("name").is_err());
    }

    #[test]
    fn dotted_names_look_into_what_is_joined() {
        let row = json!({"uuid": "v1", "hostUuid": "h1", "vmNics": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]});
        let things = json!({
            "host": {"h1": {"name": "a", "clusterUuid": "c1"}},
            "cluster": {"c1": {"name": "gold"}},
            "volume": {
                "d1": {"name": "data", "vmInstanceUuid": "v1"},
                "d2": {"name": "root", "vmInstanceUuid": "v2"},
            },
        });
        let with = things.as_object().unwrap().iter().map(|(noun, things)| {
            let things = things.as_object().unwrap().iter();
            let things = things.map(|(id, thing)| (id.as_str(), thing.as_object().unwrap()));
            let by = ["vmInstanceUuid".to_owned()];
            (noun.clone(), Joined::new(true, things, &by))
        });
        let with = with.collect();
        let of = "vmInstance".to_owned();
        let joins = Joins { of, with };
        for (condition, holds) in [
            ("vmNics.ip=10.0.0.2", true),
            ("vmNics.ip=10.0.0.3", false),
            ("host.name=a", true),
            ("host.cluster.name~=go%", true),
            ("host.cluster.name=iron", false),
            ("volume.name=data", true),
            ("volume.name=root", false),
            ("zone.name=x", false),
        ] {
            assert_eq!(
                parse(condition).ok().unwrap().holds(&row, &joins),
                holds,
                "{condition}"
            );
        }
        let fields = Fields::Inventory(&["hostUuid", "vmNics"]);
        for (field, known) in [
            ("host.name", true),
            ("vmNics.ip", true),
            ("zone.name", false),
        ] {
            assert_eq!(fields.knows(field, &joins).is_ok(), known, "{field}");
        }
    }

    #[test]
    fn conditions_hold_as_in_sql() {
        let row = json!({"name": "web-1", "size": 20, "state": {"name": "Enabled", "ordinal": 0}});
        for (condition, holds) in [
            ("name=web-1", true),
            ("name~=WEB%", true),
            ("name~=web", false),
            ("name~=web__", true),
            ("name!~=%1", false),
            ("name?=a,web-1", true),
            ("name!?=a,b", true),
            ("size>9", true),
            ("size<=20", true),
            ("state=Enabled", true),
            ("gone!=x", false),
            ("gone is null", true),
            ("name not null", true),
        ] {
            let condition = parse(condition).ok().unwrap();
            assert_eq!(
                condition.holds(&row, &Joins::default()),
                holds,
                "{condition:?}"
            );
        }
        assert!(is_like("aaaaaaaaaaaaaaaaaaaaaaaab", "%%%%%%%%%%%%%%%%b"));
    }
}
