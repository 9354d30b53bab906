//! Edge behaviour as data: each folder of `cases/` is a claim, with what is recorded and what must come out.
//!
//! `given.toml` lists the recordings; `prometheus.txt` is the page, `otlp.txt` the pushed message as
//! `opentelemetry-proto` reads it, a line for each fact, and `log.txt` what was said meanwhile. `UPDATE=1 cargo test -p
//! conformance` writes the files anew; the diff is what is reviewed.

#![forbid(unsafe_code)]

mod given;
mod otlp;
mod promtool;
mod run;

pub use given::Given;
pub use promtool::{check, use_programs};
pub use run::{Outcome, run};
