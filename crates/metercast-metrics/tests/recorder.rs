//! What becomes of metrics that are recorded by the macros of the facade.

use metercast::{KeyValue, Log, PrometheusPage, Store};
use metercast_metrics::{Matcher, MetricsRecorder, RecorderError};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};

/// Runs a program by a recorder in a store of its own, and gives its page.
fn page(program: impl FnOnce()) -> String {
    let store = Store::new();
    store.scope(|| with_local_recorder(&MetricsRecorder::new(), program));
    page_of(&store)
}

fn page_of(store: &Store) -> String {
    PrometheusPage::new("test", Log::to(|_, _| {})).render(store)
}

/// What is wrong in a store, in words.
fn problems(store: &Store) -> Vec<String> {
    store.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_described_before_and_after_the_first_use_is_on_the_page() {
    let page = page(|| {
        describe_counter!("described.before", Unit::Bytes, "Said first");
        counter!("described.before").increment(1);
        gauge!("described.after").set(7);
        histogram!("described.late").record(0.3);
        describe_gauge!("described.after", Unit::Seconds, "Said later");
        describe_histogram!("described.late", "Said without a unit");
    });
    for line in [
        "# HELP described_before_bytes_total Said first",
        "described_before_bytes_total 1",
        "# HELP described_after_seconds Said later",
        "described_after_seconds 7",
        "# HELP described_late Said without a unit",
    ] {
        assert!(page.lines().any(|there| there == line), "{line}\n{page}");
    }
}

#[test]
fn series_that_a_reader_has_seen_are_described_too() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    let run = |program: &dyn Fn()| store.scope(|| with_local_recorder(&recorder, program));
    run(&|| counter!("seen", "a" => "1").increment(2));
    assert!(page_of(&store).contains("seen_total{a=\"1\"} 2\n"));
    run(&|| describe_counter!("seen", Unit::Bytes, "Seen before"));
    let page = page_of(&store);
    assert!(page.contains("# HELP seen_bytes_total Seen before\n"), "{page}");
    assert!(page.contains("seen_bytes_total{a=\"1\"} 2\n"), "{page}");
    assert!(store.problems().is_empty());
}

#[test]
fn of_two_descriptions_the_first_one_stays_and_the_other_is_reported_once() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.scope(|| {
        with_local_recorder(&recorder, || {
            describe_counter!("twice", Unit::Bytes, "One");
            counter!("twice").increment(1);
            for _ in 0..3 {
                describe_counter!("twice", Unit::Seconds, "Other");
                describe_counter!("twice", Unit::Bytes, "One");
            }
        });
    });
    assert!(page_of(&store).contains("# HELP twice_bytes_total One\n"));
    let [problem] = &problems(&store)[..] else { panic!("{:?}", problems(&store)) };
    assert!(problem.starts_with("metric \"twice\" is described twice"), "{problem}");
}

#[test]
fn units_are_those_of_ucum() {
    let page = page(|| {
        for (name, unit) in [
            ("count", Unit::Count),
            ("share", Unit::Percent),
            ("milli", Unit::Milliseconds),
            ("micro", Unit::Microseconds),
            ("nano", Unit::Nanoseconds),
            ("kibi", Unit::Kibibytes),
            ("rate", Unit::KilobitsPerSecond),
            ("per", Unit::CountPerSecond),
        ] {
            describe_gauge!(name, unit, "");
            gauge!(name).set(1);
        }
    });
    for name in [
        "count 1",
        "share_percent 1",
        "milli_milliseconds 1",
        "micro_microseconds 1",
        "nano_nanoseconds 1",
        "kibi_kibibytes 1",
        "rate_kbit_per_second 1",
        "per_per_second 1",
    ] {
        assert!(page.lines().any(|line| line == name), "{name}\n{page}");
    }
}

#[test]
fn buckets_follow_the_unit_that_was_described_unless_a_rule_names_them() {
    let (store, recorder) = (
        Store::new(),
        MetricsRecorder::builder()
            .buckets_for(Matcher::Suffix("size".to_owned()), &[10.0, 20.0])
            .summaries_for(Matcher::Full("recent".to_owned()))
            .quantiles(&[0.5])
            .build()
            .unwrap(),
    );
    store.scope(|| {
        with_local_recorder(&recorder, || {
            describe_histogram!("answers", Unit::Seconds, "Time to answer");
            histogram!("answers").record(0.3);
            histogram!("undescribed.seconds").record(0.3);
            histogram!("body.size").record(11);
            histogram!("recent").record(2);
        });
    });
    let page = page_of(&store);
    for line in [
        "answers_seconds_bucket{le=\"0.005\"} 0",
        "answers_seconds_bucket{le=\"0.5\"} 1",
        "undescribed_seconds_bucket{le=\"0.5\"} 1",
        "body_size_bucket{le=\"10\"} 0",
        "body_size_bucket{le=\"20\"} 1",
        "recent_count 1",
    ] {
        assert!(page.lines().any(|there| there == line), "{line}\n{page}");
    }
    assert!(page.contains("# TYPE recent summary\n"), "{page}");
}

#[test]
fn scopes_of_tests_know_nothing_of_each_other() {
    let recorder = MetricsRecorder::new();
    let stores = [Store::new(), Store::new()];
    for (store, by) in stores.iter().zip([1, 2]) {
        store.scope(|| with_local_recorder(&recorder, || counter!("isolated", "a" => "1").increment(by)));
    }
    assert!(page_of(&stores[0]).contains("isolated_total{a=\"1\"} 1\n"));
    assert!(page_of(&stores[1]).contains("isolated_total{a=\"1\"} 2\n"));
}

#[test]
fn a_handle_follows_the_current_store_and_what_is_registered_shows_at_zero_in_each() {
    let recorder = MetricsRecorder::new();
    let handle = with_local_recorder(&recorder, || Store::new().scope(|| counter!("followed")));
    let (one, other) = (Store::new(), Store::new());
    one.scope(|| handle.increment(3));
    other.scope(|| with_local_recorder(&recorder, || drop(counter!("followed"))));
    assert!(page_of(&one).contains("followed_total 3\n"));
    assert!(page_of(&other).contains("followed_total 0\n"));
}

#[test]
fn a_recorder_that_is_bound_to_a_store_records_there_from_everywhere() {
    let store = Store::new();
    let recorder = MetricsRecorder::builder().store(&store).build().unwrap();
    Store::new().scope(|| with_local_recorder(&recorder, || counter!("bound", "a" => "1").increment(1)));
    std::thread::scope(|threads| {
        threads.spawn(|| with_local_recorder(&recorder, || counter!("bound", "a" => "1").increment(1)));
    });
    assert!(page_of(&store).contains("bound_total{a=\"1\"} 2\n"));
}

#[test]
fn counters_only_ever_rise_to_what_they_are_set_to() {
    let page = page(|| {
        let counter = counter!("raised");
        counter.increment(3);
        counter.absolute(5);
        counter.increment(2);
        counter.absolute(6);
        counter!("raised.to", "a" => "1").absolute(u64::from(u32::MAX));
    });
    assert!(page.contains("raised_total 7\n"), "{page}");
    assert!(page.contains("raised_to_total{a=\"1\"} 4294967295\n"), "{page}");
}

#[test]
fn threads_that_raise_and_add_at_once_come_to_one_total() {
    let store = Store::new();
    let recorder = MetricsRecorder::builder().store(&store).build().unwrap();
    let counter = with_local_recorder(&recorder, || counter!("raced"));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (1..=500).for_each(|to| counter.absolute(to)));
        }
    });
    assert!(page_of(&store).contains("raced_total 500\n"), "{}", page_of(&store));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..500).for_each(|_| counter.increment(1)));
        }
    });
    assert!(page_of(&store).contains("raced_total 2500\n"), "{}", page_of(&store));
}

#[test]
fn one_value_recorded_many_times_counts_as_many() {
    let store = Store::new();
    let recorder = MetricsRecorder::builder().buckets(&[1.0]).store(&store).build().unwrap();
    with_local_recorder(&recorder, || {
        histogram!("many").record_many(0.5, 1_000_000_000);
        histogram!("many").record_many(2, 0);
    });
    let page = page_of(&store);
    for line in ["many_bucket{le=\"1\"} 1000000000", "many_sum 500000000", "many_count 1000000000"] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

#[test]
fn a_name_with_two_kinds_is_reported_once_and_disturbs_nothing_else() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for _ in 0..3 {
                counter!("two.kinds").increment(1);
                gauge!("two.kinds").set(5);
                counter!("beside").increment(1);
            }
        });
    });
    let page = page_of(&store);
    assert!(page.contains("two_kinds_total 3\n") && page.contains("beside_total 3\n"), "{page}");
    assert!(!page.contains("two_kinds 5"), "{page}");
    let [problem] = &problems(&store)[..] else { panic!("{:?}", problems(&store)) };
    assert!(problem.contains("two.kinds"), "{problem}");
}

#[test]
fn names_that_differ_only_in_case_are_two_metrics_and_reported_once() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for _ in 0..3 {
                counter!("Requests", "a" => "1").increment(1);
                counter!("requests", "a" => "1").increment(2);
            }
        });
    });
    let page = page_of(&store);
    assert!(
        page.contains("Requests_total{a=\"1\"} 3\n") && page.contains("requests_total{a=\"1\"} 6\n"),
        "{page}"
    );
    let [problem] = &problems(&store)[..] else { panic!("{:?}", problems(&store)) };
    assert!(problem.starts_with("metric \"requests\" differs from \"Requests\""), "{problem}");
}

#[test]
fn any_number_of_spellings_of_one_name_takes_no_room_from_other_names() {
    let spelled = |number: u32| -> String {
        let upper = |at: usize, c: char| if number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c };
        "spelling".chars().enumerate().map(|(at, c)| upper(at, c)).collect()
    };
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for _ in 0..200 {
                (0..256).for_each(|number| counter!(spelled(number)).increment(1));
            }
            counter!("beside").increment(1);
        });
    });
    let page = page_of(&store);
    assert!(page.contains("beside_total 1\n"), "{page}");
    assert_eq!(page.lines().filter(|line| line.ends_with("_total 200")).count(), 256);
}

#[test]
fn texts_of_any_length_are_recorded_and_not_kept_by_the_recorder() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    let long = "x".repeat(10_000);
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for _ in 0..2 {
                counter!("queries", "text" => long.clone()).increment(1);
                counter!(long.clone()).increment(1);
            }
        });
    });
    let page = page_of(&store);
    assert!(page.contains(&format!("queries_total{{text=\"{}\"}} 2\n", &long[..1024])), "{page}");
    assert_eq!(format!("{recorder:?}"), "MetricsRecorder { store: None, names: 1, keys: 0, .. }");
    let said = problems(&store);
    assert!(
        said.len() == 2 && said.iter().any(|problem| problem.contains("more than 1024 bytes")),
        "{said:?}"
    );
}

#[test]
fn names_that_the_store_does_not_take_are_kept_under_one_that_is_near_and_reported_once() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for _ in 0..3 {
                counter!("a name: with all sorts").increment(1);
                counter!("_private").increment(1);
            }
        });
    });
    let page = page_of(&store);
    assert!(
        page.contains("a_name_with_all_sorts_total 3\n") && page.contains("m_private_total 3\n"),
        "{page}"
    );
    assert_eq!(problems(&store).len(), 2, "{:?}", problems(&store));
    assert!(problems(&store)[0].contains("is kept as \"a_name__with_all_sorts\""), "{:?}", problems(&store));
}

#[test]
fn ten_thousand_labels_are_counted_in_the_series_of_what_is_too_much_and_reported_once() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    let labels: Vec<(String, String)> = (0..10_000).map(|at| (format!("key_{at}"), "x".to_owned())).collect();
    store.scope(|| {
        with_local_recorder(&recorder, || {
            counter!("wide", &labels).increment(1);
            counter!("wide", &labels).increment(1);
            counter!("beside").increment(1);
        });
    });
    let page = page_of(&store);
    assert!(page.contains("wide_total{otel_metric_overflow=\"true\"} 2\n"), "{page}");
    assert!(page.contains("beside_total 1\n"), "{page}");
    let [problem] = &problems(&store)[..] else { panic!("{:?}", problems(&store)) };
    assert!(problem.starts_with("metric \"wide\" is recorded with more than 128 labels"), "{problem}");
}

#[test]
fn keys_without_end_are_counted_exactly_and_bounded() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    store.set_limit("endless", 100);
    store.scope(|| {
        with_local_recorder(&recorder, || {
            for round in 0..2 {
                for at in 0..1_000 {
                    counter!("endless", "user" => at.to_string()).increment(1 + round);
                }
            }
        });
    });
    let page = page_of(&store);
    assert!(page.contains("endless_total{user=\"7\"} 3\n"), "{page}");
    assert!(page.contains("endless_total{otel_metric_overflow=\"true\"} 2700\n"), "{page}");
    assert_eq!(page.lines().filter(|line| line.starts_with("endless_total{")).count(), 101);
    assert_eq!(format!("{recorder:?}"), "MetricsRecorder { store: None, names: 1, keys: 100, .. }");
}

#[test]
fn a_series_that_was_removed_comes_back_with_the_next_recording() {
    let (store, recorder) = (Store::new(), MetricsRecorder::new());
    let increment = || with_local_recorder(&recorder, || counter!("removed", "a" => "1").increment(1));
    store.scope(|| {
        increment();
        assert!(store.remove("removed", [KeyValue::new("a", "1")]));
        assert!(!page_of(&store).contains("removed"));
        increment();
    });
    assert!(page_of(&store).contains("removed_total{a=\"1\"} 1\n"));
}

#[test]
fn what_makes_no_sense_is_an_error_that_says_how_to_mend_it() {
    let of = |recorder: Result<MetricsRecorder, RecorderError>| recorder.unwrap_err().to_string();
    let seconds = Matcher::Suffix("_seconds".to_owned());
    for (error, expected) in [
        (
            of(MetricsRecorder::builder().buckets_for(seconds, &[]).build()),
            "buckets of metrics with the suffix \"_seconds\": there are no bounds; name at least one, or leave the rule out",
        ),
        (
            of(MetricsRecorder::builder().buckets(&[1.0, f64::INFINITY]).build()),
            "buckets of all metrics without a rule of their own: the bound inf is not finite; leave it out, the last bucket \
             is implied",
        ),
        (
            of(MetricsRecorder::builder().buckets(&[0.5; 511]).build()),
            "buckets of all metrics without a rule of their own: there are 511 bounds; at most 510 are kept",
        ),
        (
            of(MetricsRecorder::builder().quantiles(&[99.0]).build()),
            "quantiles of summaries: 99 is not from 0 to 1; write 0.99 for the 99th percentile",
        ),
        (
            of(MetricsRecorder::builder().window(std::time::Duration::ZERO).build()),
            "window of summaries: 0ns is too short; it has to be a second at least",
        ),
    ] {
        assert_eq!(error, expected);
    }
}
