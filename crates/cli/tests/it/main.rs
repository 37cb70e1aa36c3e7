//! The command as users run it: a process with arguments, pipes and an exit status, against a local
//! cloud in the test's own process.

mod batch;
mod call;
mod clouds;
mod common;
mod connect;
mod dry_run;
#[cfg(unix)]
mod guide;
mod habits;
mod help;
#[cfg(unix)]
mod interrupt;
mod listing;
mod local;
mod long_list;
mod nouns;
mod output;
mod pages;
mod peer;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod terminal;
mod waits;
mod whoami;
