//! Why a start, a reload, a flush or a shutdown did not succeed: which exporter, why, and how to mend it.

use std::fmt;
#[cfg(all(unix, any(feature = "otlp", feature = "config")))]
use std::io;
use std::path::PathBuf;

use crate::config::{ConfigError, Problem};
use crate::log::{Level, Log};

/// Why metercast did not start. `Debug` is `Display`, so that a `main` that returns it prints the sentence.
pub struct StartError(Cause);

/// Why a reload was refused; the configuration that there was goes on. `Debug` is `Display`.
pub struct ReloadError {
    cause: Cause,
    files: Vec<PathBuf>,
}

enum Cause {
    Config(ConfigError),
    Program(Box<dyn std::error::Error + Send + Sync>),
    Exporters(Vec<(String, String)>),
    #[cfg(all(unix, feature = "otlp"))]
    Sigterm(io::Error),
    #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
    Sighup(io::Error),
    #[cfg(feature = "config")]
    Watch(std::io::Error),
    Stopped,
}

impl StartError {
    /// The exporters that could not start, by name, each with its cause; none if something else is wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.failures()
    }

    #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
    pub(super) fn sighup(error: io::Error) -> StartError {
        StartError(Cause::Sighup(error))
    }

    #[cfg(feature = "config")]
    pub(super) fn watch(error: std::io::Error) -> StartError {
        StartError(Cause::Watch(error))
    }
}

impl ReloadError {
    /// The exporters that could not be started or changed, by name, each with its cause; none if something else is wrong.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cause.failures()
    }

    /// The files that the refused configuration was read from, or would have been if they were there, and those that its
    /// exporters encrypt with: if one of them changes it may be worth another try. None if it is over, or the program itself
    /// refused.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The same, of a configuration that depends on these files.
    pub(super) fn in_files(self, files: Vec<PathBuf>) -> ReloadError {
        ReloadError { files, ..self }
    }

    /// What is wrong with the configuration; nothing if something else is wrong.
    pub fn problems(&self) -> &[Problem] {
        match &self.cause {
            Cause::Config(error) => error.problems(),
            _ => &[],
        }
    }

    pub(super) fn exporters(failures: Vec<(String, String)>) -> ReloadError {
        Cause::Exporters(failures).into()
    }

    #[cfg(all(unix, feature = "otlp"))]
    pub(super) fn sigterm(error: io::Error) -> ReloadError {
        Cause::Sigterm(error).into()
    }

    /// What the program says against it.
    pub(super) fn program(error: Box<dyn std::error::Error + Send + Sync>) -> ReloadError {
        match error.downcast::<ConfigError>() {
            Ok(error) => (*error).into(),
            Err(error) => Cause::Program(error).into(),
        }
    }

    pub(super) fn stopped() -> ReloadError {
        Cause::Stopped.into()
    }

    /// The first configuration of all could not be taken.
    pub(super) fn into_start(self) -> StartError {
        StartError(self.cause)
    }
}

impl Cause {
    fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        let failures = match self {
            Cause::Exporters(failures) => failures.as_slice(),
            _ => &[],
        };
        failures.iter().map(|(name, cause)| (name.as_str(), cause.as_str()))
    }

    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Cause::Config(error) => std::error::Error::source(error),
            Cause::Program(error) => error.source(),
            Cause::Exporters(_) | Cause::Stopped => None,
            #[cfg(all(unix, feature = "otlp"))]
            Cause::Sigterm(error) => Some(error),
            #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
            Cause::Sighup(error) => Some(error),
            #[cfg(feature = "config")]
            Cause::Watch(error) => Some(error),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Config(error) => write!(f, "{error}"),
            Cause::Program(error) => write!(f, "{error}"),
            Cause::Exporters(failures) => lines(f, failures, ""),
            #[cfg(all(unix, feature = "otlp"))]
            Cause::Sigterm(error) => {
                write!(
                    f,
                    "cannot wait for SIGTERM: {error}; set telemetry.on_sigterm = \"ignore\" to do without"
                )
            }
            #[cfg(all(unix, any(feature = "otlp", feature = "config")))]
            Cause::Sighup(error) => {
                write!(f, "cannot wait for SIGHUP: {error}; do without reload_on_sighup")
            }
            #[cfg(feature = "config")]
            Cause::Watch(error) => {
                write!(f, "cannot watch the files of the configuration: {error}; do without watch")
            }
            Cause::Stopped => f.write_str("metercast was shut down; nothing is reloaded any more"),
        }
    }
}

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> StartError {
        StartError(Cause::Config(error))
    }
}

impl From<ConfigError> for ReloadError {
    fn from(error: ConfigError) -> ReloadError {
        ReloadError { files: error.files().to_vec(), cause: Cause::Config(error) }
    }
}

impl From<Cause> for ReloadError {
    fn from(cause: Cause) -> ReloadError {
        ReloadError { cause, files: Vec::new() }
    }
}

macro_rules! as_its_cause {
    ($($error:ident . $cause:tt)*) => {$(
        impl fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$cause, f)
            }
        }

        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$cause, f)
            }
        }

        impl std::error::Error for $error {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                self.$cause.source()
            }
        }
    )*};
}

as_its_cause!(StartError.0 ReloadError.cause);

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

    /// Writes a line for each exporter, where nobody takes the error, unless it has said the same itself.
    pub(crate) fn log(&self, log: &Log) {
        for (name, cause) in self.failures() {
            log.write_unless_said(Level::Error, &format!("exporter {name:?}: {cause}"));
        }
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
