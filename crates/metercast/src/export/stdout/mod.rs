//! Lines of JSON, printed at an interval: the store for people and log collectors.
//!
//! ```text
//! print (when) -> reader -> lines (what) -> json (how values are written) -> writer
//! ```

pub(crate) mod json;
mod lines;
mod print;

pub(crate) use print::Print;
