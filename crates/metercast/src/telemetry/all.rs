//! What is done with all exporters together: each hands over at the same time, and all are told of in one line.

use std::collections::BTreeMap;

use super::exporter::Exporter;
use crate::config::ExporterConfig;
use crate::export::Periodic;
use crate::log::Level;

/// Runs `f` for every exporter that hands over, at the same time, so that a slow one does not eat the time of the others.
/// Returns which failed; of the private ones only the log is told.
pub(super) fn at_once(
    exporters: &BTreeMap<String, Exporter>,
    f: impl Fn(&dyn Periodic) -> Result<(), String> + Sync,
) -> Vec<(String, String)> {
    let f = &f;
    std::thread::scope(|scope| {
        let mut running = Vec::new();
        for (name, exporter) in exporters {
            if let Some(periodic) = exporter.periodic() {
                running.push((name, exporter, scope.spawn(move || f(&*periodic))));
            }
        }
        let mut failures = Vec::new();
        for (name, exporter, thread) in running {
            let result = thread.join().unwrap_or_else(|_| Err("panicked; please report this".to_owned()));
            match result {
                Err(error) if exporter.is_private => {
                    exporter.log.write(Level::Error, &format!("exporter {name:?}: {error}"));
                }
                Err(error) => failures.push((name.clone(), error)),
                Ok(()) => {}
            }
        }
        failures
    })
}

/// Where things are, in one line.
pub(super) fn summary(exporters: &BTreeMap<String, Exporter>) -> String {
    let exporters = || exporters.iter().filter(|(_, exporter)| !exporter.is_private);
    let mut parts = Vec::new();
    #[cfg(feature = "serve")]
    parts.extend(exporters().filter_map(|(_, exporter)| Some(format!("metrics {}", exporter.url()?))));
    for (name, exporter) in exporters() {
        match &exporter.config {
            ExporterConfig::Prometheus(_) => {}
            ExporterConfig::Pushgateway(settings) => {
                parts.push(format!("push {name} {} every {:?}", settings.url(), settings.interval()));
            }
            ExporterConfig::Otlp(settings) => {
                parts.push(format!("push {name} {} every {:?}", settings.endpoint(), settings.interval()));
            }
            ExporterConfig::Stdout(settings) => {
                parts.push(format!("print {name} every {:?}", settings.interval()));
            }
        }
    }
    if parts.is_empty() {
        "no exporters; what is recorded stays in the process".to_owned()
    } else {
        parts.join("  ")
    }
}
