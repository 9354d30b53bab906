//! What several tests ask of a store.

// Each test binary takes its part.
#![allow(dead_code)]

use metercast_core::Store;
use metercast_core::reading::{Family, Point, Series};

/// The only metric of this name.
pub(crate) fn family(store: &Store, name: &str) -> Family {
    let mut families: Vec<_> =
        store.collect().into_iter().filter(|family| family.definition.name() == name).collect();
    assert_eq!(families.len(), 1, "{name}: {families:?}");
    families.remove(0)
}

/// Its series: labels and values, a line each.
pub(crate) fn lines(store: &Store, name: &str) -> Vec<String> {
    let point = |point: &Point| match point {
        Point::U64(value) => value.to_string(),
        Point::I64(value) => value.to_string(),
        Point::F64(value) => format!("{value:?}"),
        Point::Histogram(buckets) => format!("{:?} {:?} {:?}", buckets.bounds, buckets.counts, buckets.sum),
        other => panic!("{other:?}"),
    };
    let line =
        |series: &Series| format!("{} {}", series.labels, point(&series.point)).trim_start().to_owned();
    family(store, name).series.iter().map(line).collect()
}

/// What is wrong with a metric.
pub(crate) fn problems(store: &Store, name: &str) -> Vec<String> {
    let of_name = store.problems().into_iter().filter(|problem| problem.metric == name);
    of_name.map(|problem| problem.message).collect()
}
