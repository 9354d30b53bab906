//! What background jobs and their workers do: jobs made and running, attempts and how jobs end, durations and waits, the workers
//! that are there, and how long ago one gave a sign of life.
//!
//! It knows no queue and no runtime: whoever takes jobs from a queue says when one is made, begins and ends.
//!
//! ```
//! use metercast::{Log, PrometheusPage, Store};
//! use metercast_jobs::{Delivery, JobMetrics};
//!
//! # let store = Store::new();
//! # store.scope(|| {
//! let jobs = JobMetrics::prefixed("shop").build()?;
//! let worker = jobs.worker("w1");
//!
//! jobs.created(); // by whoever asks for it
//!
//! let attempt = worker.begin(Delivery::nth(1).of(5)); // the queue delivers it
//! assert!(!attempt.fail()); // and will do so again
//! let attempt = worker.begin(Delivery::nth(2).of(5));
//! attempt.complete();
//!
//! let page = PrometheusPage::new("own", Log::default()).render(&Store::current());
//! assert!(page.contains("\nshop_jobs_created_total 1\n"));
//! assert!(page.contains("\nshop_jobs_active 0\n"));
//! assert!(page.contains("\nshop_jobs_attempts_total{outcome=\"failed\"} 1\n"));
//! assert!(page.contains("\nshop_jobs_attempts_total{outcome=\"completed\"} 1\n"));
//! assert!(page.contains("\nshop_jobs_completed_total{status=\"completed\"} 1\n"));
//! assert!(page.contains("\nshop_jobs_redelivered_total 1\n"));
//! assert!(page.contains("\nshop_job_duration_seconds_count 2\n"));
//! assert!(page.contains("\nshop_worker_jobs_processed_total{worker=\"w1\"} 1\n"));
//! # Ok::<(), metercast_core::InstrumentError>(())
//! # }).unwrap();
//! ```
//!
//! # Attempts and jobs
//!
//! A queue that delivers at least once delivers a job again until it is acknowledged, so a job may take several attempts. Each
//! [`Attempt`] counts once among the attempts, however it ends. A job counts once among those that are done: with the
//! attempt that [completes](Attempt::complete), [skips](Attempt::skip) or [gives it up](Attempt::give_up), or that
//! [fails](Attempt::fail) when it was the [last](Delivery::of).
//!
//! An attempt is a guard. It moves into a task, and one that is dropped is counted too: as `panicked` while its thread
//! unwinds, else as `aborted`. Everything that it records goes to the store that was current where it began.
//!
//! # Labels
//!
//! What a job is, why it failed and how it ended in the words of an application are [`Word`]s, whose type knows all values there are. A text
//! does not compile there.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod metrics;
mod part;

mod attempt;
mod delivery;
mod jobs;
mod worker;

mod heartbeat;
mod workers;

pub use attempt::{Attempt, AttemptOutcome, JobStatus};
pub use delivery::Delivery;
pub use heartbeat::{Heartbeat, LastBeat};
pub use jobs::Jobs;
pub use metercast_core::InstrumentError;
pub use metercast_core::label::Word;
pub use metrics::JobMetrics;
pub use worker::Worker;
pub use workers::{ConnectedWorker, WorkerSet, Workers};
