//! What is done with all exporters together: each hands over at the same time, and all are told of in one line.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

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
    at_once_on(thread::Builder::new, exporters, f)
}

/// The same on such threads. What there is no thread for is done here, last.
fn at_once_on(
    thread: impl Fn() -> thread::Builder,
    exporters: &BTreeMap<String, Exporter>,
    f: impl Fn(&dyn Periodic) -> Result<(), String> + Sync,
) -> Vec<(String, String)> {
    let f = &f;
    thread::scope(|scope| {
        let mut running = Vec::new();
        for (name, exporter) in exporters {
            if let Some(periodic) = exporter.periodic() {
                let there = Arc::clone(&periodic);
                running.push((name, exporter, periodic, thread().spawn_scoped(scope, move || f(&*there))));
            }
        }
        // While the others are at work.
        running.sort_by_key(|(.., thread)| thread.is_ok());
        let mut failures = Vec::new();
        for (name, exporter, periodic, thread) in running {
            let result = match thread {
                Ok(thread) => thread.join(),
                Err(_) => catch_unwind(AssertUnwindSafe(|| f(&*periodic))),
            };
            match result.unwrap_or_else(|_| Err("panicked; please report this".to_owned())) {
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
    #[cfg(feature = "live")]
    parts.extend(exporters().filter_map(|(_, exporter)| Some(format!("live {}", exporter.live_url()?))));
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
            ExporterConfig::Custom(settings) => {
                parts.push(format!("export {name} every {:?}", settings.interval()));
            }
        }
    }
    if parts.is_empty() {
        "no exporters and no listener: what is recorded is read by the program itself".to_owned()
    } else {
        parts.join("  ")
    }
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::prepare::tests::{builder, exporters, print};
    use super::*;

    #[test]
    fn what_there_is_no_thread_for_is_done_all_the_same() {
        let exporters =
            exporters(builder().exporter("a", print()).exporter("b", print()).exporter("c", print()));
        // Larger than all addresses there are.
        let none = || thread::Builder::new().stack_size(1 << 47);
        let (here, done) = (thread::current().id(), AtomicU32::new(0));
        let failures = at_once_on(none, &exporters, |_| {
            assert_ne!(done.fetch_add(1, Ordering::Relaxed), 1, "the test says so");
            assert_eq!(thread::current().id(), here);
            Ok(())
        });
        assert_eq!(failures, [("b".to_owned(), "panicked; please report this".to_owned())]);
        assert_eq!(done.into_inner(), 3);
    }
}
