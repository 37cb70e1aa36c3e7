//! What does a process take? As Linux counts it.

use super::Failure;

/// How long a process was running on a processor, in microseconds; all its threads together.
pub(crate) fn worked(process: u32) -> Result<f64, Failure> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split(' ').next().unwrap_or_default();
        nanoseconds += first.parse::<f64>()?;
    }
    Ok(nanoseconds / 1000.0)
}

/// Memory in KiB: `VmRSS` is what it has, `VmHWM` the most that it had.
pub(crate) fn memory(process: u32, what: &str) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(what));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.ok_or("no such line")?.parse()?)
}
