//! The record side of metercast: instruments, labels, scopes and the store that keeps what they record.
//!
//! A library that only wants to be measured depends on this crate alone. It does no I/O, spawns nothing, logs
//! nothing and reads no environment or configuration; what was recorded is read by the `metercast` crate.
//!
//! # The way of a measurement
//!
//! ```text
//! macro / declared metric -> site (slot number) -> scope (which store) -> region of this thread -> cell
//! ```
//!
//! Each recording thread owns a *region* of 64-bit words in the store that its scope selects, and only it writes
//! there, with a plain load and store. A reading adds the regions up. A call site holds a *slot number*, which
//! is the same in every store, so isolating a test or a tenant costs the recording code nothing.
//!
//! ```
//! use metercast_core::{Store, labels, metrics, reading::Point};
//!
//! labels! { /// The side of an order.
//!     pub enum Side { Buy, Sell } }
//!
//! metrics! {
//!     /// Orders accepted, by side and region.
//!     static ORDERS_PLACED: Counter<u64> = "orders.placed" { unit: "{order}", labels: { side: Side, region: &str } };
//! }
//!
//! let store = Store::new();
//! store.scope(|| ORDERS_PLACED.add(2, (Side::Buy, "eu")));
//!
//! let family = &store.collect()[0];
//! assert_eq!(family.definition.name(), "orders.placed");
//! assert_eq!(family.series[0].labels.to_string(), "{region=\"eu\",side=\"buy\"}");
//! assert_eq!(family.series[0].point, Point::U64(2));
//! ```
//!
//! # What recording promises
//!
//! It never fails or panics. Once a series is there it takes no lock, but for what is odd: a zero, a key given twice, a
//! value over 1 KiB, a value that is dropped. What makes no sense (NaN, infinity, a negative amount on a counter) is
//! dropped and counted in `metercast.recordings.dropped`; what contradicts itself (two kinds under one name) is
//! kept out of every reading and listed by [`Store::problems`].

// In our own tests the macros are not those of another crate, and the section that they name would count as unsafe.
#![cfg_attr(not(test), deny(unsafe_code))]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod macros;

pub mod instrument;
mod number;
mod unit;

pub mod label;

mod callsite;
mod held;
mod site;
mod write;

mod scope;

#[allow(unsafe_code, reason = "the hot path: raw pointers to the region that this thread has leased")]
mod local;

mod clock;
mod definition;
mod instrumentation;
mod interned;
mod lock;
mod name;
mod note;
mod registry;
mod said;

mod problem;
mod produced;
pub mod reading;
mod store;

mod early;
#[allow(unsafe_code, reason = "the section that the notes of its metrics lie in")]
mod own;

pub use clock::MockClock;
pub use definition::{Definition, Kind, Place, PrometheusType, Visibility};
pub use instrument::{
    BoundCounter, BoundGauge, BoundHistogram, BoundInstrument, BoundUpDownCounter, Counter, Frequency, Gauge,
    GaugeSet, Guard, Histogram, Instrument, InstrumentBuilder, InstrumentError, ObservableCounter,
    ObservableGauge, ObservableUpDownCounter, Observation, Observer, PreparedLabels, ProducedFamily,
    ProducedSeries, Producer, RuntimeObserver, Summary, Timer, UpDownCounter,
};
pub use instrumentation::Scope;
pub use label::{Bounded, KeyValue, LabelRef, LabelSet, Value, ValueRef};
pub use local::Entered;
pub use number::{Number, NumberType};
pub use problem::Problem;
pub use produced::Produced;
pub use scope::{InStore, StoreFutureExt};
pub use store::exemplars::{Exemplar, ExemplarFilter, SpanContext};
pub use store::lifecycle::Expiry;
pub use store::watch::{Noted, Watch};
pub use store::witness::Witness;
pub use store::{Store, WantedBounds, WantedExponential};

/// What the expansions of our macros and the other crates call; not for use by hand, and free to change with the macros.
#[doc(hidden)]
pub mod __private {
    pub mod note {
        pub use crate::note::*;
    }
    pub use crate::callsite::{Adhoc, Fixed};
    pub use crate::clock::OnAdvance;
    pub use crate::definition::{Descriptor, QUANTILES, WINDOW_SECONDS};
    pub use crate::instrumentation::Scope;
    pub use crate::label::{
        Bound, LabelRef, Pattern, Ranges, ValueRef, assert_one_of, ends, snake_case, snake_case_len,
    };
    pub use crate::name::instrument_name_fault;
    pub use crate::note::{Entry, Note};
    pub use crate::number::Amount;
    pub use crate::site::{EachSet, NO_LABELS};
    pub use crate::store::layout::usual_bounds;
    pub use crate::store::observables::{Registration, Runner};
}
