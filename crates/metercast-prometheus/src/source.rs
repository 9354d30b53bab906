//! A registry of another library, as a producer of a store.

use std::sync::LazyLock;

use metercast_core::{Observation, Producer, Store};

/// A registry whose collectors can be read: [`prometheus::Registry`](https://docs.rs/prometheus/0.14/prometheus/struct.Registry.html), and
/// [`prometheus_client::Registry`](https://docs.rs/prometheus-client/0.25/prometheus_client/registry/struct.Registry.html) in an
/// `Arc`, alone or under a `Mutex` or `RwLock` of the standard library, or as a `&'static`; each also in a static that is a
/// [`LazyLock`]. What dereferences to one in another way is passed with `&*`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no registry that metercast can read",
    note = "of what dereferences to one, such as a `lazy_static` or a `Lazy` of once_cell, pass `&*REGISTRY`",
    note = "registries of prometheus need the feature `prometheus` of metercast-prometheus, those of prometheus-client, in an `Arc` or as \
            a `&'static`, the feature `prometheus-client`"
)]
pub trait Registry {
    /// Says everything that is in it.
    #[doc(hidden)]
    fn source(&self) -> Source;

    /// What it is called.
    #[doc(hidden)]
    fn name(&self) -> &'static str;
}

/// Says what a registry holds.
#[doc(hidden)]
pub type Source = Box<dyn FnMut(&mut Producer<'_>) + Send>;

/// Lets the current store read everything that is registered here, also later, until the handle is dropped.
///
/// That of the macros of `prometheus` is `prometheus::default_registry()`. A registry is read as a whole: a collector that takes long holds up the others, so it is better registered by itself.
///
#[cfg_attr(feature = "prometheus-client", doc = "```")]
#[cfg_attr(not(feature = "prometheus-client"), doc = "```ignore")]
/// use std::sync::Arc;
///
/// use metercast::{Log, PrometheusPage, Store};
/// use prometheus_client::{metrics::counter::Counter, registry::Registry};
///
/// let (requests, mut registry) = (Counter::<u64>::default(), Registry::default());
/// registry.register("http_requests", "Requests", requests.clone());
/// requests.inc();
///
/// let store = Store::new();
/// store.scope(|| metercast_prometheus::registry(&Arc::new(registry)).forever());
/// let page = PrometheusPage::new("own", Log::default()).render(&store);
/// assert_eq!(page.lines().last(), Some("http_requests_total 1"));
/// ```
#[track_caller]
pub fn registry(registry: &(impl Registry + ?Sized)) -> Observation {
    Store::current().produce(registry.name(), registry.source())
}

impl<R: Registry, F: FnOnce() -> R> Registry for LazyLock<R, F> {
    fn source(&self) -> Source {
        (**self).source()
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}

impl<R: Registry + ?Sized> Registry for &R {
    fn source(&self) -> Source {
        (**self).source()
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }
}
