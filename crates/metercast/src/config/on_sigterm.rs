//! What happens when the process is asked to end.

/// What happens when the process is asked to end by SIGTERM, as long as there is something to flush: an exporter that pushes, or the
/// traces of `metercast-tracing`. Where there are only pages, metercast leaves the signal alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnSigterm {
    /// Flushes at once. If the program handled the signal when metercast first started, that is all; else it is given
    /// ten seconds to shut metercast down, as a program does that drains, and is ended by the signal after that.
    #[default]
    Auto,
    /// Flushes, and leaves it to the program to end.
    Flush,
    /// Flushes, and then ends the process.
    Exit,
    /// Does nothing: the program shuts metercast down itself.
    Ignore,
}

impl OnSigterm {
    pub(super) const NAMES: [&str; 4] = ["auto", "flush", "exit", "ignore"];

    #[cfg(feature = "config")]
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "flush" => Some(Self::Flush),
            "exit" => Some(Self::Exit),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}
