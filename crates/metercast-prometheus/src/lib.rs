//! Metrics that a program keeps with the [`prometheus`](https://docs.rs/prometheus) or
//! [`prometheus-client`](https://docs.rs/prometheus-client) crate, on the same page and in the same push as its own.
//!
#![cfg_attr(feature = "prometheus", doc = "```")]
#![cfg_attr(not(feature = "prometheus"), doc = "```ignore")]
//! use metercast_core::{Store, reading::Point};
//! use prometheus::{IntCounter, Registry};
//!
//! let requests = IntCounter::new("http_requests_total", "Requests.").unwrap();
//! let registry = Registry::new();
//! registry.register(Box::new(requests.clone())).unwrap();
//!
//! let store = Store::new();
//! let collectors = store.scope(|| metercast_prometheus::registry(&registry));
//! requests.inc_by(3);
//! assert_eq!(store.collect()[0].definition.name(), "http_requests_total");
//! assert_eq!(store.collect()[0].series[0].point, Point::F64(3.0));
//! drop(collectors); // or `forever`
//! assert!(store.collect().is_empty());
//! ```
//!
//! Nothing is copied while the program records: a registry is asked whenever the store is read, once for all exporters
//! that read at the same time. Everything that exporters make of a store holds for these metrics too: filters, views,
//! temporality, formats, asserts of tests.
//!
//! # Names
//!
//! A metric has the name that PromQL knows, and keeps it everywhere: `http_requests_total` is that on the page, and neither
//! `_total` nor a unit is put behind it. In OTLP it has this name as well, since OpenTelemetry's *Prometheus and OpenMetrics
//! Compatibility* says that by default names are not altered: so queries find a metric whichever way it came. A
//! [view](https://docs.rs/metercast/latest/metercast/view) renames it, and then it is named as all others are. The unit, which
//! prometheus-client knows, is translated: `seconds` is `s` in OTLP, and `seconds` on a page.
//!
//! | Prometheus | is read as |
//! | --- | --- |
//! | counter | counter |
//! | gauge, unknown | gauge |
//! | histogram | histogram, with its own buckets: only views that ask for some of these change them |
//! | summary | summary |
//! | info | up-down counter, since several add up to how many there are |
//!
//! # What goes wrong
//!
//! Where a `Telemetry` or a `Scrape` of metercast reads, collectors run on the thread for callbacks, with its limit of time: one
//! that hangs delays nobody, and what its registry said last is served; one that panics is left out. A name that the program
//! records under itself stays the program's. Series that are said twice, buckets that count down, lines that nobody understands: they are left out, and
//! listed once by [`Store::problems`](metercast_core::Store::problems). Of a family there are at most 10,000 series.
//!
//! # Features
//!
//! | feature | what for |
//! | --- | --- |
//! | `prometheus` | registries and collectors of prometheus 0.14 |
//! | `prometheus-client` | registries and collectors of prometheus-client 0.25 |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod source;

#[cfg(feature = "prometheus-client")]
mod client;
#[cfg(feature = "prometheus")]
mod families;
#[cfg(feature = "prometheus-client")]
mod line;
#[cfg(feature = "prometheus-client")]
mod page;
#[cfg(feature = "prometheus-client")]
mod unit;

#[cfg(feature = "prometheus-client")]
pub use client::client_collector;
#[cfg(feature = "prometheus")]
pub use families::collector;
#[doc(hidden)]
pub use source::Source;
pub use source::{Registry, registry};
