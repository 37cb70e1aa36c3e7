//! Which part of a list does a request want? Every paged list holds the same number of items;
//! pages of it are served as the service counts them.

use serde_json::Value;

use super::input::{Input, Problem};
use super::{Operation, Paging, PagingStyle};

/// How many items a paged list has that nobody has made.
pub(crate) const TOTAL: usize = 25;
const DEFAULT_LENGTH: usize = 10;
/// What API Gateway takes when nothing is said, and at most.
const OFFSET_DEFAULT: usize = 20;
const OFFSET_MOST: usize = 500;
/// Opaque on purpose: with characters that only a careful encoder brings back whole.
const TOKEN_START: &str = "page+/";
const TOKEN_END: &str = "==";

/// The part of a list that is served.
#[derive(Debug)]
pub(crate) struct Page<'m> {
    pub(crate) paging: &'m Paging,
    pub(crate) start: usize,
    /// How many items the client takes at most.
    pub(crate) length: usize,
    /// Number of the page, from 1.
    pub(crate) number: i64,
    /// How many items the whole list has.
    total: usize,
    /// The items are kept, not made up.
    pub(crate) kept: bool,
}

impl Page<'_> {
    /// The list has so many items, which are kept.
    pub(crate) fn keep(&mut self, total: usize) {
        self.total = total;
        self.kept = true;
    }

    /// The numbers of the items on this page.
    pub(crate) fn items(&self) -> std::ops::Range<usize> {
        let start = self.start.min(self.total);
        start..start.saturating_add(self.length).min(self.total)
    }

    /// What a member of the answer says about the page, if it is one that does.
    pub(crate) fn says(&self, name: &str) -> Option<Value> {
        let paging = self.paging;
        let items = self.items();
        let is = |member: &Option<String>| member.as_deref() == Some(name);
        if is(&paging.total) || matches!(name, "TotalCount" | "Total") {
            return Some(self.total.into());
        }
        match paging.style {
            PagingStyle::PageNumber if name == paging.position => Some(self.number.into()),
            PagingStyle::PageNumber | PagingStyle::Token if is(&paging.length) => {
                Some(self.length.into())
            }
            PagingStyle::Token if is(&paging.next) => Some(
                if items.end < self.total {
                    format!("{TOKEN_START}{}{TOKEN_END}", items.end)
                } else {
                    String::new()
                }
                .into(),
            ),
            PagingStyle::Offset if name == "size" => Some(items.len().into()),
            _ => None,
        }
    }
}

/// The page that a request asks for; `None` when the operation has no pages of this kind.
pub(crate) fn of<'m>(operation: &'m Operation, input: &Input) -> Result<Option<Page<'m>>, Problem> {
    let Some(paging) = &operation.paging else {
        return Ok(None);
    };
    let number = |name: &str| input.get(name).and_then(Value::as_i64);
    let length = paging.length.as_deref();
    let positive = |name: &str| match number(name) {
        None => Ok(None),
        Some(number) if number >= 1 => Ok(Some(number)),
        Some(_) => Err(Problem::invalid(name, "a number of at least 1")),
    };
    let page = match paging.style {
        PagingStyle::Query => return Ok(None),
        PagingStyle::Offset => {
            let limit = length
                .and_then(number)
                .and_then(|n| usize::try_from(n).ok());
            Page {
                start: number(&paging.position)
                    .and_then(|offset| usize::try_from(offset).ok())
                    .unwrap_or(0),
                length: limit
                    .filter(|limit| *limit > 0)
                    .unwrap_or(OFFSET_DEFAULT)
                    .min(OFFSET_MOST),
                number: 1,
                total: TOTAL,
                kept: false,
                paging,
            }
        }
        PagingStyle::PageNumber | PagingStyle::Token => {
            let length = length
                .map(positive)
                .transpose()?
                .flatten()
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(DEFAULT_LENGTH);
            if paging.style == PagingStyle::Token {
                let token = input.get(&paging.position).and_then(Value::as_str);
                let start = token.map_or(Some(0), start_of).ok_or_else(|| {
                    Problem::invalid(&paging.position, "the token of an answer before")
                })?;
                Page {
                    start,
                    length,
                    number: 1,
                    total: TOTAL,
                    kept: false,
                    paging,
                }
            } else {
                let number = positive(&paging.position)?.unwrap_or(1);
                Page {
                    start: usize::try_from(number - 1)
                        .unwrap_or(usize::MAX)
                        .saturating_mul(length),
                    length,
                    number,
                    total: TOTAL,
                    kept: false,
                    paging,
                }
            }
        }
    };
    Ok(Some(page))
}

fn start_of(token: &str) -> Option<usize> {
    if token.is_empty() {
        return Some(0);
    }
    token
        .strip_prefix(TOKEN_START)?
        .strip_suffix(TOKEN_END)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::*;
    use crate::wire::Service;
    use serde_json::json;

    fn page(service: Service, operation: &str, input: &Value) -> (usize, usize) {
        let operation = Model::of(service).operation(operation).unwrap();
        match of(operation, input.as_object().unwrap()) {
            Ok(Some(page)) => (page.items().start, page.items().end),
            Ok(None) => (0, 0),
            Err(_) => (99, 99),
        }
    }

    #[test]
    fn pages_by_number_token_and_offset() {
        for (input, expected) in [
            (json!({}), (0, 10)),
            (json!({"PageNumber": 3}), (20, 25)),
            (json!({"PageNumber": 2, "PageSize": 4}), (4, 8)),
            (
                json!({"PageNumber": i64::MAX, "PageSize": i64::MAX}),
                (25, 25),
            ),
            (json!({"PageNumber": 0}), (99, 99)),
            (json!({"PageSize": -1}), (99, 99)),
        ] {
            let found = page(Service::Smartag, "DescribeACLs", &input);
            assert_eq!(found, expected, "{input}");
        }
        for (input, expected) in [
            (json!({"MaxResults": 7}), (0, 7)),
            (json!({"MaxResults": 7, "NextToken": "page+/7=="}), (7, 14)),
            (json!({"NextToken": ""}), (0, 10)),
            (json!({"NextToken": "page /7=="}), (99, 99)),
        ] {
            let found = page(Service::Smartag, "ListDpiGroups", &input);
            assert_eq!(found, expected, "{input}");
        }
        for (input, expected) in [
            (json!({}), (0, 20)),
            (json!({"offset": 20, "limit": 10}), (20, 25)),
            (json!({"offset": -1, "limit": 0}), (0, 20)),
            (json!({"offset": 500, "limit": 9999}), (25, 25)),
        ] {
            let found = page(Service::Apig, "ListEnvironmentsV2", &input);
            assert_eq!(found, expected, "{input}");
        }
        assert_eq!(page(Service::Zstack, "QueryZone", &json!({})), (0, 0));
        assert_eq!(
            page(Service::Smc, "StartReplicationJob", &json!({})),
            (0, 0)
        );
    }
}
