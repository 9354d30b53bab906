//! `metercast demo` from end to end: the built program, real sockets, real programs.

mod support;

mod collectors;
mod counts;
mod mistakes;
#[cfg(target_os = "linux")]
mod process;
mod prometheus;
mod pushes;
mod signals;
mod visitors;
