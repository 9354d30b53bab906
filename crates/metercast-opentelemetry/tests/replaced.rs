//! A program that sets another global provider after ours; alone, since globals are of the whole process.

use std::sync::Barrier;
use std::thread;

use metercast_core::Store;
use metercast_opentelemetry::install;
use opentelemetry::global;
use opentelemetry_sdk::metrics::SdkMeterProvider;

#[test]
fn another_global_provider_after_ours_is_said_once_and_what_was_built_goes_on() {
    // From wherever, as often as one likes: none replaces that of another.
    let all_at_once = Barrier::new(4);
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                all_at_once.wait();
                install().unwrap();
            });
        }
    });
    let counter = global::meter("lib").u64_counter("requests").build();
    counter.add(1, &[]);
    assert_eq!(Store::global().problems(), []);

    global::set_meter_provider(SdkMeterProvider::default());
    global::set_meter_provider(SdkMeterProvider::default());
    counter.add(1, &[]);
    let problems = Store::global().problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].to_string().contains("opentelemetry 0.33"), "{problems:?}");
    let families = Store::global().collect();
    assert_eq!(format!("{:?}", families[0].series[0].point), "U64(2)");
    assert!(install().is_err());
}
