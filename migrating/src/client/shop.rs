//! The application, the same in all steps: it measures with families of prometheus-client.

// region: place
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    pub(crate) side: &'static str,
}

pub(crate) struct Metrics {
    orders: Family<Labels, Counter>,
    settle: Family<Labels, Histogram, fn() -> Histogram>,
    active: Gauge,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Metrics {
        let settle: fn() -> Histogram = || Histogram::new([0.1, 1.0]);
        let metrics = Metrics {
            orders: Family::default(),
            settle: Family::new_with_constructor(settle),
            active: Gauge::default(),
        };
        registry.register("shop_orders", "Orders accepted, by side", metrics.orders.clone());
        let help = "Time from acceptance to settlement";
        registry.register_with_unit("shop_settle", help, Unit::Seconds, metrics.settle.clone());
        registry.register("shop_orders_active", "Orders not settled yet", metrics.active.clone());
        metrics
    }

    pub(crate) fn place(&self, side: &'static str, settled_in: f64) {
        self.orders.get_or_create(&Labels { side }).inc();
        self.settle.get_or_create(&Labels { side }).observe(settled_in);
        self.active.inc();
    }
}
// endregion

pub(crate) fn run(metrics: &Metrics) {
    metrics.place("buy", 0.05);
    metrics.place("sell", 0.25);
    metrics.place("buy", 2.5);
    metrics.active.dec_by(2);
}
