//! What a program holds to record with: declared once by [`metrics!`](crate::metrics), as a `static`.

mod bound;
mod counter;
mod frequency;
mod gauge;
mod gauge_set;
mod guard;
mod histogram;
mod observable;
mod observation;
mod producer;
mod runtime;
mod summary;
mod timer;
mod up_down_counter;

pub use bound::{BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter};
pub use counter::Counter;
pub use frequency::Frequency;
pub use gauge::Gauge;
pub use gauge_set::GaugeSet;
pub use guard::Guard;
pub use histogram::Histogram;
pub use observable::{ObservableCounter, ObservableGauge, ObservableUpDownCounter, Observer};
pub use observation::Observation;
pub use producer::{ProducedFamily, ProducedSeries, Producer};
pub(crate) use runtime::Runtime;
pub use runtime::{
    BoundInstrument, Instrument, InstrumentBuilder, InstrumentError, PreparedLabels, RuntimeObserver,
};
pub use summary::Summary;
pub use timer::Timer;
pub use up_down_counter::UpDownCounter;
