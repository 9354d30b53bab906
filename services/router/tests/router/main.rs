//! Scenario E of the seed systems: the gateway as a running program, its upstreams, its users' collector and Prometheus page, and its vendor's collector.

#![allow(clippy::print_stderr, reason = "a test says what it waits for")]

mod caches;
mod connections;
mod counts;
mod encrypted;
mod instruments;
mod names;
mod page;
mod reference;
mod refusals;
mod reloads;
mod shutdown;
mod starts;
mod support;
mod views;
