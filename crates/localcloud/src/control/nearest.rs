//! What did somebody mean who wrote a name that there is not?

/// `; did you mean X?` for the name that is nearest, if one is near.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| (distance(word, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().max(word.len()) / 2)
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

/// How many letters must be changed, added or left out.
fn distance(a: &str, b: &str) -> usize {
    // Long words are cut: nobody types them, and the time grows with both lengths.
    let letters = |text: &str| text.to_lowercase().chars().take(100).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, one) in a.iter().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (to, other) in b.iter().enumerate() {
            let changed = before + usize::from(one != other);
            before = row[to + 1];
            row[to + 1] = changed.min(before + 1).min(row[to] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["workgroup", "replication-job", "tag"];
        assert_eq!(nearest("workgruop", names), "; did you mean workgroup?");
        assert_eq!(nearest("Tag", names), "; did you mean tag?");
        assert_eq!(nearest("zzzzzzzzzzzzz", names), "");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
