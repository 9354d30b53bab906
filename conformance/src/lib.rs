//! Edge behaviour as data: each folder of `cases/` is a claim, with what is recorded and what must come out.
//!
//! `given.toml` lists the recordings, and what is chosen for the page; `prometheus.txt` is the page in text 0.0.4, other
//! formats that the case names have a file each, `otlp.txt` the pushed message as
//! `opentelemetry-proto` reads it, a line for each fact, `otlp_between.txt` the one before it in cases that have recordings between
//! two deliveries, and `log.txt` what was said meanwhile. `UPDATE=1 cargo test -p
//! conformance` writes the files anew; the diff is what is reviewed.
//!
//! What the recordings come to is worked out a second time, by the rules alone ([`Truth`]), and compared with what parsers and
//! servers of others understand ([`oracle`]).

#![forbid(unsafe_code)]

mod given;
mod options;
mod otlp;
mod random;
mod run;

mod samples;
mod truth;
mod unasked;

pub mod authority;
pub mod collector;
pub mod committed;
pub mod http;
pub mod oracle;
pub mod page;
pub mod program;
pub mod pushed;
pub mod servers;

pub use given::{Given, Label, Number, Recording};
pub use options::PageChoice;
pub use program::use_programs;
pub use random::Random;
pub use run::{Outcome, ServedPage, push_grpc, run, run_all};
pub use samples::{Allowed, Labels, Samples};
pub use truth::{Families, Page, Truth};
pub use unasked::Unasked;
