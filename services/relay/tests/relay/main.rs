//! Scenario B of the seed systems: the relay as a running program with PostgreSQL and Redis, its clients, and whoever
//! scrapes it.

mod channels;
mod endings;
mod failures;
mod golden;
mod nodes;
mod pools;
mod reference;
mod refusals;
mod scenario;
mod support;
mod traces;
