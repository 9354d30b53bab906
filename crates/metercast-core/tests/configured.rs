//! Instruments that a configuration defines: they are known as such, and all their series can end.

use metercast_core::reading::Point;
use metercast_core::{Instrument, Kind, NumberType, Store, ValueRef};

fn configured(kind: Kind, number: NumberType, name: &'static str) -> Instrument {
    Instrument::builder(kind, number, name).configured().build().unwrap()
}

#[test]
fn a_configured_instrument_is_known_as_one() {
    let store = Store::new();
    let plain = Instrument::builder(Kind::Counter, NumberType::U64, "configured.not").build().unwrap();
    store.scope(|| {
        plain.add(1u64, []);
        configured(Kind::Counter, NumberType::U64, "configured.yes").add(1u64, []);
    });
    let is_configured: Vec<_> =
        store.collect().iter().map(|family| family.definition.is_configured()).collect();
    assert_eq!(is_configured, [false, true]);
}

#[test]
fn series_without_labels_end_and_begin_at_zero() {
    let kinds = [
        (Kind::Counter, "configured.counter"),
        (Kind::UpDownCounter, "configured.up_down"),
        (Kind::Gauge, "configured.gauge"),
        (Kind::Histogram, "configured.histogram"),
    ];
    for (kind, name) in kinds {
        let (store, instrument) = (Store::new(), configured(kind, NumberType::F64, name));
        let record = || {
            store.scope(|| match kind {
                Kind::Gauge => instrument.set(3.0, []),
                Kind::Histogram => instrument.record(3.0, []),
                Kind::UpDownCounter => drop(instrument.guard([])),
                _ => instrument.add(3.0, []),
            });
        };
        record();
        record();
        assert_eq!(store.collect()[0].series.len(), 1, "{kind}");
        store.withdraw(name);
        assert!(store.collect().is_empty(), "{kind}");
        store.restore(name);
        record();
        let point = store.collect()[0].series[0].point.clone();
        match point {
            Point::F64(value) if kind == Kind::UpDownCounter => assert_eq!(value, 0.0),
            Point::F64(value) => assert_eq!(value, 3.0, "{kind}"),
            Point::Histogram(values) => assert_eq!(values.count(), 1),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_recorded_for_the_first_time_after_it_was_withdrawn_is_not_read_either() {
    let store = Store::new();
    let late = configured(Kind::Counter, NumberType::U64, "configured.late");
    store.withdraw("configured.late");
    store.scope(|| late.add(1u64, []));
    assert!(store.collect().is_empty());
    store.restore("configured.late");
    assert_eq!(store.collect().len(), 1);
}

#[test]
fn what_the_program_measures_too_is_not_taken_out() {
    let store = Store::new();
    let plain = || Instrument::builder(Kind::Counter, NumberType::U64, "configured.beside").build().unwrap();
    let beside = configured(Kind::Counter, NumberType::U64, "configured.beside");
    let total = || store.collect().first().map(|family| family.series[0].point.clone());
    store.scope(|| beside.add(1u64, []));
    store.withdraw("configured.beside");
    store.scope(|| beside.add(1u64, []));
    assert_eq!(total(), None, "nobody else has it yet");
    store.scope(|| plain().add(1u64, []));
    assert_eq!(total(), Some(Point::U64(2)));
    store.withdraw("configured.beside");
    assert_eq!(total(), Some(Point::U64(2)));
}

#[test]
fn what_cannot_be_removed_is_not_read_until_the_metric_is_back() {
    let store = Store::new();
    store.set_limit("configured.many", 2);
    let many = configured(Kind::Counter, NumberType::U64, "configured.many");
    let record = || store.scope(|| (0..5).for_each(|n| many.add(1u64, [("n", ValueRef::from(n))])));
    let series = || {
        let families = store.collect();
        let many = families.iter().find(|family| family.definition.name() == "configured.many");
        many.map_or(0, |many| many.series.len())
    };
    record();
    assert_eq!(series(), 3, "with that of the overflow");
    store.withdraw("configured.many");
    record();
    assert_eq!(series(), 0);
    store.restore("configured.many");
    assert_eq!(series(), 3);
}

#[test]
fn nothing_is_taken_out_that_the_program_defines() {
    let store = Store::new();
    let plain = Instrument::builder(Kind::Counter, NumberType::U64, "configured.plain").build().unwrap();
    store.scope(|| plain.add(1u64, []));
    store.withdraw("configured.plain");
    assert_eq!(store.collect().len(), 1);
}

#[test]
fn a_guard_of_what_is_no_up_down_counter_holds_nothing() {
    let store = Store::new();
    let counter = configured(Kind::Counter, NumberType::U64, "configured.no_guard");
    drop(store.scope(|| counter.guard([])));
    let names: Vec<_> = store.collect().iter().map(|family| family.definition.name().to_owned()).collect();
    assert_eq!(names, ["metercast.recordings.dropped"]);
}
