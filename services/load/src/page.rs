//! The page of the load itself: what clients counted, and what the collector was told, so that Prometheus has both sides of every count.

use std::sync::Arc;

use conformance::collector::Collector;
use conformance::http::{self, Answer};
use metercast::config::{Config, Prometheus};
use metercast::{Observation, Telemetry, metrics};

use crate::ports::Ports;
use crate::tally::Tally;

/// Who pushes to the collector.
pub(crate) const SENDERS: [&str; 4] = ["mailroom", "executor", "router", "vendor"];

metrics! {
    /// What clients did and what came of it
    static CLIENTS: ObservableCounter<u64> = "load.clients" { labels: { service: &str, what: &str } };
    /// What the collector knows of each metric that is pushed: the sum over its series
    static PUSHED: ObservableGauge<f64> = "load.pushed" { labels: { by: &str, metric: &str } };
}

/// The catalogue of the mailroom.
const MAILROOM: &str = include_str!("../../mailroom/docs/metrics.json");

/// Serves what the mailroom has pushed as a page, as a collector would, and returns its URL: Prometheus has its metrics so.
pub(crate) fn serve_mailroom(collector: &Collector) -> String {
    let catalogue: serde_json::Value = serde_json::from_str(MAILROOM).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let metrics = catalogue["metrics"].as_array().into_iter().flatten();
    let names = metrics.map(|metric| (text(&metric["name"]), text(&metric["prometheus"]))).collect();
    let collector = collector.clone();
    let page = move || collector.pushed().page("mailroom", &names);
    let url = http::serve(move |_| Answer::ok("text/plain; version=0.0.4; charset=utf-8", page()));
    format!("{url}/metrics")
}

/// A page, until it is dropped.
#[derive(Debug)]
pub struct OwnPage {
    telemetry: Telemetry,
    _observed: [Observation; 2],
}

impl OwnPage {
    /// Serves it.
    ///
    /// # Errors
    ///
    /// If its port is taken.
    pub fn serve(ports: Ports, tally: &Arc<Tally>, collector: &Collector) -> Result<OwnPage, String> {
        let page = Prometheus::listen(&ports.of("the page of the load"));
        let config = Config::builder()
            .service("load", env!("CARGO_PKG_VERSION"))
            .environment(false)
            .exporter("prometheus", page)
            .on_sigterm(metercast::config::OnSigterm::Ignore)
            .build()
            .map_err(|error| error.to_string())?;
        let telemetry = Telemetry::builder(config).log(metercast::Log::to(|_, _| {}));
        let telemetry = telemetry.start().map_err(|error| error.to_string())?;
        let (tally, collector) = (Arc::clone(tally), collector.clone());
        let clients = CLIENTS.observe(move |observer| {
            for (service, what, number) in tally.each() {
                observer.set(number, (service, &*what));
            }
        });
        let pushed = PUSHED.observe(move |observer| {
            let pushed = collector.pushed();
            for by in SENDERS {
                let mut names: Vec<&str> = pushed.series(by).map(|(name, ..)| name).collect();
                names.dedup();
                for name in names {
                    observer.set(pushed.sum(by, name, &[]).unwrap_or_default(), (by, name));
                }
            }
        });
        Ok(OwnPage { telemetry, _observed: [clients, pushed] })
    }

    /// Where it is.
    ///
    /// # Panics
    ///
    /// If it is nowhere.
    pub fn url(&self) -> String {
        self.telemetry.scrape_url().expect("it has a listener")
    }
}
