//! An exporter's access to the store: readings, and the problems that the record side met, each said once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metercast_core::Store;

use crate::log::{Level, Log};
#[cfg(feature = "live")]
use crate::outcome::Outcomes;
use crate::own::Own;
use crate::view::{Archive, Shelf};

/// Reads a store, cumulatively: every reading holds everything since the start. Readers do not disturb each other,
/// and cost the recording code nothing.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    store: Store,
    log: Log,
    /// Where to write what is wrong with the store, which is not the exporter's.
    store_log: Log,
    /// Whether exporters are measured, which can be switched.
    is_measured: Arc<AtomicBool>,
    /// The exporter that reads, measured.
    own: Own,
    /// What became of their exports.
    #[cfg(feature = "live")]
    outcomes: Outcomes,
    /// What exporters remember of the store.
    archive: Archive,
    /// What the one that reads does.
    shelf: Shelf,
    /// Lets a test see what a panic in the next reading does.
    #[cfg(test)]
    pub(crate) panics: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Reader {
    pub(crate) fn new(store: Store, log: Log) -> Reader {
        Reader {
            store,
            store_log: log.clone(),
            log,
            is_measured: Arc::new(AtomicBool::new(true)),
            own: Own::default(),
            #[cfg(feature = "live")]
            outcomes: Outcomes::default(),
            archive: Archive::default(),
            shelf: Shelf::default(),
            #[cfg(test)]
            panics: std::sync::Arc::default(),
        }
    }

    /// From now on, says whether the exporters of all its clones are measured.
    pub(crate) fn measure(&self, is_measured: bool) {
        self.is_measured.store(is_measured, Ordering::Relaxed);
    }

    /// The same, writing elsewhere what goes wrong with the exporter.
    pub(crate) fn logging(self, log: Log) -> Reader {
        Reader { log, ..self }
    }

    /// The same for one exporter.
    pub(crate) fn of_exporter(&self, name: &str, component: &'static str) -> Reader {
        #[cfg(feature = "live")]
        let outcome = self.outcomes.of(name);
        #[cfg(not(feature = "live"))]
        let outcome = crate::outcome::Outcome::default();
        let own = Own::of(&self.store, name, component, Arc::clone(&self.is_measured), outcome);
        Reader { own, shelf: self.archive.shelf(name), ..self.clone() }
    }

    /// What the exporter that reads remembers of the store, and those of its name before it.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Says which exporters there are from now on.
    pub(crate) fn settle_exporters(&self, is_there: impl Fn(&str) -> bool) {
        #[cfg(feature = "live")]
        self.outcomes.settle(&is_there);
        self.archive.settle(is_there);
    }

    /// What became of the exports of the exporter of this name.
    #[cfg(feature = "live")]
    pub(crate) fn outcome(&self, name: &str) -> crate::outcome::Ended {
        self.outcomes.of(name).so_far()
    }

    /// The store, to ask what no reading tells, or to say what an exporter wants of it.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Measures the exporter that reads.
    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    /// Where to write what goes wrong.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Reads the store with `read`, and says what is wrong with it.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Store) -> R) -> R {
        #[cfg(test)]
        assert!(!self.panics.swap(false, std::sync::atomic::Ordering::Relaxed), "the test says so");
        let result = self.own.collect(|| read(&self.store));
        self.say_problems();
        result
    }

    /// Clones of the log share what was said, so each problem is logged once however many exporters read.
    fn say_problems(&self) {
        for problem in self.store.problems() {
            self.store_log.write_once(Level::Warn, &problem.to_string());
        }
    }
}
