//! History by the mock clock: rates, values and quantiles second by second, the six hours, and the bound.

use std::time::UNIX_EPOCH;

use metercast_core::{MockClock, labels, metrics};

use super::*;

labels! {
    /// What became of it.
    enum Fate { Done, Lost }
}

metrics! {
    /// Jobs.
    static JOBS: Counter<u64> = "history.jobs" { labels: { "error.type": Option<&str> } };
    /// Depth.
    static DEPTH: Gauge<i64> = "history.depth" { labels: { queue: &str } };
    /// Time.
    static TIME: Histogram<f64> = "history.time" { unit: "s", buckets: [1.0, 2.0, 4.0] };
    /// Sizes, in buckets that follow the values.
    static SIZE: Histogram<f64> = "history.size" { exponential: true };
    /// In flight.
    static OPEN: UpDownCounter<i64> = "history.open" { labels: { fate: Fate } };
}

struct Run {
    clock: MockClock,
    store: Store,
    history: History,
}

impl Run {
    fn new(limit: usize) -> Run {
        let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_000));
        let store = Store::with_clock(&clock);
        Run { clock, store, history: History::new(limit) }
    }

    /// What comes, and then so many seconds pass until the next reading.
    fn after(&mut self, seconds: u64, record: impl FnOnce()) -> bool {
        self.store.scope(record);
        self.clock.advance(Duration::from_secs(seconds));
        self.history.read(&self.store)
    }

    fn metric(&self, of: &str) -> &Metric {
        &self.history.metrics[&(of.to_owned(), String::new())]
    }

    fn now(&self, of: &str, line: &str) -> Option<f64> {
        self.metric(of).now.0[LINES.iter().position(|known| *known == line).unwrap()]
    }

    fn line(&self, values: Values, line: &str) -> Vec<String> {
        let (_, values) = values.lines.into_iter().find(|(name, _)| *name == line).unwrap();
        values.iter().map(f64::to_string).collect()
    }

    fn seconds(&self, of: &str, line: &str) -> Vec<String> {
        self.line(self.history.seconds(self.metric(of), 900), line)
    }
}

#[test]
fn a_counter_has_its_rate_and_that_of_what_failed() {
    let mut run = Run::new(300);
    run.after(0, || JOBS.add(5, (None,)));
    assert_eq!(
        run.now("history.jobs", "rate"),
        None,
        "what came before the first reading came at no known time"
    );
    run.after(1, || JOBS.add(3, (None,)));
    assert_eq!(run.now("history.jobs", "rate"), Some(3.0));
    assert_eq!(run.now("history.jobs", "failed"), None);
    run.after(2, || {
        JOBS.add(2, (None,));
        JOBS.add(4, (Some("timeout"),));
    });
    assert_eq!(run.now("history.jobs", "rate"), Some(3.0), "six in two seconds");
    assert_eq!(run.now("history.jobs", "failed"), Some(2.0));
    assert_eq!(run.seconds("history.jobs", "rate"), ["NaN", "3", "NaN", "3"]);
    assert_eq!(run.seconds("history.jobs", "failed"), ["NaN", "NaN", "NaN", "2"]);
}

#[test]
fn a_metric_that_comes_later_has_begun_in_between() {
    let mut run = Run::new(300);
    run.after(0, || {});
    run.after(1, || JOBS.add(5, (None,)));
    assert_eq!(run.now("history.jobs", "rate"), Some(5.0));
    run.after(1, || JOBS.add(1, (None,)));
    assert_eq!(run.now("history.jobs", "rate"), Some(1.0));
}

#[test]
fn values_add_up_over_series_and_say_the_least_and_the_most() {
    let mut run = Run::new(300);
    run.after(0, || {
        DEPTH.set(3, ("mail",));
        DEPTH.set(-1, ("bill",));
        OPEN.add(4, (Fate::Done,));
        OPEN.add(-1, (Fate::Lost,));
    });
    assert_eq!(run.now("history.depth", "value"), Some(2.0));
    assert_eq!(run.metric("history.depth").amount.range, Some((-1.0, 3.0)));
    assert_eq!(run.now("history.open", "value"), Some(3.0));
}

#[test]
fn quantiles_are_of_the_values_of_the_last_second() {
    let mut run = Run::new(300);
    run.after(0, || (0..100).for_each(|_| TIME.record(3.0)));
    run.after(1, || (0..10).for_each(|_| TIME.record(0.5)));
    assert_eq!(run.now("history.time", "p50"), Some(0.5));
    assert_eq!(run.now("history.time", "rate"), Some(10.0));
    run.after(1, || {});
    assert_eq!(run.now("history.time", "p50"), None, "nothing came");
    assert_eq!(run.now("history.time", "rate"), Some(0.0));
    let all: Vec<_> = run.metric("history.time").amount.quantiles().collect();
    assert_eq!(all[0], ("p50", Some(2.9)));
}

#[test]
fn quantiles_of_exponential_buckets_are_theirs() {
    let mut run = Run::new(300);
    run.after(0, || (0..100).for_each(|_| SIZE.record(1e6)));
    run.after(1, || (0..10).for_each(|_| SIZE.record(1_500.0)));
    let p95 = run.now("history.size", "p95").unwrap();
    assert!((p95 / 1_500.0 - 1.0).abs() < 0.1, "{p95}");
}

#[test]
fn a_sum_that_is_less_than_before_says_no_rate() {
    let mut run = Run::new(300);
    run.after(0, || {
        JOBS.add(5, (Some("a"),));
        JOBS.add(5, (None,));
    });
    run.after(1, || JOBS.add(1, (None,)));
    run.store.remove("history.jobs", [metercast_core::KeyValue::new("error.type", "a")]);
    run.after(1, || JOBS.add(1, (None,)));
    assert_eq!(run.now("history.jobs", "rate"), None);
    run.after(1, || JOBS.add(1, (None,)));
    assert_eq!(run.now("history.jobs", "rate"), Some(1.0));
}

#[test]
fn within_a_second_the_store_is_read_once() {
    let mut run = Run::new(300);
    assert!(run.after(0, || JOBS.add(1, (None,))));
    assert!(!run.after(0, || JOBS.add(1, (None,))));
    run.clock.advance(Duration::from_millis(999));
    assert!(!run.after(0, || {}));
    run.clock.advance(Duration::from_millis(1));
    assert!(run.after(0, || {}));
    assert_eq!(run.now("history.jobs", "rate"), Some(1.0));
}

#[test]
fn six_hours_are_kept_in_steps_with_the_rate_and_quantiles_of_each() {
    let mut run = Run::new(300);
    run.after(0, || JOBS.add(1, (None,)));
    for second in 0..30 {
        run.after(1, || {
            JOBS.add(if second < 15 { 2 } else { 4 }, (None,));
            TIME.record(if second % 15 == 0 { 3.0 } else { 0.5 });
        });
    }
    let steps = |of: &str, line: &str| run.line(run.history.steps(run.metric(of), 9), line);
    assert_eq!(steps("history.jobs", "rate"), ["NaN", "2", "4"]);
    // 14 values of 15 are in the lowest bucket: not the mean of 15 medians, but that of all values.
    let p50: f64 = steps("history.time", "p50")[2].parse().unwrap();
    assert!((p50 - 7.5 / 14.0).abs() < 1e-9, "{p50}");
}

#[test]
fn there_are_no_more_lines_than_allowed_and_those_without_room_are_counted() {
    let mut run = Run::new(3);
    let record = || {
        DEPTH.set(3, ("mail",));
        JOBS.add(1, (None,));
        TIME.record(1.0);
    };
    run.after(0, record);
    assert_eq!(run.history.lines(), (3, 3, 3));
    run.after(1, record);
    assert_eq!(run.history.lines(), (3, 3, 3));
    assert_eq!(run.now("history.time", "rate"), Some(1.0), "what it is now is known all the same");
    run.history.set_limit(300);
    run.after(1, record);
    assert_eq!(run.history.lines(), (6, 300, 0));
}

#[test]
fn what_is_gone_makes_room_when_it_is_needed_and_else_stays_for_six_hours() {
    let mut run = Run::new(1);
    run.after(0, || DEPTH.set(3, ("mail",)));
    run.store.remove("history.depth", [metercast_core::KeyValue::new("queue", "mail")]);
    run.after(1, || {});
    assert!(!run.metric("history.depth").is_present());
    assert_eq!(run.seconds("history.depth", "value"), ["3", "NaN"]);
    run.after(1, || JOBS.add(1, (None,)));
    assert_eq!(run.history.lines(), (0, 1, 1), "it makes room");
    run.after(1, || {});
    assert_eq!(run.history.lines(), (1, 1, 0));
    let mut run = Run::new(1);
    run.after(0, || DEPTH.set(3, ("mail",)));
    run.store.remove("history.depth", [metercast_core::KeyValue::new("queue", "mail")]);
    run.after(6 * 60 * 60, || {});
    assert_eq!(run.history.metrics.len(), 1);
    run.after(1, || {});
    assert!(run.history.metrics.is_empty() && run.history.lines() == (0, 1, 0));
}

fn queue(name: &str) -> Selected {
    let mut selected = Selected::default();
    selected.add(&format!("queue:{name}"));
    selected
}

impl Run {
    fn follow(&mut self, of: &str, selected: &Selected) {
        self.history.follow(&(of.to_owned(), String::new()), selected);
    }

    fn followed(&self, of: &str, selected: &Selected, line: &str) -> Option<Vec<String>> {
        let metric = self.history.followed(&(of.to_owned(), String::new()), selected)?;
        Some(self.line(self.history.seconds(metric, 3), line))
    }
}

#[test]
fn single_series_have_a_history_from_when_they_are_asked_for() {
    let mut run = Run::new(300);
    let mut failed = Selected::default();
    failed.add("error.type:timeout");
    let record = || {
        DEPTH.set(3, ("mail",));
        DEPTH.set(9, ("bill",));
        JOBS.add(4, (None,));
        JOBS.add(1, (Some("timeout"),));
    };
    run.after(0, record);
    run.after(1, record);
    run.follow("history.depth", &queue("mail"));
    run.follow("history.jobs", &failed);
    run.follow("history.nothing", &failed);
    run.after(1, record);
    run.after(1, record);
    assert_eq!(run.followed("history.depth", &queue("mail"), "value").unwrap(), ["NaN", "3", "3"]);
    // What it was at before it was asked for is not known.
    assert_eq!(run.followed("history.jobs", &failed, "rate").unwrap(), ["NaN", "NaN", "1"]);
    assert_eq!(run.followed("history.depth", &queue("bill"), "value"), None);
    assert_eq!(run.followed("history.nothing", &failed, "value"), None);
    for _ in 0..30 {
        run.after(1, record);
    }
    let jobs = run.history.followed(&("history.jobs".to_owned(), String::new()), &failed).unwrap();
    let steps = run.line(run.history.steps(jobs, 3), "rate");
    assert_eq!(
        steps.last().unwrap(),
        "1",
        "a step in which it was not there from the start is left out: {steps:?}"
    );
    run.store.remove("history.depth", [metercast_core::KeyValue::new("queue", "mail")]);
    run.after(1, || {});
    assert_eq!(run.followed("history.depth", &queue("mail"), "value").unwrap(), ["3", "3", "NaN"]);
}

#[test]
fn so_many_choices_of_series_are_followed_and_whole_metrics_come_first() {
    let mut run = Run::new(30);
    run.after(0, || DEPTH.set(3, ("mail",)));
    for n in 0..40 {
        run.follow("history.depth", &queue(&n.to_string()));
        run.follow("history.depth", &queue("mail"));
        run.after(1, || {});
        assert!(run.history.lines().0 <= 30);
    }
    // One line of the metric, and those of sixteen choices.
    assert_eq!(run.history.lines(), (17, 30, 0));
    assert!(run.followed("history.depth", &queue("mail"), "value").is_some(), "it was asked for last");
    assert!(run.followed("history.depth", &queue("0"), "value").is_none());
    run.history.set_limit(2);
    run.after(1, || TIME.record(1.0));
    assert_eq!(run.history.lines().0, 1, "they make room at once");
    run.after(1, || {});
    assert_eq!(run.history.lines(), (2, 2, 3));
    run.follow("history.depth", &queue("mail"));
    assert!(run.followed("history.depth", &queue("mail"), "value").is_none(), "there is no room");
}

#[test]
fn choices_of_one_second_take_no_more_than_there_is_room_for_and_no_history_is_lost_for_them() {
    let mut run = Run::new(8);
    run.after(0, || {
        DEPTH.set(3, ("mail",));
        TIME.record(1.0);
    });
    run.store.remove("history.depth", [metercast_core::KeyValue::new("queue", "mail")]);
    run.after(1, || {});
    for n in 0..8 {
        run.follow("history.time", &queue(&n.to_string()));
    }
    run.after(1, || TIME.record(1.0));
    let (lines, limit, left_out) = run.history.lines();
    assert!(lines <= limit && left_out == 0, "{lines} of {limit}, {left_out} left out");
    assert_eq!(run.seconds("history.depth", "value"), ["3", "NaN", "NaN"]);
}

#[test]
fn reading_for_the_history_changes_nothing_that_others_read() {
    let run = || {
        let clock = MockClock::at(UNIX_EPOCH);
        let store = Store::with_clock(&clock);
        store.scope(|| {
            JOBS.add(5, (None,));
            TIME.record(3.0);
            DEPTH.set(3, ("mail",));
        });
        (clock, store)
    };
    let ((clock, store), (_, untouched)) = (run(), run());
    let mut history = History::new(300);
    for _ in 0..20 {
        history.read(&store);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(format!("{:?}", store.collect()), format!("{:?}", untouched.collect()));
}
