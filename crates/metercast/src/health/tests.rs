//! Checks that answer, fail, hang and panic, by a clock that waits for nobody.

use std::future::{pending, poll_fn};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;

use metercast_core::MockClock;
use metercast_core::reading::Point;

use super::*;

/// A store whose clock stands still, and a health in it.
fn health() -> (MockClock, Store, Health) {
    let clock = MockClock::new();
    let store = Store::with_clock(&clock);
    let health = store.scope(Health::new);
    (clock, store, health)
}

/// What the gauges say: of the component, and of its parts.
fn gauges(store: &Store) -> (u64, Vec<(String, u64)>) {
    let families = store.collect();
    let value = |point: &Point| match point {
        Point::U64(value) => *value,
        other => panic!("{other:?}"),
    };
    let of = |name: &str| {
        let family = families.iter().find(|family| family.definition.name() == name);
        family.map_or_else(Vec::new, |family| {
            family.series.iter().map(|one| (one.labels.to_string(), value(&one.point))).collect()
        })
    };
    let component = of("component.up");
    assert_eq!(component.len(), 1);
    (component[0].1, of("subsystem.up"))
}

fn subsystem(name: &str, up: u64) -> (String, u64) {
    (format!("{{subsystem={name:?}}}"), up)
}

/// What ends a check that hangs: what it is to say.
type Says = Sender<Result<(), String>>;

/// A check that tells when it has begun, and ends when it is told what to say.
fn hanging() -> (Receiver<()>, Says, impl FnMut() -> Result<(), String> + Send + 'static) {
    let (begun, begins) = channel();
    let (says, said) = channel();
    let check = move || {
        let _ = begun.send(());
        said.recv().unwrap_or(Ok(()))
    };
    (begins, says, check)
}

#[test]
fn the_component_is_up_if_all_are_that_must_be() {
    let (_, store, health) = health();
    assert_eq!(gauges(&store), (1, vec![]));
    let one = health.check("api").run(|| Ok::<(), &str>(()));
    let other = health.check("api").run(|| Err("the other of that name"));
    let cache = health.check("cache").optional().run(|| Err("cold"));
    assert_eq!(health.check_now().error(), Some("api: the other of that name"));
    assert_eq!(gauges(&store), (0, vec![subsystem("api", 0), subsystem("cache", 0)]));
    drop(other);
    assert_eq!(health.readiness(), Readiness::ready());
    assert_eq!(gauges(&store), (1, vec![subsystem("api", 1), subsystem("cache", 0)]));
    drop((one, cache));
    assert_eq!(gauges(&store), (1, vec![]));
}

#[test]
fn a_check_that_hangs_is_down_when_its_time_is_over_and_until_it_answers_in_time() {
    let (clock, store, health) = health();
    let (begins, says, check) = hanging();
    let _check = health.check("queue").run(check);
    begins.recv().unwrap();
    assert_eq!(health.readiness().error(), Some("queue: not checked yet"));
    says.send(Ok(())).unwrap();
    while !health.readiness().is_ready() {
        std::thread::yield_now();
    }
    assert_eq!(gauges(&store).0, 1);

    clock.advance(INTERVAL);
    begins.recv().unwrap();
    clock.advance(TIMEOUT / 2);
    assert_eq!(gauges(&store), (1, vec![subsystem("queue", 1)]), "it is what was said last");
    clock.advance(TIMEOUT / 2);
    assert_eq!(gauges(&store), (0, vec![subsystem("queue", 0)]));
    assert_eq!(health.readiness().error(), Some("queue: no answer within 3s"));

    clock.advance(10 * INTERVAL);
    assert!(begins.try_recv().is_err(), "it is not made again while it hangs");
    says.send(Ok(())).unwrap();
    // What comes so late says nothing of now. Time is let pass until it has come, and the next one begins.
    while begins.try_recv().is_err() {
        assert_eq!(health.readiness().error(), Some("queue: no answer within 3s"));
        clock.advance(TIMEOUT);
        std::thread::yield_now();
    }
    // Time may have passed meanwhile, so that it is late as well: then it is asked for once more.
    says.send(Ok(())).unwrap();
    drop(says);
    assert_eq!(health.check_now(), Readiness::ready());
}

#[test]
fn a_check_that_is_to_be_made_once_is_not_made_again_and_again() {
    let health = Store::new().scope(Health::new);
    let (made, is_made) = channel();
    let _check = health.check("disk").interval(Duration::MAX).run(move || made.send(()));
    is_made.recv().unwrap();
    assert_eq!(health.check_now(), Readiness::ready());
    is_made.recv().unwrap();
    // Were it made all the time, one of these would come.
    let again = is_made.recv_timeout(Duration::from_millis(50));
    assert_eq!(again, Err(std::sync::mpsc::RecvTimeoutError::Timeout));
}

#[test]
fn a_check_that_panics_is_down_and_is_made_again() {
    let (_, _, health) = health();
    let mut times = 0;
    let _check = health.check("disk").run(move || {
        times += 1;
        assert!(times > 2, "time {}", times.min(2));
        Ok::<(), &str>(())
    });
    // The first may have been before it was asked for.
    assert!(health.check_now().error().unwrap().starts_with("disk: panicked: time "));
    assert!((0..3).any(|_| health.check_now().is_ready()));
}

#[test]
fn a_panic_that_panics_again_when_it_is_dropped_does_not_end_its_check() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }
    let (_, _, health) = health();
    let (mut times, (made, rounds)) = (0, channel());
    let _check = health.check("disk").run(move || {
        times += 1;
        made.send(times).unwrap();
        if times < 3 {
            std::panic::panic_any(Bomb);
        }
        Ok::<(), &str>(())
    });
    // The first may have been before it was asked for.
    assert_eq!(health.check_now().error(), Some("disk: panicked"));
    assert!((0..3).any(|_| health.check_now().is_ready()));
    assert!(rounds.try_iter().count() >= 3);
}

#[test]
fn what_a_check_says_is_one_short_line_and_valid_json() {
    for text in ["line\nbreak \"quote\" \\ \u{1b}[31m", &"ü".repeat(10_000), ""] {
        let (_, _, health) = health();
        let owned = text.to_owned();
        let _check = health.check("part").run(move || Err(owned.clone()));
        let readiness = health.check_now();
        let error = readiness.error().unwrap();
        assert!(error.len() <= "part: ".len() + 256 + "…".len() && !error.chars().any(char::is_control));
        let json: serde_json::Value = serde_json::from_str(&readiness.json()).unwrap();
        assert_eq!(json, serde_json::json!({ "status": "not_ready", "error": error }));
        assert_eq!(error.ends_with('…'), text.len() > 256);
    }
    let (_, store, health) = health();
    let _check = health.check(&"ß".repeat(1_000)).run(|| Ok::<(), &str>(()));
    health.check_now();
    assert_eq!(gauges(&store).1, [subsystem(&"ß".repeat(64), 1)]);
}

#[test]
fn a_health_that_requires_checks_is_not_ready_without_one_and_one_that_withdrew_never() {
    let store = Store::new();
    let health = store.scope(|| Health::builder().requires_checks().build());
    assert_eq!(health.readiness().error(), Some("no check is set"));
    let _check = health.check("api").run(|| Ok::<(), &str>(()));
    assert_eq!(health.check_now().json(), "{\"status\":\"ready\"}\n");
    health.withdraw("shutting down");
    assert_eq!(health.check_now().error(), Some("shutting down"));
    assert_eq!(gauges(&store), (0, vec![subsystem("api", 1)]));
}

/// Says so when it is dropped.
struct Dropped(Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_future_that_never_answers_is_dropped_when_its_time_is_over() {
    let (clock, _, health) = health();
    let (begun, begins) = channel();
    let (dropped, drops) = channel();
    let _check = health.check("database").run_async(move || {
        let dropped = Dropped(dropped.clone());
        let begun = begun.clone();
        async move {
            let _dropped = dropped;
            let _ = begun.send(());
            pending::<Result<(), String>>().await
        }
    });
    begins.recv().unwrap();
    clock.advance(TIMEOUT);
    drops.recv().unwrap();
    assert_eq!(health.readiness().error(), Some("database: no answer within 3s"));
}

#[test]
fn a_future_needs_no_runtime_and_is_polled_when_it_is_woken() {
    let (_, _, health) = health();
    let _check = health.check("plain").run_async(|| {
        let mut polls = 0;
        poll_fn(move |context| {
            polls += 1;
            match polls {
                1 => context.waker().wake_by_ref(),
                2 => {
                    let waker = context.waker().clone();
                    std::thread::spawn(move || waker.wake());
                }
                _ => return Poll::Ready(Err::<(), _>(format!("polled {polls} times"))),
            }
            Poll::Pending
        })
    });
    assert_eq!(health.check_now().error(), Some("plain: polled 3 times"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_future_uses_the_runtime_where_it_was_given_also_one_that_is_busy() {
    let health = Store::new().scope(Health::new);
    let _check = health.check("timer").run_async(|| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        tokio::spawn(async { Ok::<(), String>(()) }).await.map_err(|error| error.to_string())?
    });
    let asked = health.clone();
    let readiness = tokio::task::spawn_blocking(move || asked.check_now()).await.unwrap();
    assert_eq!(readiness, Readiness::ready());
}

#[test]
fn checks_end_with_what_holds_them() {
    let (_, store, health) = health();
    let (ended, ends) = channel();
    let check = |name: &str| {
        let ended = Dropped(ended.clone());
        health.check(name).run(move || {
            let _ = &ended;
            Ok::<(), &str>(())
        })
    };
    let (one, other) = (check("one"), check("other"));
    drop(one);
    ends.recv().unwrap();
    other.forever();
    health.check_now();
    assert_eq!(gauges(&store), (1, vec![subsystem("other", 1)]));
    drop(health);
    ends.recv().unwrap();
    assert!(store.collect().is_empty(), "the gauges are gone too");
}

#[test]
fn the_log_hears_of_it_once_when_a_check_fails_and_when_it_is_up_again() {
    let (_, store, health) = health();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let of_log = Arc::clone(&lines);
    health.log_to(&Log::to(move |level, line| of_log.lock().unwrap().push(format!("{level}: {line}"))));
    let sets = Arc::new(Mutex::new(false));
    let of_check = Arc::clone(&sets);
    let _check =
        health.check("nats").run(move || if *of_check.lock().unwrap() { Ok(()) } else { Err("refused") });
    for up in [false, false, true, true, false] {
        *sets.lock().unwrap() = up;
        assert_eq!(health.check_now().is_ready(), up);
        gauges(&store);
    }
    let down = "warning: check \"nats\" is down: refused";
    assert_eq!(*lines.lock().unwrap(), [down, "info: check \"nats\" is up again", down]);
}
