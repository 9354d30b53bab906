//! The process collector of the prometheus crate: what the operating system knows of the process, once more.

use metercast::{Observation, Store};
use prometheus::process_collector::ProcessCollector;

use crate::Page;

/// The collector, for as long as what is returned lives. Its names begin with one of ours, for another library has them too.
pub(crate) fn collector(store: &Store) -> Observation {
    let this_process = ProcessCollector::new(std::process::id().try_into().unwrap(), "shop");
    store.scope(|| metercast_prometheus::collector(this_process))
}

/// What it leaves of this process.
pub(crate) fn check(page: &Page) {
    page.has("shop_process_open_fds", "Number of open file descriptors.", "gauge");
    page.has("shop_process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter");
    let value = |name| page.value(name).parse::<f64>().unwrap();
    assert!(value("shop_process_threads") >= 3.0);
    assert!(value("shop_process_resident_memory_bytes") > 1e5);
    assert!((value("shop_process_start_time_seconds") - value("process_start_time_seconds")).abs() < 2.0);
}
