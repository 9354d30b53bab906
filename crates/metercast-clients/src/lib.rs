//! What the clients of a service do: pools of connections, asked at each reading or at an interval, waits for a connection, and a
//! sampler for whatever else has to be asked for.
//!
//! ```
//! use metercast::{InMemoryReader, Store, snapshot::Point};
//! use metercast_clients::{PoolMetrics, PoolState};
//!
//! # let store = Store::new();
//! # store.scope(|| {
//! // A pool of sqlx or deadpool is given as it is, with the feature of its version; of any other, a closure says how it stands.
//! let observed = PoolMetrics::semantic("orders").observe(|| PoolState::new(4, 3).max(10))?;
//!
//! let snapshot = InMemoryReader::new(Store::current()).collect();
//! let max = &snapshot.family("db.client.connection.max").unwrap().series[0];
//! assert_eq!(max.labels.to_string(), r#"{db.client.connection.pool.name="orders"}"#);
//! assert_eq!(max.point, Point::I64(10));
//! # drop(observed);
//! # Ok::<(), metercast_core::InstrumentError>(())
//! # }).unwrap();
//! ```
//!
//! # Features
//!
//! | feature | what can be given as a pool |
//! | --- | --- |
//! | `sqlx_0_8`, `sqlx_0_9` | `sqlx::Pool` of that version, of any database; 0.9 wants Rust 1.94 |
//! | `deadpool_0_12`, `deadpool_0_13` | `deadpool::managed::Pool` of that version, which those of deadpool-redis and deadpool-postgres are: 0.22 and 0.23 of deadpool-redis |
//!
//! None is on by default, and any of them can be on together.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod pool;
mod sampler;
mod waits;

pub use pool::{Pool, PoolMetrics, PoolObservation, PoolState};
pub use sampler::{Sampler, Sampling};
pub use waits::PoolWaits;
