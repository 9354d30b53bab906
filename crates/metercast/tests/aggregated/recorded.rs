//! The metrics that are recorded into, and recordings at random.

use metercast::{Kind, Store, metrics};

use crate::support::random::Random;

metrics! {
    /// Orders taken.
    static ORDERS: Counter<u64> = "agg.orders" {
        unit: "{order}", labels: { side: &str, region: &str, code: i64 }
    };
    /// Bytes sent.
    static SENT: Counter<f64> = "agg.sent" { unit: "By", labels: { side: &str, region: &str, code: i64 } };
    /// Orders open.
    static OPEN: UpDownCounter<i64> = "agg.open" { labels: { side: &str, region: &str, code: i64 } };
    /// Bytes kept.
    static LEVEL: UpDownCounter<f64> = "agg.level" { unit: "By", labels: { side: &str, region: &str, code: i64 } };
    /// The price of each region, which one thread says.
    static PRICE: Gauge<f64> = "agg.price" { labels: { side: &str, region: &str, code: i64 } };
    /// What came last, of which each phase has one series.
    static LAST: Gauge<i64> = "agg.last" { unit: "s", labels: { side: &str, region: &str, code: i64 } };
    /// Time waited.
    static WAIT: Histogram<f64> = "agg.wait" {
        unit: "s", buckets: [0.25, 1.0, 2.5, 5.0], labels: { side: &str, region: &str, code: i64 }
    };
    /// Sizes.
    static SIZE: Histogram<u64> = "agg.size" {
        unit: "By", buckets: [2, 4, 8], labels: { side: &str, region: &str, code: i64 }
    };
    /// Nobody's business.
    static SECRET: Counter<u64> = "agg.secret" {
        visibility: private, labels: { side: &str, region: &str, code: i64 }
    };
}

/// What a program declares.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: &'static str,
    pub(crate) bounds: &'static [f64],
    pub(crate) is_private: bool,
}

const fn metric(name: &'static str, kind: Kind, unit: &'static str) -> Metric {
    Metric { name, kind, unit, bounds: &[], is_private: false }
}

pub(crate) const METRICS: [Metric; 9] = [
    metric("agg.orders", Kind::Counter, "{order}"),
    metric("agg.sent", Kind::Counter, "By"),
    metric("agg.open", Kind::UpDownCounter, ""),
    metric("agg.level", Kind::UpDownCounter, "By"),
    metric("agg.price", Kind::Gauge, ""),
    metric("agg.last", Kind::Gauge, "s"),
    Metric { bounds: &[0.25, 1.0, 2.5, 5.0], ..metric("agg.wait", Kind::Histogram, "s") },
    Metric { bounds: &[2.0, 4.0, 8.0], ..metric("agg.size", Kind::Histogram, "By") },
    Metric { is_private: true, ..metric("agg.secret", Kind::Counter, "") },
];

/// The place of the gauge whose series that was set last is known.
pub(crate) const NEWEST: usize = 5;

pub(crate) const KEYS: [&str; 3] = ["side", "region", "code"];
const SIDES: [&str; 3] = ["buy", "sell", "swap"];
const REGIONS: [&str; 4] = ["eu", "us", "ap", "af"];
pub(crate) const MOST_THREADS: usize = REGIONS.len();

/// One recording: which metric, the places of its label values, and what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub(crate) metric: usize,
    pub(crate) labels: [usize; 3],
    pub(crate) value: f64,
}

impl Raw {
    /// The value of the label with this key.
    pub(crate) fn label(&self, key: usize) -> String {
        match key {
            0 => SIDES[self.labels[0]].to_owned(),
            1 => REGIONS[self.labels[1]].to_owned(),
            _ => self.labels[2].to_string(),
        }
    }
}

/// What the threads of a phase agree on.
#[derive(Clone, Copy)]
pub(crate) struct Phase {
    /// The labels of what comes last.
    last: [usize; 3],
    /// The thread that says it.
    says: usize,
}

fn labels(random: &mut Random) -> [usize; 3] {
    [random.below(SIDES.len()), random.below(REGIONS.len()), random.below(3)]
}

impl Phase {
    pub(crate) fn new(random: &mut Random, threads: usize) -> Phase {
        Phase { last: labels(random), says: random.below(threads) }
    }
}

/// Records once on a thread. Values are above zero and multiples of 1/64, so that sums are exact in any order.
pub(crate) fn record(store: &Store, random: &mut Random, thread: usize, phase: Phase) -> Raw {
    let mut metric = random.below(METRICS.len());
    if metric == NEWEST && thread != phase.says {
        metric = 0;
    }
    let mut labels = labels(random);
    let sixtyfourths = (1 + random.below(640)) as f64 / 64.0;
    let whole = (1 + random.below(10)) as f64;
    let signed = if random.one_in(2) { -1.0 } else { 1.0 };
    let value = match metric {
        0 | 7 | 8 => whole,
        2 | 5 => whole * signed,
        1 | 6 => sixtyfourths,
        _ => sixtyfourths * signed,
    };
    match metric {
        4 => labels[1] = thread,
        5 => labels = phase.last,
        _ => {}
    }
    let raw = Raw { metric, labels, value };
    let with = (SIDES[labels[0]], REGIONS[labels[1]], labels[2] as i64);
    store.scope(|| match metric {
        0 => ORDERS.add(value as u64, with),
        1 => SENT.add(value, with),
        2 => OPEN.add(value as i64, with),
        3 => LEVEL.add(value, with),
        4 => PRICE.set(value, with),
        5 => LAST.set(value as i64, with),
        6 => WAIT.record(value, with),
        7 => SIZE.record(value as u64, with),
        _ => SECRET.add(value as u64, with),
    });
    raw
}
