//! The executor from outside, as callers, scrapers and receivers meet it.

mod failures;
mod pushes;
mod reference;
mod scrapes;
mod support;
