//! What follows each outcome, and when.

use super::*;

const FRESH: Past = Past { in_doubt: false, malformed: false };
const DOUBTED: Past = Past { in_doubt: true, malformed: false };
const MALFORMED: Past = Past { in_doubt: false, malformed: true };
const BOTH: Past = Past { in_doubt: true, malformed: true };

fn retry() -> Retry {
    Retry::new(Backoff::default(), 64 << 20)
}

#[tokio::test(start_paused = true)]
async fn every_outcome_says_what_becomes_of_a_request_that_is_fresh_doubted_or_refused() {
    use Outcome::*;
    let (delivered, given_up, merged) = (Fate::Delivered, Fate::GivenUp, Fate::Merged);
    let table = [
        (Taken, [delivered; 4], "now"),
        (Unread, [given_up; 4], "now"),
        (Busy, [merged, Fate::Held(DOUBTED), Fate::Held(MALFORMED), Fate::Held(BOTH)], "later"),
        (Unsent, [merged, Fate::Held(DOUBTED), Fate::Held(MALFORMED), Fate::Held(BOTH)], "later"),
        (Unknown, [Fate::Held(DOUBTED), Fate::Held(DOUBTED), Fate::Held(BOTH), Fate::Held(BOTH)], "later"),
        (Overloaded, [Fate::Held(DOUBTED), Fate::Held(DOUBTED), Fate::Held(BOTH), Fate::Held(BOTH)], "later"),
        (
            Garbled,
            [Fate::Held(DOUBTED), Fate::Held(DOUBTED), Fate::Held(BOTH), Fate::Held(BOTH)],
            "next push",
        ),
        (Malformed, [Fate::Held(MALFORMED), Fate::Held(BOTH), given_up, given_up], "now"),
        (TooLarge, [merged; 4], "now"),
        (Denied, [merged, Fate::Held(DOUBTED), Fate::Held(MALFORMED), Fate::Held(BOTH)], "next push"),
    ];
    for (outcome, fates, when) in table {
        for (past, expected) in [FRESH, DOUBTED, MALFORMED, BOTH].into_iter().zip(fates) {
            let (fate, next) = retry().after(outcome, past, 1 << 20, None, Instant::now());
            assert_eq!(fate, expected, "{outcome:?} {past:?}");
            let next = match next {
                Next::Now => "now",
                Next::At(_) => "later",
                Next::WhenDue => "next push",
            };
            assert_eq!(next, when, "{outcome:?} {past:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
    let mut retry = retry();
    let now = Instant::now();
    let mut wait = |outcome| match retry.after(outcome, FRESH, 9, None, now).1 {
        Next::At(at) => at - now,
        _ => Duration::ZERO,
    };
    for round in 0..2 {
        for failures in 0..40 {
            let longest = Duration::from_millis(500 << failures.min(10)).min(Duration::from_secs(30));
            let outcome = if failures % 2 == 0 { Outcome::Busy } else { Outcome::Unknown };
            let waited = wait(outcome);
            assert!(waited >= longest / 2 && waited <= longest, "{round} {failures} {waited:?}");
        }
        wait(Outcome::Taken);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_receiver_asks_for_is_waited_for_though_not_for_ever_and_a_flush_does_not_override_it() {
    let hour = Duration::from_secs(3600);
    for (asked, least) in
        [(Duration::from_secs(7), Duration::from_secs(7)), (2 * hour, hour), (Duration::MAX, hour)]
    {
        let mut retry = retry();
        let now = Instant::now();
        let (_, next) = retry.after(Outcome::Busy, FRESH, 9, Some(asked), now);
        let Next::At(at) = next else { panic!("{next:?}") };
        assert!(at >= now + least && at <= now + least + Duration::from_millis(500), "{asked:?}");
        assert_eq!((retry.pause(true), retry.pause(false)), (Some(at), Some(at)));
        retry.after(Outcome::Taken, FRESH, 9, None, now);
        assert_eq!((retry.pause(true), retry.pause(false)), (None, None));
    }
    // A wait shorter than the back-off does not shorten it.
    let mut retry = retry();
    let now = Instant::now();
    let (_, next) = retry.after(Outcome::Busy, FRESH, 9, Some(Duration::ZERO), now);
    assert!(matches!(next, Next::At(at) if at >= now + Duration::from_millis(250)));
    // The back-off alone is overridden.
    let mut retry = self::retry();
    let (_, next) = retry.after(Outcome::Unknown, FRESH, 9, None, now);
    assert_eq!(retry.pause(true), None);
    assert_eq!(retry.pause(false).map(Next::At), Some(next));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_halved_down_to_the_smallest() {
    let mut retry = retry();
    let now = Instant::now();
    let mut after = |bytes| {
        let (fate, next) = retry.after(Outcome::TooLarge, FRESH, bytes, None, now);
        assert_eq!(fate, Fate::Merged);
        (next, retry.limit())
    };
    assert_eq!(after(1 << 20), (Next::Now, 512 << 10));
    assert_eq!(after(500 << 10), (Next::Now, 250 << 10));
    // A request that could not be split to the limit.
    assert_eq!(after(900 << 10), (Next::WhenDue, 250 << 10));
    assert_eq!(after(20 << 10), (Next::Now, SMALLEST_REQUEST));
    assert_eq!(after(20 << 10), (Next::WhenDue, SMALLEST_REQUEST));
    assert_eq!(after(SMALLEST_REQUEST), (Next::WhenDue, SMALLEST_REQUEST));
    assert_eq!(after(0), (Next::WhenDue, SMALLEST_REQUEST));
}

#[tokio::test(start_paused = true)]
async fn requests_that_break_in_the_middle_again_and_again_become_smaller() {
    let mut retry = retry();
    let now = Instant::now();
    let mut after = |outcome| retry.after(outcome, FRESH, 1 << 20, None, now).1;
    for _ in 0..2 {
        assert!(matches!(after(Outcome::Unsent), Next::At(_)));
        assert!(matches!(after(Outcome::Unsent), Next::At(_)));
        assert_eq!(after(Outcome::Taken), Next::Now);
    }
    assert!(matches!(after(Outcome::Unsent), Next::At(_)));
    assert!(matches!(after(Outcome::Unsent), Next::At(_)));
    assert_eq!(after(Outcome::Unsent), Next::Now);
    assert_eq!(retry.limit(), 512 << 10);
}

#[tokio::test(start_paused = true)]
async fn requests_that_had_to_be_small_grow_again_as_long_as_they_are_taken() {
    let mut retry = Retry::new(Backoff::default(), 1 << 20);
    let now = Instant::now();
    retry.after(Outcome::TooLarge, FRESH, 1 << 20, None, now);
    retry.after(Outcome::TooLarge, FRESH, 512 << 10, None, now);
    let mut limits = vec![retry.limit()];
    for _ in 0..3 * GROWS_AFTER {
        retry.after(Outcome::Taken, FRESH, 9, None, now);
        if limits.last() != Some(&retry.limit()) {
            limits.push(retry.limit());
        }
    }
    assert_eq!(limits, [256 << 10, 512 << 10, 1 << 20]);
}

#[test]
fn parts_are_spread_over_the_whole() {
    let mut retry = retry();
    let parts: Vec<_> = (0..1000).map(|_| retry.part_of(Duration::from_secs(60)).as_secs()).collect();
    assert!(parts.iter().all(|part| *part < 60));
    assert!((0..6).all(|tens| parts.iter().filter(|part| **part / 10 == tens).count() > 100));
}
