//! Is there another page, and how is it asked for? Written once for all lists and compiled once.
//!
//! A list must never be cut in silence, and never be read for ever: whatever ends it is an [`End`], and
//! a service that gives the same page again is an error.

use std::hash::{DefaultHasher, Hasher};

use crate::client::{FromRecord, Response};
use crate::error::{Error, Kind};
use crate::operation::{Operation, Paging};
use crate::record::{self, Problem, Record};

/// Why a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// As many items came as the service says there are.
    Total,
    /// The page was not full, and the service tells no total, or one that cannot be.
    ShortPage,
    /// The page had no items.
    EmptyPage,
    /// The page named no next one.
    NoToken,
    /// The caller wanted no more.
    MaxItems,
    /// The operation answers everything at once.
    OnePage,
}

/// So many pages of one item may be equal to the one before.
const MOST_SAME: u32 = 2;

/// What is known of a list from the pages so far.
#[derive(Debug)]
pub(crate) struct Turn {
    pub operation: &'static Operation,
    /// Items received so far, as the service counts them.
    pub received: u64,
    /// Items before the first page that was read, for lists by page number.
    before: Option<u64>,
    /// The total that the last page told.
    total: Option<u64>,
    /// What the last page held.
    last: Option<u64>,
    /// How many pages before it held the same.
    same: u32,
    /// Whether the total moved.
    pub changed: bool,
}

impl Turn {
    pub(crate) fn new(operation: &'static Operation) -> Self {
        Self {
            operation,
            received: 0,
            before: None,
            total: None,
            last: None,
            same: 0,
            changed: false,
        }
    }

    /// Where the caller set no page size, asks for the largest, since fewer calls are faster, but
    /// for no more than the caller wants.
    pub(crate) fn size_pages(&self, input: &mut dyn Record, wanted: Option<u64>) {
        if let Some((member, most)) = self.operation.paging.and_then(|paging| paging.size())
            && record::get(input, member).is_none()
        {
            let size = wanted.unwrap_or(u64::MAX).clamp(1, u64::from(most));
            record::set(input, member, &size.to_string());
        }
    }

    /// Points `input` at the page after `page`, or says why there is none.
    pub(crate) fn advance<O: FromRecord>(
        &mut self,
        input: &mut dyn Record,
        page: &Response<O>,
    ) -> Result<Option<End>, Error> {
        match proves_nothing(self.operation, page) {
            Some(error) => Err(error),
            None => self.go_on(input, page.output.as_record()),
        }
    }

    fn go_on(&mut self, input: &mut dyn Record, page: &dyn Record) -> Result<Option<End>, Error> {
        let count = record::items(page);
        self.received += count;
        let Some(paging) = self.operation.paging else {
            return Ok(Some(End::OnePage));
        };
        let said = |record: &dyn Record, name: &str| -> Option<u64> {
            record::get(record, name)?.parse().ok()
        };
        let asked = paging
            .size()
            .and_then(|(member, _)| said(input, member).map(|size| (member, size)));
        // Services that give smaller pages than asked for say so, if anything.
        let size = asked.map(|(member, asked)| match said(page, member) {
            Some(given) if given > 0 => given.min(asked),
            _ => asked,
        });
        let (seen, total, next) = match paging {
            Paging::Token { token, next, .. } => {
                let Some(next) = record::get(page, next).filter(|next| !next.is_empty()) else {
                    return Ok(Some(End::NoToken));
                };
                if record::get(input, token).as_deref() == Some(next.as_str()) {
                    return Err(self.stuck("the same page token again"));
                }
                record::set(input, token, &next);
                return Ok(None);
            }
            Paging::Number {
                page: number,
                total,
                ..
            } => {
                let current = said(input, number).unwrap_or(1).max(1);
                let skipped = (current - 1).saturating_mul(size.unwrap_or(0));
                let before = *self.before.get_or_insert(skipped);
                let seen = before.saturating_add(self.received);
                (seen, said(page, total), current.saturating_add(1))
            }
            Paging::Offset { offset, total, .. } => {
                let seen = said(input, offset).unwrap_or(0).saturating_add(count);
                (seen, said(page, total), seen)
            }
        };
        if count > 0 && self.is_the_last_again(page, count) {
            return Err(self.stuck("the same page again"));
        }
        if self.total.is_some() && total.is_some() && self.total != total {
            self.changed = true;
        }
        self.total = total.or(self.total);
        if count == 0 && total.is_some_and(|total| seen < total) {
            // More was promised than came.
            self.changed = true;
        }
        let end = match total {
            _ if count == 0 => Some(End::EmptyPage),
            Some(total) if seen < total => None,
            Some(total) if seen == total => Some(End::Total),
            // No total, or a smaller one than what came.
            _ if size.is_some_and(|size| count >= size) => None,
            _ => Some(End::ShortPage),
        };
        record::set(input, paging.cursor(), &next.to_string());
        Ok(end)
    }

    /// Whether `page` begins and ends as the page before. A page of one item can be equal by chance: where pages
    /// hold one each, and one was added in front meanwhile.
    fn is_the_last_again(&mut self, page: &dyn Record, count: u64) -> bool {
        let mut hasher = DefaultHasher::new();
        record::item_ends(page, &mut |json| hasher.write(json));
        let now = Some(hasher.finish());
        let before = std::mem::replace(&mut self.last, now);
        self.same = if before == now { self.same + 1 } else { 0 };
        self.same > if count > 1 { 0 } else { MOST_SAME }
    }

    fn stuck(&self, what: &str) -> Error {
        let message = format!("the service gave {what}: the list would never end");
        Error::new(Kind::InvalidResponse, self.operation.name, message)
    }
}

/// Whether an answer that lists nothing does not say so of the list: a proxy's own object, or a list in
/// another form. "Nothing is there" ends lists and waits, and lets `or_find` send again.
fn proves_nothing<O: FromRecord>(
    operation: &'static Operation,
    page: &Response<O>,
) -> Option<Error> {
    let output = page.output.as_record();
    let of_lists = |problem: &&Problem| {
        problem.path.is_empty() || record::is_list(output, problem.path.split(['.', '[']).next())
    };
    let problem = page.warnings().iter().find(of_lists)?;
    record::is_empty_list(output).then(|| {
        let message = format!("the answer does not say that nothing is there: {problem}");
        let error = Error::new(Kind::InvalidResponse, operation.name, message);
        match page.request_id() {
            Some(id) => error.with_request_id(id),
            None => error,
        }
    })
}
