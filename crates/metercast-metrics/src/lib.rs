//! A recorder of the [`metrics`] facade over metercast: what a program and its libraries record by `counter!`, `gauge!` and
//! `histogram!` is in the same store as all else, and every exporter of metercast has it. No call site changes.
//!
//! ```
//! use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
//! use metercast_metrics::{Matcher, MetricsRecorder};
//! use metrics::{Unit, counter, describe_counter, gauge, histogram};
//!
//! // In `main`, before the first recording, instead of the recorder of metrics-exporter-prometheus. Beside it, `metercast::start()`
//! // serves and pushes what is in the store.
//! MetricsRecorder::builder()
//!     .summaries()
//!     .buckets_for(Matcher::Suffix("_seconds".to_owned()), &[0.01, 0.1, 1.0])
//!     .install()?;
//!
//! // Anywhere, as before.
//! describe_counter!("ws_connections_total", Unit::Count, "WebSocket connections accepted");
//! counter!("ws_connections_total").increment(1);
//! gauge!("pool_size", "pool" => "writes").set(5);
//! histogram!("processing_seconds").record(0.05);
//!
//! // The profile has the lines of metrics-exporter-prometheus, to the letter.
//! let options = PageOptions::new().profile(Profile::MetricsRs);
//! let page = PrometheusPage::with("main", options, &[], Log::to(|_, _| {})).render(&Store::global());
//! for line in [
//!     "# HELP ws_connections_total WebSocket connections accepted",
//!     "ws_connections_total 1",
//!     "pool_size{pool=\"writes\"} 5",
//!     "processing_seconds_bucket{le=\"0.1\"} 1",
//! ] {
//!     assert!(page.lines().any(|there| there == line), "{line}\n{page}");
//! }
//! # Ok::<(), metercast_metrics::RecorderError>(())
//! ```
//!
//! # What becomes of what
//!
//! | of the facade | in the store |
//! | --- | --- |
//! | counter | a counter of `u64`; `absolute` raises it to the value, and never lowers it |
//! | gauge | a gauge of `f64`; increments of several threads are all counted |
//! | histogram | a histogram with bounds by its unit, or what the [rules](MetricsRecorderBuilder) say: other bounds, exponential buckets, or a summary |
//! | unit | the same in UCUM: `Unit::Milliseconds` is `ms`; of a histogram that has none the unit that its name ends with, such as `_seconds` |
//! | description | the description; the first one stays, whether it comes before or after the first recording |
//! | labels | labels whose values are text, in the order of the call |
//! | target, level | left out: a name is one metric, whichever module records it |
//!
//! A handle is a name and labels: each recording looks for its series in the store that is current, so tests have stores of their own
//! (`metercast::testing`) also where handles are held in statics, and series that were idle for long can end and come back. What is
//! registered shows at zero. A recorder can also be [bound to one store](MetricsRecorderBuilder::store).
//!
//! NaN and infinity are dropped and counted in `metercast.recordings.dropped`. A name with two kinds is the metric that is read first,
//! and a name that does not follow OpenTelemetry's syntax (a letter, then letters, digits and `_ . - /`) is kept under
//! one that is near; a key with more than 128 labels is kept in the series that stands for all such. Such things are reported once, by `Store::problems` and in the log.
//!
//! # What it costs
//!
//! The macros register with each call. Once a key is known that takes no lock and no memory beyond what the macro asks for itself,
//! which is none if its labels are literals. A recorder keeps as many keys of a metric as the store keeps series of it
//! (`Store::set_limits`), and 200,000 in all, none with more than 4 KiB of labels; recordings under other keys cost an allocation more.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod error;
mod matcher;
mod rules;

mod recorder;

mod lock;
mod metric;
mod name;
mod unit;

mod same;
mod series;
mod trie;

mod gauge_guard;

pub use builder::MetricsRecorderBuilder;
pub use error::RecorderError;
pub use gauge_guard::GaugeGuard;
pub use matcher::Matcher;
pub use recorder::MetricsRecorder;
