//! A transport behind which a list of any length stands, made up page by page: for lists that no
//! local cloud would hold, and for services that tell untruths about them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cumulo_core::clock::BoxFuture;
use cumulo_core::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use http::HeaderMap;

/// How many items there are when page number so many, from 0, is asked for; and the total that the
/// service tells then.
type Told = fn(page: u64) -> (u64, Option<u64>);

/// Serves `SourceServers` by page number, `apps` by offset, and `EnterpriseCodes` by token.
#[derive(Debug, Clone)]
pub struct LongList {
    told: Told,
    /// The largest page that is served, whatever is asked for.
    most: u64,
    remember: bool,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
    pages: Arc<AtomicU64>,
}

impl LongList {
    /// A list that is as `told` says.
    pub fn new(told: Told) -> Self {
        Self {
            told,
            most: u64::MAX,
            remember: true,
            asked: Arc::default(),
            pages: Arc::default(),
        }
    }

    /// Pages hold no more than so many items.
    pub fn most(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Remembers no requests, so that it takes no memory.
    pub fn forgetful(mut self) -> Self {
        self.remember = false;
        self
    }

    /// The parameters of each request so far.
    pub fn asked(&self) -> Vec<BTreeMap<String, String>> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer(&self, request: &HttpRequest) -> String {
        let pairs = request.url.query_pairs().into_owned();
        let given: BTreeMap<String, String> = pairs.collect();
        let number = |name: &str| given.get(name).and_then(|text| text.parse::<u64>().ok());
        let (there, total) = (self.told)(self.pages.fetch_add(1, Ordering::Relaxed));
        let size = |name: &str, usual: u64| number(name).unwrap_or(usual).min(self.most);
        let total = |name: &str| {
            let total = total.map(|total| format!(r#","{name}":{total}"#));
            total.unwrap_or_default()
        };
        let list = |start: u64, size: u64, item: fn(u64) -> String| {
            let all: Vec<String> = (start..there.min(start + size)).map(item).collect();
            all.join(",")
        };
        let text = if request.url.path() != "/" {
            let start = number("offset").unwrap_or(0);
            let items = list(start, size("limit", 20), |id| format!(r#"{{"id":"{id}"}}"#));
            format!(r#"{{"apps":[{items}]{}}}"#, total("total"))
        } else if given.contains_key("MaxResults") {
            let start = number("NextToken").unwrap_or(0);
            let end = start + size("MaxResults", 10);
            let items = list(start, size("MaxResults", 10), |id| {
                format!(r#"{{"EnterpriseCode":"{id}"}}"#)
            });
            let next = if end < there {
                format!(r#","NextToken":"{end}""#)
            } else {
                String::new()
            };
            format!(r#"{{"EnterpriseCodes":[{items}]{next}}}"#)
        } else {
            let size = size("PageSize", 10);
            let start = (number("PageNumber").unwrap_or(1) - 1) * size;
            let items = list(start, size, |id| format!(r#"{{"SourceId":"{id}"}}"#));
            format!(
                r#"{{"SourceServers":{{"SourceServer":[{items}]}}{}}}"#,
                total("TotalCount")
            )
        };
        if self.remember {
            let asked = self.asked.lock();
            asked.unwrap_or_else(PoisonError::into_inner).push(given);
        }
        text
    }
}

impl Transport for LongList {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let answer = HttpResponse {
            status: 200,
            headers: HeaderMap::new(),
            body: self.answer(&request).into(),
        };
        Box::pin(std::future::ready(Ok(answer)))
    }
}
