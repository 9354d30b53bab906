//! What an exporter makes of the metrics of a store: which of them it lets out, and how.
//!
//! Every exporter has a [`Projection`] of its own: a [`Filter`] says which metrics it takes, and [`View`]s how these look.
//! The store knows nothing of them, so they can be changed while the program runs, and no exporter notices what another
//! one makes of a metric.
//!
//! ```
//! use metercast::view::{Filter, Projection, View};
//! use metercast::{Log, PrometheusPage, Store, f64_counter_with_unit, u64_counter};
//!
//! let store = Store::new();
//! store.scope(|| {
//!     u64_counter!("http.requests", "Requests", 3, "http.route" => "/", "user.id" => 7);
//!     u64_counter!("http.requests", "Requests", 2, "http.route" => "/", "user.id" => 8);
//!     f64_counter_with_unit!("worker.busy", "Time at work", "s", 1.5);
//!     u64_counter!("debug.retries", "Tries that failed", 8);
//! });
//!
//! let projection = Projection::new()
//!     .filter(Filter::new().exclude("debug.*"))
//!     .view(View::of("http.*").keep_labels(["http.route"]))
//!     .view(View::of("worker.busy").alias("worker.busy.ms").unit("ms"));
//! let page = PrometheusPage::new("own", Log::default()).projection(projection);
//! let page = page.render(&store);
//! let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
//! assert_eq!(
//!     samples,
//!     [
//!         r#"http_requests_total{http_route="/"} 5"#,
//!         "worker_busy_ms_milliseconds_total 1500",
//!         "worker_busy_seconds_total 1.5",
//!     ]
//! );
//! ```
//!
//! # What becomes of a metric
//!
//! 1. The filter says whether the exporter takes it at all.
//! 2. The views whose selector it matches apply in their order. Under [`Rule::Layered`] each changes what those before it made, field
//!    by field: of two names, units, descriptions, aggregations, limits the later one holds. Of two lists of labels to keep the
//!    later one holds too; what is dropped or renamed adds up, so that nothing that one view keeps back is let out by another.
//! 3. Its series get the buckets and the unit that the views ask for, then the labels. Those whose labels are equal then are one
//!    series: counters, up-down counters and histograms add up, of gauges the newest stands ([`GaugeMerge`]), of summaries
//!    count and sum add up and quantiles are left out. It began when the oldest of them did, and does not go down when one of
//!    them ends.
//! 4. If there are more series than the limit lets be, those that came first keep their own, and the others are one with the label
//!    `otel.metric.overflow`. The log names the metric once, and `metercast.exporter.series.overflowed` says how many there are.
//!
//! Buckets of a histogram are those that a view asks for, else those that the program declares, else the projection's
//! [default](Projection::default_buckets), else those of the unit. The store keeps the buckets that all of its exporters ask for, and
//! each exporter sums down to its own, exactly. What an exporter asks for when values have been recorded already begins to count
//! then, for this exporter alone.
//!
//! What cannot be done is said to the log, once, with the place of the view: a unit without a way to it, buckets of what is
//! no histogram, two metrics of one name; and, after a few readings or at the end, a view or a pattern that matches nothing. [`Audit`]
//! states what is let out.

mod archive;
mod audit;
mod change;
mod ended;
mod filter;
mod glob;
mod group;
mod layers;
mod memories;
mod overflow;
mod plan;
mod projection;
mod relabel;
mod resolve;
mod selector;
mod stream;
mod total;
mod transform;
mod unit;
mod unmatched;
mod warnings;

pub use audit::{Audit, AuditedMetric};
pub use change::{Aggregation, GaugeMerge, LabelRule, View};
pub use filter::{Filter, Visibilities};
pub use glob::Glob;
pub use projection::{Projection, Rule};
pub use selector::Selector;

pub(crate) use archive::{Archive, Shelf};
pub(crate) use change::Said;
pub(crate) use plan::{ByNumber, Plan};
pub(crate) use relabel::{Clash, clash};
pub(crate) use stream::{Stream, StreamView};
#[cfg(feature = "live")]
pub(crate) use total::Total;
#[cfg(feature = "otlp")]
pub(crate) use total::scaled_number;
#[cfg(feature = "otlp")]
pub(crate) use unit::scaled;
pub(crate) use unmatched::When;

#[cfg(test)]
mod tests;
