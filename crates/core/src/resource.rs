//! Operations are verbs; users think in nouns: a gateway, a virtual machine, an app.
//!
//! A [`Resource`] is one row of a service's second table: which member names the thing, which
//! operations create, read, list, change and remove it, and through which states it goes. Rules derive
//! most rows from the models, overlays say the rest; the generator checks every name against the model.

/// One kind of thing that a service keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// Its name in kebab case, such as `replication-job`.
    pub name: &'static str,
    /// The member that names one of them, in answers that describe it; empty for settings, of which
    /// there is one for each parent.
    pub id: &'static str,
    /// The member that people name it by, if it has one: by it a create is found again.
    pub title: &'static str,
    /// The things that it belongs to, such as `gateway`.
    pub parents: &'static [&'static str],
    /// Operations that make one.
    pub create: &'static [&'static str],
    /// How one of them is read.
    pub read: Option<Find>,
    /// How all of them are listed.
    pub list: Option<Find>,
    /// Operations that change one.
    pub update: &'static [&'static str],
    /// Operations that remove one.
    pub delete: &'static [&'static str],
    /// Other operations that belong to it.
    pub others: &'static [&'static str],
    /// Through which states it goes, where it has any.
    pub states: Option<States>,
    /// Who said so.
    pub origin: Origin,
}

/// An operation that answers with things of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Find {
    /// The operation.
    pub operation: &'static str,
    /// The member of its input that names the thing; `uuid` of a query may be a condition. Empty
    /// for a list.
    pub by: &'static str,
    /// Where the things stand in the answer, as a path of wire names; empty where the answer itself is
    /// the thing.
    pub at: &'static str,
}

/// The states of a thing. Whatever is neither good nor bad is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct States {
    /// The member that tells the state.
    pub member: &'static str,
    /// States in which it is ready, or done.
    pub good: &'static [&'static str],
    /// States from which it does not get ready by itself.
    pub bad: &'static [&'static str],
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A rule over the model.
    Rule,
    /// A person, in the overlay.
    Overlay,
    /// A rule, completed by a person.
    Both,
}

impl Resource {
    /// A row, in the order in which the generator writes it: name; id and title; parents; create,
    /// update, delete and other operations; how one is read; how all are listed; states; origin.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments, reason = "only generated tables call it")]
    pub const fn row(
        name: &'static str,
        [id, title]: [&'static str; 2],
        parents: &'static [&'static str],
        [create, update, delete, others]: [&'static [&'static str]; 4],
        read: Option<Find>,
        list: Option<Find>,
        states: Option<States>,
        origin: Origin,
    ) -> Self {
        Self {
            name,
            id,
            title,
            parents,
            create,
            read,
            list,
            update,
            delete,
            others,
            states,
            origin,
        }
    }

    /// Every operation that belongs to it, each once.
    pub fn operations(&self) -> impl Iterator<Item = &'static str> {
        let found = [self.read, self.list].into_iter().flatten();
        let mut seen = Vec::new();
        self.create
            .iter()
            .copied()
            .chain(found.map(|find| find.operation))
            .chain(
                [self.update, self.delete, self.others]
                    .into_iter()
                    .flatten()
                    .copied(),
            )
            .filter(move |name| {
                let new = !seen.contains(name);
                seen.push(name);
                new
            })
    }
}
