//! What an exporter makes of the metrics of a store: which of them it lets out, and how.
//!
//! Every exporter has a [`Projection`] of its own: a [`Filter`] says which metrics it takes, and [`View`]s how these look.
//! The store knows nothing of them, so they can be changed while the program runs, and no exporter notices what another
//! one makes of a metric.
//!
//! ```
//! use metercast::view::{Filter, Projection, View};
//!
//! let projection = Projection::new()
//!     .filter(Filter::new().exclude("debug.*"))
//!     .view(View::of("http.server.*").keep_labels(["http.route"]))
//!     .view(View::of("http.server.request.duration").alias("http_latency").unit("ms"));
//! ```

mod audit;
mod change;
mod filter;
mod glob;
mod group;
mod layers;
mod plan;
mod projection;
mod relabel;
mod resolve;
mod selector;
mod stream;
mod total;
mod transform;
mod unit;
mod warnings;

pub use audit::{Audit, AuditedMetric};
pub use change::{Aggregation, GaugeMerge, LabelRule, View};
pub use filter::{Filter, Visibilities};
pub use glob::Glob;
pub use projection::{Projection, Rule};
pub use selector::Selector;

pub(crate) use plan::{ByNumber, Plan};
pub(crate) use stream::{Stream, StreamView};
pub(crate) use total::scaled_number;
pub(crate) use unit::scaled;

#[cfg(test)]
mod tests;
