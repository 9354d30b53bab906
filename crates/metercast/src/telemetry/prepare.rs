//! The first part of a reload: everything that can fail, while the old configuration still holds.
//!
//! What was prepared takes effect when its steps are committed, which cannot fail; dropped before, it leaves nothing behind.

use std::collections::BTreeMap;
#[cfg(feature = "serve")]
use std::net::SocketAddr;
#[cfg(feature = "serve")]
use std::sync::Arc;

use super::difference;
#[cfg(feature = "serve")]
use super::exporter::Handle;
use super::exporter::{Exporter, resource_of};
use super::reloaded::ExporterChange;
use super::step::{Act, Maker, Step};
use crate::config::{Config, ExporterConfig, OnError};
use crate::dynamic::Prepared as PreparedInstruments;
use crate::reader::Reader;
#[cfg(feature = "serve")]
use crate::serve::{Calls, Listener};

/// Everything that a reload is about to do.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) steps: BTreeMap<String, Step>,
    /// What cannot start, and nobody minds.
    pub(super) failed: BTreeMap<String, String>,
    pub(super) changes: Vec<(String, ExporterChange)>,
    /// The instruments of the new configuration, unless they are those that there are.
    pub(super) instruments: Option<PreparedInstruments>,
}

/// What there is before.
pub(super) struct Before<'a> {
    pub(super) exporters: &'a BTreeMap<String, Exporter>,
    /// What could not start; `None` if nothing was started yet.
    pub(super) failed: Option<&'a BTreeMap<String, String>>,
    pub(super) reader: &'a Reader,
    /// What a listener asks of the program.
    #[cfg(feature = "serve")]
    pub(super) calls: Calls,
    /// Listeners that are on their way out.
    #[cfg(feature = "serve")]
    pub(super) closing: Vec<Arc<Listener>>,
}

impl Before<'_> {
    /// Prepares what `config` asks for.
    ///
    /// # Errors
    ///
    /// Every exporter for which that fails, and why.
    pub(super) fn prepare(&self, config: &Config) -> Result<Prepared, Vec<(String, String)>> {
        let mut prepared = Prepared::default();
        let mut failures = Vec::new();
        #[cfg(feature = "serve")]
        let (mut listeners, closing) = self.listeners(config);
        let wanted = config.exporters().filter(|_| config.is_enabled());
        for (name, settings) in wanted {
            let new = New { name, settings, config, is_private: config.is_private(name) };
            let step = self.step(
                &new,
                #[cfg(feature = "serve")]
                Places { listener: listeners.remove(name), closing: &closing, taken: &self.taken(&prepared) },
            );
            let change = match step {
                Ok((step, change)) => {
                    prepared.steps.insert(name.to_owned(), step);
                    change
                }
                Err(cause) if self.may_fail(&new) => {
                    prepared.failed.insert(name.to_owned(), cause.clone());
                    ExporterChange::Failed(cause)
                }
                Err(cause) => {
                    failures.push((name.to_owned(), cause));
                    continue;
                }
            };
            let is_said =
                !new.is_private || !matches!(change, ExporterChange::Unchanged | ExporterChange::Failed(_));
            if is_said {
                prepared.changes.push((name.to_owned(), change));
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let is_gone =
            |name: &&String| !prepared.steps.contains_key(*name) && !prepared.failed.contains_key(*name);
        let gone = self.exporters.keys().filter(is_gone);
        prepared.changes.extend(gone.map(|name| (name.clone(), ExporterChange::Removed)));
        Ok(prepared)
    }

    /// Whether the others do not mind that it cannot start. What runs is never given up for what does not.
    fn may_fail(&self, new: &New<'_>) -> bool {
        let is_tried_again = self.failed.is_none_or(|failed| failed.contains_key(new.name));
        match self.exporters.get(new.name) {
            None => new.is_private || (is_tried_again && new.config.on_error() == OnError::Degrade),
            // What has died does not run, and is none of the user's business either.
            Some(old) => new.is_private && !old.is_alive(),
        }
    }

    /// Which of the listeners that there are serves which page: that of the same exporter, if its address stays; or that
    /// of another whose address it was. And those that nobody wants any more.
    #[cfg(feature = "serve")]
    fn listeners(&self, config: &Config) -> (BTreeMap<String, Arc<Listener>>, Vec<Arc<Listener>>) {
        let pages = || {
            config.exporters().filter_map(|(name, exporter)| match exporter {
                ExporterConfig::Prometheus(page) => Some((name, page)),
                _ => None,
            })
        };
        let held = |(name, exporter): (&'_ String, &'_ Exporter)| match (&exporter.handle, &exporter.config) {
            (Handle::Page { listener, .. }, ExporterConfig::Prometheus(config)) => {
                Some((name.clone(), config.listen().to_owned(), Arc::clone(listener)))
            }
            _ => None,
        };
        let mut free: Vec<_> = self.exporters.iter().filter_map(held).collect();
        let mut kept = BTreeMap::new();
        for is_same_name in [true, false] {
            for (name, page) in pages() {
                if kept.contains_key(name) {
                    continue;
                }
                let is_it = |(old, listen, listener): &(String, String, Arc<Listener>)| match is_same_name {
                    true => old == name && listen == page.listen(),
                    false => listen == page.listen() || listener.is_at(page.listen()),
                };
                if let Some(at) = free.iter().position(is_it) {
                    kept.insert(name.to_owned(), free.remove(at).2);
                }
            }
        }
        let free = free.into_iter().map(|(_, _, listener)| listener);
        (kept, free.chain(self.closing.iter().cloned()).collect())
    }

    /// Who listens where, or is about to.
    #[cfg(feature = "serve")]
    fn taken(&self, prepared: &Prepared) -> Vec<(String, SocketAddr)> {
        let new = prepared.steps.iter().map(|(name, step)| (name, &step.exporter));
        let all = new.chain(self.exporters);
        all.filter_map(|(name, one)| Some((name.clone(), one.listener()?.address()))).collect()
    }

    /// What is to become of an exporter.
    fn step(
        &self,
        new: &New<'_>,
        #[cfg(feature = "serve")] Places { listener, closing, taken }: Places<'_>,
    ) -> Result<(Step, ExporterChange), String> {
        let resource = resource_of(new.config, new.settings);
        let old = self.exporters.get(new.name);
        if let Some(old) = old
            && old.is_alive()
            && old.config == *new.settings
            // What the user says of the process is none of a private exporter's business once it runs.
            && (old.is_private || old.resource == resource)
        {
            return Ok((Step { exporter: old.clone(), act: Act::Nothing }, ExporterChange::Unchanged));
        }
        let change = match old {
            None => ExporterChange::Added,
            Some(old) => {
                let mut keys = difference::of_exporter(&old.config, new.settings);
                if old.resource != resource && !keys.contains(&"resource") {
                    keys.push("resource");
                }
                if keys.is_empty() {
                    keys.push("thread");
                }
                ExporterChange::Changed(keys)
            }
        };
        let log = self.reader.log().clone();
        let log = if new.is_private { log.hushed() } else { log };
        let maker = Maker {
            name: new.name,
            reader: &self.reader.clone().logging(log.clone()),
            resource: &resource,
            old: old.filter(|old| old.is_alive()),
            #[cfg(feature = "serve")]
            calls: &self.calls,
            #[cfg(feature = "serve")]
            mend_of_listen: &new.config.mend_of_listen(new.name),
            #[cfg(feature = "serve")]
            listener,
            #[cfg(feature = "serve")]
            closing,
            #[cfg(feature = "serve")]
            taken,
        };
        let (handle, act) = maker.make(new.settings)?;
        let exporter =
            Exporter { config: new.settings.clone(), resource, is_private: new.is_private, log, handle };
        Ok((Step { exporter, act }, change))
    }
}

/// Where a page may be served.
#[cfg(feature = "serve")]
struct Places<'a> {
    /// The listener that has its address.
    listener: Option<Arc<Listener>>,
    /// Those that are about to close.
    closing: &'a [Arc<Listener>],
    /// Who listens where.
    taken: &'a [(String, SocketAddr)],
}

/// An exporter that the new configuration asks for.
struct New<'a> {
    name: &'a str,
    settings: &'a ExporterConfig,
    config: &'a Config,
    is_private: bool,
}

#[cfg(test)]
pub(super) mod tests;
