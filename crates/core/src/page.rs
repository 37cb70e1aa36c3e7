//! Lists longer than one answer: page by page, or item by item, whole, and from where one left off.
//!
//! Both are [`Stream`]s and have a `next` of their own, so that no other crate is needed:
//!
//! ```text
//! let mut apps = ListAppsV2::new().items(&apig);
//! while let Some(app) = apps.next().await { println!("{}", app?.name) }
//! ```
//!
//! Where the caller set no page size, the largest that the service accepts is asked for. A list ends for
//! a reason that is known ([`End`]); a service that gives the same page again is an error.

mod position;
mod turn;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use crate::client::{Call, Client, FromRecord, Response, input_of};
use crate::error::Error;
use crate::operation::Operation;
use crate::record::{self, Json, Record};

use position::Cursor;
pub use turn::End;
use turn::Turn;

/// Gives a call its options.
pub(crate) type Prepare<'a> = &'a (dyn Fn(Call<Box<dyn Record>>) -> Call<Box<dyn Record>> + Sync);

/// Shows `f` the structures at `at` in all pages of a list, until it wants no more.
pub(crate) async fn rows(
    client: &Client,
    operation: &'static Operation,
    mut input: Box<dyn Record>,
    at: &str,
    prepare: Prepare<'_>,
    f: &mut (dyn FnMut(&dyn Record) -> bool + Send),
) -> Result<(), Error> {
    let mut turn = Turn::new(operation);
    loop {
        turn.size_pages(&mut *input, None);
        let page = prepare(Call::new(client, operation, &*input)).await?;
        let mut more = true;
        record::rows(&*page.output, at, &mut |row| more = more && f(row));
        if !more || turn.advance(&mut *input, &page)?.is_some() {
            return Ok(());
        }
    }
}

/// The answers of a list operation, one after the other.
#[must_use = "a list asks for nothing until it is read"]
pub struct Pages<O> {
    client: Client,
    input: Box<dyn Record>,
    turn: Turn,
    state: State<O>,
    /// Where the page stands that was given out last.
    given: Cursor,
    /// How many items of the page to come were taken before.
    skip: usize,
    /// The same of the page that was given out last.
    skipped: usize,
    wanted: Option<u64>,
    read_ahead: bool,
    timeout: Option<Duration>,
    end: Option<End>,
}

impl Client {
    /// All pages of a list, for a JSON input in wire names as [`call`](Self::call) takes it.
    pub fn pages(
        &self,
        operation: &'static Operation,
        input: &Json,
    ) -> Result<Pages<Box<dyn Record>>, Error> {
        Ok(Pages::new(self, operation, input_of(operation, input)?))
    }
}

enum State<O> {
    Idle,
    Waiting(Call<O>),
    Answered(Box<Result<Response<O>, Error>>),
    Ended,
}

impl<O> Pages<O> {
    /// Starts before the first page, or where `input` says.
    pub fn new(client: &Client, operation: &'static Operation, input: Box<dyn Record>) -> Self {
        Self {
            client: client.clone(),
            input,
            turn: Turn::new(operation),
            state: State::Idle,
            given: Cursor::default(),
            skip: 0,
            skipped: 0,
            wanted: None,
            read_ahead: false,
            timeout: None,
            end: None,
        }
    }

    /// Asks for no more than it takes to have `most` items; the last page is given out whole.
    pub fn max_items(mut self, most: u64) -> Self {
        self.wanted = Some(most);
        self
    }

    /// Asks for the next page already while this one is worked on: faster by the time that the
    /// service takes, for one page more in memory. The request is under way from the moment when a
    /// page was given out; what it needs beyond that is done when the list is read on.
    pub fn read_ahead(mut self) -> Self {
        self.read_ahead = true;
        self
    }

    /// How long the call for each page may take with all its attempts.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.timeout = Some(total);
        self
    }

    /// Goes on at a [`position`](Self::position) of the same list, taken by this program or by one
    /// before; a page of which only some items were taken comes whole.
    ///
    /// A text that is none, or one of another operation or of other conditions, is an error.
    pub fn resume(mut self, position: &str) -> Result<Self, Error> {
        self.skip = position::restore(self.turn.operation, &mut *self.input, position)?;
        Ok(self)
    }

    /// The place of the page to come, as text to be stored: JSON with the members that choose it. It
    /// holds no secret and nothing of the conditions but a hash. `None` once the list has been read to
    /// its end.
    pub fn position(&self) -> Option<String> {
        let (operation, input) = (self.turn.operation, &*self.input);
        let more = self.end.is_none_or(|end| end == End::MaxItems);
        more.then(|| Cursor::of(operation, input).store(operation, input, self.skip))
    }

    /// Why the list ended; `None` before it did, and after an error.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether the service told another total than on the page before. The list was changed then while
    /// it was read: where it is paged by numbers or offsets, items may have been passed over, or may
    /// come twice.
    pub fn changed(&self) -> bool {
        self.turn.changed
    }

    /// The items of the pages that are still to come.
    pub fn items<T>(self, take: fn(Response<O>) -> Vec<T>) -> Items<O, T>
    where
        O: 'static,
        T: 'static,
    {
        self.items_by(Box::new(take))
    }

    /// The same, for a function that holds something.
    pub fn items_by<T>(self, take: Take<O, T>) -> Items<O, T> {
        Items {
            pages: self,
            take,
            ready: VecDeque::new(),
            taken: 0,
            left: None,
        }
    }

    /// Whether the caller has all that it wanted.
    fn is_enough(&self) -> bool {
        self.wanted
            .is_some_and(|wanted| self.turn.received >= wanted)
    }
}

impl<O: FromRecord> Pages<O> {
    /// The next page; `None` after the last. An error ends the list; its position is then that of the
    /// page that failed.
    pub async fn next(&mut self) -> Option<Result<Response<O>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn call(&mut self) -> State<O> {
        self.turn.size_pages(&mut *self.input, self.wanted);
        let mut call = Call::new(&self.client, self.turn.operation, &*self.input);
        if let Some(total) = self.timeout {
            call = call.timeout(total);
        }
        State::Waiting(call)
    }

    /// Gets on with the call that is under way.
    fn nudge(&mut self, context: &mut Context<'_>) {
        if let State::Waiting(call) = &mut self.state
            && let Poll::Ready(page) = Pin::new(call).poll(context)
        {
            self.state = State::Answered(Box::new(page));
        }
    }
}

impl<O: FromRecord> Stream for Pages<O> {
    type Item = Result<Response<O>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.nudge(context);
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle if self.is_enough() => self.end = Some(End::MaxItems),
                State::Idle => self.state = self.call(),
                waiting @ State::Waiting(_) => {
                    self.state = waiting;
                    return Poll::Pending;
                }
                State::Answered(answer) => {
                    let page = match *answer {
                        Ok(page) => page,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    let this = &mut *self;
                    let given = Cursor::of(this.turn.operation, &*this.input);
                    let end = match this.turn.advance(&mut *this.input, &page) {
                        Err(error) => return Poll::Ready(Some(Err(error))),
                        Ok(end) => end,
                    };
                    this.given = given;
                    this.skipped = std::mem::take(&mut this.skip);
                    match end {
                        Some(end) => this.end = Some(end),
                        None if this.read_ahead && !this.is_enough() => {
                            this.state = this.call();
                            this.nudge(context);
                        }
                        None => this.state = State::Idle,
                    }
                    return Poll::Ready(Some(Ok(page)));
                }
            }
        }
    }
}

/// Nothing in it is ever pinned.
impl<O> Unpin for Pages<O> {}

impl<O> fmt::Debug for Pages<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.turn.operation.name)
            .field("received", &self.turn.received)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// What takes the items out of an answer.
pub type Take<O, T> = Box<dyn FnMut(Response<O>) -> Vec<T> + Send + Sync>;

/// The items of a list operation, over all pages.
#[must_use = "a list asks for nothing until it is read"]
pub struct Items<O, T> {
    pages: Pages<O>,
    take: Take<O, T>,
    ready: VecDeque<T>,
    /// How many items of the page that is worked on were given out.
    taken: usize,
    /// How many items the caller still wants.
    left: Option<u64>,
}

impl<O: FromRecord, T: Unpin> Items<O, T> {
    /// Ends after `most` items.
    pub fn max_items(mut self, most: u64) -> Self {
        self.left = Some(most);
        // What was taken of the first page before comes again with it.
        let again = u64::try_from(self.pages.skip).unwrap_or(u64::MAX);
        self.pages = self.pages.max_items(most.saturating_add(again));
        self
    }

    /// Asks for the next page already while the items of this one are worked on.
    /// See [`Pages::read_ahead`].
    pub fn read_ahead(mut self) -> Self {
        self.pages = self.pages.read_ahead();
        self
    }

    /// Goes on at a [`position`](Self::position) of the same list, taken by this program or by one
    /// before.
    ///
    /// A text that is none, or one of another operation or of other conditions, is an error.
    pub fn resume(mut self, position: &str) -> Result<Self, Error> {
        self.pages = self.pages.resume(position)?;
        Ok(match self.left {
            Some(most) => self.max_items(most),
            None => self,
        })
    }

    /// The next item; `None` after the last. An error ends the list; its position is then that of the
    /// page that failed.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All items that are left.
    pub async fn collect(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }

    /// The place of the item to come. See [`Pages::position`]. `None` once the list has been read to
    /// its end.
    pub fn position(&self) -> Option<String> {
        if self.ready.is_empty() {
            return self.pages.position();
        }
        let (operation, input) = (self.pages.turn.operation, &*self.pages.input);
        Some(self.pages.given.store(operation, input, self.taken))
    }

    /// Why the list ended; `None` before it did, and after an error.
    pub fn end(&self) -> Option<End> {
        match self.left {
            Some(0) if !self.ready.is_empty() => Some(End::MaxItems),
            _ => self.pages.end.filter(|_| self.ready.is_empty()),
        }
    }

    /// Whether the list was changed while it was read. See [`Pages::changed`].
    pub fn changed(&self) -> bool {
        self.pages.changed()
    }
}

impl<O: FromRecord, T: Unpin> Stream for Items<O, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.left == Some(0) {
                if this.ready.is_empty() && this.pages.end.is_none() {
                    this.pages.end = Some(End::MaxItems);
                }
                return Poll::Ready(None);
            }
            if let Some(item) = this.ready.pop_front() {
                this.taken += 1;
                this.left = this.left.map(|left| left - 1);
                this.pages.nudge(context);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    this.ready = (this.take)(page).into();
                    this.taken = this.pages.skipped.min(this.ready.len());
                    this.ready.drain(..this.taken);
                }
            }
        }
    }
}

impl<O, T> fmt::Debug for Items<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
