//! A worker that takes jobs from a queue: how long they wait and take, how they end, attempt by attempt.
//!
//! ```text
//! $ cargo run -q -p docs --example jobs
//! shop_jobs_active 0
//! shop_jobs_attempts_total{outcome="completed"} 1
//! shop_jobs_attempts_total{outcome="failed"} 2
//! shop_jobs_completed_total{status="completed"} 1
//! shop_jobs_completed_total{status="failed"} 1
//! shop_jobs_created_total 2
//! shop_jobs_failures_total{reason="refused"} 2
//! shop_jobs_redelivered_total 1
//! ```

// A program talks to its terminal.
#![allow(clippy::print_stdout)]

use std::collections::VecDeque;
use std::error::Error;

use metercast::{Log, PrometheusPage, Store, labels};
use metercast_jobs::{Delivery, JobMetrics};

labels! {
    /// Why an attempt failed.
    enum Reason { Refused }
}

/// How often a job is tried.
const ATTEMPTS: u64 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let jobs = JobMetrics::prefixed("shop").build()?;
    let worker = jobs.worker("w1");

    let mut queue = VecDeque::new();
    for price in [7, 700] {
        jobs.created();
        queue.push_back((price, 1));
    }
    while let Some((price, nth)) = queue.pop_front() {
        let attempt = worker.begin(Delivery::nth(nth).of(ATTEMPTS));
        if price < 100 {
            attempt.complete();
        } else if !attempt.because(Reason::Refused).fail() {
            // It was not the last attempt, so the queue delivers the job again.
            queue.push_back((price, nth + 1));
        }
    }

    let page = PrometheusPage::new("page", Log::default()).render(&Store::global());
    for line in page.lines().filter(|line| line.contains("shop_jobs_") && !line.starts_with('#')) {
        println!("{line}");
    }
    Ok(())
}
