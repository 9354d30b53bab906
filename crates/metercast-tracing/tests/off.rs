//! Traces that nobody asks for cost nothing. Alone in its process, since it looks at all of its threads.
#![cfg(feature = "traces")]

use std::time::Duration;

use conformance::collector::Collector;
use metercast::Config;
use metercast_tracing::{Outcome, Traces};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

fn within<R>(traces: &Traces, run: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()), run)
}

#[test]
fn without_an_endpoint_there_is_no_thread_no_connection_and_no_span() {
    let config = Config::builder().variables([]).build().unwrap();
    let traces = Traces::start(&config);
    assert_eq!(*traces.outcome(), Outcome::Off);
    within(&traces, || {
        let span = info_span!("order");
        assert!(span.is_disabled(), "nobody is interested, so it is not even made");
        span.in_scope(|| assert_eq!(metercast_tracing::current_span(), None));
    });
    traces.flush(Duration::from_secs(1)).unwrap();
    traces.shutdown().unwrap();
    for off in ["OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT="] {
        let (name, value) = off.split_once('=').unwrap();
        let collector = Collector::start();
        let to = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT".to_owned(), collector.url());
        let mut variables = vec![(name.to_owned(), value.to_owned())];
        variables.extend(Some(to).filter(|_| !value.is_empty()));
        let traces = Traces::start(&Config::builder().variables(variables).build().unwrap());
        assert_eq!(*traces.outcome(), Outcome::Off, "{off}");
        within(&traces, || info_span!("order").in_scope(|| ()));
        traces.shutdown().unwrap();
        assert_eq!(collector.connections(), 0);
    }
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    assert_eq!(names.filter(|name| name.starts_with("metercast")).count(), 0);
}
