//! Does the code of the pages compile? The documentation tests of this package are made of them.
//!
//! They stand here and not in the crates, since a page may use several of them and tokio. That no page
//! is missing is checked by `tests/it/documents.rs`.

macro_rules! pages {
    ($($path:literal)*) => {
        $(#[doc = include_str!($path)])*
        pub struct Pages;
    };
}

pages! {
    "../README.md"
    "../crates/apig/README.md"
    "../crates/localcloud/README.md"
    "../crates/smartag/README.md"
    "../crates/smc/README.md"
    "../crates/zstack/README.md"
    "../docs/apig-calls.md"
    "../docs/apig.md"
    "../docs/blocking.md"
    "../docs/crashes.md"
    "../docs/credentials.md"
    "../docs/errors.md"
    "../docs/going-live.md"
    "../docs/pages.md"
    "../docs/retries.md"
    "../docs/smartag.md"
    "../docs/smc.md"
    "../docs/testing.md"
    "../docs/waiting.md"
    "../docs/zstack-queries.md"
    "../docs/zstack.md"
}
