//! The executor from outside, as callers, scrapers and receivers meet it.

mod pushes;
mod reference;
mod scrapes;
mod support;
