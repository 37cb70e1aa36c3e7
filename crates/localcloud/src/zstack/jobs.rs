//! What becomes of an asynchronous API? A job, found by its uuid, which the client may choose:
//! a uuid that was used before is refused, which makes it a key against double execution.

use jiff::Timestamp;
use serde_json::json;

use crate::clock;
use crate::random;
use crate::recent::Recent;
use crate::wire::{Reply, Request};

use super::failure::refuse;

const DEFAULT_TIMEOUT_SECONDS: u64 = 1800;
/// Done jobs are forgotten after this time.
const LIFE_SECONDS: i64 = 10_800;

struct Job {
    polls_left: u32,
    done: Timestamp,
    reply: Reply,
}

/// The newest jobs of so many bytes are remembered for sure: some ten thousand.
const REMEMBERED: usize = 32 * 1024 * 1024;
/// What a job takes beside the body of its result.
const OVERHEAD: usize = 512;

/// The newest jobs by uuid.
pub(super) struct Jobs {
    jobs: Recent<String, Job>,
    /// Port of the management node's own address, which clients behind a NAT cannot reach.
    unreachable: u16,
}

impl Jobs {
    pub(super) fn new(unreachable: u16) -> Self {
        Self {
            jobs: Recent::new(REMEMBERED),
            unreachable,
        }
    }

    pub(super) fn clear(&mut self) {
        self.jobs.clear();
    }

    /// Answers a poll.
    pub(super) fn poll(&mut self, request: &Request, uuid: &str, now: Timestamp) -> Reply {
        if request.method != "GET" {
            return refuse(405, "only GET method is allowed for querying job");
        }
        self.find(uuid, now)
            .unwrap_or_else(|| refuse(404, "the job has been expired"))
    }

    /// What a job has brought, or 202 while it runs; `None` when nobody knows it, or no longer.
    pub(super) fn find(&mut self, uuid: &str, now: Timestamp) -> Option<Reply> {
        let job = self.jobs.get_mut(uuid);
        let job = job.filter(|job| now < clock::shift(job.done, LIFE_SECONDS))?;
        if job.polls_left > 0 {
            job.polls_left -= 1;
            return Some(Reply::json(202, &json!({})));
        }
        Some(job.reply.clone())
    }

    /// Keeps the result of an API as a job and answers where to find it.
    pub(super) fn submit(
        &mut self,
        wishes: Wishes,
        reply: Reply,
        polls: u32,
        now: Timestamp,
    ) -> Reply {
        let uuid = wishes.uuid.unwrap_or_else(random::uuid_hex);
        let location = format!(
            "http://127.0.0.1:{}/zstack/v1/api-jobs/{uuid}",
            self.unreachable
        );
        let verdict = reply.verdict.clone();
        let bytes = reply.body.len() + OVERHEAD;
        let job = Job {
            polls_left: polls,
            done: now,
            reply,
        };
        self.jobs.insert_weighing(uuid, job, bytes);
        let timeout = wishes.timeout_seconds.saturating_mul(1000);
        let mut accepted =
            Reply::json(202, &json!({ "location": location, "apiTimeout": timeout }));
        accepted.verdict = verdict;
        accepted
    }
}

/// How a write wants its job to be kept.
pub(super) struct Wishes {
    uuid: Option<String>,
    timeout_seconds: u64,
}

/// Checks what the client says about the job of a write, before anything is executed.
pub(super) fn check(jobs: &Jobs, request: &Request) -> Result<Wishes, Reply> {
    let timeout_seconds = match request.header("x-api-timeout") {
        None => DEFAULT_TIMEOUT_SECONDS,
        Some(text) => text
            .parse()
            .map_err(|_| refuse(400, format!("Invalid header[X-API-Timeout]: {text}")))?,
    };
    let uuid = request
        .header("x-job-uuid")
        .filter(|_| request.method != "GET");
    if let Some(uuid) = uuid {
        if uuid.chars().count() != 32 {
            return Err(refuse(
                400,
                format!("Invalid header[X-Job-UUID], expected 32 characters, but got {uuid}"),
            ));
        }
        if jobs.jobs.get(uuid).is_some() {
            return Err(refuse(400, format!("Duplicate job uuid[{uuid}]")));
        }
    }
    Ok(Wishes {
        uuid: uuid.map(str::to_owned),
        timeout_seconds,
    })
}
