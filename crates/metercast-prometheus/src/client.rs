//! Registries and collectors of the prometheus-client crate. What they hold they say in text alone, so that is what is read.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metercast_core::{Observation, Producer, Store};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;

use crate::page;
use crate::source::{self, Source};

type Client = prometheus_client::registry::Registry;

const NAME: &str = "a registry of prometheus-client";

impl source::Registry for Arc<Client> {
    fn source(&self) -> Source {
        let registry = Arc::clone(self);
        source_of(move |page| text::encode_registry(page, &registry).is_ok())
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl source::Registry for &'static Client {
    fn source(&self) -> Source {
        let registry = *self;
        source_of(move |page| text::encode_registry(page, registry).is_ok())
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl source::Registry for Arc<Mutex<Client>> {
    fn source(&self) -> Source {
        let registry = Arc::clone(self);
        source_of(move |page| {
            let registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
            text::encode_registry(page, &registry).is_ok()
        })
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

impl source::Registry for Arc<RwLock<Client>> {
    fn source(&self) -> Source {
        let registry = Arc::clone(self);
        source_of(move |page| {
            let registry = registry.read().unwrap_or_else(PoisonError::into_inner);
            text::encode_registry(page, &registry).is_ok()
        })
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

/// Lets the current store read a collector of the prometheus-client crate that is in no registry, until the handle is dropped.
#[track_caller]
pub fn client_collector(collector: impl Collector) -> Observation {
    let mut registry = Client::default();
    registry.register_collector(Box::new(collector));
    let source = source::Registry::source(&Arc::new(registry));
    Store::current().produce("a collector of prometheus-client", source)
}

/// Says what is written; false means that it ends where something could not be.
fn source_of(mut write: impl FnMut(&mut String) -> bool + Send + 'static) -> Source {
    let mut page = String::new();
    Box::new(move |producer: &mut Producer<'_>| {
        page.clear();
        let is_whole = write(&mut page);
        page::say(&page, producer);
        if !is_whole {
            let last = page.lines().rev().find_map(|line| line.strip_prefix("# TYPE ")).unwrap_or_default();
            let last = last.split(' ').next().unwrap_or_default();
            producer.problem(
                last,
                "cannot be written as text, as histograms that have only native buckets; it and what its registry has behind it \
                 are left out: give it buckets with bounds, or a registry of its own",
            );
        }
    })
}
