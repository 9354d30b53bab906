//! Code written against the OpenTelemetry API records into metercast unchanged, whichever version of the API it was written
//! against.
//!
//! ```
//! use metercast_core::{Store, reading::Point};
//! use opentelemetry::{KeyValue, global};
//!
//! // First thing in `main`.
//! metercast_opentelemetry::install().unwrap();
//!
//! // Anywhere, in the program and in its dependencies.
//! let orders = global::meter("shop").u64_counter("orders.placed").with_unit("{order}").build();
//! orders.add(1, &[KeyValue::new("side", "buy")]);
//!
//! // What was recorded is on every exporter of the store; `metercast::start()` serves a page, for one.
//! let family = &Store::global().collect()[0];
//! assert_eq!((family.definition.name(), family.definition.scope().name), ("orders.placed", "shop"));
//! assert_eq!(family.series[0].point, Point::U64(1));
//! ```
//!
//! # Versions
//!
//! Programs often have several versions of the API, for each of their dependencies chooses its own, and each version has a
//! global provider that knows nothing of the others. Switch on the features of those that `cargo tree -i opentelemetry` names;
//! any of them work together in one binary.
//!
//! | API | feature | module | bound instruments |
//! | --- | --- | --- | --- |
//! | 0.33 | `v0_33`, by default | `v0_33`, and at the root | all |
//! | 0.32 | `v0_32` | `v0_32` | counters and histograms |
//! | 0.31 | `v0_31` | `v0_31` | the API has none |
//! | 0.30 | `v0_30` | `v0_30` | the API has none |
//! | 0.29 | `v0_29` | `v0_29` | the API has none |
//! | others | none: their measurements are lost, which [`unbridged`] tells a test | | |
//!
//! # Where it is recorded
//!
//! | provider | records into |
//! | --- | --- |
//! | [`install()`], [`MeterProvider::new`] | the store that is current where something is recorded, the global one outside of all scopes |
//! | [`meter_provider()`] | the store that was current where it was called |
//! | [`MeterProvider::of`] | the store that it was given |
//!
//! The global store is there from the start, so instruments may be made and used before anything is configured. In a test,
//! [`Store::scope`](metercast_core::Store::scope) and the scopes of `metercast::testing` isolate what is recorded by a provider
//! that follows the current store, also with instruments in statics. Callbacks of observable instruments and bound instruments
//! belong to the store that was current when they were made.
//!
//! # What is what
//!
//! * All 16 instruments, with unit, description and boundaries. Without boundaries a histogram has those of its unit, or those
//!   that an exporter is told to have; boundaries that make no sense are one of the store's
//!   [problems](metercast_core::Store::problems), and those of the unit stand in.
//! * Meters with equal names, versions, schema URLs and attributes are one instrumentation scope. Two scopes may have
//!   instruments of one name. Within one, equal instruments are one metric; if their descriptions or boundaries differ the first
//!   stays, and if their kinds, numbers or units do, the second is left out of what is read. Names that differ only in case
//!   are one, spelled as it was first in the program. All of that is reported once in the problems of the store.
//! * A name that OpenTelemetry does not allow is reported, and its instrument records nothing.
//! * Attributes may come in any order, and of a key that is given twice the last value stays. A list becomes a text: the list as
//!   JSON. A measurement with more than 128 attributes is counted, in a series that stands for all such; that is reported.
//! * Observable instruments: callbacks are run for each reading, never twice at once, outside of every lock. They may
//!   record, build instruments or panic, and disturb nobody else; one that takes long neither, where a `Telemetry` or a `Scrape` of
//!   metercast reads. [`with_callbacks`] unregisters them.
//! * `current_span`, with the feature `trace`, gives the store the span of a measurement, so that exemplars are taken.
//! * An instrument lives as long as the program, once it was built, and a program has a limit of them: beyond it they record
//!   nothing, which is reported. Instruments are not named after what comes from outside; attributes are for that.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(clippy::duplicate_mod, reason = "each version of the API has a copy of the adapter")]
#![cfg_attr(
    not(any(feature = "v0_33", feature = "v0_32")),
    allow(dead_code, reason = "older versions have no bound instruments, and no version has nothing")
)]

#[cfg(feature = "v0_33")]
pub mod v0_33;

#[cfg(feature = "v0_32")]
pub mod v0_32;

#[cfg(feature = "v0_31")]
pub mod v0_31;

#[cfg(feature = "v0_30")]
pub mod v0_30;

#[cfg(feature = "v0_29")]
pub mod v0_29;

mod install;
mod unbridged;
mod version;

mod library;
mod meter;
mod spelling;
mod target;

mod list;
mod odd;
mod recorder;

mod callbacks;

#[cfg(feature = "trace")]
mod span;

pub use callbacks::{Callbacks, with_callbacks};
pub use install::{InstallError, install};
#[cfg(feature = "trace")]
pub use span::current_span;
pub use unbridged::unbridged;
#[cfg(feature = "v0_33")]
pub use v0_33::{MeterProvider, meter_provider};
