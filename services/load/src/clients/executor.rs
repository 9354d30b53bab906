//! Clients of the executor: run tools that do what they are to do, tools that do not, and go away in between.

use serde_json::{Value, json};

use super::{Pace, Worker, ask, begin, expect};

/// One execution in so many is broken off.
const BROKEN_OFF: usize = 40;

pub(super) fn run(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let url = format!("{}/api/executions", worker.addresses.executor);
    let count = |what: &str| worker.tally.add("executor", what);
    let (mut turns, mut waits) = (0, 0);
    while pace.turn() {
        turns += 1;
        if turns % BROKEN_OFF == 0 {
            waits += 1;
            let tool = format!("wait.executor-{}", worker.number);
            let body = json!({ "trigger": "schedule", "calls": [tool] }).to_string();
            let connection = begin("POST", &url, "", &body)?;
            worker.upstream.wait_for_call(&tool, waits)?;
            count("execution broken off");
            count("(tool wait)");
            drop(connection);
            continue;
        }
        let (calls, status): (&[&str], _) = if turns % 5 == 0 {
            (&["broken.get", "ok.post"], "failed")
        } else {
            (&["ok.get", "ok.post"], "completed")
        };
        let body = json!({ "trigger": "manual", "calls": calls }).to_string();
        let (code, report) = ask("POST", &url, "Content-Type: application/json\r\n", body.as_bytes())?;
        expect("an execution", &code, &200)?;
        let report: Value = serde_json::from_slice(&report).map_err(|error| error.to_string())?;
        expect("how an execution ends", &report["status"], &json!(status))?;
        count(&format!("execution {status}"));
        let called = report["calls"].as_array().map_or(0, Vec::len);
        for call in &calls[..called.min(calls.len())] {
            count(&format!("(tool {})", call.split('.').next().unwrap_or(call)));
        }
    }
    Ok(())
}
