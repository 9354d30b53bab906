//! sqlx and PostgreSQL.

#![cfg(feature = "sqlx_0_8")]

use std::time::Duration;

use conformance::servers::Postgres;
use conformance::use_programs;
use metercast::{Store, StoreFutureExt};
use metercast_clients::{ErrorType, Operations, PoolMetrics, PoolTimes};
use sqlx_0_8::postgres::{PgPool, PgPoolOptions};

use crate::page::{until, until_is, value};

const COUNT: &str = "db_client_connection_count";
const IDLE: &str = "state=\"idle\"";
const USED: &str = "state=\"used\"";

/// A pool of two connections, which is not in use yet.
fn pool_of(server: &Postgres, patience: Duration) -> PgPool {
    let options = PgPoolOptions::new().max_connections(2).acquire_timeout(patience);
    options.connect_lazy(&server.url()).expect("an address")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_postgresql_whose_connections_are_all_taken_shows_it_and_who_waits() {
    let test = "a_pool_of_postgresql_whose_connections_are_all_taken_shows_it_and_who_waits";
    if !use_programs(test, "postgres") {
        return;
    }
    let (server, store) = (Postgres::start(), Store::new());
    let pool = pool_of(&server, Duration::from_secs(50));
    let times = PoolTimes::new("orders");
    let metrics = PoolMetrics::semantic("orders");
    let _observation = store.scope(|| metrics.observe(times.watch(pool.clone()))).expect("names");
    let number = |name, labels: &[&str]| value(&store, name, labels);
    assert_eq!(number(COUNT, &[IDLE]), Some(0.0));
    assert_eq!(number("db_client_connection_max", &[]), Some(2.0));

    async {
        let mut first = times.acquire(&pool).await.expect("a connection");
        let second = times.acquire(&pool).await.expect("a connection");
        let one: i32 = sqlx_0_8::query_scalar("SELECT 1").fetch_one(&mut **first).await.expect("an answer");
        assert_eq!(one, 1);
        assert_eq!((number(COUNT, &[IDLE]), number(COUNT, &[USED])), (Some(0.0), Some(2.0)));
        let third = tokio::spawn({
            let (times, pool) = (times.clone(), pool.clone());
            async move { times.acquire(&pool).await.map(drop) }.in_store(store.clone())
        });
        until_is(&store, "db_client_connection_pending_requests", &[], 1.0).await;
        assert_eq!(number("db_client_connection_wait_time_count", &[]), Some(2.0));
        assert_eq!(number("db_client_connection_use_time_count", &[]), None, "both are in use");

        drop(first);
        third.await.expect("no panic").expect("the connection that was given back");
        assert_eq!(number("db_client_connection_pending_requests", &[]), Some(0.0));
        assert_eq!(number("db_client_connection_wait_time_count", &[]), Some(3.0));
        assert_eq!(number("db_client_connection_use_time_count", &[]), Some(2.0));
        drop(second);
        until_is(&store, COUNT, &[IDLE], 2.0).await;
        assert_eq!(number(COUNT, &[USED]), Some(0.0));

        pool.close().await;
        assert_eq!((number(COUNT, &[IDLE]), number(COUNT, &[USED])), (Some(0.0), Some(0.0)));
        let error = times.acquire(&pool).await.expect_err("it is closed");
        assert_eq!(error.error_type(), "pool_closed");
        assert_eq!(number("db_client_connection_timeouts", &[]), None, "nobody waited too long");
        assert_eq!(number("db_client_connection_pending_requests", &[]), Some(0.0));
    }
    .in_store(store.clone())
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_is_lost_shows_in_the_pool_and_in_the_operations_and_so_does_its_return() {
    let test = "a_postgresql_that_is_lost_shows_in_the_pool_and_in_the_operations_and_so_does_its_return";
    if !use_programs(test, "postgres") {
        return;
    }
    let (mut server, store) = (Postgres::start(), Store::new());
    let pool = pool_of(&server, Duration::from_millis(300));
    let times = PoolTimes::new("orders");
    let metrics = PoolMetrics::semantic("orders");
    let _observation = store.scope(|| metrics.observe(times.watch(pool.clone()))).expect("names");
    let operations = Operations::new("postgresql");
    // As whoever has a pool does it.
    let ask = async || {
        let query = async {
            let mut connection = times.acquire(&pool).await?;
            sqlx_0_8::query("SELECT 1").execute(&mut **connection).await
        };
        operations.time("SELECT", query, ErrorType::error_type).await
    };
    async {
        ask().await.expect("an answer");
        until_is(&store, COUNT, &[IDLE], 1.0).await;

        server.stop();
        until("an operation that fails", &store, async || ask().await.is_err()).await;
        until_is(&store, COUNT, &[IDLE], 0.0).await;
        // It tries to connect for as long as it may.
        until("a timeout", &store, async || {
            let _ = ask().await;
            value(&store, "db_client_connection_timeouts", &[]).is_some_and(|timeouts| timeouts >= 1.0)
        })
        .await;
        assert_eq!(value(&store, COUNT, &[USED]), Some(0.0));
        let failed = "db_client_operation_duration_count";
        assert!(value(&store, failed, &["SELECT", "error_type=\"pool_timeout\""]) >= Some(1.0));

        server.start_again();
        until("an operation that succeeds", &store, async || ask().await.is_ok()).await;
        until_is(&store, COUNT, &[IDLE], 1.0).await;
        let error = operations
            .time("SELECT", sqlx_0_8::query("SELECT nothing").execute(&pool), ErrorType::error_type)
            .await
            .expect_err("there is no such column");
        assert_eq!(error.error_type(), "database");
        assert_eq!(value(&store, failed, &["error_type=\"database\""]), Some(1.0));
    }
    .in_store(store.clone())
    .await;
}
