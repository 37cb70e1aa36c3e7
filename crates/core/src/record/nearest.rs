//! "Did you mean": the known name closest to a misspelt one.

/// The candidate nearest to `name`, if one is near enough to be worth naming.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = fold(name);
    let limit = (wanted.len() / 3).max(2);
    candidates
        .map(|candidate| (distance(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and separators are the usual mistakes, so they count for nothing.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Levenshtein distance, in one row.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["CreateAccessToken", "ListAccessTokens", "DeleteAccessToken"];
        let near = |name| nearest(name, names.into_iter());
        assert_eq!(near("create_access_token"), Some("CreateAccessToken"));
        assert_eq!(near("ListAccessToken"), Some("ListAccessTokens"));
        assert_eq!(near("StartVmInstance"), None);
    }
}
