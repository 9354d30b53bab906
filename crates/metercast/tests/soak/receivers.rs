//! Receivers of pushes that take most of what comes, at two addresses each, and what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use crate::support::random::Random;
use crate::support::told::{Sample, Told};
use crate::support::{Receiver, Reply};

/// One receiver.
pub(crate) struct Pushed {
    pub(crate) endpoints: [String; 2],
    messages: Vec<mpsc::Receiver<ExportMetricsServiceRequest>>,
    /// Of the newest message of a receiver of totals, or all deltas added up.
    told: BTreeMap<(String, String), f64>,
    is_delta: bool,
    /// All that was said last.
    pub(crate) last: Told,
}

impl Pushed {
    /// One that takes everything once all is `calm`.
    pub(crate) fn start(seed: u64, calm: &Arc<AtomicBool>, is_delta: bool) -> Pushed {
        let receivers = [1, 2].map(|number| {
            let (calm, mut random) = (Arc::clone(calm), Random::new(seed ^ number));
            Receiver::replying(move || match random.below(16) {
                _ if calm.load(Ordering::Relaxed) => Reply::Taken,
                0 | 1 => Reply::Busy,
                2 => Reply::Lost { taken: false },
                _ => Reply::Taken,
            })
        });
        Pushed {
            endpoints: [receivers[0].endpoint.clone(), receivers[1].endpoint.clone()],
            messages: receivers.into_iter().map(|receiver| receiver.messages).collect(),
            told: BTreeMap::new(),
            is_delta,
            last: Told::default(),
        }
    }

    /// Takes in what has come.
    pub(crate) fn hear(&mut self) {
        for message in self.messages.iter().flat_map(mpsc::Receiver::try_iter) {
            // Shapes differ from one message to the next, so each is taken by itself.
            self.last = Told::default();
            self.last.hear(&message);
            if !self.is_delta {
                continue;
            }
            let mut open = BTreeMap::new();
            let units: BTreeMap<&str, &str> = message
                .resource_metrics
                .iter()
                .flat_map(|resource| &resource.scope_metrics)
                .flat_map(|scope| &scope.metrics)
                .map(|metric| (metric.name.as_str(), metric.unit.as_str()))
                .collect();
            for ((name, labels), sample) in &self.last.samples {
                let side = labels.iter().find(|(key, _)| key == "side").map(|(_, side)| side.clone());
                let by_side = |what: &str| (what.to_owned(), side.clone().expect("no view takes the side"));
                match (name.as_str(), sample) {
                    ("soak.orders" | "renamed.orders", Sample::Number(orders)) => {
                        *self.told.entry(by_side("orders")).or_default() += orders;
                    }
                    ("soak.open", Sample::Number(value)) => {
                        *open.entry(by_side("open")).or_default() += value;
                    }
                    ("soak.wait", Sample::Buckets { counts, sum, .. }) => {
                        *self.told.entry(by_side("waits")).or_default() += counts.iter().sum::<u64>() as f64;
                        let waited = if units["soak.wait"] == "ms" { sum / 1000.0 } else { *sum };
                        *self.told.entry(by_side("waited")).or_default() += waited;
                    }
                    ("soak.wait", Sample::Exponential { counts, zeroes, sum, .. }) => {
                        let count = counts.values().sum::<u64>() + zeroes;
                        *self.told.entry(by_side("waits")).or_default() += count as f64;
                        let waited = if units["soak.wait"] == "ms" { sum / 1000.0 } else { *sum };
                        *self.told.entry(by_side("waited")).or_default() += waited;
                    }
                    _ => {}
                }
            }
            // Totals take the place of those before.
            self.told.extend(open);
        }
    }

    /// What all deltas come to, by what it is of and by side.
    pub(crate) fn added_up(&self) -> &BTreeMap<(String, String), f64> {
        &self.told
    }
}
