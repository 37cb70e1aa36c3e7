//! What an operation is, as data: the spec that encoding, retries, paging and by-name calls share.

use http::Method;

use crate::record::Record;

/// Whether a request may be sent again when nobody knows if the first copy was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// It changes nothing.
    ReadOnly,
    /// Doing it twice is the same as doing it once.
    Idempotent,
    /// The service recognises a repeat by its token: `ClientToken`, or the id of the job.
    Keyed,
    /// A second copy could act a second time. Never sent again while the outcome is unknown.
    Unsafe,
}

/// How a list operation hands out its pages. All names are wire names.
#[derive(Debug, Clone, Copy)]
pub enum Paging {
    /// Page numbers from 1.
    Number {
        /// Input member that holds the page number.
        page: &'static str,
        /// Input member that holds the page size.
        size: &'static str,
        /// Output member that holds the number of all items.
        total: &'static str,
        /// The largest page size that the service accepts.
        most: u32,
    },
    /// A token from each page that asks for the next one; empty at the end.
    Token {
        /// Input member that takes the token.
        token: &'static str,
        /// Output member that gives it.
        next: &'static str,
        /// Input member that holds the page size, and the largest that the service accepts.
        size: Option<(&'static str, u32)>,
    },
    /// An offset from 0 in items.
    Offset {
        /// Input member that holds the offset.
        offset: &'static str,
        /// Input member that holds the most items to return.
        limit: &'static str,
        /// Output member that holds the number of all items.
        total: &'static str,
        /// The largest limit that the service accepts.
        most: u32,
    },
}

impl Paging {
    /// The input member that chooses the page.
    pub fn cursor(&self) -> &'static str {
        match self {
            Self::Number { page, .. } => page,
            Self::Token { token, .. } => token,
            Self::Offset { offset, .. } => offset,
        }
    }

    /// The input member that holds the page size, and the largest that the service accepts.
    pub fn size(&self) -> Option<(&'static str, u32)> {
        match *self {
            Self::Number { size, most, .. } => Some((size, most)),
            Self::Token { size, .. } => size,
            Self::Offset { limit, most, .. } => Some((limit, most)),
        }
    }
}

/// What must not run side by side: calls of one lane whose values meet in each of these members.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// Its name; operations with the same one queue together.
    pub name: &'static str,
    /// Wire names of the members, the same number for every operation of the lane; one that the
    /// operation lacks, or that is not set, could be any.
    pub members: &'static [&'static str],
}

/// The static description of one operation.
#[derive(Debug)]
pub struct Operation {
    /// Its official name.
    pub name: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template with `{member}` for path members.
    pub path: &'static str,
    /// Whether it may be repeated.
    pub retry: RetryClass,
    /// Input member that carries the `ClientToken`.
    pub token: Option<&'static str>,
    /// The key that wraps the body's members, where the service wants one.
    pub wrapper: Option<&'static str>,
    /// Documented to run as a job. Both forms of answer are handled on every call.
    pub job: bool,
    /// Whether it needs credentials.
    pub auth: bool,
    /// Codes that say that the thing to be removed is gone: success, once an earlier attempt may have
    /// removed it. Codes for its parent, or for a wrong address, are not among them.
    pub gone: &'static [&'static str],
    /// What it must not run beside.
    pub lane: Option<Lane>,
    /// Secrets of its answer that no other call returns, as wire paths.
    pub shown_once: &'static [&'static str],
    /// How it pages.
    pub paging: Option<Paging>,
    /// The input member that asks for one thing, and where things stand in the answer: an empty answer to
    /// it says that the thing does not exist.
    pub one: Option<(&'static str, &'static str)>,
    /// Makes an empty input.
    pub input: fn() -> Box<dyn Record>,
    /// Makes an empty output.
    pub output: fn() -> Box<dyn Record>,
}

impl Operation {
    /// An operation with the plain settings; the other functions refine it.
    pub const fn new(
        name: &'static str,
        summary: &'static str,
        method: Method,
        path: &'static str,
        retry: RetryClass,
        input: fn() -> Box<dyn Record>,
        output: fn() -> Box<dyn Record>,
    ) -> Self {
        Self {
            name,
            // A doc comment's text starts with the space after the slashes.
            summary: summary.trim_ascii(),
            method,
            path,
            retry,
            token: None,
            wrapper: None,
            job: false,
            auth: true,
            gone: &[],
            lane: None,
            shown_once: &[],
            paging: None,
            one: None,
            input,
            output,
        }
    }
    /// Whether the service recognises a repeat by the id of its job, as it would by a client token.
    pub const fn is_keyed_by_job(&self) -> bool {
        self.job && matches!(self.retry, RetryClass::Keyed) && self.token.is_none()
    }
    /// Names the member that carries the `ClientToken`.
    pub const fn token(mut self, member: &'static str) -> Self {
        self.token = Some(member);
        self
    }
    /// Names the key that wraps the body's members.
    pub const fn wrapper(mut self, key: &'static str) -> Self {
        self.wrapper = Some(key);
        self
    }
    /// It runs as a job.
    pub const fn job(mut self) -> Self {
        self.job = true;
        self
    }
    /// It needs no credentials.
    pub const fn anonymous(mut self) -> Self {
        self.auth = false;
        self
    }
    /// One of these codes on a repeat means that the first copy did it.
    pub const fn gone(mut self, codes: &'static [&'static str]) -> Self {
        self.gone = codes;
        self
    }
    /// It must not run beside others of the lane `name` that mean the same things by `members`.
    pub const fn lane(mut self, name: &'static str, members: &'static [&'static str]) -> Self {
        self.lane = Some(Lane { name, members });
        self
    }
    /// Its answer is the only one that holds these secrets.
    pub const fn shown_once(mut self, paths: &'static [&'static str]) -> Self {
        self.shown_once = paths;
        self
    }
    /// `member` asks for one thing, which stands at `path` in the answer or does not exist.
    pub const fn one(mut self, member: &'static str, path: &'static str) -> Self {
        self.one = Some((member, path));
        self
    }
    /// It pages by numbers.
    pub const fn page_number(
        mut self,
        page: &'static str,
        size: &'static str,
        total: &'static str,
        most: u32,
    ) -> Self {
        self.paging = Some(Paging::Number {
            page,
            size,
            total,
            most,
        });
        self
    }
    /// It pages by token.
    pub const fn page_token(
        mut self,
        token: &'static str,
        next: &'static str,
        size: Option<(&'static str, u32)>,
    ) -> Self {
        self.paging = Some(Paging::Token { token, next, size });
        self
    }
    /// It pages by offset.
    pub const fn page_offset(
        mut self,
        offset: &'static str,
        limit: &'static str,
        total: &'static str,
        most: u32,
    ) -> Self {
        self.paging = Some(Paging::Offset {
            offset,
            limit,
            total,
            most,
        });
        self
    }
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is no operation that may run as a job",
    label = "not an operation, or one that only reads",
    note = "queries answer at once: send them"
)]
/// A type that is an operation, for what is asked about an operation without a value of it.
pub trait IsOperation {
    /// What it answers.
    type Output: Record;
    /// Its static description.
    fn spec() -> &'static Operation;
}

/// An operation's function that returns its spec; tables of operations hold these.
pub type Spec = fn() -> &'static Operation;
