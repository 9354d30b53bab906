//! When the live page begins to keep its history.

/// When the page for people begins to keep its history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LiveHistory {
    /// When somebody looks for the first time. Until then nothing runs, and no memory is taken.
    #[default]
    FirstUse,
    /// From the start, so that whoever looks later sees what was before.
    Always,
}

impl LiveHistory {
    /// The names that a file has for them.
    pub(super) const NAMES: [&str; 2] = ["first_use", "always"];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FirstUse => Self::NAMES[0],
            Self::Always => Self::NAMES[1],
        }
    }

    #[cfg(feature = "config")]
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::FirstUse, Self::Always].into_iter().find(|history| history.name() == name)
    }
}
