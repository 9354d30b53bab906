//! redis, deadpool-redis and bb8, and a Redis.

#![cfg(all(feature = "redis_1", feature = "deadpool_0_13", feature = "bb8_0_9"))]

use std::time::Duration;

use bb8_0_9 as bb8;
use conformance::servers::Redis;
use conformance::use_programs;
use deadpool_redis::{Config, Runtime};
use metercast::{Store, StoreFutureExt};
use metercast_clients::{ErrorType, Operations, PoolMetrics, PoolTimes, TimedRedis};
use redis_1::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis_1::{Client, Cmd, Pipeline, RedisFuture, RedisResult, Value, cmd, pipe};

use crate::page::{until, until_is, value};

const DURATION: &str = "db_client_operation_duration_count";

/// How many operations of this name ended well, and how many with this error.
fn ended(store: &Store, operation: &str, error: &str) -> (f64, f64) {
    let operation = format!("name=\"{operation}\"");
    let all = crate::page::page(store);
    let of = |failed: bool| {
        let lines = all.lines().filter(|line| line.starts_with(DURATION) && line.contains(&operation));
        let lines = lines.filter(|line| match failed {
            true => line.contains(&format!("error_type=\"{error}\"")),
            false => !line.contains("error_type"),
        });
        lines.map(|line| line.rsplit_once(' ').expect("a value").1.parse::<f64>().expect("a number")).sum()
    };
    (of(false), of(true))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_deadpool_whose_connections_are_all_taken_or_lost_shows_it() {
    let test = "a_pool_of_deadpool_whose_connections_are_all_taken_or_lost_shows_it";
    if !use_programs(test, "redis-server") {
        return;
    }
    let (mut server, store) = (Redis::start(), Store::new());
    let pool = Config::from_url(server.url()).builder().expect("an address");
    let pool = pool.max_size(2).runtime(Runtime::Tokio1).build().expect("a pool");
    let (times, operations) = (PoolTimes::new("sessions"), Operations::new("redis"));
    let metrics = PoolMetrics::semantic("sessions");
    let _observation = store.scope(|| metrics.observe(pool.clone())).expect("names");
    let count = |state: &str| value(&store, "db_client_connection_count", &[&format!("state=\"{state}\"")]);
    async {
        let (first, second) = (times.acquire(&pool).await, times.acquire(&pool).await);
        let (first, second) = (first.expect("a connection"), second.expect("a connection"));
        assert_eq!((count("idle"), count("used")), (Some(0.0), Some(2.0)));
        let third = tokio::spawn({
            let (times, pool) = (times.clone(), pool.clone());
            async move { times.acquire(&pool).await.map(drop) }.in_store(store.clone())
        });
        until_is(&store, "db_client_connection_pending_requests", &[], 1.0).await;
        drop(first);
        third.await.expect("no panic").expect("the connection that was given back");
        assert_eq!(value(&store, "db_client_connection_pending_requests", &[]), Some(0.0));
        drop(second);
        until_is(&store, "db_client_connection_count", &["state=\"idle\""], 2.0).await;

        server.stop();
        let refused = async || times.acquire(&pool).await.is_err_and(|error| error.error_type() == "io");
        until("no connection", &store, refused).await;
        assert_eq!((count("idle"), count("used")), (Some(0.0), Some(0.0)));
        assert_eq!(value(&store, "db_client_connection_timeouts", &[]), None, "it was refused, not late");

        server.start_again();
        let mut connection = TimedRedis::new(times.acquire(&pool).await.expect("a new one"), &operations);
        assert_eq!((count("idle"), count("used")), (Some(0.0), Some(1.0)));
        let _: () = cmd("SET").arg("a").arg(1).query_async(&mut connection).await.expect("it is set");
        drop(connection);
        until_is(&store, "db_client_connection_count", &["state=\"idle\""], 1.0).await;
        assert_eq!(ended(&store, "SET", ""), (1.0, 0.0));

        pool.close();
        until_is(&store, "db_client_connection_count", &["state=\"idle\""], 0.0).await;
        let error = times.acquire(&pool).await.err().expect("it is closed");
        assert_eq!(error.error_type(), "pool_closed");
        assert_eq!(value(&store, "db_client_connection_pending_requests", &[]), Some(0.0));
    }
    .in_store(store.clone())
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_bb8_shows_what_it_counts_and_who_waits_for_it() {
    let test = "a_pool_of_bb8_shows_what_it_counts_and_who_waits_for_it";
    if !use_programs(test, "redis-server") {
        return;
    }
    let (mut server, store) = (Redis::start(), Store::new());
    let client = Client::open(server.url()).expect("an address");
    let pool =
        bb8::Pool::builder().max_size(1).connection_timeout(Duration::from_millis(300)).build(client).await;
    let (pool, times) = (pool.expect("a pool"), PoolTimes::new("sessions"));
    let metrics = PoolMetrics::semantic("sessions").totals("pool");
    let _observation = store.scope(|| metrics.observe(times.watch(pool.clone()))).expect("names");
    let number = |name, labels: &[&str]| value(&store, name, labels).unwrap_or_else(|| panic!("no {name}"));
    async {
        let connection = times.acquire(&pool).await.expect("a connection");
        assert_eq!(number("db_client_connection_count", &["state=\"used\""]), 1.0);
        assert_eq!(number("db_client_connection_max", &[]), 1.0);
        assert_eq!((number("pool_created", &[]), number("pool_gets", &[])), (1.0, 1.0));
        let second = tokio::spawn({
            let (times, pool) = (times.clone(), pool.clone());
            async move { times.acquire(&pool).await.map(drop) }.in_store(store.clone())
        });
        until_is(&store, "db_client_connection_pending_requests", &[], 1.0).await;
        let error = second.await.expect("no panic").expect_err("nothing is given back");
        assert_eq!(error.error_type(), "pool_timeout");
        assert_eq!(number("db_client_connection_pending_requests", &[]), 0.0);
        assert_eq!((number("pool_timeouts", &[]), number("pool_gets", &[])), (1.0, 2.0));
        assert_eq!(number("db_client_connection_timeouts", &[]), 1.0);
        assert!(number("pool_wait_time", &[]) >= 0.3);
        drop(connection);

        // It is asked whether it still lives before it is given out.
        server.stop();
        until("no connection", &store, async || times.acquire(&pool).await.is_err()).await;
        until_is(&store, "pool_closed", &["reason=\"invalid\""], 1.0).await;
        assert_eq!(number("db_client_connection_count", &["state=\"used\""]), 0.0);
        assert_eq!(number("db_client_connection_count", &["state=\"idle\""]), 0.0);

        server.start_again();
        until("a connection", &store, async || times.acquire(&pool).await.is_ok()).await;
        until_is(&store, "db_client_connection_count", &["state=\"idle\""], 1.0).await;
        assert_eq!(number("pool_created", &[]), 2.0);
    }
    .in_store(store.clone())
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_timed_by_name_with_the_kind_of_error_and_a_lost_connection_is_one() {
    let test = "commands_are_timed_by_name_with_the_kind_of_error_and_a_lost_connection_is_one";
    if !use_programs(test, "redis-server") {
        return;
    }
    let (mut server, store) = (Redis::start(), Store::new());
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_connection_timeout(Some(Duration::from_secs(5)))
        .set_response_timeout(Some(Duration::from_secs(5)));
    let client = Client::open(server.url()).expect("an address");
    let manager = ConnectionManager::new_with_config(client, config).await.expect("a connection");
    let operations = Operations::new("redis").namespace("0");
    let mut connection = TimedRedis::new(manager, &operations);
    async {
        let _: () = cmd("set").arg("a").arg("text").query_async(&mut connection).await.expect("it is set");
        for _ in 0..2 {
            let text: String = cmd("GET").arg("a").query_async(&mut connection).await.expect("it is there");
            assert_eq!(text, "text");
        }
        assert_eq!((ended(&store, "SET", ""), ended(&store, "GET", "")), ((1.0, 0.0), (2.0, 0.0)));

        let wrong: RedisResult<i64> = cmd("LPUSH").arg("a").arg(1).query_async(&mut connection).await;
        wrong.expect_err("it is no list");
        assert_eq!(ended(&store, "LPUSH", "WRONGTYPE"), (0.0, 1.0));
        // Whoever sends what he was told to, and scripts that make up errors, add no series but one.
        for made_up in ["a b c", "GETT", "*1\r\n"] {
            let unknown: RedisResult<()> = cmd(made_up).query_async(&mut connection).await;
            unknown.expect_err("there is no such command");
        }
        assert_eq!(ended(&store, "_OTHER", "ERR"), (0.0, 3.0));
        for code in ["MADEUP", "ALSO"] {
            let script = format!("return redis.error_reply('{code} is mine')");
            let made_up: RedisResult<()> = cmd("EVAL").arg(script).arg(0).query_async(&mut connection).await;
            made_up.expect_err("the script says so");
        }
        assert_eq!(ended(&store, "EVAL", "_OTHER"), (0.0, 2.0));

        let both: (i64, i64) =
            pipe().incr("b", 1).incr("b", 1).query_async(&mut connection).await.expect("sent");
        assert_eq!(both, (1, 2));
        let atomic: (i64, String) =
            pipe().atomic().incr("b", 1).get("a").query_async(&mut connection).await.expect("sent");
        assert_eq!(atomic, (3, "text".to_owned()));
        let failed: RedisResult<(i64, i64)> =
            pipe().atomic().incr("b", 1).incr("a", 1).query_async(&mut connection).await;
        failed.expect_err("a text is no number");
        let names = ["PIPELINE INCRBY", "MULTI", "MULTI INCRBY"];
        assert_eq!(names.map(|name| ended(&store, name, "ERR")), [(1.0, 0.0), (1.0, 0.0), (0.0, 1.0)]);

        server.stop();
        let ping = cmd("PING");
        let lost: RedisResult<()> = ping.query_async(&mut connection).await;
        lost.expect_err("nobody is there");
        assert_eq!(ended(&store, "PING", "io"), (0.0, 1.0));

        server.start_again();
        until("an answer", &store, async || {
            let pong: RedisResult<String> = ping.query_async(&mut connection).await;
            pong.is_ok()
        })
        .await;
        assert_eq!(ended(&store, "PING", "io").0, 1.0);
    }
    .in_store(store.clone())
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_a_server_is_known_by_name() {
    let test = "every_command_of_a_server_is_known_by_name";
    if !use_programs(test, "redis-server") {
        return;
    }
    let (server, store) = (Redis::start(), Store::new());
    let client = Client::open(server.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let names: Vec<String> = cmd("COMMAND").arg("LIST").query_async(&mut connection).await.expect("a list");
    assert!(names.len() > 200, "{names:?}");
    let mut connection = TimedRedis::new(Silent, &Operations::new("redis"));
    async {
        // Those with a bar are arguments of others.
        for name in names.iter().filter(|name| !name.contains('|')) {
            let _: () = cmd(name).query_async(&mut connection).await.expect("it says nothing");
            assert_eq!(ended(&store, &name.to_uppercase(), ""), (1.0, 0.0), "{name}");
        }
    }
    .in_store(store.clone())
    .await;
}

/// A connection to nobody.
struct Silent;

impl ConnectionLike for Silent {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async { Ok(Value::Nil) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn get_db(&self) -> i64 {
        0
    }
}
