//! What goes with a thing that is deleted? All that belongs to it; of some kinds it can be had back.

use super::{Ask, Refused, Row, Store, Table, Thing};
use crate::model::input::Input;
use crate::wire::Service;

impl Store {
    pub(super) fn delete(
        &mut self,
        ask: &Ask<'_>,
        at: usize,
        row: &'static Row,
    ) -> Result<Option<Input>, Refused> {
        for number in self.find(ask, at, row)? {
            let removed = self.remove(ask.service, at, number);
            if let Some(thing) = removed.filter(|_| row.recycled) {
                let kind = self.kind(ask.service, at);
                kind.bin.insert(thing.id.clone(), thing);
            }
        }
        Ok(None)
    }

    /// Removes a thing with all that belongs to it.
    fn remove(&mut self, service: Service, at: usize, number: u64) -> Option<Thing> {
        let rows = &Table::of(service).rows;
        let thing = self.kind(service, at).remove(&rows[at], number)?;
        for (child, row) in rows.iter().enumerate() {
            for (parent, names) in &row.parents {
                let Some(name) = names.first().filter(|_| *parent == at) else {
                    continue;
                };
                let of_it = self.kind(service, child).of_parent(name, &thing.id);
                for number in of_it.cloned().unwrap_or_default() {
                    self.remove(service, child, number);
                }
            }
        }
        Some(thing)
    }
}
