//! How much memory one answer may take: three bytes on the wire can become a structure of a thousand.

use serde::de::Error;

/// Bytes of memory for each byte of the answer. With the answer itself that stays below ten.
const FACTOR: usize = 8;
/// What any answer may take: lists of large structures with few members set are legitimate.
const ALLOWANCE: usize = 16 << 20;
/// What no answer may exceed.
const MOST: usize = 256 << 20;

/// What an allocation costs beyond its content.
const ALLOCATION: usize = 16;

/// Bytes that the decoder may still allocate.
pub(super) struct Budget {
    left: usize,
    limit: usize,
    exceeded: bool,
}

impl Budget {
    /// For an answer of so many bytes.
    pub(super) fn of_answer(length: usize) -> Self {
        Self::of(length.saturating_mul(FACTOR).clamp(ALLOWANCE, MOST))
    }

    /// For what a user gives: it is in memory already, and nobody else wrote it.
    pub(super) fn unlimited() -> Self {
        Self::of(usize::MAX)
    }

    fn of(limit: usize) -> Self {
        Self {
            left: limit,
            limit,
            exceeded: false,
        }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The limit, once it was exceeded.
    pub(super) fn exceeded(&self) -> Option<usize> {
        self.exceeded.then_some(self.limit)
    }

    /// Takes `bytes`; an error that ends the decoding when there are not so many left.
    pub(super) fn spend<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.exceed()),
        }
    }

    /// Takes what a text of this length costs.
    pub(super) fn spend_text<E: Error>(&mut self, length: usize) -> Result<(), E> {
        self.spend(length.max(ALLOCATION) + ALLOCATION)
    }

    /// The error that ends the decoding.
    pub(super) fn exceed<E: Error>(&mut self) -> E {
        self.exceeded = true;
        E::custom("more than the answer may take in memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::value::Error;

    #[test]
    fn small_answers_have_an_allowance_and_large_ones_a_ceiling() {
        for (length, limit) in [
            (0, ALLOWANCE),
            (1 << 20, ALLOWANCE),
            (4 << 20, 32 << 20),
            (32 << 20, MOST),
            (usize::MAX, MOST),
        ] {
            assert_eq!(Budget::of_answer(length).left(), limit, "{length}");
        }
    }

    #[test]
    fn what_is_spent_is_gone() {
        let mut budget = Budget::of(100);
        budget.spend::<Error>(60).unwrap();
        assert_eq!((budget.left(), budget.exceeded()), (40, None));
        assert!(budget.spend::<Error>(41).is_err());
        assert_eq!(budget.exceeded(), Some(100));
        // Even a text without letters costs its allocation.
        assert!(Budget::of(20).spend_text::<Error>(0).is_err());
    }
}
