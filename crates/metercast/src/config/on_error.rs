//! What happens if an exporter cannot start.

/// What happens if an exporter cannot start, such as a page whose address is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// None of them runs, and the start is an error.
    #[default]
    Fail,
    /// The others run, and the log says which does not and why; so does [`Telemetry::failures`](crate::Telemetry::failures).
    /// Each reload tries again. A reload that cannot change an exporter that runs is refused all the same.
    Degrade,
}

impl OnError {
    pub(super) const NAMES: [&'static str; 2] = ["fail", "degrade"];

    #[cfg(feature = "config")]
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "fail" => Some(Self::Fail),
            "degrade" => Some(Self::Degrade),
            _ => None,
        }
    }
}
