//! Isolation and assertions for tests of what is measured. Production code paths are what is tested: there is no `cfg(test)` in
//! what records, and a scope only selects another store.
//!
//! ```
//! use metercast::testing::FutureMetricsExt;
//! use metercast::{assert_counter, u64_counter};
//!
//! async fn place(amount: u64) {
//!     u64_counter!("orders.placed", "Orders accepted", 1, "large" => amount > 100);
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(
//! async {
//!     place(5).await;
//!     tokio::spawn(place(500).with_current_meter_provider()).await.unwrap();
//!     assert_counter!("orders.placed", 1, "large" => false);
//!     assert_counter!("orders.placed", 1, "large" => true);
//! }
//! .with_metrics()
//! # )
//! // .await
//! ```
//!
//! # A store for each test
//!
//! | where the test is | its scope |
//! | --- | --- |
//! | a function | `let _metrics = testing::scope();` as its first line, or [`isolated`] around it |
//! | a future, on any runtime or none | [`with_metrics`](FutureMetricsExt::with_metrics) on its `async` block |
//! | a task that is spawned | [`with_current_meter_provider`](FutureMetricsExt::with_current_meter_provider) on its future |
//! | a thread, `spawn_blocking` | [`with_current_meter_provider`](ClosureMetricsExt::with_current_meter_provider) on its closure |
//!
//! Any number of tests run in one process at once, whatever names they share. A guard or a timer ends in the store that it began
//! in; a bound handle belongs to the store that it was bound in.
//!
//! # Assertions
//!
//! | assertion | of |
//! | --- | --- |
//! | [`assert_counter!`](crate::assert_counter), [`assert_up_down_counter!`](crate::assert_up_down_counter), [`assert_gauge!`](crate::assert_gauge) | a value |
//! | [`assert_histogram_sum!`](crate::assert_histogram_sum), [`assert_histogram_count!`](crate::assert_histogram_count) | a distribution, summaries too |
//! | `assert_..._exists!`, `assert_..._not_exists!` of each | whether there is a series |
//! | [`assert_metrics_snapshot!`](crate::assert_metrics_snapshot) | the whole page, in a file or a literal |
//! | [`assert_lets_out!`](crate::assert_lets_out) | what an exporter lets out |
//! | [`assert_lint_clean!`](crate::assert_lint_clean) | names, units and help, by the rules of [`lint`](crate::lint) |
//!
//! A value is a number, a range (`3..`, `1..=5`), or [`at_least`], [`at_most`], [`between`], [`approx`], [`any_value`]. Labels are
//! written as at a call site; a last `..` stands for others, [`ANY`] for any value. With `since before,` in front, of a
//! [`mark`], it is asserted what came since. A failure shows what was expected and everything that is there, the nearest first.
//!
//! # What escapes
//!
//! A recording that goes past every scope while a test has one, since somebody forgot to wrap what is spawned, is kept in the global
//! store, and said with file and line: in the failure of an assertion of its metric, and once on standard error at
//! the end of the scope. [`deny_escapes`] makes it a failure of the test, [`allow_escapes`] keeps quiet. Where several tests run in
//! one process it cannot always be told whose it was; the message says so then. This costs production nothing: what
//! records outside of scopes is slower only while a scope of a test lives.
//!
//! # Time
//!
//! A [`MockClock`] stands still until it is advanced. In a store [made with it](crate::Store::with_clock), as
//! [`scope_in`] and [`with_metrics_in`](FutureMetricsExt::with_metrics_in) take it, timers, start times, the windows of summaries,
//! the expiry of series and the intervals of printing exporters and of those to a Pushgateway go by it; an OTLP push does not.
//!
//! # Exporters
//!
//! [`InMemoryExporter`](crate::InMemoryExporter) keeps what it collects, through filters and views and with a temporality for each kind;
//! [`page`] is the page as snapshots compare it.

mod assert;
mod check;
mod escapes;
mod expected;
mod labels;
mod lets_out;
mod page;
mod scope;

pub use check::{Mark, mark};
pub use escapes::{allow_escapes, deny_escapes};
pub use expected::{Expected, any_value, approx, at_least, at_most, between};
pub use labels::ANY;
pub use metercast_core::MockClock;
pub use page::{TIME, page};
pub use scope::{
    ClosureMetricsExt, FutureMetricsExt, TestScope, WithCurrentMeterProvider, WithMetrics, isolated, scope,
    scope_in,
};

#[doc(hidden)]
pub use check::{What, check_exists, check_value};
#[doc(hidden)]
pub use labels::{Labels, label_of, labels_of};
#[doc(hidden)]
pub use lets_out::check_lets_out;
#[doc(hidden)]
pub use page::{check_page, check_page_file};
