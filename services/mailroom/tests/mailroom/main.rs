//! The mailroom from outside, as clients, operators and who aggregates these meet it.

mod failures;
mod reference;
mod scenario;
mod settled;
mod support;
