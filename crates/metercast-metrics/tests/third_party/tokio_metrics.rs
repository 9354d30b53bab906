//! tokio-metrics: what a runtime and its tasks are at.

use tokio_metrics::RuntimeMetricsReporterBuilder;

use crate::Page;

/// Reports twice, as the task that it would spawn does at intervals, while there is one task.
pub(crate) fn report() {
    let task = tokio::spawn(std::future::pending::<()>());
    let mut reporter = RuntimeMetricsReporterBuilder::default().describe().build();
    reporter.run_once();
    reporter.run_once();
    task.abort();
}

/// What it leaves of the runtime of this test.
pub(crate) fn check(page: &Page) {
    page.has("tokio_workers_count", "The number of worker threads used by the runtime", "gauge");
    assert_eq!(page.value("tokio_workers_count"), "2");
    // That of the report, and what the client has not ended yet.
    assert!(page.value("tokio_live_tasks_count").parse::<u64>().unwrap() >= 1);
    page.has(
        "tokio_total_busy_duration_microseconds_total",
        "The amount of time worker threads were busy",
        "counter",
    );
    page.value("tokio_total_busy_duration_microseconds_total").parse::<u64>().unwrap();
    let ratio: f64 = page.value("tokio_busy_ratio_percent").parse().unwrap();
    assert!(ratio >= 0.0);
}
