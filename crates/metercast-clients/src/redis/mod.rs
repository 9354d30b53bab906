//! Redis: commands that are timed.

#[cfg(any(feature = "redis_0_32", feature = "redis_1"))]
mod command;
#[cfg(any(feature = "redis_0_32", feature = "redis_1"))]
mod errors;
#[cfg(any(feature = "redis_0_32", feature = "redis_1"))]
mod timed;

#[cfg(any(feature = "redis_0_32", feature = "redis_1"))]
pub use timed::TimedRedis;
