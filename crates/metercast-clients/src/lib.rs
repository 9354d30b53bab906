//! What the clients of a service do: pools of connections, asked at each reading or at an interval, waits for a connection and its use,
//! operations of databases, commands of Redis, connections to NATS, and a sampler for whatever else has to be asked for.
//!
//! ```
//! use metercast::{InMemoryReader, Store, snapshot::Point};
//! use metercast_clients::{PoolMetrics, PoolState};
//!
//! # let store = Store::new();
//! # store.scope(|| {
//! // A pool of sqlx, deadpool or bb8 is given as it is, with the feature of its version; of any other, a closure says how it stands.
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
//! | feature | what it is for |
//! | --- | --- |
//! | `sqlx_0_8`, `sqlx_0_9` | `sqlx::Pool` of that version as a [`Pool`], of any database, and its errors; 0.9 wants Rust 1.94 |
//! | `deadpool_0_12`, `deadpool_0_13` | `deadpool::managed::Pool` of that version, which those of deadpool-redis and deadpool-postgres are: 0.22 and 0.23 of deadpool-redis |
//! | `bb8_0_8`, `bb8_0_9` | `bb8::Pool` of that version, which those of bb8-redis and bb8-postgres are, with what it counts |
//! | `redis_0_32`, `redis_1` | commands over any asynchronous connection of that version, with `TimedRedis`, and its errors: those of 0.22 and 0.23 of deadpool-redis |
//! | `async_nats_0_51` | `async_nats::Client` of that version as a [`NatsClient`] |
//!
//! None is on by default, and any of them can be on together.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod error_type;
mod nats;
mod operations;
mod pool;
mod redis;
mod sampler;

pub use error_type::ErrorType;
pub use metercast_core::InstrumentError;
pub use nats::{NatsClient, NatsObservation, NatsState, NatsStatus, observe_nats};
pub use operations::{OperationTimer, Operations};
pub use pool::{
    Acquire, ConnectionEnd, InUse, Pool, PoolMetrics, PoolObservation, PoolState, PoolTimes, PoolTotals,
};
#[cfg(any(feature = "redis_0_32", feature = "redis_1"))]
pub use redis::TimedRedis;
pub use sampler::{Sampler, Sampling};
