//! Which measurements become exemplars.

use crate::ExemplarFilter;

pub(super) const NAMES: [&str; 3] = ["trace_based", "always_on", "always_off"];

/// The filter of that name, in any case.
pub(super) fn named(name: &str) -> Option<ExemplarFilter> {
    match name.to_ascii_lowercase().as_str() {
        "trace_based" => Some(ExemplarFilter::TraceBased),
        "always_on" => Some(ExemplarFilter::AlwaysOn),
        "always_off" => Some(ExemplarFilter::AlwaysOff),
        _ => None,
    }
}

/// The name of the filter.
pub(super) fn name(filter: ExemplarFilter) -> String {
    let known = NAMES.into_iter().find(|word| named(word) == Some(filter));
    known.unwrap_or("trace_based").to_owned()
}
