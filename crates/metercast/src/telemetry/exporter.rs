//! One exporter at work: with which settings, and by what it is held.

use std::sync::Arc;
use std::time::Instant;

use metercast_core::Value;

use crate::config::{Config, ExporterConfig};
use crate::export::custom::Work;
#[cfg(feature = "otlp")]
use crate::export::otlp::Push;
use crate::export::prometheus::PageOptions;
#[cfg(feature = "otlp")]
use crate::export::pushgateway;
use crate::export::stdout::Print;
use crate::export::{Periodic, Timer};
use crate::log::Log;
#[cfg(feature = "serve")]
use crate::scrape::Scrape;
#[cfg(feature = "serve")]
use crate::serve::Listener;

/// An exporter at work. Clones are the same exporter.
#[derive(Clone)]
pub(super) struct Exporter {
    pub(super) config: ExporterConfig,
    /// The attributes of the resource that it sends along.
    pub(super) resource: Vec<(String, Value)>,
    /// Whether the user has never asked for it.
    pub(super) is_private: bool,
    /// Where to write what goes wrong with it.
    pub(super) log: Log,
    pub(super) handle: Handle,
}

/// By what an exporter is held.
#[derive(Clone)]
pub(super) enum Handle {
    #[cfg(feature = "serve")]
    Page {
        listener: Arc<Listener>,
        scrape: Scrape,
    },
    #[cfg(feature = "otlp")]
    Push(Arc<Push>),
    #[cfg(feature = "otlp")]
    Gateway(Arc<Timer<pushgateway::Push>>),
    Print(Arc<Timer<Print>>),
    Custom(Arc<Timer<Work>>),
}

impl Exporter {
    /// What serves the page, if it is one.
    #[cfg(feature = "serve")]
    pub(super) fn listener(&self) -> Option<&Arc<Listener>> {
        match &self.handle {
            Handle::Page { listener, .. } => Some(listener),
            _ => None,
        }
    }

    /// What pushes by OTLP, if it does.
    #[cfg(feature = "otlp")]
    pub(super) fn push(&self) -> Option<&Arc<Push>> {
        match &self.handle {
            Handle::Push(push) => Some(push),
            _ => None,
        }
    }

    /// The URL of the page, if it is one.
    #[cfg(feature = "serve")]
    pub(super) fn url(&self) -> Option<String> {
        let (Handle::Page { listener, .. }, ExporterConfig::Prometheus(config)) =
            (&self.handle, &self.config)
        else {
            return None;
        };
        let scheme = if config.listener().tls().is_some() { "https" } else { "http" };
        Some(format!("{scheme}://{}{}", listener.address(), config.path()))
    }

    /// The URL of the page for people, if there is one.
    #[cfg(feature = "live")]
    pub(super) fn live_url(&self) -> Option<String> {
        let (Handle::Page { listener, .. }, ExporterConfig::Prometheus(config)) =
            (&self.handle, &self.config)
        else {
            return None;
        };
        let settings = config.listener();
        let scheme = if settings.tls().is_some() { "https" } else { "http" };
        let path = if settings.any_path() || config.path() == "/" { "/live" } else { "/" };
        settings.live().then(|| format!("{scheme}://{}{path}", listener.address()))
    }

    /// What hands over at an interval, if it does.
    pub(super) fn periodic(&self) -> Option<Arc<dyn Periodic>> {
        match &self.handle {
            #[cfg(feature = "serve")]
            Handle::Page { .. } => None,
            #[cfg(feature = "otlp")]
            Handle::Push(push) => Some(push.clone()),
            #[cfg(feature = "otlp")]
            Handle::Gateway(gateway) => Some(gateway.clone()),
            Handle::Print(print) => Some(print.clone()),
            Handle::Custom(custom) => Some(custom.clone()),
        }
    }

    /// Whether it takes other settings; false once its thread has died.
    pub(super) fn is_alive(&self) -> bool {
        match &self.handle {
            #[cfg(feature = "serve")]
            Handle::Page { .. } => true,
            #[cfg(feature = "otlp")]
            Handle::Push(push) => push.is_alive(),
            #[cfg(feature = "otlp")]
            Handle::Gateway(gateway) => gateway.is_alive(),
            Handle::Print(print) => print.is_alive(),
            Handle::Custom(custom) => custom.is_alive(),
        }
    }

    /// Whether the other one is held by the same thread.
    pub(super) fn is(&self, other: &Exporter) -> bool {
        match (&self.handle, &other.handle) {
            #[cfg(feature = "serve")]
            (Handle::Page { listener: a, .. }, Handle::Page { listener: b, .. }) => Arc::ptr_eq(a, b),
            #[cfg(feature = "otlp")]
            (Handle::Push(a), Handle::Push(b)) => Arc::ptr_eq(a, b),
            #[cfg(feature = "otlp")]
            (Handle::Gateway(a), Handle::Gateway(b)) => Arc::ptr_eq(a, b),
            (Handle::Print(a), Handle::Print(b)) => Arc::ptr_eq(a, b),
            (Handle::Custom(a), Handle::Custom(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Says what it would say later, if it is a page and there is time: it is the last. Others do so at their end.
    #[cfg_attr(not(feature = "serve"), allow(unused_variables, reason = "there are no pages"))]
    pub(super) fn conclude(&self, deadline: Instant) {
        #[cfg(feature = "serve")]
        if let Handle::Page { scrape, .. } = &self.handle
            && Instant::now() < deadline
        {
            scrape.conclude();
        }
    }

    /// Hands over what there is and ends, at the latest at `deadline`. Blocks until then.
    pub(super) fn end(&self, deadline: Instant) -> Result<(), String> {
        #[cfg(feature = "serve")]
        if let Handle::Page { listener, .. } = &self.handle {
            listener.close(deadline);
        }
        self.conclude(deadline);
        self.periodic().map_or(Ok(()), |periodic| periodic.shutdown(deadline))
    }
}

/// The attributes that the exporter of these settings sends along.
pub(super) fn resource_of(config: &Config, exporter: &ExporterConfig) -> Vec<(String, Value)> {
    let resource = config.resource();
    let on_page = |page: &PageOptions| {
        resource.attributes().iter().filter(|(key, _)| page.shows_resource(key)).cloned().collect()
    };
    match exporter {
        ExporterConfig::Prometheus(prometheus) => on_page(prometheus.page()),
        ExporterConfig::Pushgateway(gateway) => on_page(gateway.page()),
        ExporterConfig::Otlp(otlp) => otlp.resource().of(resource).cloned().collect(),
        ExporterConfig::Stdout(stdout) => stdout.resource().of(resource).cloned().collect(),
        ExporterConfig::Custom(custom) => custom.resource().of(resource).cloned().collect(),
    }
}
