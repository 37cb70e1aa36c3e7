//! Which operations answer at a path? With 2,043 paths, one look at each would be slow; so the
//! templates form a tree of segments.

use std::collections::HashMap;

/// The templates of a service as a tree; an operation is its number in the model.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<String, Node>,
    /// Segments that are or hold a variable, those with fixed text around it first.
    variable: Vec<(Around, Node)>,
    operations: Vec<Route>,
}

/// The fixed text before and after the variable of a segment: `access-point{uuid}`.
#[derive(Debug, PartialEq, Eq)]
struct Around {
    before: String,
    after: String,
}

/// An operation at the end of a path, with the names of its variables in path order.
#[derive(Debug)]
struct Route {
    operation: usize,
    variables: Vec<String>,
}

/// An operation that answers at a path, with the path's values by their names.
pub(crate) struct Found {
    pub(crate) operation: usize,
    pub(crate) values: Vec<(String, String)>,
}

fn split(segment: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = segment.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

impl Around {
    /// The value of the variable; an empty one matches nothing.
    fn value<'a>(&self, segment: &'a str) -> Option<&'a str> {
        segment
            .strip_prefix(self.before.as_str())?
            .strip_suffix(self.after.as_str())
            .filter(|value| !value.is_empty())
    }
}

impl Routes {
    /// The tree of `paths`, which come in the order of the operations.
    pub(crate) fn new(paths: impl Iterator<Item = String>) -> Self {
        let mut root = Node::default();
        for (operation, path) in paths.enumerate() {
            let mut node = &mut root;
            let mut variables = Vec::new();
            for segment in path.strip_prefix('/').unwrap_or(&path).split('/') {
                node = match split(segment) {
                    None => node.literal.entry(segment.to_owned()).or_default(),
                    Some((before, name, after)) => {
                        variables.push(name.to_owned());
                        node.variable(Around {
                            before: before.to_owned(),
                            after: after.to_owned(),
                        })
                    }
                };
            }
            node.operations.push(Route {
                operation,
                variables,
            });
        }
        Self { root }
    }

    /// The operations at a path of decoded segments, in the order of the model.
    pub(crate) fn find(&self, segments: &[String]) -> Vec<Found> {
        let mut values = Vec::new();
        let Some(node) = self.root.find(segments, &mut values) else {
            return Vec::new();
        };
        node.operations
            .iter()
            .map(|route| Found {
                operation: route.operation,
                values: route
                    .variables
                    .iter()
                    .cloned()
                    .zip(values.iter().map(|value| (*value).to_owned()))
                    .collect(),
            })
            .collect()
    }
}

impl Node {
    fn variable(&mut self, around: Around) -> &mut Self {
        let at = match self.variable.iter().position(|(one, _)| *one == around) {
            Some(at) => at,
            None if around.before.is_empty() && around.after.is_empty() => {
                self.variable.push((around, Self::default()));
                self.variable.len() - 1
            }
            None => {
                self.variable.insert(0, (around, Self::default()));
                0
            }
        };
        &mut self.variable[at].1
    }

    /// Fixed text wins over variables.
    fn find<'s>(&self, segments: &'s [String], values: &mut Vec<&'s str>) -> Option<&Self> {
        let Some((first, rest)) = segments.split_first() else {
            return (!self.operations.is_empty()).then_some(self);
        };
        let fixed = self.literal.get(first);
        if let Some(found) = fixed.and_then(|node| node.find(rest, values)) {
            return Some(found);
        }
        for (around, node) in &self.variable {
            if let Some(value) = around.value(first) {
                values.push(value);
                if let Some(found) = node.find(rest, values) {
                    return Some(found);
                }
                values.pop();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_text_wins_and_values_are_named_by_the_operation() {
        let paths = [
            "/a",
            "/a/{uuid}",
            "/a/{aUuid}",
            "/a/fixed",
            "/a/{x}/b/{y}",
            "/a/fixed/c",
            "/p{id}s/Q",
            "/slash/",
        ];
        let routes = Routes::new(paths.iter().map(|path| (*path).to_owned()));
        let find = |path: &str| {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            routes
                .find(&segments)
                .into_iter()
                .map(|found| {
                    let values: Vec<String> = found
                        .values
                        .iter()
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect();
                    (found.operation, values.join(" "))
                })
                .collect::<Vec<_>>()
        };
        let one = |operation: usize, values: &str| vec![(operation, values.to_owned())];
        assert_eq!(find("a"), one(0, ""));
        assert_eq!(
            find("a/1"),
            [(1, "uuid=1".to_owned()), (2, "aUuid=1".to_owned())]
        );
        assert_eq!(find("a/fixed"), one(3, ""));
        assert_eq!(find("a/fixed/b/2"), one(4, "x=fixed y=2"));
        assert_eq!(find("a/fixed/c"), one(5, ""));
        assert_eq!(find("p12s/Q"), one(6, "id=12"));
        assert_eq!(find("slash/"), one(7, ""));
        for none in ["", "a/", "A", "a/1/b", "a/1/b/", "ps/Q", "p1s/q", "slash"] {
            assert!(find(none).is_empty(), "{none}");
        }
    }
}
