//! Pools and clients against real servers: when all connections are taken and when they are lost, it shows.

mod nats;
mod page;
mod postgres;
mod redis;
