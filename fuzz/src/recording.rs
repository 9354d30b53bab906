//! Bytes as recordings of metrics of any name, kind, unit, description and buckets.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use metercast::{ExemplarFilter, KeyValue, Kind, NumberType, Snapshot, Store};
// What the macros expand to: nothing else takes a name that is not in the program text.
use metercast_core::__private::{Adhoc, Descriptor, Scope};

use crate::Input;

/// What the program text would say of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Metric {
    name: String,
    kind: u8,
    unit: String,
    description: String,
    /// The bits of the upper bounds, or of the quantiles.
    bounds: Option<Vec<u64>>,
    scope: u8,
}

/// A definition stays until the process ends, so there is an end to how many one process makes.
const MOST_METRICS: usize = 2_000;

/// In a static, where the leak detector finds them.
static SITES: LazyLock<Mutex<HashMap<Metric, &'static Adhoc>>> = LazyLock::new(Mutex::default);

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// Everything.
    pub all: Store,
    /// What was recorded under each name, in a store of its own.
    pub alone: BTreeMap<String, Store>,
}

/// The recordings that these bytes stand for; `None` if they need more metrics than this process may still make.
pub fn stores(input: &mut Input<'_>) -> Option<Recorded> {
    stores_with(input, ExemplarFilter::TraceBased)
}

/// The same, where these become exemplars.
pub fn stores_with(input: &mut Input<'_>, exemplars: ExemplarFilter) -> Option<Recorded> {
    let new = || {
        let store = Store::new();
        store.set_exemplars(exemplars);
        store
    };
    let metrics: Vec<Metric> = (0..=input.below(6)).map(|_| Metric::read(input)).collect();
    let sites = metrics.iter().map(Metric::site).collect::<Option<Vec<_>>>()?;
    let mut recorded = Recorded { all: new(), alone: BTreeMap::new() };
    for _ in 0..64 {
        if input.is_empty() {
            break;
        }
        let at = input.below(metrics.len());
        let (metric, site, labels) = (&metrics[at], sites[at], input.labels());
        let mut again = input.clone();
        recorded.all.scope(|| metric.record(site, input, &labels));
        let alone = recorded.alone.entry(metric.name.clone()).or_insert_with(new);
        alone.scope(|| metric.record(site, &mut again, &labels));
    }
    Some(recorded)
}

/// The recordings that these bytes stand for, read; `None` if they need more metrics than this process may still make.
pub fn recorded(input: &mut Input<'_>) -> Option<Snapshot> {
    stores(input).map(|recorded| Snapshot::of(&recorded.all))
}

impl Metric {
    fn read(input: &mut Input<'_>) -> Metric {
        let name = match input.below(4) {
            0 => input.text(),
            1 => ["a.b", "a_b", "a.b.total", "a_sum", "a", "seconds", "a.bytes", "a_count"][input.below(8)]
                .to_owned(),
            // Mostly letters that names may have.
            _ => {
                let rest = (0..input.below(12)).map(|_| char::from(b"abz059._-/AZ"[input.below(12)]));
                std::iter::once('m').chain(rest).collect()
            }
        };
        let unit = match input.below(4) {
            0 => String::new(),
            1 => ["s", "By", "1", "{request}", "By/s", "%", "m^3", "seconds"][input.below(8)].to_owned(),
            _ => input.text(),
        };
        let description = if input.below(2) == 0 { String::new() } else { input.text() };
        let bounds =
            (input.below(3) > 0).then(|| (0..input.below(8)).map(|_| input.double().to_bits()).collect());
        Metric {
            name,
            kind: input.byte() % KINDS.len() as u8,
            unit,
            description,
            bounds,
            scope: input.byte() % 3,
        }
    }

    /// The place that records it, made at its first use.
    fn site(&self) -> Option<&'static Adhoc> {
        let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = sites.get(self) {
            return Some(*site);
        }
        if sites.len() >= MOST_METRICS {
            return None;
        }
        let leak = |text: &str| -> &'static str { text.to_owned().leak() };
        let scope = usize::from(self.scope);
        let scope = Scope::new(["", "app", "lib"][scope], ["", "1.0", "é"][scope]);
        let (kind, number, is_exponential) = KINDS[usize::from(self.kind)];
        let mut descriptor = Descriptor::new(leak(&self.name), kind, number, scope, "fuzzed.rs", 1)
            .description(leak(self.description.trim_ascii()))
            .unit(leak(&self.unit))
            .exponential(is_exponential);
        // Only where the site keeps them: the leak detector finds the others.
        let bounds = || -> &'static [f64] {
            let bits = self.bounds.iter().flatten();
            bits.map(|bits| f64::from_bits(*bits)).collect::<Vec<_>>().leak()
        };
        match kind {
            Kind::Histogram if !is_exponential && self.bounds.is_some() => {
                descriptor = descriptor.buckets(bounds());
            }
            // Long enough for no value to leave it meanwhile.
            Kind::Summary if self.bounds.is_some() => {
                descriptor = descriptor.quantiles(bounds()).window_seconds(100_000);
            }
            _ => {}
        }
        let site: &'static Adhoc = Box::leak(Box::new(Adhoc::new(Box::leak(Box::new(descriptor)))));
        sites.insert(self.clone(), site);
        Some(site)
    }

    fn record(&self, site: &Adhoc, input: &mut Input<'_>, labels: &[KeyValue]) {
        let (kind, number, _) = KINDS[usize::from(self.kind)];
        match (kind, number) {
            (Kind::Counter, NumberType::F64) => site.add::<f64>(input.double(), labels),
            (Kind::Counter, _) => site.add::<u64>(input.bits(), labels),
            (Kind::UpDownCounter, NumberType::F64) => site.change::<f64>(input.double(), labels),
            (Kind::UpDownCounter, _) => site.change::<i64>(input.bits() as i64, labels),
            (Kind::Gauge, NumberType::F64) => site.set::<f64>(input.double(), labels),
            (Kind::Gauge, NumberType::I64) => site.set::<i64>(input.bits() as i64, labels),
            (Kind::Gauge, _) => site.set::<u64>(input.bits(), labels),
            (Kind::Histogram | Kind::Summary, NumberType::F64) => site.record::<f64>(input.double(), labels),
            _ => site.record::<u64>(input.bits(), labels),
        }
    }
}

/// Which kinds there are, with which numbers, and whether their buckets are exponential.
const KINDS: [(Kind, NumberType, bool); 13] = [
    (Kind::Counter, NumberType::U64, false),
    (Kind::Counter, NumberType::F64, false),
    (Kind::UpDownCounter, NumberType::I64, false),
    (Kind::UpDownCounter, NumberType::F64, false),
    (Kind::Gauge, NumberType::U64, false),
    (Kind::Gauge, NumberType::I64, false),
    (Kind::Gauge, NumberType::F64, false),
    (Kind::Histogram, NumberType::U64, false),
    (Kind::Histogram, NumberType::F64, false),
    (Kind::Histogram, NumberType::U64, true),
    (Kind::Histogram, NumberType::F64, true),
    (Kind::Summary, NumberType::U64, false),
    (Kind::Summary, NumberType::F64, false),
];
