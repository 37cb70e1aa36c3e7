//! Which operation does a path belong to? Templates such as `/apps/{app_id}` and their match.

use std::collections::BTreeMap;

/// The values of the `{names}` of a template.
pub(crate) type PathValues = BTreeMap<&'static str, String>;

/// Matches decoded path segments against a template that starts with `/`.
///
/// An empty segment matches no `{name}`: the services treat it as a path that does not exist.
pub(crate) fn match_path(template: &'static str, segments: &[String]) -> Option<PathValues> {
    let mut values = PathValues::new();
    let mut parts = template.strip_prefix('/').unwrap_or(template).split('/');
    for segment in segments {
        let part = parts.next()?;
        match part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) if !segment.is_empty() => {
                values.insert(name, segment.clone());
            }
            None if part == segment => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(values)
}

/// One value of a path; empty when the template has no such name.
pub(crate) fn value<'a>(values: &'a PathValues, name: &str) -> &'a str {
    values.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<PathValues> {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        match_path("/apps/{app_id}/codes", &segments)
    }

    #[test]
    fn templates() {
        assert_eq!(value(&find("apps/a1/codes").unwrap(), "app_id"), "a1");
        assert_eq!(value(&find("apps/../codes").unwrap(), "app_id"), "..");
        for other in [
            "apps//codes",
            "apps/a1",
            "apps/a1/codes/",
            "apps/a1/Codes",
            "",
        ] {
            assert_eq!(find(other), None, "{other}");
        }
    }
}
