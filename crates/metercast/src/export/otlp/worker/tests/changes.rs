//! What becomes of a push whose settings change: nothing is lost, and nothing that may have arrived is read anew for the same
//! receiver.

use super::totals::{Numbers, some_fault};
use super::*;
use crate::config::TemporalityPreference;

fn elsewhere() -> Settings {
    Settings { url: "http://elsewhere/v1/metrics".into(), host: "elsewhere".into(), ..settings() }
}

fn with_header(value: &str) -> Settings {
    Settings { headers: vec![("x-scope".into(), value.into())], ..settings() }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_goes_out_with_the_old_settings_and_the_new_ones_are_tried_soon() {
    play(settings(), [], async |stage| {
        stage.order();
        stage.change(elsewhere(), [], 5 * SECOND);
        let old = stage.until(1).await;
        assert_eq!((old[0].to.as_str(), old[0].orders()), ("http://collector/v1/metrics", 1));
        stage.order();
        let sent = stage.until(2).await;
        assert_eq!((sent[1].to.as_str(), sent[1].orders()), ("http://elsewhere/v1/metrics", 2));
        assert!(gaps(&sent)[0] <= SECOND, "{:?}", gaps(&sent));
        let sent = stage.until(3).await;
        assert!(gaps(&sent)[1] <= 60 * SECOND);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_push_that_hangs_is_given_up_in_time_and_its_request_goes_on_as_it_is_to_the_same_receiver() {
    for (change, is_same) in [(with_header("a"), true), (elsewhere(), false)] {
        let unlimited = Settings { timeout: None, ..settings() };
        play(unlimited, [hangs()], async |stage| {
            stage.order();
            stage.until(1).await;
            stage.order();
            stage.change(change, [], 5 * SECOND);
            let sent = stage.until(2).await;
            assert!(gaps(&sent)[0] <= 6 * SECOND, "{:?}", gaps(&sent));
            if is_same {
                assert_eq!(sent[1].body, sent[0].body, "it may have been taken");
            } else {
                assert_eq!(sent[1].orders(), 2, "read anew");
            }
            assert_eq!(stage.until(3).await[2].orders(), 2);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_old_receiver_denies_the_new_one_gets_and_a_silence_is_not_passed_on() {
    for fault in [
        status(401),
        status(503).waiting(3000 * SECOND),
        answers(Cause::Connect(Arc::new(io::Error::other("no")))),
    ] {
        play(settings(), [fault], async |stage| {
            stage.order();
            stage.change(elsewhere(), [], 5 * SECOND);
            let mut sent = stage.until(2).await;
            while sent.last().is_none_or(|sent| !sent.to.contains("elsewhere")) {
                sent = stage.until(sent.len() + 1).await;
            }
            let new = sent.last().unwrap();
            assert!(new.at - sent[0].at <= 6 * SECOND, "{:?}", gaps(&sent));
            assert_eq!(new.orders(), 1);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_another_interval_needs_no_push_before_it() {
    play(settings(), [], async |stage| {
        stage.order();
        stage.change(Settings { interval: 5 * SECOND, ..settings() }, [], 5 * SECOND);
        let sent = stage.until(3).await;
        assert!(sent[0].at <= 5 * SECOND, "{:?}", sent[0].at);
        assert_eq!(gaps(&sent), [5 * SECOND; 2]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_change_gets_a_push_with_the_new_settings() {
    play(Settings { timeout: None, ..settings() }, [hangs()], async |stage| {
        stage.order();
        stage.until(1).await;
        // Of several changes the last one counts.
        stage.change(with_header("never"), [status(401)], 5 * SECOND);
        stage.change(elsewhere(), [], 5 * SECOND);
        stage.flush(60 * SECOND).await.unwrap();
        let sent = stage.sent();
        assert_eq!(
            sent.last().map(|sent| (sent.to.as_str(), sent.is_taken)),
            Some(("http://elsewhere/v1/metrics", true))
        );
        assert!(sent.iter().all(|sent| !sent.to.contains("never")));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_right_behind_a_change_goes_out_with_the_new_settings_within_its_time() {
    play(Settings { timeout: None, ..settings() }, [hangs()], async |stage| {
        stage.order();
        stage.until(1).await;
        stage.order();
        stage.change(elsewhere(), [], 3600 * SECOND);
        stage.shutdown(20 * SECOND).await.unwrap_err();
        let sent = stage.sent();
        // All of its time was taken by the push that hung, until the last moment.
        assert_eq!(sent.len(), 1);
    })
    .await;
    play(settings(), [], async |stage| {
        stage.order();
        stage.change(elsewhere(), [], 3600 * SECOND);
        stage.shutdown(20 * SECOND).await.unwrap();
        let sent = stage.sent();
        assert_eq!(sent.last().unwrap().to, "http://elsewhere/v1/metrics");
        assert_eq!(sent.last().unwrap().orders(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn deltas_that_arrived_add_up_whatever_is_changed_between_faults() {
    for seed in 0..60 {
        let mut numbers = Numbers(seed);
        let delta = |settings: Settings| {
            let mut settings = settings;
            settings.options.temporality = TemporalityPreference::Delta;
            settings
        };
        let script: Vec<_> = (0..10).map(|_| some_fault(&mut numbers)).collect();
        play(delta(settings()), script, async |stage| {
            let mut recorded = 0;
            for round in 0..20 {
                for _ in 0..numbers.below(4) {
                    stage.order();
                    recorded += 1;
                }
                match numbers.below(4) {
                    0 => drop(stage.flush(SECOND * numbers.below(20) as u32).await),
                    1 => {
                        let script: Vec<_> =
                            (0..numbers.below(5)).map(|_| some_fault(&mut numbers)).collect();
                        let settings = delta(with_header(["a", "b"][round % 2]));
                        stage.change(settings, script, SECOND * numbers.below(10) as u32);
                    }
                    _ => sleep(SECOND * numbers.below(200) as u32).await,
                }
            }
            while stage.flush(300 * SECOND).await.is_err() {}
            let mut seen = std::collections::HashSet::new();
            let sent = stage.sent();
            let arrived = sent.iter().filter(|sent| sent.is_taken && seen.insert(sent.body.clone()));
            assert_eq!(arrived.map(Sent::orders).sum::<i64>(), recorded, "{seed}");
        })
        .await;
    }
}
