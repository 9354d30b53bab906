//! What is recorded of operations, however they end.

use std::time::Duration;

use metercast::{InMemoryReader, Store, StoreFutureExt, snapshot::Point};
use metercast_clients::Operations;

/// The labels of each series, and how many operations it has.
fn series(store: &Store) -> Vec<(String, u64)> {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let family = snapshot.family("db.client.operation.duration").expect("it was recorded");
    let mut series: Vec<_> = family
        .series
        .iter()
        .map(|series| {
            let Point::Histogram(histogram) = &series.point else { panic!("{:?}", series.point) };
            (series.labels.to_string(), histogram.count())
        })
        .collect();
    series.sort();
    series
}

/// The labels of an operation of SQLite that ended well, or with an error.
fn line(operation: &str, error: Option<&str>) -> String {
    let error = error.map_or(String::new(), |error| format!(",error.type=\"{error}\""));
    format!("{{db.operation.name=\"{operation}\",db.system.name=\"sqlite\"{error}}}")
}

#[tokio::test(start_paused = true)]
async fn each_end_of_an_operation_is_a_series() {
    let store = Store::new();
    async {
        let operations = Operations::new("sqlite");
        for result in [Ok(()), Err("locked"), Ok(())] {
            let work = async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                result
            };
            assert_eq!(operations.time("SELECT", work, |error| error).await, result);
            assert_eq!(operations.run("INSERT", || result, |error| error), result);
        }
        operations.start("COMMIT").succeed();
        operations.start("COMMIT").fail("busy");
    }
    .in_store(store.clone())
    .await;
    assert_eq!(
        series(&store),
        [
            (line("COMMIT", Some("busy")), 1),
            (line("COMMIT", None), 1),
            (line("INSERT", Some("locked")), 1),
            (line("INSERT", None), 2),
            (line("SELECT", Some("locked")), 1),
            (line("SELECT", None), 2),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_nobody_waits_for_any_more_is_cancelled_and_one_that_panics_has_panicked() {
    let store = Store::new();
    let operations = Operations::new("sqlite");
    let mut query = Box::pin(
        operations
            .time("SELECT", std::future::pending::<Result<(), ()>>(), |()| "no")
            .in_store(store.clone()),
    );
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(query.as_mut().poll(context).is_pending()))
            .await
    );
    drop(query);
    // It ends on another thread, in another store.
    let timer = store.scope(|| operations.start("INSERT"));
    std::thread::spawn(move || {
        let _timer = timer;
        panic!("on purpose");
    })
    .join()
    .unwrap_err();
    assert_eq!(series(&store), [(line("INSERT", Some("panic")), 1), (line("SELECT", Some("cancelled")), 1),]);
}

#[tokio::test(start_paused = true)]
async fn what_an_operation_took_is_in_its_bucket() {
    let store = Store::new();
    async {
        let work = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok::<_, ()>(())
        };
        Operations::new("sqlite").time("SELECT", work, |()| "no").await
    }
    .in_store(store.clone())
    .await
    .expect("it sleeps");
    let snapshot = InMemoryReader::new(store).collect();
    let family = snapshot.family("db.client.operation.duration").expect("it was recorded");
    let Point::Histogram(histogram) = &family.series[0].point else { panic!("{family:?}") };
    // Of 0.001, 0.005, 0.01, 0.05 and so on.
    assert_eq!(histogram.counts, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert!((0.03..0.033).contains(&histogram.sum), "{}", histogram.sum);
}

#[test]
fn operations_on_one_table_leave_those_on_another_alone() {
    let store = Store::new();
    store.scope(|| {
        let shop = Operations::new("sqlite").namespace("shop");
        let orders = shop.clone().collection("orders");
        shop.start("VACUUM").succeed();
        orders.start("SELECT").succeed();
    });
    let of = |labels: &str| format!("{{{labels},db.system.name=\"sqlite\"}}");
    assert_eq!(
        series(&store),
        [
            (of("db.collection.name=\"orders\",db.namespace=\"shop\",db.operation.name=\"SELECT\""), 1),
            (of("db.namespace=\"shop\",db.operation.name=\"VACUUM\""), 1),
        ]
    );
}
