//! What does another process take? As Linux counts it.

use super::Failure;

/// How long a process was running on a processor, in microseconds; all its threads together. Of the one that
/// asks it would be as old as the last tick.
pub(crate) fn worked(process: u32) -> Result<f64, Failure> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split(' ').next().unwrap_or_default();
        nanoseconds += first.parse::<f64>()?;
    }
    Ok(nanoseconds / 1000.0)
}
