//! Instruments from a configuration: what is measured of the requests of a service is said in its file, and changed while it runs.
//!
//! A program, or a layer that it uses, says which [stages](Stage) its operations go through and what can be asked of them. The
//! operator then defines instruments: a kind, a value, attributes by [selectors](Selector), and a condition.
//!
#![cfg_attr(feature = "config", doc = "```")]
#![cfg_attr(not(feature = "config"), doc = "```ignore")]
//! use metercast::config::Config;
//! use metercast::dynamic::{Found, Moment, Selection, Selector, Source, Stage, Stages};
//! use metercast::{FutureMetricsExt, Log, PrometheusPage, Store, Telemetry};
//!
//! // What the program says: there are jobs, and each has a queue, and in the end a result.
//! let jobs = Stage::new("jobs")
//!     .selector(Selector::truth("queue", "Where it came from", &[Moment::Request]))
//!     .selector(Selector::truth("result", "How it went", &[Moment::Response]));
//! let stages = Stages::new([jobs]);
//! let jobs = stages.stage("jobs").unwrap();
//!
//! struct Job(&'static str);
//! impl Source for Job {
//!     fn find<'a>(&'a self, _: &'a Selection) -> Found<'a> {
//!         self.0.into()
//!     }
//! }
//!
//! // What the operator says.
//! let file = r#"
//!     [telemetry.instruments.jobs."mail.failed"]
//!     type = "counter"
//!     value = "unit"
//!     description = "Mails that were not sent"
//!     attributes = { queue = { queue = true } }
//!     condition = { not = { eq = ["sent", { result = true }] } }
//! "#;
//! let store = Store::new();
//! let config = Config::builder().environment(false).without_exporter("prometheus").stages(&stages);
//! let telemetry = Telemetry::builder(config.text("mailer.toml", file).build()?).store(store.clone()).start()?;
//!
//! // What happens.
//! store.scope(|| {
//!     for result in ["sent", "bounced"] {
//!         let mut job = jobs.begin(&Job("night")).expect("there is an instrument");
//!         job.response(&Job(result));
//!         job.end(&());
//!     }
//! });
//! let page = PrometheusPage::new("own", Log::default()).render(&store);
//! assert!(page.contains("mail_failed_total{queue=\"night\"} 1\n"), "{page}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`config`](crate::config#instruments) has every key. Such instruments are public, and never reach a
//! [private exporter](crate::config::ConfigBuilder::private_exporter), whatever its filter says. A reload puts others in place; what an
//! instrument that stays has counted stays, and the series of one that leaves are gone.
//!
//! # When something is recorded
//!
//! Once, when the operation is over, also if it was broken off or panicked: as long as its condition is known to hold by then. So a
//! request whose client went away counts in a counter without a condition, and not in one that waits for a status. An up-down
//! counter of `unit` goes up at the request and comes down at the end; values of events and fields are recorded at each.
//!
//! Where no instrument is defined for a stage, an operation costs a look at one flag.

#![cfg_attr(
    not(feature = "config"),
    allow(dead_code, unused_imports, reason = "only a file asks for selectors, conditions and redaction")
)]

mod moment;
mod selector;
mod source;
mod standard;

mod condition;
mod definition;

mod operation;
mod plan;
mod stage;

mod installed;

#[cfg(all(test, feature = "config"))]
mod tests;

pub(crate) use condition::Condition;
#[cfg(feature = "config")]
pub(crate) use definition::Part;
pub(crate) use definition::{Amount, Attribute, Definition, Said, TimeUnit};
pub(crate) use installed::{Installed, Instruments, Prepared};
pub use moment::Moment;
pub use operation::Operation;
pub(crate) use selector::{Operand, Redaction, Takes};
pub use selector::{Selection, Selector};
pub use source::{Found, Source};
pub use stage::{Stage, StageHandle, Stages};
pub use standard::{Level, Measures, Standard};
