//! 500 tests in one binary, on the threads of the test harness, record under the same names and know nothing of each other.

use std::process::Command;

use metercast::testing::{self, ClosureMetricsExt, FutureMetricsExt, isolated};
use metercast::{
    assert_counter, assert_counter_not_exists, assert_gauge, assert_histogram_count, assert_up_down_counter,
    metrics, u64_counter,
};

metrics! {
    /// Without labels.
    static BARE: Counter<u64> = "isolation.bare";
    /// With labels.
    static LABELLED: Counter<u64> = "isolation.labelled" { labels: { side: &str } };
    /// Up and down.
    static OPEN: UpDownCounter<i64> = "isolation.open";
    /// The last value.
    static LEVEL: Gauge<i64> = "isolation.level";
    /// A distribution.
    static WAIT: Histogram<f64> = "isolation.wait" { unit: "s" };
}

/// Records what only the test of this number would.
fn record(number: u64) {
    BARE.add(number);
    LABELLED.add(number, ("buy",));
    u64_counter!("isolation.call", "A call", number, "number" => number);
    OPEN.add(number as i64);
    LEVEL.set(number as i64);
    WAIT.record(0.1);
}

/// Asserts what came of so many times of that, and that nothing of others is there.
#[track_caller]
fn assert_recorded(number: u64, times: u64) {
    assert_counter!("isolation.bare", number * times);
    assert_counter!("isolation.labelled", number * times, "side" => "buy");
    assert_counter!("isolation.call", number * times, "number" => number);
    assert_counter!("isolation.call", number * times, ..);
    assert_up_down_counter!("isolation.open", (number * times) as i64);
    assert_gauge!("isolation.level", number as i64);
    assert_histogram_count!("isolation.wait", times);
    assert_counter_not_exists!("isolation.escaped", ..);
}

/// On the thread of the test.
fn plain(number: u64) {
    let _metrics = testing::scope();
    record(number);
    let timer = OPEN.guard();
    record(number);
    drop(timer);
    assert_recorded(number, 2);
}

/// With a thread more, and a scope inside.
fn threads(number: u64) {
    isolated(|_| {
        std::thread::spawn((move || record(number)).with_current_meter_provider()).join().unwrap();
        isolated(|_| record(1_000_000));
        record(number);
        assert_recorded(number, 2);
    });
}

/// With tasks and blocking work, on whichever runtime.
async fn tasks(number: u64) {
    async move {
        let spawned: Vec<_> = (0..3)
            .map(|_| {
                let task = async move {
                    record(number);
                    tokio::task::yield_now().await;
                    record(number);
                };
                tokio::spawn(task.with_current_meter_provider())
            })
            .collect();
        for task in spawned {
            task.await.unwrap();
        }
        tokio::task::spawn_blocking((move || record(number)).with_current_meter_provider()).await.unwrap();
        record(number);
        assert_recorded(number, 8);
    }
    .with_metrics()
    .await;
}

/// With a task that loses its scope: what it records is nowhere to be seen here.
async fn escaping(number: u64) {
    async move {
        testing::allow_escapes();
        record(number);
        tokio::spawn(async { u64_counter!("isolation.escaped", "Escaped", 1) }).await.unwrap();
        assert_recorded(number, 1);
    }
    .with_metrics()
    .await;
}

/// A hundred tests of the same body, of numbers of their own.
macro_rules! hundred {
    ($module:ident from $first:literal: $attribute:tt $kind:tt $body:ident $wait:tt) => {
        mod $module {
            use super::*;
            hundred!(@ tens $first $attribute $kind $body $wait
                [t0 0] [t1 10] [t2 20] [t3 30] [t4 40] [t5 50] [t6 60] [t7 70] [t8 80] [t9 90]);
        }
    };
    (@ tens $first:tt $attribute:tt $kind:tt $body:ident $wait:tt $([$ten:ident $more:literal])+) => {
        $( mod $ten {
            use super::*;
            hundred!(@ ones ($first + $more) $attribute $kind $body $wait
                [n0 0] [n1 1] [n2 2] [n3 3] [n4 4] [n5 5] [n6 6] [n7 7] [n8 8] [n9 9]);
        } )+
    };
    (@ ones $first:tt $attribute:tt $kind:tt $body:ident $wait:tt $([$name:ident $more:literal])+) => {
        $( hundred!(@ test $name ($first + $more) $attribute $kind $body $wait); )+
    };
    (@ test $name:ident $number:tt [$($attribute:tt)+] [$($kind:tt)*] $body:ident [$($wait:tt)*]) => {
        $($attribute)+
        $($kind)* fn $name() {
            $body($number) $($wait)*;
        }
    };
}

hundred!(on_its_thread from 1: [#[test]] [] plain []);
hundred!(with_threads from 101: [#[test]] [] threads []);
hundred!(on_one_thread from 201: [#[tokio::test]] [async] tasks [.await]);
hundred!(on_many_threads from 301: [#[tokio::test(flavor = "multi_thread", worker_threads = 2)]] [async] tasks [.await]);
hundred!(with_escapes from 401: [#[tokio::test(flavor = "multi_thread", worker_threads = 1)]] [async] escaping [.await]);

/// Set for the runs that the tests below start.
const CHILD: &str = "METERCAST_TEST_CHILD";

/// Runs this binary with these arguments, and says what it printed.
fn run(arguments: &[&str]) -> String {
    let output =
        Command::new(std::env::current_exe().unwrap()).args(arguments).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn is_long() -> bool {
    std::env::var_os("METERCAST_LONG").is_some()
}

#[test]
fn five_hundred_tests_pass_over_and_over_on_few_threads_and_many() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let rounds = if is_long() { 100 } else { 4 };
    for round in 0..rounds {
        let threads = ["2", "8", "32", "1"][round % 4];
        let said = run(&["--test-threads", threads]);
        assert!(said.contains("test result: ok. 502 passed; 0 failed"), "{said}");
    }
}

/// As nextest does: `--list`, and then a process for each test with `--exact`.
#[test]
fn each_test_passes_in_a_process_of_its_own() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let listed = run(&["--list", "--format", "terse"]);
    let tests: Vec<_> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|test| test.contains("::"))
        .collect();
    assert_eq!(tests.len(), 500);
    // A part of them, unless there is time: starting processes takes most of it.
    let (rounds, step) = if is_long() { (2, 1) } else { (2, 5) };
    for round in 0..rounds {
        std::thread::scope(|threads| {
            for half in 0..2 {
                let tests = &tests;
                threads.spawn(move || {
                    for test in tests.iter().skip(round + half * step).step_by(2 * step) {
                        let said = run(&["--exact", test, "--nocapture"]);
                        assert!(said.contains("test result: ok. 1 passed"), "{said}");
                    }
                });
            }
        });
    }
}
