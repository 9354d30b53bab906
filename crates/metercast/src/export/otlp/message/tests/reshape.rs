//! A message that is made anew goes on where it was.

use metercast_core::u64_counter;

use super::delta::{COUNTS, Receiver, TIMES, key, message};
use super::*;
use crate::config::TemporalityPreference::{Cumulative, Delta};
use crate::view::{Filter, Projection, View};

metrics! {
    static QUEUED: UpDownCounter<i64> = "reshape.queued" { labels: { text: &str } };
}

fn delta() -> OtlpOptions {
    OtlpOptions::default().temporality(Delta)
}

fn with(projection: Projection) -> OtlpMessage {
    OtlpMessage::with_projection(&[], delta(), projection)
}

fn alias() -> Projection {
    Projection::new().view(View::of("delta.counts").alias("other.counts"))
}

/// Sends everything, and hears that it arrived.
fn flush(message: &mut OtlpMessage, store: &Store, receiver: &mut Receiver) {
    for request in message.requests(store, usize::MAX) {
        receiver.receive(request.body());
        message.delivered(request);
    }
}

fn add(store: &Store, amount: u64) {
    store.scope(|| COUNTS.add(amount, ("a",)));
}

/// The only point of a sum in the only request.
fn point_of(requests: &[Request], name: &str) -> NumberDataPoint {
    let [request] = requests else { panic!("{requests:?}") };
    let Data::Sum(sum) = data(&decoded(request.body()), name) else { panic!("{name} is a sum") };
    let [point] = &sum.data_points[..] else { panic!("{sum:?}") };
    point.clone()
}

#[test]
fn a_message_of_another_name_resource_and_encoding_goes_on_where_it_was() {
    let (store, mut message) = (Store::new(), with(Projection::new()));
    add(&store, 3);
    let first = message.requests(&store, usize::MAX);
    let told_at = point_of(&first, "delta.counts").time_unix_nano;
    first.into_iter().for_each(|request| message.delivered(request));
    // One that is refused is told in the new shape.
    add(&store, 4);
    drop(message.requests(&store, usize::MAX));

    let renamed = Projection::new().view(View::of("delta.counts").rename("new.counts"));
    let resource = [("service.name".to_owned(), Value::from("orders"))];
    message.reshape(&store, &resource, delta().encoding(OtlpEncoding::Json), renamed);
    add(&store, 5);
    let requests = message.requests(&store, usize::MAX);
    let request: ExportMetricsServiceRequest = serde_json::from_slice(requests[0].body()).unwrap();
    assert_eq!(request.resource_metrics[0].resource.as_ref().unwrap().attributes.len(), 1);
    let Data::Sum(sum) = data(&request, "new.counts") else { panic!() };
    assert_eq!(sum.data_points[0].value, Some(NumberValue::AsInt(9)));
    assert_eq!(sum.data_points[0].start_time_unix_nano, told_at);
}

#[test]
fn what_was_on_its_way_when_a_message_was_made_anew_is_told_once() {
    let (store, mut message) = (Store::new(), with(Projection::new()));
    add(&store, 3);
    let on_its_way = message.requests(&store, usize::MAX);
    message.reshape(&store, &[], delta(), Projection::new());
    on_its_way.into_iter().for_each(|request| message.delivered(request));
    add(&store, 4);
    let requests = message.requests(&store, usize::MAX);
    assert_eq!(point_of(&requests, "delta.counts").value, Some(NumberValue::AsInt(4)));
}

#[test]
fn an_alias_is_delivered_on_its_own() {
    let (store, mut message, mut receiver) = (Store::new(), with(alias()), Receiver::default());
    let series: Vec<_> = (0..20).map(|number| format!("{number}")).collect();
    let add = || store.scope(|| series.iter().for_each(|series| COUNTS.add(1, (series,))));
    add();
    let mut refused = 0;
    for (at, request) in message.requests(&store, 500).into_iter().enumerate() {
        // Those with one of the names arrive, and some with the other.
        if at % 3 > 0 {
            receiver.receive(request.body());
            message.delivered(request);
        } else {
            refused += request.points();
        }
    }
    assert!(refused > 4);
    add();
    flush(&mut message, &store, &mut receiver);
    for series in &series {
        for name in ["delta.counts", "other.counts"] {
            assert_eq!(receiver.count(name, series), 2, "{name} {series}");
        }
    }
}

#[test]
fn an_alias_counts_from_when_it_is_wanted_each_time() {
    let (store, mut message, mut receiver) = (Store::new(), with(Projection::new()), Receiver::default());
    let mut expected = 0;
    for round in 1..4 {
        add(&store, 100);
        flush(&mut message, &store, &mut receiver);
        message.reshape(&store, &[], delta(), alias());
        add(&store, round);
        flush(&mut message, &store, &mut receiver);
        expected += u128::from(round);
        assert_eq!(receiver.count("other.counts", "a"), expected);
        message.reshape(&store, &[], delta(), Projection::new());
        add(&store, 100);
    }
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 600 + expected);
    assert_eq!(receiver.count("other.counts", "a"), expected);
}

#[test]
fn the_name_tells_which_stream_goes_on_if_both_are_there() {
    let (store, mut message, mut receiver) = (Store::new(), with(alias()), Receiver::default());
    add(&store, 3);
    flush(&mut message, &store, &mut receiver);
    add(&store, 4);
    // What was the alias is now the metric, and what was the metric is the alias.
    let swapped = Projection::new()
        .view(View::of("delta.counts").alias("delta.counts"))
        .view(View::of("delta.counts").rename("other.counts"));
    message.reshape(&store, &[], delta(), swapped);
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 7);
    assert_eq!(receiver.count("other.counts", "a"), 7);
}

#[test]
fn what_was_filtered_out_counts_from_when_it_is_let_out() {
    let without = || Projection::new().filter(Filter::new().exclude("delta.*"));
    let (store, mut message, mut receiver) = (Store::new(), with(without()), Receiver::default());
    add(&store, 3);
    message.reshape(&store, &[], delta(), Projection::new());
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 0);
    add(&store, 4);
    // Nothing was known of this one when the message was made anew.
    store.scope(|| COUNTS.add(5, ("b",)));
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 4);
    assert_eq!(receiver.count("delta.counts", "b"), 5);
    message.reshape(&store, &[], delta(), without());
    add(&store, 100);
    message.reshape(&store, &[], delta(), Projection::new());
    add(&store, 1);
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 5);
}

#[test]
fn what_is_there_already_is_not_told_to_who_begins_now() {
    let (store, mut message, mut receiver) = (Store::new(), with(alias()), Receiver::default());
    add(&store, 3);
    store.scope(|| TIMES.record(3.0, ("a",)));
    message.begin_now(&store);
    assert!(message.requests(&store, usize::MAX).is_empty());
    add(&store, 4);
    store.scope(|| TIMES.record(4.0, ("a",)));
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 4);
    assert_eq!(receiver.count("other.counts", "a"), 4);
    assert_eq!(receiver.sums[&key("delta.times", "a")], 4.0);
}

#[test]
fn what_was_recorded_first_after_the_last_reading_is_told_in_the_next_shape() {
    let renamed = || Projection::new().view(View::of("delta.*").drop_labels(["text"]));
    let (store, mut message) = (Store::new(), with(Projection::new()));
    assert!(message.requests(&store, usize::MAX).is_empty());
    add(&store, 3);
    message.reshape(&store, &[], delta(), renamed());
    let requests = message.requests(&store, usize::MAX);
    assert_eq!(point_of(&requests, "delta.counts").value, Some(NumberValue::AsInt(3)));
}

#[test]
fn series_that_are_put_together_count_on_and_so_do_those_that_part_again() {
    let (store, mut message) = (Store::new(), with(Projection::new()));
    let record = |text, amount| {
        store.scope(|| {
            COUNTS.add(amount, (text,));
            TIMES.record(amount as f64, (text,));
        });
    };
    let told = |message: &mut OtlpMessage| {
        let requests = message.requests(&store, usize::MAX);
        let request = decoded(requests[0].body());
        let Data::Sum(sum) = data(&request, "delta.counts") else { panic!() };
        let Data::Histogram(histogram) = data(&request, "delta.times") else { panic!() };
        requests.into_iter().for_each(|request| message.delivered(request));
        let counts: Vec<_> = sum.data_points.iter().map(|point| point.value.unwrap()).collect();
        let times =
            histogram.data_points.iter().map(|point| (point.count, point.sum, point.bucket_counts.clone()));
        (counts, times.collect::<Vec<_>>())
    };
    record("a", 3);
    record("b", 4);
    told(&mut message);
    record("a", 10);
    let together = Projection::new().view(View::of("delta.*").drop_labels(["text"]));
    message.reshape(&store, &[], delta(), together);
    record("b", 7);
    let (counts, times) = told(&mut message);
    assert_eq!(counts, [NumberValue::AsInt(17)]);
    assert_eq!(times, [(2, Some(17.0), vec![0, 0, 2, 0])]);
    record("a", 1);
    message.reshape(&store, &[], delta(), Projection::new());
    record("a", 2);
    let (counts, times) = told(&mut message);
    assert_eq!(counts, [NumberValue::AsInt(3)]);
    assert_eq!(times, [(2, Some(3.0), vec![1, 1, 0, 0])]);
}

#[test]
fn what_was_recorded_before_a_bound_was_kept_comes_with_the_bounds_that_there_were() {
    let (store, mut message) = (Store::new(), with(Projection::new()));
    let told = |message: &mut OtlpMessage| {
        let requests = message.requests(&store, usize::MAX);
        let Data::Histogram(histogram) = data(&decoded(requests[0].body()), "delta.times") else { panic!() };
        requests.into_iter().for_each(|request| message.delivered(request));
        let [point] = &histogram.data_points[..] else { panic!("{histogram:?}") };
        (point.explicit_bounds.clone(), point.bucket_counts.clone())
    };
    let record = |value| store.scope(|| TIMES.record(value, ("a",)));
    record(3.0);
    assert_eq!(told(&mut message), (vec![1.0, 5.0, 20.0], vec![0, 1, 0, 0]));
    record(2.0);
    let bounds = |bounds: &[f64]| Projection::new().view(View::of("delta.times").buckets(bounds));
    message.reshape(&store, &[], delta(), bounds(&[2.5, 5.0]));
    record(4.0);
    // Of the first nobody knows on which side of the new bound it is.
    assert_eq!(told(&mut message), (vec![5.0], vec![2, 0]));
    record(2.0);
    record(4.0);
    assert_eq!(told(&mut message), (vec![2.5, 5.0], vec![1, 1, 0]));
    // Bounds that are kept anyhow are there at once, and those that were.
    record(2.0);
    message.reshape(&store, &[], delta(), bounds(&[1.0, 2.5, 20.0]));
    record(30.0);
    assert_eq!(told(&mut message), (vec![1.0, 2.5, 20.0], vec![0, 1, 0, 1]));
}

#[test]
fn who_was_told_totals_is_told_what_came_since_the_last_that_arrived() {
    for arrives in [true, false] {
        let (store, mut receiver) = (Store::new(), Receiver::default());
        let mut message = message(Cumulative);
        let record = |amount| {
            store.scope(|| {
                COUNTS.add(amount, ("a",));
                (0..amount).for_each(|_| TIMES.record(3.0, ("a",)));
                u64_counter!("delta.mixed", "", amount, "text" => "a");
            });
        };
        record(3);
        for request in message.requests(&store, usize::MAX) {
            message.delivered(request);
        }
        record(4);
        message.announce(&delta());
        for request in message.requests(&store, usize::MAX) {
            let total = data(&decoded(request.body()), "delta.counts");
            let Data::Sum(total) = total else { panic!() };
            assert_eq!(
                (total.aggregation_temporality, total.data_points[0].value),
                (2, Some(NumberValue::AsInt(7)))
            );
            if arrives {
                message.delivered(request);
            }
        }
        record(5);
        store.scope(|| COUNTS.add(6, ("b",)));
        message.reshape(&store, &[], delta(), Projection::new());
        record(7);
        flush(&mut message, &store, &mut receiver);
        // What did not arrive as totals is told by no delta: it belongs to those.
        let (old, new) = if arrives { (12, 6) } else { (7, 0) };
        assert_eq!(receiver.count("delta.counts", "a"), old);
        assert_eq!(receiver.count("delta.mixed", "a"), old);
        assert_eq!(receiver.counts.get(&format!("{} 1", key("delta.times", "a"))), Some(&old));
        assert_eq!(receiver.sums[&key("delta.times", "a")], 3.0 * old as f64);
        assert_eq!(receiver.count("delta.counts", "b"), new);
    }
}

#[test]
fn a_change_that_was_announced_and_taken_back_leaves_nothing_behind() {
    let (store, mut message, mut receiver) = (Store::new(), message(Cumulative), Receiver::default());
    let push = |message: &mut OtlpMessage| {
        let requests = message.requests(&store, usize::MAX);
        requests.into_iter().for_each(|request| message.delivered(request));
    };
    add(&store, 3);
    message.announce(&delta());
    push(&mut message);
    message.announce(&OtlpOptions::default());
    add(&store, 4);
    push(&mut message);
    for is_pushed in [false, true] {
        message.announce(&delta());
        if is_pushed {
            push(&mut message);
        }
        add(&store, 5);
        message.reshape(&store, &[], delta(), Projection::new());
        add(&store, 6);
        flush(&mut message, &store, &mut receiver);
        assert_eq!(receiver.count("delta.counts", "a"), if is_pushed { 6 + 11 } else { 6 });
        message.reshape(&store, &[], OtlpOptions::default(), Projection::new());
        push(&mut message);
    }
}

#[test]
fn totals_that_follow_deltas_have_the_start_of_their_series() {
    let (store, mut message, mut receiver) = (Store::new(), with(Projection::new()), Receiver::default());
    add(&store, 3);
    flush(&mut message, &store, &mut receiver);
    add(&store, 4);
    let started = unix_nanoseconds(Snapshot::of(&store).family("delta.counts").unwrap().series[0].started);
    message.reshape(&store, &[], OtlpOptions::default(), Projection::new());
    let requests = message.requests(&store, usize::MAX);
    let point = point_of(&requests, "delta.counts");
    assert_eq!((point.value, point.start_time_unix_nano), (Some(NumberValue::AsInt(7)), started));
    // And back: what was told by totals is not told again.
    message.announce(&delta());
    message.requests(&store, usize::MAX).into_iter().for_each(|request| message.delivered(request));
    add(&store, 5);
    message.reshape(&store, &[], delta(), Projection::new());
    flush(&mut message, &store, &mut receiver);
    assert_eq!(receiver.count("delta.counts", "a"), 3 + 5);
}

#[test]
fn up_down_counters_are_totals_for_who_wants_deltas() {
    let (store, mut message) =
        (Store::new(), with(Projection::new().view(View::of("reshape.*").rename("level"))));
    store.scope(|| QUEUED.add(5, ("a",)));
    for expected in [5, 3] {
        let requests = message.requests(&store, usize::MAX);
        let Data::Sum(sum) = data(&decoded(requests[0].body()), "level") else { panic!() };
        assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (2, false));
        assert_eq!(sum.data_points[0].value, Some(NumberValue::AsInt(expected)));
        requests.into_iter().for_each(|request| message.delivered(request));
        message.reshape(&store, &[], delta(), Projection::new().view(View::of("reshape.*").rename("level")));
        store.scope(|| QUEUED.add(-2, ("a",)));
    }
}
