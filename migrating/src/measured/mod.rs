//! From `measured`.

pub(crate) mod before;
mod bridge;
pub(crate) mod declared;
pub(crate) mod exporters;
mod shop;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
