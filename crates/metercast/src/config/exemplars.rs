//! Which measurements become exemplars.

/// Which measurements become exemplars, if the application says which span is current
/// ([`Store::take_exemplars`](crate::Store::take_exemplars)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExemplarFilter {
    /// Those that are made in a sampled span.
    #[default]
    TraceBased,
    /// None.
    AlwaysOff,
}

impl ExemplarFilter {
    #[cfg(feature = "config")]
    pub(super) const NAMES: [&str; 2] = ["trace_based", "always_off"];

    /// The filter of that name, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "trace_based" => Some(Self::TraceBased),
            "always_off" => Some(Self::AlwaysOff),
            _ => None,
        }
    }
}
