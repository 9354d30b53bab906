//! What goes past the scope of a test is said with file and line, or fails the test if that is wanted.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::thread;

use metercast::testing::{self, ClosureMetricsExt, FutureMetricsExt, isolated};
use metercast::{BoundCounter, assert_counter, assert_counter_not_exists, metrics, u64_counter};

metrics! {
    /// Declared elsewhere than where it is recorded.
    static DECLARED: Counter<u64> = "escape.declared" { labels: { side: &str } };
    /// Bound outside of every scope.
    static BOUND: Counter<u64> = "escape.bound";
}

/// What one test lets escape may be taken for another's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap()
}

#[test]
fn a_failing_assertion_names_where_its_metric_was_recorded_outside_whoever_recorded_before() {
    let _alone = alone();
    const LINE: u32 = line!() + 7;
    // The thread holds its region of the global store since before the scope.
    let (record, recorded) = std::sync::mpsc::channel::<()>();
    let (done, is_done) = std::sync::mpsc::channel();
    let worker = thread::Builder::new().name("worker".to_owned());
    let worker = worker.spawn(move || {
        for () in recorded {
            DECLARED.add(1, ("buy",));
            assert_eq!(line!(), LINE + 1);
            u64_counter!("escape.other", "Another", 1);
            done.send(()).unwrap();
        }
    });
    record.send(()).unwrap();
    is_done.recv().unwrap();
    let said = message(|| {
        isolated(|_| {
            for _ in 0..2 {
                record.send(()).unwrap();
                is_done.recv().unwrap();
            }
            assert_counter!("escape.declared", 1, "side" => "buy");
        });
    });
    drop(record);
    worker.unwrap().join().unwrap();
    let expected = format!(
        "2 recordings went past the scope into the global store:\n  escape.declared at {}:{LINE}, 2 times, on thread \"worker\"\n",
        file!()
    );
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains("escape.other"), "{said}");
    assert!(said.contains("(unless they came from another test of this process"), "{said}");
}

#[test]
fn a_denied_escape_fails_the_next_assertion_or_the_end_of_the_scope_and_not_the_code_that_records() {
    let _alone = alone();
    let escape = || {
        thread::spawn(|| u64_counter!("escape.denied", "Denied", 1)).join().expect("recording never fails");
    };
    let said = message(|| {
        let _metrics = testing::scope().deny_escapes();
        escape();
        assert_counter_not_exists!("another");
        panic!("the assertion fails");
    });
    assert!(
        said.starts_with("1 recording went past the scope into the global store:\n  escape.denied at "),
        "{said}"
    );
    let said = message(|| {
        isolated(|_| {
            testing::deny_escapes();
            escape();
        });
    });
    assert!(said.contains("escape.denied at "), "{said}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let said = message(|| {
        runtime.block_on(
            async { tokio::spawn(async { u64_counter!("escape.denied", "Denied", 1) }).await.unwrap() }
                .with_metrics()
                .deny_escapes(),
        );
    });
    assert!(said.contains("escape.denied at "), "{said}");
    let said = message(testing::deny_escapes);
    assert!(said.starts_with("there is no scope here"), "{said}");
}

#[test]
fn a_denied_escape_of_a_future_that_is_cancelled_fails_too() {
    let _alone = alone();
    let said = message(|| {
        let test = async {
            testing::deny_escapes();
            thread::spawn(|| u64_counter!("escape.cancelled", "Of a future that is cancelled", 1))
                .join()
                .unwrap();
            std::future::pending::<()>().await;
        };
        let mut test = Box::pin(test.with_metrics());
        let polled = test.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(test);
    });
    assert!(said.contains("escape.cancelled at "), "{said}");
}

#[test]
fn a_test_that_fails_anyhow_fails_with_its_own_words() {
    let _alone = alone();
    let said = message(|| {
        let _metrics = testing::scope().deny_escapes();
        thread::spawn(|| u64_counter!("escape.denied", "Denied", 1)).join().unwrap();
        panic!("its own words");
    });
    assert_eq!(said, "its own words");
}

#[test]
fn what_is_wrapped_does_not_escape_on_any_executor_or_thread() {
    let _alone = alone();
    let count = || u64_counter!("escape.wrapped", "Wrapped", 1);
    isolated(|_| {
        testing::deny_escapes();
        count();
        thread::spawn(count.with_current_meter_provider()).join().unwrap();
        for runtime in [
            tokio::runtime::Builder::new_current_thread().build().unwrap(),
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap(),
        ] {
            runtime.block_on(
                async move {
                    tokio::spawn(async move { count() }.with_current_meter_provider()).await.unwrap();
                    tokio::task::spawn_blocking(count.with_current_meter_provider()).await.unwrap();
                    tokio::task::yield_now().await;
                    count();
                }
                .with_current_meter_provider(),
            );
        }
        // An executor that knows nothing of us, with each poll on another thread.
        let future = async move {
            count();
            tokio::task::yield_now().await;
            count();
        };
        let mut future = Box::pin(future.with_current_meter_provider());
        let mut is_ready = false;
        while !is_ready {
            let poll = || {
                let mut context = Context::from_waker(Waker::noop());
                future.as_mut().poll(&mut context).is_ready()
            };
            is_ready = thread::scope(|threads| threads.spawn(poll).join().unwrap());
        }
        assert_counter!("escape.wrapped", 10);
    });
}

#[test]
fn a_handle_that_was_bound_outside_is_said_with_the_line_that_records() {
    static HANDLE: LazyLock<BoundCounter<u64>> = LazyLock::new(|| BOUND.bind());
    let _alone = alone();
    HANDLE.add(1);
    let said = message(|| {
        isolated(|_| {
            HANDLE.add(1);
            assert_counter!("escape.bound", 1);
        });
    });
    let line = line!() - 4;
    assert!(said.contains(&format!("escape.bound at {}:{line}", file!())), "{said}");
    assert!(said.contains("bind handles inside the scope"), "{said}");
    assert!(!said.contains("another test"), "{said}");
}

#[test]
fn what_a_thread_of_another_scope_lets_escape_is_not_said_to_be_of_this_one() {
    let _alone = alone();
    let mine = testing::scope();
    thread::spawn(|| {
        let _theirs = testing::scope();
        let outside = metercast::Store::global();
        outside.scope(|| u64_counter!("escape.theirs", "Of another test", 1));
    })
    .join()
    .unwrap();
    let said = message(|| assert_counter!("escape.theirs", 1));
    assert!(!said.contains("went past"), "{said}");
    drop(mine);
}
