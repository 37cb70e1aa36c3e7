//! Compares what callers were told with what there is, and prints it as a table.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use cumulo_smc::Outcome;

use crate::creates::{CREATES, Thing, Told};

/// What became of one kind of creates.
#[derive(Default)]
pub(crate) struct Row {
    calls: usize,
    attempts: usize,
    pub(crate) ok: usize,
    not_sent: usize,
    rejected: usize,
    unknown: usize,
    /// Things that exist more than once beyond the first.
    duplicates: usize,
    /// Told to exist, and nowhere to be found.
    lost: usize,
    /// Told not to have been made, and there; or told to have another id than it has.
    untrue: usize,
    /// Of unknown outcome, and the error does not say so.
    unnamed: usize,
    took: Vec<Duration>,
}

pub(crate) struct Report {
    rows: Vec<Row>,
    /// What broke a promise, some of it.
    examples: Vec<String>,
    /// How often which error of keyed calls came, without the ids in it.
    errors: BTreeMap<String, usize>,
}

const EXAMPLES: usize = 10;

impl Report {
    /// `told` holds what the caller of each thing was told last.
    pub(crate) fn new(
        told: &HashMap<usize, Told>,
        existing: &[HashMap<String, Vec<String>>; 4],
    ) -> Self {
        let mut rows: Vec<Row> = CREATES.iter().map(|_| Row::default()).collect();
        let mut examples = Vec::new();
        let mut errors = BTreeMap::new();
        let mut numbers: Vec<usize> = told.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            let (thing, told) = (Thing(number), &told[&number]);
            let row = &mut rows[thing.kind()];
            let none = Vec::new();
            let ids = existing[thing.kind()].get(&thing.name()).unwrap_or(&none);
            row.calls += 1;
            if let Some(text) = told.error.as_ref().filter(|_| CREATES[thing.kind()].2) {
                *errors.entry(without_ids(text)).or_insert(0) += 1;
            }
            row.attempts += told.attempts;
            row.took.push(told.took);
            row.duplicates += ids.len().saturating_sub(1);
            row.unnamed += usize::from(told.unnamed);
            let (mut lost, mut untrue) = (false, false);
            match &told.result {
                Ok(id) => {
                    row.ok += 1;
                    lost = ids.is_empty();
                    untrue = !lost && !ids.contains(id);
                }
                Err(Outcome::Unknown) => row.unknown += 1,
                Err(outcome) => {
                    *if *outcome == Outcome::NotSent {
                        &mut row.not_sent
                    } else {
                        &mut row.rejected
                    } += 1;
                    untrue = !ids.is_empty();
                }
            }
            row.lost += usize::from(lost);
            row.untrue += usize::from(untrue);
            let broken = lost || untrue || told.unnamed || ids.len() > 1;
            if broken && examples.len() < EXAMPLES {
                let (_, operation, _) = CREATES[thing.kind()];
                examples.push(format!(
                    "{operation} {}: told {told:?}, there are {ids:?}",
                    thing.name()
                ));
            }
        }
        Self {
            rows,
            examples,
            errors,
        }
    }

    pub(crate) fn print(&self) {
        println!(
            "{:<8} {:<21} {:<6} {:>6} {:>8} {:>6} {:>8} {:>8} {:>7} {:>10} {:>5} {:>6} {:>7} | {:>6} {:>6} {:>6} {:>6} ms",
            "service",
            "operation",
            "kind",
            "calls",
            "attempts",
            "ok",
            "not sent",
            "rejected",
            "unknown",
            "duplicates",
            "lost",
            "untrue",
            "unnamed",
            "p50",
            "p90",
            "p99",
            "max"
        );
        for ((service, operation, keyed), row) in CREATES.iter().zip(&self.rows) {
            let kind = if *keyed { "keyed" } else { "unsafe" };
            let mut took = row.took.clone();
            took.sort_unstable();
            let at = |part: f64| {
                let last = took.len().saturating_sub(1);
                let at = (last as f64 * part).round() as usize;
                took.get(at).map_or(0, Duration::as_millis)
            };
            println!(
                "{service:<8} {operation:<21} {kind:<6} {:>6} {:>8} {:>6} {:>8} {:>8} {:>7} {:>10} {:>5} {:>6} {:>7} | {:>6} {:>6} {:>6} {:>6}",
                row.calls,
                row.attempts,
                row.ok,
                row.not_sent,
                row.rejected,
                row.unknown,
                row.duplicates,
                row.lost,
                row.untrue,
                row.unnamed,
                at(0.5),
                at(0.9),
                at(0.99),
                at(1.0),
            );
        }
    }

    /// Prints why keyed calls did not succeed, the commonest reasons first.
    pub(crate) fn print_errors(&self) {
        let mut errors: Vec<_> = self.errors.iter().collect();
        errors.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (text, count) in errors.into_iter().take(EXAMPLES) {
            println!("{count:>6} x {text}");
        }
    }

    /// The promises that were broken. `least_ok` is the part of keyed calls that must succeed, `all`
    /// whether every call must.
    pub(crate) fn broken(&self, least_ok: f64, all: bool) -> Vec<String> {
        let mut broken = Vec::new();
        for ((_, operation, keyed), row) in CREATES.iter().zip(&self.rows) {
            let mut no = |count: usize, what: &str| {
                if count > 0 {
                    broken.push(format!("{operation}: {count} {what}"));
                }
            };
            no(row.duplicates, "duplicates");
            no(row.lost, "lost");
            no(row.untrue, "untrue");
            no(row.unnamed, "unknown and not named");
            if all {
                no(row.calls - row.ok, "not made in the end");
            } else if *keyed && row.ok < least(row.calls, least_ok) {
                let part = row.ok as f64 * 100.0 / row.calls as f64;
                broken.push(format!("{operation}: only {part:.2} % ok"));
            }
        }
        if !broken.is_empty() {
            broken.extend(self.examples.iter().map(|text| format!("  {text}")));
        }
        broken
    }
}

/// How many of `calls` must succeed for a part of `part`. Below a thousand calls, chance is allowed for
/// with three standard deviations.
fn least(calls: usize, part: f64) -> usize {
    let failures = calls as f64 * (1.0 - part);
    let chance = if calls < 1000 {
        3.0 * failures.sqrt()
    } else {
        0.0
    };
    (calls as f64 - failures - chance).ceil().max(0.0) as usize
}

/// `text` with `_` for each word that is a number or an id.
fn without_ids(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let id = word.len() > 12 && word.contains(|one: char| one.is_ascii_digit());
        if id { "_" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
