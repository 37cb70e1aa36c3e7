//! What does a thing look like after it was changed? What the request gives replaces what was
//! there, and the times of changes move.

use super::{Ask, Refused, Row, Store};
use crate::clock;
use crate::model::input::Input;
use crate::model::values::Dialect;

impl Store {
    pub(super) fn update(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
    ) -> Result<Option<Input>, Refused> {
        let mut found = self.find(ask, at, row)?;
        if let Some(title) = row
            .title
            .as_ref()
            .and_then(|title| ask.input.get(title)?.as_str())
            && row.is_unique(ask.service)
            && let Some(number) = found.first()
            && self
                .kind(ask.service, at)
                .is_taken(row, title, ask.input, Some(*number))
        {
            let title = title.to_owned();
            return Err(Refused::Taken { row, title });
        }
        if found.is_empty() && !row.created {
            // Settings are there before anybody has set them.
            if let Some(id) = Self::targets(row, ask.input).into_iter().next() {
                self.make(ask, at, row, ask.input.clone(), Some(id))?;
                found = self.find(ask, at, row)?;
            }
        }
        let kind = self.kind(ask.service, at);
        for number in &found {
            kind.change(row, *number, |thing| {
                merge(row, &mut thing.members, ask);
                stamp(row, &mut thing.members, ask, true);
            });
        }
        Ok(found.first().map(|number| {
            let mut shown = ask.input.clone();
            shown.extend(kind.show(*number));
            shown
        }))
    }
}

/// Takes over what a request changes.
pub(super) fn merge(row: &Row, members: &mut Input, ask: &Ask<'_>) {
    for (name, value) in ask.input {
        let own = name.strip_prefix("New").unwrap_or(name);
        let own = if row.members.contains_key(name.as_str()) {
            name
        } else {
            own
        };
        let is_name = row.named.contains(name) || *own == row.id;
        let is_empty = value == "" && matches!(ask.dialect, Dialect::Acs);
        if row.members.contains_key(own) && !is_name && !is_empty && !value.is_null() {
            members.insert(own.to_owned(), value.clone());
        }
    }
}

/// Fills in when a thing was made, or when it was changed.
pub(super) fn stamp(row: &Row, members: &mut Input, ask: &Ask<'_>, of_change: bool) {
    let times = row.times.iter().filter(|time| time.of_change || !of_change);
    for time in times {
        let moment = match ask.dialect {
            _ if time.is_number => ask.now.as_millisecond().into(),
            Dialect::Acs => clock::iso(ask.now).into(),
            Dialect::Apig => clock::iso_nanos(ask.now).into(),
            Dialect::Zstack(offset) => clock::gson(ask.now, offset).into(),
        };
        members.insert(time.name.to_owned(), moment);
    }
}
