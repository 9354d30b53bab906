//! The recorder of the process, of which there is one: so this file has a process of its own.

use metercast::{Log, PrometheusPage, Store};
use metercast_metrics::{MetricsRecorder, RecorderError};
use metrics::counter;

#[test]
fn the_recorder_of_the_process_is_installed_once_and_a_second_one_is_an_error() {
    MetricsRecorder::builder().install().unwrap();
    let error = MetricsRecorder::builder().install().unwrap_err();
    assert_eq!(error, RecorderError::Installed);
    assert!(error.to_string().contains("is installed in this process already"), "{error}");
    counter!("global").increment(1);
    let store = Store::new();
    store.scope(|| counter!("global").increment(5));
    std::thread::spawn(|| counter!("global").increment(2)).join().unwrap();
    let page = |store: &Store| PrometheusPage::new("test", Log::to(|_, _| {})).render(store);
    assert!(page(&Store::global()).contains("global_total 3\n"));
    assert!(page(&store).contains("global_total 5\n"));
}
