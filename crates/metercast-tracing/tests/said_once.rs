//! What is lost when somebody asks is said to who asks, and else to the log. Alone in its process: its subscriber hears all threads.
#![cfg(feature = "traces")]

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use conformance::collector::Collector;
use metercast::Config;
use metercast::config::Traces as Settings;
use metercast_tracing::Traces;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// What metercast logs.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "metercast" {
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }
}

impl Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Traces with one span that waits.
fn traces(url: &str, interval: Duration) -> Traces {
    let settings = Settings::to(url).interval(interval);
    let config = Config::builder().environment(false).traces(settings).build().unwrap();
    let traces = Traces::start(&config);
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::with_default(subscriber, || info_span!("lost").in_scope(|| ()));
    traces
}

#[test]
fn what_is_lost_is_said_to_who_asks_or_to_the_log_and_never_to_both() {
    let collector = Collector::start();
    collector.answer(400);
    let url = collector.url();
    let lines = Lines::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.clone())).unwrap();
    let hour = Duration::from_secs(3_600);

    let error = traces(&url, hour).shutdown().unwrap_err();
    assert!(error.to_string().contains("400"), "{error}");
    assert_eq!(lines.take(), [""; 0], "whoever has the error says it");

    drop(traces(&url, hour));
    let said = lines.take();
    assert!(said.len() == 1 && said[0].contains("400"), "{said:?}");

    let traces = traces(&url, Duration::from_millis(1));
    let end = Instant::now() + Duration::from_secs(60);
    let mut said = Vec::new();
    while said.is_empty() {
        assert!(Instant::now() < end, "nobody asks, so the log has it");
        std::thread::yield_now();
        said = lines.take();
    }
    assert!(said.len() == 1 && said[0].contains("400"), "{said:?}");
    traces.shutdown().unwrap();
    assert_eq!(lines.take(), [""; 0]);
}
