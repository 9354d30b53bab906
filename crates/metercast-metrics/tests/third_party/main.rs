//! Libraries that others wrote, as they are, measure themselves into one store.

mod axum_prometheus;
mod metrics_process;
mod opentelemetry_instrumentation_tower;
mod prometheus_process;
mod reqwest_metrics;
mod tokio_metrics;

use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
use metercast_metrics::MetricsRecorder;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A page, and what it is asked for.
pub(crate) struct Page(String);

impl Page {
    /// The page of a store in this profile.
    fn of(store: &Store, profile: Profile) -> Page {
        let log = Log::to(|level, line| panic!("{level:?}: {line}"));
        Page(PrometheusPage::with("test", PageOptions::new().profile(profile), &[], log).render(store))
    }

    /// The value of this series, as it is written.
    pub(crate) fn value(&self, series: &str) -> &str {
        let value = |line: &str| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' '));
        let line = self.0.lines().find(|line| value(line));
        let line = line.unwrap_or_else(|| panic!("there is no {series}:\n{}", self.0));
        line[series.len()..].trim()
    }

    /// The value of the only series of this name that has these labels.
    pub(crate) fn value_with(&self, name: &str, labels: &[&str]) -> &str {
        let has = |line: &&str| {
            let rest = line.strip_prefix(name).filter(|rest| rest.starts_with('{'));
            rest.is_some_and(|rest| labels.iter().all(|label| rest.contains(label)))
        };
        let lines: Vec<&str> = self.0.lines().filter(has).collect();
        let [line] = lines[..] else { panic!("{name} with {labels:?}: {lines:?}\n{}", self.0) };
        line.rsplit_once(' ').expect("a value").1
    }

    /// Fails unless the metric of this name has this help and this type.
    pub(crate) fn has(&self, name: &str, help: &str, kind: &str) {
        for line in [format!("# HELP {name} {help}"), format!("# TYPE {name} {kind}")] {
            assert!(self.0.lines().any(|there| there == line), "there is no {line}:\n{}", self.0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libraries_of_others_feed_one_store() {
    let store = Store::new();
    // Their tasks are in no scope.
    MetricsRecorder::builder().store(&store).install().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = opentelemetry_instrumentation_tower::layered(axum_prometheus::service(), &store);
    let serve = axum::serve(listener, service);
    let serving = tokio::spawn(serve.with_graceful_shutdown(async { drop(stopped.await) }).into_future());
    reqwest_metrics::request(address).await;
    // So that the last answer is over for the server too.
    drop(stop);
    serving.await.unwrap().unwrap();
    tokio_metrics::report();
    metrics_process::collect();
    let _collected = prometheus_process::collector(&store);

    assert_eq!(store.problems(), []);
    let page = Page::of(&store, Profile::Otel);
    axum_prometheus::check(&page);
    reqwest_metrics::check(&page, address);
    tokio_metrics::check(&page);
    metrics_process::check(&page);
    opentelemetry_instrumentation_tower::check(&page);
    prometheus_process::check(&page);
}
