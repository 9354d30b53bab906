//! The live page in a browser: what people see, and what they can do with it.
#![cfg(all(unix, feature = "live", feature = "config", feature = "otlp", feature = "tls"))]

mod browser;
mod collector;
mod proxy;
mod shop;

mod crowds;
mod detail;
mod faults;
mod figures;
mod keys;
mod looks;
mod origin;
mod state;

#[path = "../support/mod.rs"]
mod support;

/// Whether there is a browser to be used. If not, `test` is noted as skipped.
fn has_browser(test: &str) -> bool {
    conformance::use_programs(test, "chromium")
}
