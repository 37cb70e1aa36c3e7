//! How far is a job? `GetTaskProgress` answers with what the job's tasks report, by the job's id.
//!
//! A report of type `Progress` holds a percentage as text; those of other types say in words what goes on.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "what the macros make is public, and more than is used here"
)]

use std::any::Any;

use crate::protocol::Progress;
use crate::record::Record;

crate::operation! {
    /// Returns the progress of a running job by its id.
    GetTaskProgress -> TaskProgressList: GET "/task-progresses/{apiId}" ReadOnly;
    required { path "apiId" api_id: String, }
    optional {}
}

crate::output! {
    /// Answer of [`GetTaskProgress`].
    TaskProgressList { "inventories" inventories: Vec<TaskProgress>, }
}

crate::output! {
    /// A report.
    TaskProgress {
        "type" kind: Option<String>,
        "content" content: Option<String>,
        "time" time: Option<i64>,
    }
}

pub(super) fn progress() -> Progress {
    Progress {
        operation: GetTaskProgress::operation(),
        id: "apiId",
        percent,
    }
}

/// What the latest report with a percentage says.
fn percent(answer: &dyn Record) -> Option<f64> {
    let answer: &dyn Any = answer;
    let reports = &answer.downcast_ref::<TaskProgressList>()?.inventories;
    let told = reports
        .iter()
        .filter(|report| report.kind.as_deref() == Some("Progress"));
    let latest = told.max_by_key(|report| report.time)?;
    let text = latest.content.as_deref()?.trim();
    text.trim_end_matches('%').trim_end().parse().ok()
}
