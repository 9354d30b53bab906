//! Which traces are kept.

use std::fmt;

use crate::config::error::Checked;

/// Which traces are kept, by the names that `OTEL_TRACES_SAMPLER` has for it. A ratio is from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// All.
    AlwaysOn,
    /// None. Ids are still told to those who are called.
    AlwaysOff,
    /// This part of them, whatever callers keep.
    TraceIdRatio(f64),
    /// As the caller says, and all that begin here.
    #[default]
    ParentBasedAlwaysOn,
    /// As the caller says, and none that begins here.
    ParentBasedAlwaysOff,
    /// As the caller says, and this part of those that begin here.
    ParentBasedTraceIdRatio(f64),
}

/// The name of a sampler, without the ratio that some have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::config) enum Strategy {
    AlwaysOn,
    AlwaysOff,
    TraceIdRatio,
    #[default]
    ParentBasedAlwaysOn,
    ParentBasedAlwaysOff,
    ParentBasedTraceIdRatio,
}

impl Strategy {
    pub(in crate::config) const NAMES: [&str; 6] = [
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ];
    const ALL: [Strategy; 6] = [
        Strategy::AlwaysOn,
        Strategy::AlwaysOff,
        Strategy::TraceIdRatio,
        Strategy::ParentBasedAlwaysOn,
        Strategy::ParentBasedAlwaysOff,
        Strategy::ParentBasedTraceIdRatio,
    ];

    /// The one of that name, in any case, as variables have it.
    pub(in crate::config) fn named(name: &str) -> Option<Strategy> {
        let at = Strategy::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Strategy::ALL.get(at).copied()
    }

    pub(in crate::config) fn name(self) -> &'static str {
        Strategy::NAMES[self as usize]
    }

    /// Whether a ratio belongs to it.
    pub(in crate::config) fn takes_ratio(self) -> bool {
        matches!(self, Strategy::TraceIdRatio | Strategy::ParentBasedTraceIdRatio)
    }

    pub(in crate::config) fn with(self, ratio: f64) -> Sampler {
        match self {
            Strategy::AlwaysOn => Sampler::AlwaysOn,
            Strategy::AlwaysOff => Sampler::AlwaysOff,
            Strategy::TraceIdRatio => Sampler::TraceIdRatio(ratio),
            Strategy::ParentBasedAlwaysOn => Sampler::ParentBasedAlwaysOn,
            Strategy::ParentBasedAlwaysOff => Sampler::ParentBasedAlwaysOff,
            Strategy::ParentBasedTraceIdRatio => Sampler::ParentBasedTraceIdRatio(ratio),
        }
    }
}

impl Sampler {
    /// Its name, and its ratio if it has one.
    pub(in crate::config) fn parts(self) -> (Strategy, Option<f64>) {
        match self {
            Sampler::AlwaysOn => (Strategy::AlwaysOn, None),
            Sampler::AlwaysOff => (Strategy::AlwaysOff, None),
            Sampler::TraceIdRatio(ratio) => (Strategy::TraceIdRatio, Some(ratio)),
            Sampler::ParentBasedAlwaysOn => (Strategy::ParentBasedAlwaysOn, None),
            Sampler::ParentBasedAlwaysOff => (Strategy::ParentBasedAlwaysOff, None),
            Sampler::ParentBasedTraceIdRatio(ratio) => (Strategy::ParentBasedTraceIdRatio, Some(ratio)),
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (strategy, Some(ratio)) => write!(f, "{} {ratio}", strategy.name()),
            (strategy, None) => f.write_str(strategy.name()),
        }
    }
}

/// A part of all.
pub(in crate::config) fn ratio(ratio: f64) -> Checked<f64> {
    if (0.0..=1.0).contains(&ratio) {
        return Ok(ratio);
    }
    Err(format!("{ratio} is not a part of all; write 0 to 1, such as 0.1 for a tenth"))
}
