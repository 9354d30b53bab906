//! When a request is sent: rhythms, back-off, and what a receiver asks for.

use metercast_core::MockClock;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_fault_that_does_not_pass_ends_the_push_at_its_timeout_and_the_waits_go_on_doubling() {
    let mut settings = settings();
    settings.interval = SECOND;
    play(settings, std::iter::repeat_with(|| status(503)).take(1000), async |stage| {
        stage.order();
        let sent = stage.until(12).await;
        for (n, gap) in gaps(&sent).into_iter().enumerate() {
            let longest = Duration::from_millis(500 << n).min(30 * SECOND);
            assert!(gap >= longest / 2 && gap <= longest + SECOND, "{n}: {gap:?}");
        }
        let lines = stage.lines();
        assert!(lines[0].contains("answered 503 Service Unavailable"), "{lines:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_is_kept_and_the_data_waits_in_the_store() {
    for code in [429, 503] {
        play(settings(), [status(code).waiting(150 * SECOND)], async |stage| {
            stage.order();
            stage.until(1).await;
            stage.order();
            let sent = stage.until(2).await;
            let gap = gaps(&sent)[0];
            assert!(gap >= 150 * SECOND && gap <= 151 * SECOND, "{gap:?}");
            assert_eq!(sent[1].orders(), 2);
            let lines = stage.lines();
            assert!(
                lines[0].ends_with(
                    "ounts are kept and go with the next push, not before 150s have passed, as the collector asks"
                ),
                "{lines:?}"
            );
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_is_kept_within_the_push() {
    play(settings(), [status(503).waiting(7 * SECOND)], async |stage| {
        stage.order();
        stage.until(1).await;
        stage.order();
        let sent = stage.until(2).await;
        assert!(gaps(&sent)[0] >= 7 * SECOND && gaps(&sent)[0] < 8 * SECOND);
        assert_eq!(sent[1].orders(), 2, "what was refused goes with what came since");
        sleep(SECOND).await;
        assert_eq!(stage.lines(), [""; 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_receiver_silences_the_exporter_for_more_than_an_hour() {
    play(settings(), [status(503).waiting(Duration::from_secs(u64::MAX))], async |stage| {
        stage.order();
        let sent = stage.until(2).await;
        let gap = gaps(&sent)[0];
        assert!(gap >= 3600 * SECOND && gap <= 3601 * SECOND, "{gap:?}");
        let lines = stage.lines();
        assert!(
            lines[0].contains(", in 3600s, though the collector asks for 18446744073709551615s"),
            "{lines:?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_flush_does_not_wait_for_the_back_off_but_for_a_receiver_that_asked_for_silence() {
    play(settings(), std::iter::repeat_with(|| status(503)).take(6), async |stage| {
        stage.order();
        stage.until(6).await;
        // The exporter rests now for some seconds at least.
        stage.order();
        let asked = Instant::now();
        stage.flush(60 * SECOND).await.unwrap();
        assert!(asked.elapsed() <= SECOND / 10);
        assert_eq!((stage.sent()[6].orders(), stage.sent()[7].orders()), (1, 2));
    })
    .await;
    play(settings(), [status(503).waiting(100 * SECOND)], async |stage| {
        stage.order();
        stage.until(1).await;
        let asked = Instant::now();
        let error = stage.flush(50 * SECOND).await.unwrap_err();
        assert_eq!(error.error_type(), "silence");
        assert!(error.to_string().contains(" of which 10"), "{error}");
        assert!(asked.elapsed() <= SECOND / 10, "it does not wait for nothing");
        stage.flush(200 * SECOND).await.unwrap();
        let sent = stage.sent();
        assert_eq!(sent.len(), 2);
        assert!(gaps(&sent)[0] >= 100 * SECOND && gaps(&sent)[0] < 101 * SECOND);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn first_pushes_are_spread_over_the_interval_and_a_flush_comes_before() {
    let mut at = Vec::new();
    for _ in 0..64 {
        play(settings(), [], async |stage| {
            stage.order();
            stage.flush(SECOND).await.unwrap();
            let sent = stage.until(3).await;
            at.push(sent[1].at);
            assert_eq!(sent[2].at - sent[1].at, 60 * SECOND);
        })
        .await;
    }
    assert!(at.iter().all(|at| *at < 60 * SECOND));
    assert!((0..4).all(|quarter| at.iter().any(|at| at.as_secs() / 15 == quarter)), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_push_without_a_timeout_fails_at_the_latest_when_the_next_is_due_and_says_so() {
    let mut settings = settings();
    settings.timeout = None;
    play(settings, std::iter::repeat_with(|| status(503)).take(100), async |stage| {
        stage.order();
        stage.until(1).await;
        sleep(60 * SECOND).await;
        assert!(stage.lines()[0].contains("answered 503 Service Unavailable"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_interval_goes_by_the_clock_of_a_test_and_what_follows_a_failure_by_the_systems() {
    let clock = MockClock::new();
    play_in(Store::with_clock(&clock), settings(), [status(503)], async |stage| {
        stage.order();
        let pushed = async |by: u32, count: usize| {
            clock.advance(by * SECOND);
            let sent = stage.until(count).await;
            // However much time passes meanwhile.
            sleep(3600 * SECOND).await;
            assert_eq!(stage.sent().len(), count, "after another {by} s");
            sent
        };
        pushed(0, 0).await;
        pushed(59, 0).await;
        let sent = pushed(1, 2).await;
        assert!(gaps(&sent)[0] <= SECOND, "the second attempt: {:?}", gaps(&sent));
        pushed(150, 3).await;
        pushed(29, 3).await;
        pushed(1, 4).await;
        stage.flush(SECOND).await.unwrap();
        pushed(59, 5).await;
        stage.change(Settings { interval: 10 * SECOND, ..super::settings() }, [], SECOND);
        pushed(1, 6).await;
    })
    .await;
}
