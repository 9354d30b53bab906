//! What stands on a page of a pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use metercast::testing::isolated;
use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
use metercast_clients::{ConnectionEnd, PoolMetrics, PoolState, PoolTimes, PoolTotals, Sampler};

/// The samples of a page with names as they are, sorted.
fn samples(store: &Store) -> Vec<String> {
    let options = PageOptions::new().profile(Profile::MetricsRs);
    let page = PrometheusPage::with("own", options, &[], Log::default()).render(store);
    let mut lines: Vec<_> =
        page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_metrics_of_the_conventions_have_those_parts_that_a_pool_says() {
    isolated(|store| {
        let _all = PoolMetrics::semantic("all")
            .observe(|| PoolState::new(4, 3).max(10).idle_min(1).idle_max(5).waiting(2))
            .unwrap();
        let _some = PoolMetrics::semantic("some").observe(|| PoolState::new(2, 0)).unwrap();
        let name = |name: &str, pool: &str, value: u64| {
            format!("db_client_connection_{name}{{db_client_connection_pool_name=\"{pool}\"}} {value}")
        };
        let count = |pool: &str, state: &str, value: u64| {
            format!(
                "db_client_connection_count{{db_client_connection_pool_name=\"{pool}\",\
                 db_client_connection_state=\"{state}\"}} {value}"
            )
        };
        assert_eq!(
            samples(store),
            [
                count("all", "idle", 3),
                count("all", "used", 1),
                count("some", "idle", 0),
                count("some", "used", 2),
                name("idle_max", "all", 5),
                name("idle_min", "all", 1),
                name("max", "all", 10),
                name("pending_requests", "all", 2),
            ]
        );
    });
}

#[test]
fn a_pool_that_is_observed_is_asked_at_each_reading_until_it_is_let_go() {
    isolated(|store| {
        let size = Arc::new(AtomicU64::new(1));
        let asked = Arc::clone(&size);
        let observation = PoolMetrics::new()
            .size("app_pool_size")
            .max("app_pool_max")
            .label("pool", "writes")
            .observe(move || PoolState::new(asked.load(Ordering::Relaxed), 0))
            .unwrap();
        assert_eq!(samples(store), ["app_pool_size{pool=\"writes\"} 1"], "what it does not say is not there");
        size.store(2, Ordering::Relaxed);
        assert_eq!(samples(store), ["app_pool_size{pool=\"writes\"} 2"]);
        drop(observation);
        assert_eq!(samples(store), [""; 0]);
    });
}

#[test]
fn a_name_that_is_none_is_an_error_and_nothing_is_measured() {
    isolated(|store| {
        let error =
            PoolMetrics::new().size("a_pool_size").idle("").observe(|| PoolState::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("name"), "{error}");
        assert_eq!(samples(store), [""; 0]);
    });
}

#[tokio::test(start_paused = true)]
async fn all_parts_of_a_sampled_pool_are_of_one_moment_and_those_of_a_follower_are_not_there() {
    let (store, is_leader, opened) =
        (Store::new(), Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let sampler = Sampler::every(Duration::from_secs(10)).only_if({
        let is_leader = Arc::clone(&is_leader);
        move || is_leader.load(Ordering::Relaxed)
    });
    let metrics = PoolMetrics::new().size("b_pool_size").idle("b_pool_idle").used("b_pool_active");
    let pool = {
        let opened = Arc::clone(&opened);
        move || {
            let opened = opened.fetch_add(3, Ordering::Relaxed);
            PoolState::new(opened + 3, opened + 1)
        }
    };
    let observation = store.scope(|| metrics.sample(sampler, pool)).unwrap();
    let first = ["b_pool_active 2", "b_pool_idle 1", "b_pool_size 3"];
    assert_eq!(samples(&store), first);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(samples(&store), first, "not asked before the interval is over");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(samples(&store), ["b_pool_active 2", "b_pool_idle 4", "b_pool_size 6"]);
    is_leader.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(samples(&store), [""; 0], "what is old is not said by who is not the leader any more");
    is_leader.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(samples(&store), ["b_pool_active 2", "b_pool_idle 7", "b_pool_size 9"]);
    drop(observation);
    assert_eq!(samples(&store), [""; 0]);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(opened.load(Ordering::Relaxed), 9, "nobody asks any more");
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_measured_if_it_had_an_end_and_counted_if_it_was_given_up() {
    use metercast::StoreFutureExt;
    let store = Store::new();
    async {
        let waits = PoolTimes::new("orders");
        let slow = async {
            tokio::time::sleep(Duration::from_millis(70)).await;
            Ok::<_, &str>(())
        };
        waits.wait(slow, |_| true).await.unwrap();
        let timeout = |error: &&str| *error == "timeout";
        for error in ["timeout", "broken"] {
            assert_eq!(waits.wait(async { Err::<(), _>(error) }, timeout).await, Err(error));
        }
    }
    .in_store(store.clone())
    .await;
    let lines = samples(&store);
    let pool = "db_client_connection_pool_name=\"orders\"";
    let has = |line: String| assert!(lines.contains(&line), "{line}: {lines:?}");
    has(format!("db_client_connection_timeouts{{{pool}}} 1"));
    has(format!("db_client_connection_wait_time_count{{{pool}}} 1"));
    has(format!("db_client_connection_wait_time_bucket{{{pool},le=\"0.05\"}} 0"));
    has(format!("db_client_connection_wait_time_bucket{{{pool},le=\"0.1\"}} 1"));
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_counted_until_he_has_a_connection_or_gives_up() {
    isolated(|store| {
        let times = PoolTimes::new("orders");
        let _pool =
            PoolMetrics::new().waiting("e_waiting").observe(times.watch(|| PoolState::new(1, 0))).unwrap();
        // What says itself who waits knows better.
        let says = times.watch(|| PoolState::new(1, 0).waiting(7));
        let _other = PoolMetrics::new().waiting("f_waiting").observe(says).unwrap();
        let mut waits: Vec<_> = (0..3)
            .map(|_| Box::pin(times.wait(std::future::pending::<Result<(), ()>>(), |()| true)))
            .collect();
        assert_eq!(times.waiting(), 0, "nobody has asked yet");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for wait in &mut waits {
            assert!(wait.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(samples(store), ["e_waiting 3", "f_waiting 7"]);
        waits.truncate(1);
        assert_eq!(samples(store), ["e_waiting 1", "f_waiting 7"]);
        drop(waits);
        assert_eq!(
            samples(store),
            ["e_waiting 0", "f_waiting 7"],
            "nothing else is measured of those who gave up"
        );
    });
}

#[tokio::test(start_paused = true)]
async fn a_use_is_measured_where_it_began_and_ends_when_the_connection_is_let_go_or_taken_out() {
    let store = Store::new();
    let times = PoolTimes::new("orders");
    let (first, second) = store.scope(|| (times.in_use(vec![1]), times.in_use(vec![2])));
    tokio::time::sleep(Duration::from_millis(70)).await;
    assert_eq!(*first, [1], "it is used as what it is");
    assert_eq!(first.into_inner(), [1]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    // On another thread, where another store is current.
    tokio::task::spawn_blocking(move || drop(second)).await.unwrap();
    let lines = samples(&store);
    let pool = "db_client_connection_pool_name=\"orders\"";
    for (le, count) in [("0.05", 0), ("0.1", 1), ("1", 1), ("5", 2)] {
        let line = format!("db_client_connection_use_time_bucket{{{pool},le=\"{le}\"}} {count}");
        assert!(lines.contains(&line), "{line}: {lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_opened_is_measured_and_one_that_was_not_is_not() {
    use metercast::StoreFutureExt;
    let store = Store::new();
    async {
        let times = PoolTimes::new("orders");
        let open = async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Ok::<_, &str>(())
        };
        times.create(open).await.unwrap();
        times.create(async { Err::<(), _>("refused") }).await.unwrap_err();
    }
    .in_store(store.clone())
    .await;
    let line = "db_client_connection_create_time_count{db_client_connection_pool_name=\"orders\"} 1";
    assert!(samples(&store).iter().any(|sample| sample == line), "{:?}", samples(&store));
}

#[test]
fn what_a_pool_has_counted_is_there_and_what_it_does_not_count_is_not() {
    isolated(|store| {
        let totals = PoolTotals::new()
            .gets(100)
            .timeouts(2)
            .wait_time(Duration::from_millis(1500))
            .closed(ConnectionEnd::Invalid, 3);
        let _pool = PoolMetrics::new()
            .totals("g")
            .label("pool", "writes")
            .observe(move || PoolState::new(1, 0).totals(totals))
            .unwrap();
        assert_eq!(
            samples(store),
            [
                "g_closed{pool=\"writes\",reason=\"invalid\"} 3",
                "g_gets{pool=\"writes\"} 100",
                "g_timeouts{pool=\"writes\"} 2",
                "g_wait_time{pool=\"writes\"} 1.5",
            ]
        );
    });
}

#[tokio::test(start_paused = true)]
async fn a_sampled_pool_that_panics_or_of_which_nobody_knows_who_leads_is_not_there_until_that_is_over() {
    let [pool_panics, leader_panics] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let panics = |when: &Arc<AtomicBool>| {
        let when = Arc::clone(when);
        move || assert!(!when.load(Ordering::Relaxed), "on purpose")
    };
    let (pool, leader) = (panics(&pool_panics), panics(&leader_panics));
    let pool = move || {
        pool();
        PoolState::new(3, 1)
    };
    let sampler = Sampler::every(Duration::from_secs(10)).only_if(move || {
        leader();
        true
    });
    let store = Store::new();
    let _observation = store.scope(|| PoolMetrics::new().size("h_size").sample(sampler, pool)).unwrap();
    assert_eq!(samples(&store), ["h_size 3"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    for panics in [pool_panics, leader_panics] {
        panics.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(samples(&store), [""; 0], "what it said before is old");
        panics.store(false, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(samples(&store), ["h_size 3"]);
    }
}

/// Pools of deadpool, without a server: each version says the same.
macro_rules! deadpool {
    ($feature:literal, $deadpool:ident, $prefix:literal) => {
        #[cfg(feature = $feature)]
        mod $deadpool {
            use super::*;
            use ::$deadpool::managed::{Manager, Metrics, Object, Pool, RecycleResult};

            struct Numbers;

            impl Manager for Numbers {
                type Type = u32;
                type Error = ();

                async fn create(&self) -> Result<u32, ()> {
                    Ok(1)
                }

                async fn recycle(&self, _: &mut u32, _: &Metrics) -> RecycleResult<()> {
                    Ok(())
                }
            }

            #[tokio::test]
            async fn a_pool_of_deadpool_says_what_is_open_idle_allowed_and_waited_for() {
                let store = Store::new();
                let pool: Pool<Numbers> = Pool::builder(Numbers).max_size(2).build().unwrap();
                let name = |name| format!("{}_{name}", $prefix);
                let metrics = PoolMetrics::new()
                    .size(&name("size"))
                    .idle(&name("available"))
                    .used(&name("active"))
                    .max(&name("max"))
                    .waiting(&name("waiting"));
                let _observation = store.scope(|| metrics.observe(pool.clone())).unwrap();
                let says = |active, available, max, size, waiting| {
                    let parts = [
                        ("active", active),
                        ("available", available),
                        ("max", max),
                        ("size", size),
                        ("waiting", waiting),
                    ];
                    let expected: Vec<_> =
                        parts.iter().map(|(part, value)| format!("{} {value}", name(part))).collect();
                    assert_eq!(samples(&store), expected);
                };
                says(0, 0, 2, 0, 0);
                let (first, second): (Object<_>, Object<_>) =
                    (pool.get().await.unwrap(), pool.get().await.unwrap());
                let mut third = Box::pin(pool.get());
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(third.as_mut().poll(&mut context).is_pending());
                says(2, 0, 2, 2, 1);
                drop(first);
                drop((second, third.await.unwrap()));
                says(0, 2, 2, 2, 0);
                pool.close();
                says(0, 0, 0, 0, 0);
            }
        }
    };
}

deadpool!("deadpool_0_12", deadpool_0_12, "d12");
deadpool!("deadpool_0_13", deadpool_0_13, "d13");
