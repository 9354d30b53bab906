//! Scenario B of the seed systems, but for traces: the relay as a running program with PostgreSQL and Redis, its clients, and whoever
//! scrapes it.

mod endings;
mod golden;
mod nodes;
mod pools;
mod refusals;
mod scenario;
mod support;
