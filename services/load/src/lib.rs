//! All five services at once, as programs, with everything that they need around them, and clients that count what they were answered.
//!
//! `cargo xtask services` shows it to people; the soak in `tests` shows that clients, services, collector and Prometheus agree.

#![forbid(unsafe_code)]

mod ports;
mod service;
mod stage;
mod upstream;

mod clients;
mod tally;

mod agreement;
mod page;

pub use agreement::Agreement;
pub use clients::Load;
pub use page::OwnPage;
pub use ports::Ports;
pub use service::{Held, Service};
pub use stage::Stage;
pub use tally::Tally;
