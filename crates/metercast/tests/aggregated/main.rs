//! Several exporters over one store, each with names, labels, units, buckets, filters and a temporality of its own, show what an
//! aggregation of the raw measurements comes to that knows nothing of them.

#[path = "../support/mod.rs"]
mod support;

mod recorded;
mod shown;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use metercast::config::TemporalityPreference;
use metercast::{Log, OtlpMessage, OtlpOptions, PageOptions, PrometheusPage, Store, Strategy};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

use recorded::{MOST_THREADS, Phase, Raw, record};
use shown::Shown;
use support::random::Random;
use support::told::{self, Told};

const ROUNDS: usize = 20;
const PHASES: usize = 5;

/// An exporter by OTLP, and what its receiver was told.
struct Push {
    message: OtlpMessage,
    is_delta: bool,
    told: Told,
    shown: Shown,
}

impl Push {
    fn new(store: &Store, temporality: TemporalityPreference, shown: Shown) -> Push {
        let options = OtlpOptions::default().temporality(temporality);
        let mut message = OtlpMessage::with_projection(&[], options, shown.projection.clone());
        message.prepare(store);
        let is_delta = temporality != TemporalityPreference::Cumulative;
        Push { message, is_delta, told: Told::default(), shown }
    }

    /// Sends what there is, of which the receiver misses some.
    fn push(&mut self, store: &Store, random: &mut Random, loses: bool) {
        if !self.is_delta {
            self.told = Told::default();
        }
        let limit = random.pick(&[600, 4_000, usize::MAX]);
        for request in self.message.requests(store, limit) {
            if !(loses && random.one_in(3)) {
                self.told.hear(&ExportMetricsServiceRequest::decode(request.body()).unwrap());
                self.message.delivered(request);
            }
        }
        assert_eq!(self.message.left_out(), 0);
    }
}

/// The names of a page without suffixes.
fn spelled(name: &str) -> String {
    name.replace('.', "_")
}

fn round(seed: u64, operations: usize) {
    let mut random = Random::new(seed);
    let store = Store::new();
    let mut shown = Shown::at_random(&mut random, false);
    let page = PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes).total_suffix(false);
    let page =
        PrometheusPage::with("page", page, &[], Log::to(|_, _| {})).projection(shown.projection.clone());
    page.render(&store);
    let mut pushes = [TemporalityPreference::Cumulative, TemporalityPreference::Delta]
        .map(|temporality| Push::new(&store, temporality, Shown::at_random(&mut random, true)));
    let threads = 2 + random.below(MOST_THREADS - 1);
    for phase in 0..PHASES {
        let of_phase = Phase::new(&mut random, threads);
        let running = AtomicUsize::new(threads);
        let recorded: Vec<Vec<Raw>> = thread::scope(|scope| {
            let recording: Vec<_> = (0..threads)
                .map(|thread| {
                    let (store, running) = (&store, &running);
                    let mut random = Random::new(random.next());
                    scope.spawn(move || {
                        let all = (0..operations.div_ceil(PHASES * threads))
                            .map(|_| record(store, &mut random, thread, of_phase))
                            .collect();
                        running.fetch_sub(1, Ordering::Relaxed);
                        all
                    })
                })
                .collect();
            while running.load(Ordering::Relaxed) > 0 {
                pushes.iter_mut().for_each(|push| push.push(&store, &mut random, true));
                page.render(&store);
            }
            recording.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for raw in recorded.iter().flatten() {
            shown.add(raw);
            pushes.iter_mut().for_each(|push| push.shown.add(raw));
        }
        let at = |exporter: &str, error: String| {
            panic!("METERCAST_SEED={seed} phase {phase}, {exporter}: {error}")
        };
        shown.check(&told::page(&page.render(&store)), spelled).unwrap_or_else(|error| at("page", error));
        for push in &mut pushes {
            push.push(&store, &mut random, false);
            let exporter = if push.is_delta { "delta" } else { "cumulative" };
            push.shown.check(&push.told.samples, str::to_owned).unwrap_or_else(|error| at(exporter, error));
        }
    }
}

#[test]
fn three_exporters_show_what_an_aggregation_of_all_measurements_comes_to() {
    let operations = if support::is_long() { 1_000_000 } else { 100_000 };
    let mut seed = Random::seed();
    for _ in 0..ROUNDS {
        round(seed, operations / ROUNDS);
        seed = seed.wrapping_add(1);
    }
}
