//! `metercast lint`, `compare` and `diff`: pages and catalogues judged, with the status that says so.

mod compare;
mod diff;
mod lint;
mod support;
