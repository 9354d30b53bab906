//! What a program holds to record with: declared once by [`metrics!`](crate::metrics), as a `static`.

mod bound;
mod counter;
mod frequency;
mod gauge;
mod guard;
mod histogram;
mod timer;
mod up_down_counter;

pub use bound::{BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter};
pub use counter::Counter;
pub use frequency::Frequency;
pub use gauge::Gauge;
pub use guard::Guard;
pub use histogram::Histogram;
pub use timer::Timer;
pub use up_down_counter::UpDownCounter;
