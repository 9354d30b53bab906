//! The tests of a gateway that has its own metrics code run on ours: only their `use` lines are other ones, and what is not async says
//! so with a line more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Output};

// Instead of the gateway's own macros and `crate::metrics::FutureMetricsExt`.
use metercast::testing::{self, FutureMetricsExt};
use metercast::{KeyValue, assert_counter, u64_counter, u64_counter_with_unit};

#[test]
fn test_non_async() {
    let _metrics = testing::scope();
    // Each test is run in a separate thread, metrics are stored in a thread local.
    u64_counter_with_unit!("test", "test description", 1, "attr" => "val");
    assert_counter!("test", 1, "attr" => "val");
}

#[tokio::test(flavor = "multi_thread")]
async fn test_async_multi() {
    async {
        u64_counter!("test", "test description", 1, "attr" => "val");
        assert_counter!("test", 1, "attr" = "val");
    }
    .with_metrics()
    .await;
}

#[tokio::test]
async fn test_async_single() {
    async {
        u64_counter!("test", "test description", 1, "attr" => "val");
        assert_counter!("test", 1, "attr" = "val");
    }
    .with_metrics()
    .await;
}

#[tokio::test]
async fn test_metrics_across_tasks() {
    async {
        u64_counter!("apollo.router.test", "metric", 1);
        assert_counter!("apollo.router.test", 1);

        tokio::spawn(
            async move {
                u64_counter!("apollo.router.test", "metric", 2);
            }
            .with_current_meter_provider(),
        )
        .await
        .unwrap();

        assert_counter!("apollo.router.test", 3);
    }
    .with_metrics()
    .await;
}

/// The line of the recording in the task that is spawned.
const ESCAPES_AT: u32 = line!() + 11;

#[tokio::test]
async fn test_spawned_metric_resolution() {
    async {
        u64_counter!("apollo.router.test", "metric", 1);
        assert_counter!("apollo.router.test", 1);

        tokio::spawn(async move {
            // Nothing propagates the provider into this task.
            // With the gateway's own code nobody hears of it.
            u64_counter!("apollo.router.test", "metric", 2);
        })
        .await
        .unwrap();

        assert_counter!("apollo.router.test", 1);
    }
    .with_metrics()
    .await;
}

#[test]
fn the_forms_of_labels_that_the_gateway_writes() {
    let _metrics = testing::scope();
    u64_counter!("test", "test description", 1, vec![KeyValue::new("attr", "val")]);
    u64_counter!("test", "test description", 1, "attr" => "val");
    u64_counter!("test", "test description", 1);
    assert_counter!("test", 2, "attr" => "val");
    assert_counter!("test", 2, vec![KeyValue::new("attr", "val")]);
    assert_counter!("test", 2, &[KeyValue::new("attr", "val")]);
    assert_counter!("test", 1);
    u64_counter_with_unit!("apollo.test.requests", "test description", "{request}", 1);
    assert_counter!("apollo.test.requests", 1);
}

/// Runs one test of this file in a process of its own.
fn run(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).output().unwrap()
}

#[test]
fn a_silent_loss_is_reported_with_its_line() {
    let output = run("test_spawned_metric_resolution");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it asserts what is in its scope: {said}");
    let expected = format!(
        "metercast: test_spawned_metric_resolution: 1 recording went past the scope into the global store:\n  \
         apollo.router.test at {}:{ESCAPES_AT}, on thread \"test_spawned_metric_resolution\"\n",
        file!()
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!(said.matches("went past").count(), 1, "it is said once: {said}");
    assert!(!said.contains("another test"), "the thread ran no other scope: {said}");
}

#[test]
fn an_assertion_of_what_production_would_count_fails_with_the_line_of_what_was_missed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let test = async {
        u64_counter!("apollo.router.missed", "metric", 1);
        tokio::spawn(async { u64_counter!("apollo.router.missed", "metric", 2) }).await.unwrap();
        assert_counter!("apollo.router.missed", 3);
    };
    let panic = catch_unwind(AssertUnwindSafe(|| runtime.block_on(test.with_metrics()))).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    let expected = format!(
        "expected counter apollo.router.missed 3, found 1\n1 recording went past the scope into the global store:\n  \
         apollo.router.missed at {}:",
        file!()
    );
    assert!(said.starts_with(&expected), "{said}");
}
