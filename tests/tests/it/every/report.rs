//! What is wrong, and how often? Failures of thousands of calls, the first ones in full.

use std::collections::BTreeMap;

use super::drive::Failure;
use super::model::Model;

/// Failures that are printed in full.
const PRINTED: usize = 40;

/// The failures of one service.
#[derive(Debug)]
pub(crate) struct Report {
    service: &'static str,
    calls: usize,
    failures: Vec<Failure>,
}

impl Report {
    pub(crate) fn new(model: &Model) -> Self {
        Self {
            service: model.service,
            calls: 0,
            failures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, (calls, failures): (usize, Vec<Failure>)) {
        self.calls += calls;
        self.failures.extend(failures);
    }

    /// # Panics
    /// When there was a failure.
    pub(crate) fn finish(mut self) {
        assert!(self.calls > 0, "{}: nothing was called", self.service);
        self.failures.sort();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for failure in &self.failures {
            *places.entry(failure.place).or_default() += 1;
        }
        for failure in self.failures.iter().take(PRINTED) {
            let Failure {
                place,
                operation,
                case,
                difference,
            } = failure;
            eprintln!(
                "{} {operation} [{case}] {place}: {difference}",
                self.service
            );
        }
        let (service, calls, count) = (self.service, self.calls, self.failures.len());
        assert_eq!(
            count, 0,
            "{service}: {count} failures in {calls} calls: {places:?}"
        );
    }
}
