//! The first part of a reload: everything that can fail, while the old configuration still holds.
//!
//! What was prepared takes effect when its steps are committed, which cannot fail; dropped before, it leaves nothing behind.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::difference;
use super::exporter::{Exporter, Handle, resource_of};
use super::reloaded::ExporterChange;
use crate::config::{Config, ExporterConfig, OnError};
use crate::export::Timer;
#[cfg(feature = "otlp")]
use crate::export::otlp::{Change, Push, Settings};
#[cfg(feature = "serve")]
use crate::export::prometheus::PrometheusPage;
#[cfg(feature = "otlp")]
use crate::export::pushgateway;
use crate::export::stdout::Print;
use crate::own;
use crate::reader::Reader;
#[cfg(feature = "serve")]
use crate::scrape::Scrape;
#[cfg(feature = "serve")]
use crate::serve::{Listener, Reload, Site};

/// What is to become of one exporter.
pub(super) struct Step {
    /// As it is then.
    exporter: Exporter,
    act: Act,
}

/// What there is to do for it.
enum Act {
    Nothing,
    /// Its thread waits to begin.
    Begin,
    /// On the listener that there is.
    #[cfg(feature = "serve")]
    Serve(Box<Site>, Option<Scrape>),
    /// On a listener that waits to be opened.
    #[cfg(feature = "serve")]
    Open(Option<Scrape>),
    #[cfg(feature = "otlp")]
    Push(Box<Change>),
    #[cfg(feature = "otlp")]
    Gateway(Box<pushgateway::Push>, Duration),
    Print(Box<Print>, Duration),
}

/// Everything that a reload is about to do.
#[derive(Default)]
pub(super) struct Prepared {
    pub(super) steps: BTreeMap<String, Step>,
    /// What cannot start, and nobody minds.
    pub(super) failed: BTreeMap<String, String>,
    pub(super) changes: Vec<(String, ExporterChange)>,
}

/// What there is before.
pub(super) struct Before<'a> {
    pub(super) exporters: &'a BTreeMap<String, Exporter>,
    /// What could not start; `None` if nothing was started yet.
    pub(super) failed: Option<&'a BTreeMap<String, String>>,
    pub(super) reader: &'a Reader,
    /// What a listener is to call where it may reload.
    #[cfg(feature = "serve")]
    pub(super) reload: Reload,
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
                (listeners.remove(name), &closing),
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
        let gone = self.exporters.keys().filter(|name| !prepared.steps.contains_key(*name));
        prepared.changes.extend(gone.map(|name| (name.clone(), ExporterChange::Removed)));
        Ok(prepared)
    }

    /// Whether the others do not mind that it cannot start. What runs is never given up for what does not.
    fn may_fail(&self, new: &New<'_>) -> bool {
        let is_tried_again = self.failed.is_none_or(|failed| failed.contains_key(new.name));
        !self.exporters.contains_key(new.name)
            && (new.is_private || (is_tried_again && new.config.on_error() == OnError::Degrade))
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

    /// What is to become of an exporter.
    fn step(
        &self,
        new: &New<'_>,
        #[cfg(feature = "serve")] (listener, closing): (Option<Arc<Listener>>, &[Arc<Listener>]),
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
        let reader = self.reader.clone().logging(log.clone());
        let old = old.filter(|old| old.is_alive());
        let (handle, act) = match new.settings {
            #[cfg(feature = "serve")]
            ExporterConfig::Prometheus(settings) => {
                let old = old.and_then(|old| match (&old.handle, &old.config) {
                    (Handle::Page { scrape, .. }, ExporterConfig::Prometheus(config)) => {
                        let is_same_page = config.page() == settings.page()
                            && config.projection() == settings.projection()
                            && old.resource == resource;
                        Some((scrape.clone(), is_same_page))
                    }
                    _ => None,
                });
                let (scrape, old) = match old {
                    Some((scrape, true)) => (scrape, None),
                    old => {
                        let reader = reader.of_exporter(new.name, own::PROMETHEUS);
                        let page =
                            PrometheusPage::with(new.name, settings.page().clone(), &resource, log.clone())
                                .projection(settings.projection().clone());
                        (Scrape::of(reader, page), old.map(|(scrape, _)| scrape))
                    }
                };
                let site = Site::new(new.name, settings, scrape.clone(), Some(Arc::clone(&self.reload)))?;
                match listener {
                    Some(listener) => (Handle::Page { listener, scrape }, Act::Serve(Box::new(site), old)),
                    None => {
                        let listener = Arc::new(Listener::bind(settings.listen(), site, closing)?);
                        (Handle::Page { listener, scrape }, Act::Open(old))
                    }
                }
            }
            #[cfg(not(feature = "serve"))]
            ExporterConfig::Prometheus(_) => {
                return Err(
                    "is of type prometheus, and this build has none; enable the feature \"serve\" of metercast"
                        .into(),
                );
            }
            #[cfg(feature = "otlp")]
            ExporterConfig::Otlp(settings) => {
                let cannot_start = |error: io::Error| format!("cannot start: {error}");
                let settings = Settings::of(new.name, settings);
                match old.map(|old| &old.handle) {
                    Some(Handle::Push(push)) => {
                        let change = Change::prepare(settings, &resource).map_err(cannot_start)?;
                        (Handle::Push(Arc::clone(push)), Act::Push(Box::new(change)))
                    }
                    _ => {
                        let push = Push::prepare(settings, &reader, &resource).map_err(cannot_start)?;
                        (Handle::Push(Arc::new(push)), Act::Begin)
                    }
                }
            }
            #[cfg(feature = "otlp")]
            ExporterConfig::Pushgateway(settings) => {
                let reader = reader.of_exporter(new.name, own::PUSHGATEWAY);
                let push = pushgateway::Push::of(new.name, settings, reader, &resource);
                match old.map(|old| &old.handle) {
                    Some(Handle::Gateway(timer)) => {
                        let act = Act::Gateway(Box::new(push), settings.interval());
                        (Handle::Gateway(Arc::clone(timer)), act)
                    }
                    _ => {
                        let timer = Timer::prepare(new.name, settings.interval(), push)
                            .map_err(|error| no_thread(&error))?;
                        (Handle::Gateway(Arc::new(timer)), Act::Begin)
                    }
                }
            }
            #[cfg(not(feature = "otlp"))]
            ExporterConfig::Otlp(_) | ExporterConfig::Pushgateway(_) => {
                return Err(
                    "pushes over HTTP, and this build does not; enable the feature \"otlp\" of metercast"
                        .into(),
                );
            }
            ExporterConfig::Stdout(settings) => {
                let print = Print::of(new.name, settings, reader.of_exporter(new.name, own::STDOUT));
                match old.map(|old| &old.handle) {
                    Some(Handle::Print(timer)) => {
                        (Handle::Print(Arc::clone(timer)), Act::Print(Box::new(print), settings.interval()))
                    }
                    _ => {
                        let timer = Timer::prepare(new.name, settings.interval(), print)
                            .map_err(|error| no_thread(&error))?;
                        (Handle::Print(Arc::new(timer)), Act::Begin)
                    }
                }
            }
        };
        let exporter =
            Exporter { config: new.settings.clone(), resource, is_private: new.is_private, log, handle };
        Ok((Step { exporter, act }, change))
    }
}

fn no_thread(error: &io::Error) -> String {
    format!("cannot start its thread: {error}")
}

/// An exporter that the new configuration asks for.
struct New<'a> {
    name: &'a str,
    settings: &'a ExporterConfig,
    config: &'a Config,
    is_private: bool,
}

impl Step {
    /// Does it. What was told before is handed over the old way until `deadline` at most, in the background.
    #[cfg_attr(
        not(feature = "otlp"),
        allow(unused_variables, reason = "what is not built hands nothing over")
    )]
    pub(super) fn commit(self, deadline: Instant) -> Exporter {
        let Step { exporter, act } = self;
        match (act, &exporter.handle) {
            (Act::Begin, Handle::Print(timer)) => timer.begin(),
            (Act::Print(print, interval), Handle::Print(timer)) => timer.change(*print, interval),
            #[cfg(feature = "otlp")]
            (Act::Begin, Handle::Gateway(timer)) => timer.begin(),
            #[cfg(feature = "otlp")]
            (Act::Gateway(push, interval), Handle::Gateway(timer)) => timer.change(*push, interval),
            #[cfg(feature = "otlp")]
            (Act::Begin, Handle::Push(push)) => push.begin(),
            #[cfg(feature = "otlp")]
            (Act::Push(change), Handle::Push(push)) => push.change(*change, deadline),
            #[cfg(feature = "serve")]
            (Act::Serve(site, old), Handle::Page { listener, scrape }) => {
                old.inspect(|old| scrape.succeed(old));
                listener.serve(*site);
            }
            #[cfg(feature = "serve")]
            (Act::Open(old), Handle::Page { listener, scrape }) => {
                old.inspect(|old| scrape.succeed(old));
                listener.open();
            }
            // Nothing, as every act is made beside its handle.
            _ => {}
        }
        exporter
    }

    /// Whether it hands over at an interval.
    #[cfg(all(unix, feature = "otlp"))]
    pub(super) fn is_periodic(&self) -> bool {
        self.exporter.periodic().is_some()
    }
}
