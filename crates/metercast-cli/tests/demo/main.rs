//! `metercast demo` from end to end: the built program, real sockets, real programs.

mod support;

mod collectors;
mod counts;
mod mistakes;
mod prometheus;
mod pushes;
mod signals;
mod visitors;
