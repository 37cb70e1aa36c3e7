//! How does a table of a process that runs for weeks stay small? It forgets its oldest entries.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A table that holds at least the newest entries of `capacity` weight together, and at most
/// twice as much.
///
/// Entries live in two generations; when the young one is full, the old one is dropped. So
/// forgetting costs nothing per entry.
pub(crate) struct Recent<K, V> {
    capacity: usize,
    weight: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            weight: 0,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.young.get_mut(key) {
            None => self.old.get_mut(key),
            found => found,
        }
    }

    /// Keeps `value` as the newest, with a weight of 1; answers what `key` stood for before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.insert_weighing(key, value, 1)
    }

    /// Keeps `value` as the newest; answers what `key` stood for before.
    pub(crate) fn insert_weighing(&mut self, key: K, value: V, weight: usize) -> Option<V> {
        let before = self.remove(&key);
        if self.weight.saturating_add(weight) > self.capacity {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        self.young.insert(key, value);
        before
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut())
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_the_oldest_go() {
        let mut table = Recent::new(10);
        for number in 0..1000 {
            assert_eq!(table.insert(number, number * 2), None);
            assert!(table.young.len() + table.old.len() <= 20);
            for recent in (0..=number).rev().take(10) {
                assert_eq!(table.get(&recent), Some(&(recent * 2)));
            }
        }
        assert_eq!(table.get(&0), None);
        assert_eq!(table.insert(999, 1), Some(1998));
        assert_eq!(table.get_mut(&999), Some(&mut 1));
        assert_eq!(
            table.values_mut().count(),
            table.young.len() + table.old.len()
        );
        assert_eq!(table.remove(&999), Some(1));
        assert_eq!(table.get(&999), None);
        table.clear();
        assert_eq!(table.get(&998), None);
        for (key, weight) in [(1, 4), (2, 4), (3, 4), (4, 100), (5, 1)] {
            table.insert_weighing(key, 0, weight);
        }
        let left: Vec<i32> = (1..=5).filter(|key| table.get(key).is_some()).collect();
        assert_eq!(left, [4, 5]);
    }
}
