//! What has this process used so far? Times are microseconds.

use rustix::time::{ClockId, clock_gettime};

/// The time of a clock that is never set.
pub fn wall() -> f64 {
    clock(ClockId::Monotonic)
}

/// CPU of all threads, user and system.
pub fn process() -> f64 {
    clock(ClockId::ProcessCPUTime)
}

/// CPU of this thread.
pub fn thread() -> f64 {
    clock(ClockId::ThreadCPUTime)
}

fn clock(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// A line of `/proc/self/status`, in kilobytes; 0 where there is none.
pub fn memory(line: &str) -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|all| {
            let line = all.lines().find_map(|found| found.strip_prefix(line))?;
            line.trim_end_matches("kB").trim().parse().ok()
        })
        .unwrap_or(0)
}
