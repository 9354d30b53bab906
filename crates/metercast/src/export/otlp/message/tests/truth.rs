//! What receivers add up is what was recorded, whatever fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use metercast_core::{Expiry, u64_counter};

use super::delta::{AMOUNTS, COUNTS, EXACT, MIXED, Receiver, SEEN, TIMES, WIDTHS, key, message};
use super::random::Random;
use super::*;
use crate::config::TemporalityPreference::{Cumulative, Delta, LowMemory};

/// An exporter with a link that fails.
struct Link {
    message: OtlpMessage,
    limit: usize,
    receiver: Receiver,
    /// Sent, but nobody knows whether they arrived.
    in_doubt: Vec<Request>,
}

impl Link {
    fn new(temporality: TemporalityPreference, limit: usize) -> Link {
        Link { message: message(temporality), limit, receiver: Receiver::default(), in_doubt: Vec::new() }
    }

    fn push(&mut self, random: &mut Random, store: &Store) {
        if !self.in_doubt.is_empty() {
            return self.settle(random);
        }
        for request in self.message.requests(store, self.limit) {
            match random.below(4) {
                // Refused, but not for good.
                0 => drop(request),
                1 => self.in_doubt.push(request),
                _ => self.arrive(request),
            }
        }
    }

    /// The same bytes again, until something is heard.
    fn settle(&mut self, random: &mut Random) {
        for request in std::mem::take(&mut self.in_doubt) {
            match random.below(5) {
                0 => self.in_doubt.push(request),
                1 => drop(request),
                _ => self.arrive(request),
            }
        }
    }

    fn arrive(&mut self, request: Request) {
        self.receiver.receive(request.body());
        self.message.delivered(request);
    }

    fn flush(&mut self, store: &Store) {
        for request in std::mem::take(&mut self.in_doubt) {
            self.arrive(request);
        }
        // Twice, for what did not fit a number, or was rounded.
        for _ in 0..2 {
            for request in self.message.requests(store, self.limit) {
                self.arrive(request);
            }
            assert_eq!(self.message.left_out(), 0);
        }
    }
}

/// What was recorded.
#[derive(Default)]
struct Truth {
    counts: HashMap<String, u128>,
    sums: HashMap<String, f64>,
}

impl Truth {
    fn count(&mut self, key: String, amount: u64) {
        *self.counts.entry(key).or_default() += u128::from(amount);
    }

    fn sum(&mut self, key: String, amount: f64) {
        *self.sums.entry(key).or_default() += amount;
    }

    fn record(&mut self, random: &mut Random, seen: &Mutex<HashMap<String, u64>>) {
        let label = ["a", "b", "c", "d", "e"][random.below(5) as usize];
        match random.below(9) {
            0 | 1 => {
                let amount = random.number() >> random.below(60).max(2);
                COUNTS.add(amount, (label,));
                self.count(key("delta.counts", label), amount);
            }
            2 => {
                let amount = random.below(1000) as f64 * 0.1;
                AMOUNTS.add(amount, (label,));
                self.sum(key("delta.amounts", label), amount);
            }
            3 => {
                let amount = random.below(1 << 40) as f64 * 0.001 + random.below(1000) as f64 * 0.1;
                EXACT.add(amount, (label,));
                self.sum(key("delta.exact", label), amount);
            }
            4 | 5 => {
                let value = random.below(300) as f64 * 0.1;
                TIMES.record(value, (label,));
                let bucket = [1.0, 5.0, 20.0].iter().filter(|bound| **bound < value).count();
                self.count(format!("{} {bucket}", key("delta.times", label)), 1);
                self.sum(key("delta.times", label), value);
            }
            6 => {
                let value = (random.below(40) as f64).exp2() - 1.0;
                WIDTHS.record(value, (label,));
                self.count(key("delta.widths", label), 1);
                self.sum(key("delta.widths", label), value);
            }
            7 => {
                let amount = random.below(100);
                // The program text names some of the labels that are also put together at run time.
                let label = match random.below(3) {
                    0 => {
                        u64_counter!("delta.mixed", "", amount, "text" => "a");
                        "a"
                    }
                    1 => {
                        u64_counter!("delta.mixed", "", amount, "text" => "b");
                        "b"
                    }
                    _ => {
                        MIXED.add(amount, (label,));
                        label
                    }
                };
                self.count(key("delta.mixed", label), amount);
            }
            _ => {
                let amount = random.below(100);
                *seen.lock().unwrap().entry(label.to_owned()).or_default() += amount;
                self.count(key("delta.seen", label), amount);
            }
        }
    }
}

/// Three exporters of one store, each with failures of its own: refused and not sent again, sent and not heard of, split.
/// Series are removed when all has arrived, end by themselves at any time, and come back.
#[test]
fn whatever_fails_and_comes_and_goes_all_adds_up_to_the_truth() {
    for seed in 0..6 {
        let (store, mut random, mut truth) = (Store::new(), Random(seed), Truth::default());
        if seed % 3 > 0 {
            store.set_expiry(Some(Expiry::after(Duration::ZERO)));
        }
        let seen: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
        let totals = Arc::clone(&seen);
        let mut pauses = Random(seed + 100);
        let _observation = store.scope(|| {
            SEEN.observe(move |o| {
                for (label, total) in &*totals.lock().unwrap() {
                    if pauses.below(4) > 0 {
                        o.set(*total, (label,));
                    }
                }
            })
        });
        // What somebody holds never ends.
        let _held = store.scope(|| ["a", "b", "c", "d", "e"].map(|label| EXACT.bind((label,))));
        let mut links = [
            Link::new(Delta, usize::MAX),
            Link::new(Delta, 900),
            Link::new(LowMemory, 2000),
            Link::new(Cumulative, 500),
        ];
        links.iter_mut().for_each(|link| link.message.prepare(&store));
        for _ in 0..300 {
            match random.below(40) {
                0 => {
                    links.iter_mut().for_each(|link| link.flush(&store));
                    let label = ["a", "b", "c"][random.below(3) as usize];
                    for name in
                        ["delta.counts", "delta.amounts", "delta.times", "delta.widths", "delta.mixed"]
                    {
                        store.remove(name, [KeyValue::new("text", label)]);
                    }
                }
                1 => {
                    // Sometimes when all has arrived, and sometimes when it has not.
                    if random.below(2) == 0 {
                        links.iter_mut().for_each(|link| link.flush(&store));
                    }
                    // One finds that nothing comes, the next ends what is idle, and the third gives its memory away.
                    (0..3).for_each(|_| drop(store.collect()));
                }
                2..10 => {
                    let at = random.below(links.len() as u64) as usize;
                    links[at].push(&mut random, &store);
                }
                _ => store.scope(|| truth.record(&mut random, &seen)),
            }
        }
        // What callbacks say is complete when none of them pauses any more.
        for _ in 0..8 {
            links.iter_mut().for_each(|link| link.flush(&store));
        }
        for (at, link) in links.iter().enumerate().take(3) {
            for (series, expected) in &truth.counts {
                if at == 2 && series.starts_with("delta.seen") || *expected == 0 {
                    continue;
                }
                let got = link.receiver.counts.get(series).copied().unwrap_or_default();
                // Whole numbers wrap at 2^64, here as there.
                assert_eq!(got as u64, *expected as u64, "{series} at {at} with seed {seed}");
            }
            for (series, expected) in &truth.sums {
                let got = link.receiver.sums.get(series).copied().unwrap_or_default();
                assert!((got - expected).abs() <= expected.abs() * 1e-12, "{series}: {got}, {expected}");
            }
        }
        // Those that never end arrived to the last bit.
        let snapshot = Snapshot::of(&store);
        for series in &snapshot.family("delta.exact").unwrap().series {
            let Point::F64(expected) = series.point else { panic!() };
            let text = series.labels.get("text").unwrap().to_string();
            let got = links[0].receiver.sums.get(&key("delta.exact", &text)).copied().unwrap_or_default();
            assert_eq!(got.to_bits(), expected.to_bits(), "{text} with seed {seed}");
        }
    }
}
