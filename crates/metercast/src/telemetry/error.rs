//! Why a start, a flush or a shutdown did not succeed: which exporter, why, and how to mend it.

use std::fmt;
#[cfg(all(unix, feature = "otlp"))]
use std::io;

use crate::config::ConfigError;

/// Why metercast did not start. `Debug` is `Display`, so that a `main` that returns it prints the sentence.
pub struct StartError(Cause);

enum Cause {
    Config(ConfigError),
    Exporters(Vec<(String, String)>),
    #[cfg(all(unix, feature = "otlp"))]
    Signals(io::Error),
}

impl StartError {
    /// The exporters that could not start, by name, each with its cause; none if something else is wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        let failures = match &self.0 {
            Cause::Exporters(failures) => failures.as_slice(),
            _ => &[],
        };
        failures.iter().map(|(name, cause)| (name.as_str(), cause.as_str()))
    }

    pub(super) fn exporters(failures: Vec<(String, String)>) -> StartError {
        StartError(Cause::Exporters(failures))
    }

    #[cfg(all(unix, feature = "otlp"))]
    pub(super) fn signals(error: io::Error) -> StartError {
        StartError(Cause::Signals(error))
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> StartError {
        StartError(Cause::Config(error))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Config(error) => write!(f, "{error}"),
            Cause::Exporters(failures) => lines(f, failures, ""),
            #[cfg(all(unix, feature = "otlp"))]
            Cause::Signals(error) => {
                write!(
                    f,
                    "cannot wait for SIGTERM: {error}; set telemetry.on_sigterm = \"ignore\" to do without"
                )
            }
        }
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Cause::Config(error) => error.source(),
            Cause::Exporters(_) => None,
            #[cfg(all(unix, feature = "otlp"))]
            Cause::Signals(error) => Some(error),
        }
    }
}

/// Which exporters could not hand over what there was, and why. `Debug` is `Display`, so that a `main` that returns
/// it prints the sentence.
#[derive(Clone)]
pub struct FlushError {
    failures: Vec<(String, String)>,
}

impl FlushError {
    pub(super) fn new(failures: Vec<(String, String)>) -> FlushError {
        FlushError { failures }
    }

    /// The exporters by name, each with its cause.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failures.iter().map(|(name, cause)| (name.as_str(), cause.as_str()))
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(f, &self.failures, ":")
    }
}

impl fmt::Debug for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FlushError {}

/// A line for each exporter: `exporter "central": cause`, or without the colon where the cause goes on the sentence.
fn lines(f: &mut fmt::Formatter<'_>, failures: &[(String, String)], colon: &str) -> fmt::Result {
    for (at, (name, cause)) in failures.iter().enumerate() {
        let line_break = if at == 0 { "" } else { "\n" };
        write!(f, "{line_break}exporter {name:?}{colon} {cause}")?;
    }
    Ok(())
}
