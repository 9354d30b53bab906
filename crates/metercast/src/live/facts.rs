//! What the program says of its exporters and its configuration, to be shown.

use std::time::{Duration, SystemTime};

use crate::config::{Config, ExporterConfig, ListenerConfig, LiveHistory};

/// What runs, and by which configuration.
pub(crate) struct Facts {
    pub(crate) config: Config,
    /// Those that run and those that could not start, by name.
    pub(crate) exporters: Vec<ExporterFacts>,
    /// What became of the last reload: whether it holds, what was said, and when.
    pub(crate) reload: Option<(bool, String, SystemTime)>,
}

/// What a configuration says of the page.
#[derive(Clone, Copy)]
pub(crate) struct Wished {
    /// How many lines of history there may be; `None` if no listener has the page.
    pub(super) lines: Option<usize>,
    /// Whether they are kept from now on.
    pub(super) always: bool,
}

impl Wished {
    /// What all listeners of a configuration together want.
    pub(crate) fn of(config: &Config) -> Wished {
        let pages = || {
            config.exporters().filter(|_| config.is_enabled()).filter_map(|(_, exporter)| match exporter {
                ExporterConfig::Prometheus(page) => Some(page.listener()).filter(|listener| listener.live()),
                _ => None,
            })
        };
        Wished {
            lines: pages().map(ListenerConfig::live_lines).max(),
            always: pages().any(|listener| listener.live_history() == LiveHistory::Always),
        }
    }
}

/// What is known of an exporter beside what became of its exports.
pub(crate) struct ExporterFacts {
    pub(crate) name: String,
    /// The type, as a file has it.
    pub(crate) kind: &'static str,
    /// Where it hands over, without secrets.
    pub(crate) target: String,
    pub(crate) every: Option<Duration>,
    /// Whether the program keeps it to itself.
    pub(crate) is_private: bool,
    /// Why it does not run.
    pub(crate) stopped: Option<String>,
}

impl ExporterFacts {
    /// What its settings say of an exporter. `url` is where it serves, if it does.
    pub(crate) fn of(
        name: &str,
        settings: &ExporterConfig,
        is_private: bool,
        url: Option<String>,
    ) -> ExporterFacts {
        let (kind, target, every) = match settings {
            ExporterConfig::Prometheus(page) => ("prometheus", page.to_string(), None),
            ExporterConfig::Pushgateway(gateway) => {
                ("pushgateway", gateway.url().to_string(), Some(gateway.interval()))
            }
            ExporterConfig::Otlp(otlp) => ("otlp", otlp.endpoint().to_string(), Some(otlp.interval())),
            ExporterConfig::Stdout(stdout) => {
                ("stdout", "the standard output".to_owned(), Some(stdout.interval()))
            }
            ExporterConfig::Custom(custom) => {
                ("custom", "where the program says".to_owned(), Some(custom.interval()))
            }
        };
        let target = url.unwrap_or(target);
        ExporterFacts { name: name.to_owned(), kind, target, every, is_private, stopped: None }
    }
}
