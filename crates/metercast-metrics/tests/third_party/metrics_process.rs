//! metrics-process: what the operating system knows of the process.

use metrics_process::Collector;

use crate::Page;

/// Collects twice, as a service does before each page.
pub(crate) fn collect() {
    let collector = Collector::default();
    collector.describe();
    collector.collect();
    collector.collect();
}

/// What it leaves of this process.
pub(crate) fn check(page: &Page) {
    page.has("process_threads", "Number of OS threads in the process.", "gauge");
    page.has("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter");
    let value = |name| page.value(name).parse::<f64>().unwrap();
    assert!(value("process_threads") >= 3.0 && value("process_open_fds") >= 3.0);
    assert!(value("process_resident_memory_bytes") > 1e5);
    assert!(value("process_start_time_seconds") > 1.7e9);
    assert!(value("process_cpu_seconds_total") >= 0.0);
}
