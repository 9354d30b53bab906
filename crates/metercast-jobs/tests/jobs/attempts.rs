//! How attempts and jobs end, and what is counted of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use metercast::testing::isolated;
use metercast::{MockClock, Store, StoreFutureExt, snapshot::Point};
use metercast_jobs::{Attempt, Delivery, JobMetrics, Jobs};

use super::{lines_of, point};

metercast::labels! {
    enum Kind { Import, Report }
    enum Ending { Expired }
    enum Reason { Timeout }
}

fn jobs() -> Jobs {
    JobMetrics::prefixed("ends").build().unwrap()
}

#[test]
fn each_end_counts_once_as_an_attempt_and_once_as_a_job_if_it_is_the_last() {
    type End = fn(Attempt);
    let ends: [(&str, u64, End, &str, &str); 9] = [
        ("complete", 1, |attempt| attempt.complete(), "completed", "completed"),
        ("skip", 1, |attempt| attempt.skip(), "skipped", "skipped"),
        ("fail", 1, |attempt| assert!(!attempt.fail()), "failed", ""),
        ("give up", 1, |attempt| attempt.give_up(), "failed", "failed"),
        ("own", 1, |attempt| attempt.end(Ending::Expired), "expired", "expired"),
        ("drop", 1, drop, "aborted", ""),
        ("panic", 1, panic_with, "panicked", ""),
        ("last fails", 2, |attempt| assert!(attempt.fail()), "failed", "failed"),
        ("last is dropped", 2, drop, "aborted", "failed"),
    ];
    for (name, number, end, outcome, status) in ends {
        isolated(|_| {
            let attempt = jobs().begin(Delivery::nth(number).of(2));
            assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 1"], "{name}");
            end(attempt);
            let attempts = lines_of("ends_jobs_attempts_total");
            assert_eq!(attempts, [format!("ends_jobs_attempts_total{{outcome=\"{outcome}\"}} 1")], "{name}");
            let done = lines_of("ends_jobs_completed_total");
            let expected = format!("ends_jobs_completed_total{{status=\"{status}\"}} 1");
            assert_eq!(done, if status.is_empty() { vec![] } else { vec![expected] }, "{name}");
            assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 0"], "{name}");
        });
    }
}

fn panic_with(attempt: Attempt) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _attempt = attempt;
        std::panic::resume_unwind(Box::new("a fault of the work"));
    }));
    assert!(panicked.is_err());
}

#[test]
fn a_job_that_fails_at_each_delivery_has_failed_once() {
    isolated(|_| {
        let worker = jobs().worker("w1");
        let fails: Vec<_> = (1..=5).map(|number| worker.begin(Delivery::nth(number).of(5)).fail()).collect();
        assert_eq!(fails, [false, false, false, false, true]);
        assert_eq!(lines_of("ends_jobs_attempts_total"), [r#"ends_jobs_attempts_total{outcome="failed"} 5"#]);
        assert_eq!(
            lines_of("ends_jobs_completed_total"),
            [r#"ends_jobs_completed_total{status="failed"} 1"#]
        );
        assert_eq!(lines_of("ends_jobs_redelivered"), ["ends_jobs_redelivered_total 4"]);
        assert_eq!(lines_of("ends_worker"), [r#"ends_worker_jobs_processed_total{worker="w1"} 1"#]);
    });
}

#[test]
fn a_reason_and_a_kind_are_labels_of_what_is_counted() {
    isolated(|_| {
        let reports = jobs().with("kind", Kind::Import).with("kind", Kind::Report).with("urgent", true);
        reports.worker("w1").begin(Delivery::first()).because(Reason::Timeout).give_up();
        assert_eq!(
            lines_of("ends_jobs_completed_total"),
            [r#"ends_jobs_completed_total{kind="report",urgent="true",status="failed"} 1"#]
        );
        assert_eq!(lines_of("ends_job_duration_seconds_count").len(), 1);
        assert_eq!(
            lines_of("ends_jobs_failures_total"),
            [r#"ends_jobs_failures_total{kind="report",urgent="true",reason="timeout"} 1"#]
        );
        assert_eq!(
            lines_of("ends_worker"),
            [r#"ends_worker_jobs_processed_total{kind="report",urgent="true",worker="w1"} 1"#]
        );
    });
}

#[test]
fn workers_beyond_a_bound_share_a_name() {
    isolated(|_| {
        let jobs = jobs();
        for number in 0..1000 {
            jobs.worker(&format!("w{number}")).begin(Delivery::first()).complete();
        }
        assert_eq!(jobs.worker("w17").name(), "w17");
        let lines = lines_of("ends_worker_jobs_processed_total");
        assert_eq!(lines.len(), 257);
        assert!(lines.contains(&r#"ends_worker_jobs_processed_total{worker="other"} 744"#.to_owned()));
    });
}

#[test]
fn durations_and_waits_go_by_the_clock_of_the_store() {
    let clock = MockClock::new();
    Store::with_clock(&clock).scope(|| {
        let jobs = jobs();
        let made = clock.time();
        clock.advance(Duration::from_secs(7));
        let first = jobs.begin(Delivery::first().created_at(made));
        clock.advance(Duration::from_secs(2));
        assert_eq!(first.elapsed(), Duration::from_secs(2));
        first.fail();
        // Waited only once, and not for what comes yet.
        jobs.begin(Delivery::nth(2).created_at(made)).complete();
        jobs.begin(Delivery::first().created_at(SystemTime::now() + Duration::from_secs(1 << 20))).complete();
        let sums = ["ends.job.duration", "ends.job.wait"].map(|metric| {
            let Some(Point::Histogram(buckets)) = point(metric) else { panic!("{metric} is a histogram") };
            (buckets.counts.iter().sum::<u64>(), buckets.sum)
        });
        assert_eq!(sums, [(3, 2.0), (2, 7.0)]);
    });
}

#[tokio::test]
async fn an_attempt_in_a_task_that_is_cancelled_counts_once_and_where_it_began() {
    let (store, other) = (Store::new(), Store::new());
    let attempt = store.scope(|| jobs().worker("w1").begin(Delivery::first()));
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    let work = attempt.run(async {
        let _ = begun.send(());
        std::future::pending::<Result<(), ()>>().await
    });
    let task = tokio::spawn(work.in_store(other.clone()));
    is_begun.await.unwrap();
    store.scope(|| assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 1"]));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    store.scope(|| {
        assert_eq!(lines_of("ends_jobs_attempts"), [r#"ends_jobs_attempts_total{outcome="aborted"} 1"#]);
        assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 0"]);
    });
    other.scope(|| assert!(lines_of("ends").is_empty()));
}

#[tokio::test]
async fn an_attempt_in_a_task_that_panics_counts_once() {
    let store = Store::new();
    let attempt = store.scope(|| jobs().begin(Delivery::nth(5).of(5)));
    let work = attempt.run(async {
        tokio::task::yield_now().await;
        std::panic::resume_unwind(Box::new("a fault of the work"));
        #[allow(unreachable_code, reason = "it has a type")]
        Ok::<(), ()>(())
    });
    assert!(tokio::spawn(work).await.unwrap_err().is_panic());
    store.scope(|| {
        assert_eq!(lines_of("ends_jobs_attempts"), [r#"ends_jobs_attempts_total{outcome="panicked"} 1"#]);
        assert_eq!(lines_of("ends_jobs_completed"), [r#"ends_jobs_completed_total{status="failed"} 1"#]);
        assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 0"]);
    });
}

#[tokio::test]
async fn work_that_is_run_ends_as_its_result_says() {
    let store = Store::new();
    let begin = || store.scope(|| jobs().begin(Delivery::first()));
    assert_eq!(begin().run(async { Ok::<_, ()>(7) }).await, Ok(7));
    assert_eq!(begin().run(async { Err::<(), _>("no") }).await, Err("no"));
    // Never polled.
    drop(begin().run(async { Ok::<(), ()>(()) }));
    store.scope(|| {
        let ends = lines_of("ends_jobs_attempts_total");
        let expected = ["aborted", "completed", "failed"]
            .map(|outcome| format!("ends_jobs_attempts_total{{outcome=\"{outcome}\"}} 1"));
        assert_eq!(ends, expected);
    });
}

#[test]
fn an_idle_expiry_takes_no_series_of_a_job_that_runs() {
    let clock = MockClock::new();
    let store = Store::with_clock(&clock);
    store.set_expiry(Some(metercast::Expiry::after(Duration::from_secs(60))));
    store.scope(|| {
        let attempt = jobs().begin(Delivery::first());
        for _ in 0..3 {
            clock.advance(Duration::from_secs(3600));
            assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 1"]);
        }
        attempt.complete();
        assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 0"]);
    });
}

#[tokio::test]
async fn totals_are_exact_over_ten_thousand_attempts_that_end_in_any_way() {
    const EACH: u64 = 2_000;
    let store = Store::new();
    let jobs = store.scope(jobs);
    let mut tasks = Vec::new();
    for number in 0..5 * EACH {
        let attempt = store.scope(|| jobs.worker("w1").begin(Delivery::nth(1 + number % 2).of(2)));
        let work = async move {
            match number % 5 {
                0 => attempt.complete(),
                1 => _ = attempt.fail(),
                2 => attempt.skip(),
                3 => std::panic::resume_unwind(Box::new("a fault of the work")),
                _ => attempt.run(std::future::pending::<Result<(), ()>>()).await.unwrap(),
            }
        };
        tasks.push(tokio::spawn(work));
    }
    tokio::task::yield_now().await;
    for task in tasks {
        task.abort();
        let _ = task.await;
    }
    store.scope(|| {
        let attempts = ["aborted", "completed", "failed", "panicked", "skipped"]
            .map(|outcome| format!("ends_jobs_attempts_total{{outcome=\"{outcome}\"}} {EACH}"));
        assert_eq!(lines_of("ends_jobs_attempts_total"), attempts);
        // Every second one of those that broke off was the last delivery.
        let done = [("completed", EACH), ("failed", 3 * EACH / 2), ("skipped", EACH)]
            .map(|(status, count)| format!("ends_jobs_completed_total{{status=\"{status}\"}} {count}"));
        assert_eq!(lines_of("ends_jobs_completed_total"), done);
        assert_eq!(lines_of("ends_jobs_active"), ["ends_jobs_active 0"]);
        let processed = EACH * 7 / 2;
        assert_eq!(
            lines_of("ends_worker_jobs_processed_total"),
            [format!("ends_worker_jobs_processed_total{{worker=\"w1\"}} {processed}")]
        );
    });
}
