//! Finds the one thing in the answers of a read: it need not stand first, nor on the first page.

use std::time::Duration;

use crate::client::{Call, Client};
use crate::error::{Error, Kind};
use crate::page;
use crate::record::{self, Json, Record, Wire};

use super::target::Meaning;
use super::{Target, Thing};

/// What a read says about the thing.
pub(super) struct Seen {
    pub meaning: Meaning,
    pub state: Option<String>,
    pub progress: Option<u8>,
    /// Why it failed.
    pub why: Option<String>,
    pub json: Json,
}

impl Seen {
    fn of(target: &Target, thing: &dyn Record, meaning: Meaning) -> Self {
        let text = |member: &str| record::get(thing, member).filter(|text| !text.is_empty());
        let percent = |text: String| text.parse::<f64>().ok();
        let progress = text(target.progress).and_then(percent);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was clamped"
        )]
        let progress = progress.map(|percent| percent.clamp(0.0, 100.0) as u8);
        Self {
            meaning,
            state: text(target.member),
            progress,
            why: text(target.why),
            json: record::to_value(Wire::redacted(thing)),
        }
    }
}

/// Reads until the thing is found, or to the end of the list. `passed`: see [`Target::judge`].
pub(super) async fn look(
    client: &Client,
    thing: &Thing,
    passed: bool,
    limit: Option<Duration>,
) -> Result<Option<Seen>, Error> {
    let target = thing.target;
    let operation = (target.read)();
    let mut input = (operation.input)();
    let (by, before) = target.by;
    let mut fill = |member: &str, value: &str| {
        if !record::put(&mut *input, member, value) {
            let message = format!("`{value}` is no value for `{member}`");
            return Err(Error::new(Kind::InvalidInput, target.name, message));
        }
        Ok(())
    };
    if !by.is_empty() {
        fill(by, &format!("{before}{}", thing.id))?;
    }
    for (member, value) in thing
        .given
        .iter()
        .filter(|(name, _)| !name.starts_with('$'))
    {
        fill(member, value)?;
    }
    let mut seen = None;
    let mut judge = |row: &dyn Record| {
        let is_it =
            target.id.is_empty() || record::get(row, target.id).is_some_and(|id| id == thing.id);
        if is_it {
            let meaning = target.judge(row, passed, &thing.given);
            seen = Some(Seen::of(target, row, meaning));
        }
        !is_it
    };
    let prepare = |call: Call<_>| match limit {
        Some(limit) => call.timeout(limit),
        None => call,
    };
    page::rows(client, operation, input, target.at, &prepare, &mut judge).await?;
    Ok(seen)
}
