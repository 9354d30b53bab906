//! What requests are served by between two reloads.

use std::collections::HashMap;

use metercast_tower::{Guard, KeyValue, Observation, Store};
use tokio::sync::watch;

use crate::configuration::Configuration;
use crate::metrics::{CONFIG_CACHE, CONFIG_INSTRUMENTS, CONFIG_VIEWS, PIPELINES};
use crate::upstream::Upstream;

/// A configuration that requests are served by. It is counted as long as a request is.
#[derive(Debug)]
pub(crate) struct Pipeline {
    upstreams: HashMap<String, Upstream>,
    retired: watch::Sender<bool>,
    _observed: [Observation; 3],
    counted: Counted,
}

/// One of `gateway.pipelines`. Its series ends with it: there are as many hashes as there are reloads.
#[derive(Debug)]
struct Counted {
    guard: Option<Guard>,
    hash: String,
}

impl Counted {
    fn new(hash: &str) -> Counted {
        Counted { guard: Some(PIPELINES.guard((hash,))), hash: hash.to_owned() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        drop(self.guard.take());
        // Refused, and rightly, if another pipeline of the same configuration is there.
        Store::global().remove("gateway.pipelines", [KeyValue::new("config.hash", self.hash.clone())]);
    }
}

impl Pipeline {
    /// Prepares everything. Nothing is served by it yet. `instruments` is how many the user defines.
    ///
    /// # Errors
    ///
    /// What is wrong with an upstream.
    pub(crate) fn new(configuration: &Configuration, instruments: usize) -> Result<Pipeline, String> {
        let upstreams = configuration.upstreams.iter().map(|(name, url)| {
            Ok((name.clone(), Upstream::new(name, url, configuration.cached.contains(name))?))
        });
        let upstreams = upstreams.collect::<Result<HashMap<_, _>, String>>()?;
        let (cached, views) = (configuration.cached.len() as u64, configuration.views() as u64);
        let instruments = instruments as u64;
        let observed = [
            CONFIG_CACHE.observe(move |observer| observer.set(u64::from(cached > 0), (cached,))),
            CONFIG_VIEWS.observe(move |observer| observer.set(u64::from(views > 0), (views,))),
            CONFIG_INSTRUMENTS
                .observe(move |observer| observer.set(u64::from(instruments > 0), (instruments,))),
        ];
        Ok(Pipeline {
            upstreams,
            retired: watch::Sender::new(false),
            _observed: observed,
            counted: Counted::new(&configuration.hash),
        })
    }

    /// The upstream of this name.
    pub(crate) fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams.get(name)
    }

    /// Tells its configuration from others.
    pub(crate) fn hash(&self) -> &str {
        &self.counted.hash
    }

    /// Says that another one has taken its place: connections end with their next answer.
    pub(crate) fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Tells when that happens.
    pub(crate) fn retirement(&self) -> watch::Receiver<bool> {
        self.retired.subscribe()
    }
}
