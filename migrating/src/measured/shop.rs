//! The application, the same until its call sites move: it measures with a group of `measured`.

// region: place
use measured::label::StaticLabelSet;
use measured::metric::histogram::Thresholds;
use measured::{CounterVec, FixedCardinalityLabel, Gauge, HistogramVec, MetricGroup};

#[derive(FixedCardinalityLabel, Copy, Clone)]
#[label(singleton = "side")]
pub(crate) enum Side {
    Buy,
    Sell,
}

#[derive(MetricGroup)]
#[metric(new())]
pub(crate) struct Metrics {
    /// Orders accepted, by side.
    shop_orders_total: CounterVec<StaticLabelSet<Side>>,
    /// Time from acceptance to settlement.
    #[metric(metadata = Thresholds::with_buckets([0.1, 1.0]))]
    shop_settle_seconds: HistogramVec<StaticLabelSet<Side>, 2>,
    /// Orders not settled yet.
    shop_orders_active: Gauge,
}

impl Metrics {
    pub(crate) fn place(&self, side: Side, settled_in: f64) {
        self.shop_orders_total.inc(side);
        self.shop_settle_seconds.observe(side, settled_in);
        self.shop_orders_active.inc();
    }
}
// endregion

pub(crate) fn run(metrics: &Metrics) {
    metrics.place(Side::Buy, 0.05);
    metrics.place(Side::Sell, 0.25);
    metrics.place(Side::Buy, 2.5);
    metrics.shop_orders_active.dec_by(2);
}
