//! The command line that takes an interrupted call up again, to be pasted into a shell.

/// The words of this command, with `token` as the client token. `hidden` are words of an input that
/// holds secrets: they are left for the user to fill in.
pub(crate) fn command(words: &[String], token: &str, hidden: &[String]) -> String {
    let mut again = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--client-token" {
            words.next();
            continue;
        }
        if word.starts_with("--client-token=") {
            continue;
        }
        if hidden.contains(word) && word != "-" {
            let same = "'<the same input>'".to_owned();
            if !again.contains(&same) {
                again.push(same);
            }
        } else {
            again.push(quoted(&without_password(word)));
        }
    }
    again.push("--client-token".to_owned());
    again.push(quoted(token));
    again.join(" ")
}

/// An address without the password that it may carry.
fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else {
        return word.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://<user>{}", &rest[at..]),
        None => word.to_owned(),
    }
}

/// As one word of a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_same_call_with_the_token() {
        let words = words(r#"cumulo call smartag Create {"a":"it's"} --region eu-central-1"#);
        assert_eq!(
            command(&words, "t-1", &[]),
            r#"cumulo call smartag Create '{"a":"it'\''s"}' --region eu-central-1 --client-token t-1"#
        );
    }

    #[test]
    fn an_older_token_gives_way() {
        for given in ["--client-token old", "--client-token=old"] {
            let words = words(&format!("cumulo call smartag Create {{}} {given}"));
            assert_eq!(
                command(&words, "new", &[]),
                "cumulo call smartag Create '{}' --client-token new"
            );
        }
    }

    #[test]
    fn secrets_are_not_repeated() {
        let input = r#"{"password":"hunter2"}"#;
        let words = words(&format!(
            "cumulo call zstack CreateUser {input} --proxy http://me:hunter2@proxy:3128/ --endpoint-url=http://a:hunter2@b"
        ));
        let again = command(&words, "t-1", &[input.to_owned()]);
        assert!(!again.contains("hunter2"), "{again}");
        assert!(again.contains("'<the same input>'"), "{again}");
        assert!(
            again.contains("@proxy:3128/") && again.contains("@b"),
            "{again}"
        );
    }
}
