//! How does a ZStack differ from another? What its deployments and its documentation disagree on.

/// Behaviour that the builder sets and a test may change while the cloud runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    /// Take the lower-case body key of the documentation page.
    pub(crate) follow_page: bool,
    /// Answer 200 where the real server answers 202.
    pub(crate) synchronous: bool,
    /// Write `state` as `{name, ordinal}`.
    pub(crate) state_as_object: bool,
    /// Compare instants instead of wall clocks.
    pub(crate) check_time_zone: bool,
    /// The server's wall clock, seconds east of UTC.
    pub(crate) utc_offset: i32,
    /// How many polls find a job still running.
    pub(crate) job_polls: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            follow_page: false,
            synchronous: false,
            state_as_object: false,
            check_time_zone: false,
            utc_offset: 0,
            job_polls: 1,
        }
    }
}
