//! The relay as a running program, and what stands around it.

mod client;
mod page;
mod program;
mod services;

pub(crate) use client::Client;
pub(crate) use conformance::program::until;
pub(crate) use page::{Page, TABLE};
pub(crate) use program::Relay;
pub(crate) use services::{Services, Statements};
