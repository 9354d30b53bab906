//! `metercast lint`, `compare` and `diff`: pages and catalogues judged, with the status that says so; and what is made of the commands themselves.

mod compare;
mod diff;
mod lint;
mod manual;
mod support;
