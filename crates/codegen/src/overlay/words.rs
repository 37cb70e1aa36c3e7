//! Sentences for the many operations whose name says all: `AttachL3NetworkToVm` becomes "Attaches an
//! L3 network to a VM." by a table of verbs and a table of nouns.

use std::collections::BTreeSet;

use toml::{Table, Value as Toml};

use super::{Overlay, texts};

/// The tables `[verb]`, `[noun]`, `[link]` and `[article]` of an overlay.
pub struct Words<'a> {
    verbs: &'a Table,
    nouns: &'a Table,
    links: &'a Table,
    an: BTreeSet<&'a str>,
    a: BTreeSet<&'a str>,
    longest_first: Vec<&'a str>,
}

enum Item<'a> {
    Noun(&'a Toml, bool),
    Word(String),
    Link(&'a str),
}

/// An item as text: one, many, whether it stands in the plural already, whether it has no article.
struct Forms {
    one: String,
    many: String,
    is_many: bool,
    mass: bool,
}

impl<'a> Words<'a> {
    /// The rule of `overlay`.
    pub fn new(overlay: &'a Overlay) -> Self {
        let nouns = overlay.table("noun");
        let article = |key: &str| {
            let list = overlay.table("article").get(key);
            list.into_iter().flat_map(texts).collect()
        };
        let mut longest_first: Vec<&str> = nouns.keys().map(String::as_str).collect();
        longest_first.sort_by_key(|key| std::cmp::Reverse(key.len()));
        Self {
            verbs: overlay.table("verb"),
            nouns,
            links: overlay.table("link"),
            an: article("an"),
            a: article("a"),
            longest_first,
        }
    }

    /// The sentence for an operation, if a verb fits.
    pub fn summary(&self, name: &str) -> Option<String> {
        let (sentence, middle) = self.pattern(name)?;
        let slot = ["{a}", "{s}", "{the}", "{}"]
            .into_iter()
            .find(|slot| sentence.contains(slot));
        let Some(slot) = slot else {
            return Some(sentence.to_owned());
        };
        let text = self.phrases(middle, slot)?;
        let sentence = sentence.replacen(slot, &text, 1);
        let mut chars = sentence.chars();
        let first = chars.next()?;
        Some(first.to_uppercase().chain(chars).collect())
    }

    /// "a VM NIC" for `VmNic`.
    pub fn noun_phrase(&self, name: &str) -> Option<String> {
        self.phrases(name, "{a}")
    }

    fn phrases(&self, name: &str, form: &str) -> Option<String> {
        let mut phrases: Vec<Vec<Item<'_>>> = vec![Vec::new()];
        let mut links = Vec::new();
        for item in self.items(name) {
            match (item, phrases.last_mut()?) {
                (Item::Link(link), last) if last.is_empty() => last.push(Item::Word(link.into())),
                (Item::Link(link), _) => {
                    links.push(link);
                    phrases.push(Vec::new());
                }
                (item, last) => last.push(item),
            }
        }
        if phrases.last()?.is_empty() {
            phrases.pop();
            let link = links.pop()?;
            phrases.last_mut()?.push(Item::Word(link.to_owned()));
        }
        let mut phrases = phrases.iter();
        let mut text = self.phrase(phrases.next()?, form)?;
        for (link, phrase) in links.iter().zip(phrases) {
            text.push_str(&format!(" {link} {}", self.phrase(phrase, "{a}")?));
        }
        Some(text)
    }

    /// Of the verbs that fit, the one with the most letters: its sentence, and the rest of the name.
    fn pattern<'n>(&self, name: &'n str) -> Option<(&'a str, &'n str)> {
        let mut best: Option<(usize, &str, &str)> = None;
        for (key, sentence) in self.verbs {
            let sentence = sentence.as_str().unwrap_or_default();
            let (prefix, suffix) = key.split_once('*').unwrap_or((key, ""));
            let Some(rest) = name.strip_prefix(prefix) else {
                continue;
            };
            let Some(middle) = rest.strip_suffix(suffix) else {
                continue;
            };
            let has_star = key.contains('*');
            if !word_ends(rest) || (has_star && middle.is_empty()) {
                continue;
            }
            if sentence.contains('{') == middle.is_empty() {
                continue;
            }
            let letters = prefix.len() + suffix.len();
            if best.is_none_or(|(most, ..)| letters > most) {
                best = Some((letters, sentence, middle));
            }
        }
        best.map(|(_, sentence, middle)| (sentence, middle))
    }

    fn items(&self, text: &str) -> Vec<Item<'a>> {
        let mut items = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((noun, many, after)) = self.noun(rest) {
                items.push(Item::Noun(noun, many));
                rest = after;
                continue;
            }
            let length = word(rest);
            let (head, tail) = rest.split_at(length);
            rest = tail;
            items.push(match self.links.get(head).and_then(Toml::as_str) {
                Some(link) => Item::Link(link),
                None if head.len() > 1 && head.chars().all(char::is_uppercase) => {
                    Item::Word(head.to_owned())
                }
                None => Item::Word(head.to_lowercase()),
            });
        }
        items
    }

    fn noun<'n>(&self, text: &'n str) -> Option<(&'a Toml, bool, &'n str)> {
        self.longest_first.iter().find_map(|key| {
            let rest = text.strip_prefix(key)?;
            let noun = self.nouns.get(*key)?;
            if word_ends(rest) {
                return Some((noun, false, rest));
            }
            let rest = rest.strip_prefix('s')?;
            word_ends(rest).then_some((noun, true, rest))
        })
    }

    fn forms(item: &Item<'_>) -> Forms {
        let (noun, is_many) = match item {
            Item::Noun(noun, is_many) => (*noun, *is_many),
            Item::Word(word) => {
                let single = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
                let is_many = word.ends_with('s') && !single;
                let many = if is_many { word.clone() } else { plural(word) };
                return Forms {
                    one: word.clone(),
                    many,
                    is_many,
                    mass: false,
                };
            }
            Item::Link(link) => {
                let one = (*link).to_owned();
                return Forms {
                    many: one.clone(),
                    one,
                    is_many: false,
                    mass: true,
                };
            }
        };
        let text = |key: &str| noun.get(key).and_then(Toml::as_str).map(str::to_owned);
        if let Some(one) = noun.as_str() {
            return Forms {
                one: one.to_owned(),
                many: plural(one),
                is_many,
                mass: false,
            };
        }
        if let Some(mass) = text("mass") {
            return Forms {
                one: mass.clone(),
                many: mass,
                is_many: false,
                mass: true,
            };
        }
        let many = text("many").unwrap_or_default();
        match text("one") {
            Some(one) => Forms {
                one,
                many,
                is_many,
                mass: false,
            },
            None => Forms {
                one: many.clone(),
                many,
                is_many: true,
                mass: false,
            },
        }
    }

    fn phrase(&self, items: &[Item<'_>], form: &str) -> Option<String> {
        let (last, lead) = items.split_last()?;
        let mut words: Vec<String> = lead
            .iter()
            .map(Self::forms)
            .map(|forms| if forms.is_many { forms.many } else { forms.one })
            .collect();
        let last = Self::forms(last);
        words.push(if last.is_many || form == "{s}" {
            last.many
        } else {
            last.one
        });
        let text = words.join(" ");
        Some(match form {
            "{the}" => format!("the {text}"),
            "{a}" if !last.is_many && !last.mass => self.article(&text),
            _ => text,
        })
    }

    fn article(&self, text: &str) -> String {
        let first = text.split(' ').next().unwrap_or_default();
        let vowel = first.to_lowercase().starts_with(['a', 'e', 'i', 'o', 'u']);
        let an = self.an.contains(first) || (vowel && !self.a.contains(first));
        format!("{} {text}", if an { "an" } else { "a" })
    }
}

fn word_ends(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The length of the camel-case word at the start of `text`.
fn word(text: &str) -> usize {
    let run = |from: usize, test: fn(&u8) -> bool| {
        text.as_bytes()[from..]
            .iter()
            .take_while(|b| test(b))
            .count()
    };
    let capitals = run(0, u8::is_ascii_uppercase);
    let after = run(capitals, u8::is_ascii_lowercase);
    match (capitals, after) {
        (0, 0) => run(0, u8::is_ascii_digit).max(1),
        (0, lower) => lower,
        (1, lower) => 1 + lower,
        (many, 0) => many,
        (many, _) => many - 1,
    }
}

fn plural(text: &str) -> String {
    let vowel_before_y = text.len() > 1 && "aeiou".contains(&text[text.len() - 2..text.len() - 1]);
    if let Some(stem) = text.strip_suffix('y').filter(|_| !vowel_before_y) {
        return format!("{stem}ies");
    }
    let hiss = ["s", "x", "ch", "sh"].iter().any(|end| text.ends_with(end));
    format!("{text}{}", if hiss { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = r#"
[verb]
Attach = "Attaches {a}."
Query = "Lists {s}."
"Change*State" = "Enables or disables {a}."
Sync = "Synchronizes all."
[noun]
Vm = "VM"
L3Network = "L3 network"
VmNic = { one = "VM NIC", many = "VM NICs" }
AlarmData = { mass = "alarm data" }
[link]
To = "to"
[article]
an = ["L3"]
a = ["user"]
"#;

    #[test]
    fn names_become_sentences() {
        let overlay = Overlay::parse("o", TABLES).unwrap();
        let words = Words::new(&overlay);
        for (name, sentence) in [
            (
                "AttachL3NetworkToVmNic",
                Some("Attaches an L3 network to a VM NIC."),
            ),
            ("QueryVms", Some("Lists VMs.")),
            ("QueryAlarmData", Some("Lists alarm data.")),
            ("ChangeUserState", Some("Enables or disables a user.")),
            ("AttachIPSet", Some("Attaches an IP set.")),
            ("Sync", Some("Synchronizes all.")),
            ("Attachment", None),
            ("Destroy", None),
        ] {
            assert_eq!(words.summary(name).as_deref(), sentence, "{name}");
        }
    }
}
