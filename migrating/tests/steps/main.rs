//! The steps of a migration run, and show what the document says.

mod collector;
mod document;
mod page;
mod parity;
mod program;
