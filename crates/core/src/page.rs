//! Lists longer than one answer: page by page, or item by item.
//!
//! Both are [`Stream`]s and have a `next` of their own, so that no other crate is needed:
//!
//! ```text
//! let mut apps = ListAppsV2::new().items(&apig);
//! while let Some(app) = apps.next().await { println!("{}", app?.name) }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::client::{Call, Client, FromRecord, Response};
use crate::error::{Error, Kind};
use crate::operation::{Operation, Paging};
use crate::record::{self, Record};

/// The answers of a list operation, one after the other.
#[must_use = "nothing is sent until a page is asked for"]
pub struct Pages<I, O> {
    client: Client,
    operation: &'static Operation,
    input: I,
    state: State<O>,
    /// Items received so far, as the service counts them.
    received: u64,
}

impl<I, O> fmt::Debug for Pages<I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle => "a page is to come",
            State::Waiting(_) => "waiting for a page",
            State::Ended => "ended",
        };
        f.debug_struct("Pages")
            .field("operation", &self.operation.name)
            .field("received", &self.received)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

enum State<O> {
    Idle,
    Waiting(Call<O>),
    Ended,
}

impl<I: Record + Clone + Unpin, O: Record> Pages<I, O> {
    /// Starts before the first page, or where `input` says.
    pub fn new(client: &Client, operation: &'static Operation, input: &I) -> Self {
        Self {
            client: client.clone(),
            operation,
            input: input.clone(),
            state: State::Idle,
            received: 0,
        }
    }

    /// The next page; `None` after the last. An error ends the list.
    pub async fn next(&mut self) -> Option<Result<Response<O>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The input of the page to come: keep it to go on from there later, even after a restart.
    pub fn position(&self) -> &I {
        &self.input
    }

    /// The items of the pages that are still to come.
    pub fn items<T>(self, take: fn(O) -> Vec<T>) -> Items<I, O, T> {
        Items {
            pages: self,
            take,
            ready: VecDeque::new(),
        }
    }

    /// Points the input at the page after `page`; whether there is one.
    fn advance(&mut self, page: &O) -> Result<bool, Error> {
        let count = record::items(page);
        self.received += count;
        let Some(paging) = self.operation.paging else {
            return Ok(false);
        };
        let number = |name: &str| -> Option<u64> { record::get(page, name)?.parse().ok() };
        match paging {
            Paging::Token { token, next } => {
                let Some(value) = record::get(page, next).filter(|value| !value.is_empty()) else {
                    return Ok(false);
                };
                if record::get(&self.input, token).as_deref() == Some(value.as_str()) {
                    return Err(self.stuck("the same page token again"));
                }
                record::set(&mut self.input, token, &value);
                Ok(true)
            }
            Paging::Number {
                page: member,
                size,
                total,
            } => {
                let asked = record::get(&self.input, size).and_then(|size| size.parse().ok());
                let current: u64 = record::get(&self.input, member)
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(1);
                let before = (current - current.min(1)) * asked.unwrap_or(0);
                let more = match number(total) {
                    Some(total) => count > 0 && self.received.max(before + count) < total,
                    None => count > 0 && asked.is_some_and(|asked: u64| count >= asked),
                };
                record::set(&mut self.input, member, &(current + 1).to_string());
                Ok(more)
            }
            Paging::Offset {
                offset,
                limit,
                total,
                ..
            } => {
                let start: u64 = record::get(&self.input, offset)
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let asked: Option<u64> =
                    record::get(&self.input, limit).and_then(|text| text.parse().ok());
                let more = match number(total) {
                    Some(total) => count > 0 && start + count < total,
                    None => count > 0 && asked.is_some_and(|asked| count >= asked),
                };
                record::set(&mut self.input, offset, &(start + count).to_string());
                Ok(more)
            }
        }
    }

    fn stuck(&self, what: &str) -> Error {
        let message = format!("the service gave {what}: the list would never end");
        Error::new(Kind::InvalidResponse, self.operation.name, message)
    }

    /// Where the caller set no page size, asks for the largest: fewer calls.
    fn with_page_size(&mut self) {
        if let Some(Paging::Offset { limit, most, .. }) = self.operation.paging
            && record::get(&self.input, limit).is_none()
        {
            record::set(&mut self.input, limit, &most.to_string());
        }
    }
}

impl<I: Record + Clone + Unpin, O: Record + FromRecord> Stream for Pages<I, O> {
    type Item = Result<Response<O>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Idle => {
                    self.with_page_size();
                    let call = Call::new(&self.client, self.operation, &self.input);
                    self.state = State::Waiting(call);
                }
                State::Waiting(call) => {
                    let page = ready!(Pin::new(call).poll(context));
                    self.state = State::Ended;
                    let page = match page {
                        Ok(page) => page,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    match self.advance(&page.output) {
                        Ok(true) => self.state = State::Idle,
                        Ok(false) => {}
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                    return Poll::Ready(Some(Ok(page)));
                }
            }
        }
    }
}

/// The items of a list operation, over all pages.
#[must_use = "nothing is sent until an item is asked for"]
pub struct Items<I, O, T> {
    pages: Pages<I, O>,
    take: fn(O) -> Vec<T>,
    ready: VecDeque<T>,
}

impl<I, O, T> fmt::Debug for Items<I, O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}

impl<I: Record + Clone + Unpin, O: Record, T: Unpin> Items<I, O, T> {
    /// The next item; `None` after the last. An error ends the list.
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
}

impl<I: Record + Clone + Unpin, O: Record + FromRecord, T: Unpin> Stream for Items<I, O, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    let items = (self.take)(page.output);
                    self.ready = items.into();
                }
            }
        }
    }
}
