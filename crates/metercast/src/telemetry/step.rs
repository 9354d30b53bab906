//! What is to become of one exporter: made while the old configuration still holds, done when the new one does.

use std::io;
#[cfg(feature = "serve")]
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metercast_core::Value;

use super::exporter::{Exporter, Handle};
#[cfg(feature = "serve")]
use crate::config::PrometheusConfig;
use crate::config::{CustomConfig, ExporterConfig, StdoutConfig};
#[cfg(feature = "otlp")]
use crate::config::{OtlpConfig, PushgatewayConfig};
use crate::export::Timer;
use crate::export::custom;
#[cfg(feature = "otlp")]
use crate::export::otlp::{Change, Heritage, Push, Settings};
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
use crate::serve::{Calls, Listener, Site};

/// What is to become of one exporter.
pub(super) struct Step {
    /// As it is then.
    pub(super) exporter: Exporter,
    pub(super) act: Act,
}

/// What there is to do for it.
pub(super) enum Act {
    Nothing,
    /// Its thread waits to begin.
    Begin,
    /// Where the one of this name has ended.
    #[cfg(feature = "otlp")]
    GoOn(Heritage),
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
    Custom(Box<custom::Work>, Duration),
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
            (Act::Begin, Handle::Custom(timer)) => timer.begin(),
            (Act::Custom(work, interval), Handle::Custom(timer)) => timer.change(*work, interval),
            #[cfg(feature = "otlp")]
            (Act::Begin, Handle::Gateway(timer)) => timer.begin(),
            #[cfg(feature = "otlp")]
            (Act::Gateway(push, interval), Handle::Gateway(timer)) => timer.change(*push, interval),
            #[cfg(feature = "otlp")]
            (Act::Begin, Handle::Push(push)) => push.begin(None),
            #[cfg(feature = "otlp")]
            (Act::GoOn(heritage), Handle::Push(push)) => push.begin(Some(heritage)),
            #[cfg(feature = "otlp")]
            (Act::Push(change), Handle::Push(push)) => push.change(*change, deadline),
            #[cfg(feature = "serve")]
            (Act::Serve(site, old), Handle::Page { listener, scrape }) => {
                // Before the old one takes back what it asked for.
                scrape.begin();
                old.inspect(|old| scrape.succeed(old));
                listener.serve(*site);
            }
            #[cfg(feature = "serve")]
            (Act::Open(old), Handle::Page { listener, scrape }) => {
                // Before the old one takes back what it asked for.
                scrape.begin();
                old.inspect(|old| scrape.succeed(old));
                listener.open();
            }
            // Nothing, as every act is made beside its handle.
            _ => {}
        }
        exporter
    }

    /// If it begins and there is a heritage, it goes on there.
    #[cfg(feature = "otlp")]
    pub(super) fn going_on(self, heritage: impl FnOnce() -> Option<Heritage>) -> Step {
        let Step { exporter, act } = self;
        let act = match (act, exporter.push()) {
            (Act::Begin, Some(_)) => heritage().map_or(Act::Begin, Act::GoOn),
            (act, _) => act,
        };
        Step { exporter, act }
    }

    /// Whether it hands over at an interval.
    #[cfg(all(unix, feature = "otlp"))]
    pub(super) fn is_periodic(&self) -> bool {
        self.exporter.periodic().is_some()
    }
}

/// Makes what holds an exporter, of what there is before where that can go on.
pub(super) struct Maker<'a> {
    pub(super) name: &'a str,
    pub(super) reader: &'a Reader,
    /// The attributes of the resource that it sends along.
    #[cfg_attr(not(any(feature = "serve", feature = "otlp")), allow(dead_code, reason = "nothing does"))]
    pub(super) resource: &'a [(String, Value)],
    /// The exporter of this name that runs.
    pub(super) old: Option<&'a Exporter>,
    /// What a listener asks of the program.
    #[cfg(feature = "serve")]
    pub(super) calls: &'a Calls,
    /// How to let it listen elsewhere.
    #[cfg(feature = "serve")]
    pub(super) mend_of_listen: &'a str,
    /// The listener that has the address.
    #[cfg(feature = "serve")]
    pub(super) listener: Option<Arc<Listener>>,
    /// Those that are about to close.
    #[cfg(feature = "serve")]
    pub(super) closing: &'a [Arc<Listener>],
    /// Who listens where.
    #[cfg(feature = "serve")]
    pub(super) taken: &'a [(String, SocketAddr)],
}

type Made = Result<(Handle, Act), String>;

impl Maker<'_> {
    /// # Errors
    ///
    /// Why it cannot be had, to be put behind the name.
    pub(super) fn make(self, settings: &ExporterConfig) -> Made {
        match settings {
            #[cfg(feature = "serve")]
            ExporterConfig::Prometheus(settings) => self.page(settings),
            #[cfg(not(feature = "serve"))]
            ExporterConfig::Prometheus(_) => Err(
                "is of type prometheus, and this build has none; enable the feature \"serve\" of metercast"
                    .into(),
            ),
            #[cfg(feature = "otlp")]
            ExporterConfig::Otlp(settings) => self.push(settings),
            #[cfg(feature = "otlp")]
            ExporterConfig::Pushgateway(settings) => self.gateway(settings),
            #[cfg(not(feature = "otlp"))]
            ExporterConfig::Otlp(_) | ExporterConfig::Pushgateway(_) => {
                Err("pushes over HTTP, and this build does not; enable the feature \"otlp\" of metercast"
                    .into())
            }
            ExporterConfig::Stdout(settings) => self.print(settings),
            ExporterConfig::Custom(settings) => self.custom(settings),
        }
    }

    #[cfg(feature = "serve")]
    fn page(self, settings: &PrometheusConfig) -> Made {
        let old = self.old.and_then(|old| match (&old.handle, &old.config) {
            (Handle::Page { scrape, .. }, ExporterConfig::Prometheus(config)) => {
                let is_same_page = config.page() == settings.page()
                    && config.projection() == settings.projection()
                    && old.resource == self.resource;
                Some((scrape.clone(), is_same_page))
            }
            _ => None,
        });
        let (scrape, old) = match old {
            Some((scrape, true)) => (scrape, None),
            old => {
                let reader = self.reader.of_exporter(self.name, own::PROMETHEUS);
                let (options, log) = (settings.page().clone(), reader.log().clone());
                let page = PrometheusPage::with(self.name, options, self.resource, log)
                    .projection(settings.projection().clone())
                    .read_by(&reader);
                (Scrape::of(reader, page), old.map(|(scrape, _)| scrape))
            }
        };
        let site = Site::new(self.name, settings, scrape.clone(), self.calls.clone())?;
        match self.listener {
            Some(listener) => Ok((Handle::Page { listener, scrape }, Act::Serve(Box::new(site), old))),
            None => {
                let listener =
                    Listener::bind(settings.listen(), self.mend_of_listen, site, self.closing, self.taken)?;
                Ok((Handle::Page { listener: Arc::new(listener), scrape }, Act::Open(old)))
            }
        }
    }

    #[cfg(feature = "otlp")]
    fn push(self, settings: &OtlpConfig) -> Made {
        let cannot_start = |error: io::Error| format!("cannot start: {error}");
        let settings = Settings::of(self.name, settings);
        match self.old.map(|old| &old.handle) {
            Some(Handle::Push(push)) => {
                let change = Change::prepare(settings, self.resource).map_err(cannot_start)?;
                Ok((Handle::Push(Arc::clone(push)), Act::Push(Box::new(change))))
            }
            _ => {
                let push = Push::prepare(settings, self.reader, self.resource).map_err(cannot_start)?;
                Ok((Handle::Push(Arc::new(push)), Act::Begin))
            }
        }
    }

    #[cfg(feature = "otlp")]
    fn gateway(self, settings: &PushgatewayConfig) -> Made {
        let (reader, interval) = (self.reader.of_exporter(self.name, own::PUSHGATEWAY), settings.interval());
        let push = pushgateway::Push::of(self.name, settings, reader, self.resource);
        match self.old.map(|old| &old.handle) {
            Some(Handle::Gateway(timer)) => {
                Ok((Handle::Gateway(Arc::clone(timer)), Act::Gateway(Box::new(push), interval)))
            }
            _ => {
                let timer = Timer::prepare(self.name, interval, push).map_err(|error| no_thread(&error))?;
                Ok((Handle::Gateway(Arc::new(timer)), Act::Begin))
            }
        }
    }

    fn custom(self, settings: &CustomConfig) -> Made {
        let (reader, interval) = (self.reader.of_exporter(self.name, own::CUSTOM), settings.interval());
        let work = custom::Work::of(self.name, settings, self.resource, reader);
        match self.old.map(|old| &old.handle) {
            Some(Handle::Custom(timer)) => {
                Ok((Handle::Custom(Arc::clone(timer)), Act::Custom(Box::new(work), interval)))
            }
            _ => {
                let timer = Timer::prepare(self.name, interval, work).map_err(|error| no_thread(&error))?;
                Ok((Handle::Custom(Arc::new(timer)), Act::Begin))
            }
        }
    }

    fn print(self, settings: &StdoutConfig) -> Made {
        let (reader, interval) = (self.reader.of_exporter(self.name, own::STDOUT), settings.interval());
        let print = Print::of(self.name, settings, self.resource, reader);
        match self.old.map(|old| &old.handle) {
            Some(Handle::Print(timer)) => {
                Ok((Handle::Print(Arc::clone(timer)), Act::Print(Box::new(print), interval)))
            }
            _ => {
                let timer = Timer::prepare(self.name, interval, print).map_err(|error| no_thread(&error))?;
                Ok((Handle::Print(Arc::new(timer)), Act::Begin))
            }
        }
    }
}

fn no_thread(error: &io::Error) -> String {
    format!("cannot start its thread: {error}")
}
