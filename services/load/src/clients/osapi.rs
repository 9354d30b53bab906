//! Clients of the job server: ask for jobs, and look at each until it is done.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{LIMIT, Pace, Worker, ask, expect};

/// What is asked for, and how it must end.
const OPS: [(&str, &str); 5] =
    [("ok", "completed"), ("ok", "completed"), ("skip", "skipped"), ("ok", "completed"), ("fail", "failed")];

/// What is answered while the queue does not.
const UNAVAILABLE: u16 = 503;

/// So many jobs of a client may be under way: while the queue does not answer, no more are asked for.
const UNDER_WAY: usize = 50;

pub(super) fn run(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let mut jobs = VecDeque::new();
    let (mut turns, mut created) = (0, 0);
    while pace.turn() {
        turns += 1;
        // More looks than jobs: what is not done yet is looked at again.
        if jobs.is_empty() || (turns % 3 == 0 && jobs.len() < UNDER_WAY) {
            created += 1;
            jobs.extend(create(worker, created)?);
        } else {
            look(worker, &mut jobs)?;
        }
    }
    // What was taken is done, whatever happened in between.
    let begun = Instant::now();
    while !jobs.is_empty() {
        if begun.elapsed() > LIMIT * 2 {
            return Err(format!("{} jobs that were taken are not done: {jobs:?}", jobs.len()));
        }
        look(worker, &mut jobs)?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Asks for a job: its id and how it must end; `None` if the queue does not answer.
fn create(worker: &Worker, number: usize) -> Result<Option<(String, &'static str)>, String> {
    let (op, end) = OPS[number % OPS.len()];
    let url = format!("{}/job", worker.addresses.controller);
    let body = json!({ "op": op }).to_string();
    let (status, answer) = ask("POST", &url, "Content-Type: application/json\r\n", body.as_bytes())?;
    worker.tally.add("osapi", format!("POST {status}"));
    if status == UNAVAILABLE {
        worker.tally.add("osapi", "(unavailable)");
        return Ok(None);
    }
    expect("a job is taken", &status, &201)?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let id = answer["id"].as_str().ok_or_else(|| format!("{answer} has no id"))?;
    Ok(Some((id.to_owned(), end)))
}

/// Looks at the job that was looked at the longest time ago.
fn look(worker: &Worker, jobs: &mut VecDeque<(String, &'static str)>) -> Result<(), String> {
    let Some((id, end)) = jobs.pop_front() else { return Ok(()) };
    let (status, answer) = ask("GET", &format!("{}/job/{id}", worker.addresses.controller), "", b"")?;
    worker.tally.add("osapi", format!("GET {status}"));
    if status == UNAVAILABLE {
        worker.tally.add("osapi", "(unavailable)");
    } else {
        expect("a job that was taken is there", &status, &200)?;
        let job: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        if job["status"] != "queued" {
            worker.tally.add("osapi", format!("(job {end})"));
            return expect(&format!("how job {id} ends"), &job["status"], &json!(end));
        }
    }
    jobs.push_back((id, end));
    Ok(())
}
