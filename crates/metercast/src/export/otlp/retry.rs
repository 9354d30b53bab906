//! What follows an attempt to send a request, and when: a machine without a clock, a socket or a store.
//!
//! The rules are those of OTLP, sharpened so that nothing is lost and nothing that was taken is sent again under another
//! name: what was certainly refused goes back to the store and is read anew; what may have been taken is sent again byte by
//! byte, before anything else, so that a receiver can tell that it has it already.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A success, perhaps without some of the points.
    Taken,
    /// A success whose answer cannot be read: never to be sent again.
    Unread,
    /// Certainly not taken; another attempt may succeed.
    Busy,
    /// Certainly not taken, as not every byte left; another attempt may succeed.
    Unsent,
    /// Perhaps taken, as no answer came from whoever takes it; another attempt may succeed.
    Unknown,
    /// Perhaps taken; what answers does not understand OTLP, and will not in a moment.
    Garbled,
    /// The receiver cannot make sense of the data.
    Malformed,
    /// More bytes than the receiver takes.
    TooLarge,
    /// Certainly not taken, and will not be until somebody mends something.
    Denied,
}

/// What happened to a request before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Whether an earlier attempt may have been taken.
    pub(super) in_doubt: bool,
    /// Whether the receiver could make no sense of it.
    pub(super) malformed: bool,
}

impl Past {
    /// Whether the same bytes must be sent again.
    pub(super) fn holds(self) -> bool {
        self.in_doubt || self.malformed
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    /// Dropped for good.
    GivenUp,
    /// The same bytes are sent again, before anything else.
    Held(Past),
    /// It stays in the store, and is read again with what is recorded meanwhile.
    Merged,
}

/// When the next request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Now,
    At(Instant),
    /// When the next push is due.
    WhenDue,
}

/// How long to wait between attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// At most this after the first attempt; twice as long after each further one.
    pub(crate) first: Duration,
    /// But never longer.
    pub(crate) longest: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

/// A receiver may ask for silence, but not for ever.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// So often in a row the same may break in the middle of a request before the next ones are smaller.
const MOST_UNSENT: u32 = 3;

/// And so often in a row no answer may come to a large request, though all of it left. The next ones are smaller then, in case
/// something on the way swallows it: what it held is read again, and may arrive twice, as it may have before.
const MOST_DOUBTED: u32 = 8;

/// After so many requests that were taken it is tried whether they may be larger again: what was in the way may be gone.
const GROWS_AFTER: u32 = 1_000;

/// Requests do not get smaller than this; some points have a kilobyte.
pub(super) const SMALLEST_REQUEST: usize = 16 << 10;

/// The machine.
#[derive(Debug)]
pub(super) struct Retry {
    backoff: Backoff,
    random: Random,
    /// Attempts since the last success.
    failures: u32,
    /// How many attempts in a row broke in the middle of a request.
    unsent: u32,
    /// How many attempts in a row no answer came to.
    doubted: u32,
    /// Until when the exporter waits by itself, which a flush overrides.
    rests_until: Option<Instant>,
    /// Until when the receiver wants nothing, which nobody overrides.
    silent_until: Option<Instant>,
    /// No request is larger before compression.
    limit: usize,
    /// What that was at the beginning.
    largest: usize,
    /// How many were taken since it last changed.
    taken: u32,
}

impl Retry {
    pub(super) fn new(backoff: Backoff, limit: usize) -> Retry {
        let random = Random::seeded();
        Retry {
            backoff,
            random,
            failures: 0,
            unsent: 0,
            doubted: 0,
            rests_until: None,
            silent_until: None,
            limit,
            largest: limit,
            taken: 0,
        }
    }

    /// How large a request may be before compression.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Until when nothing is sent; `None` if something may be sent at any time. Somebody who asks for a push does not wait
    /// for the back-off.
    pub(super) fn pause(&self, is_asked_for: bool) -> Option<Instant> {
        if is_asked_for { self.silent_until } else { self.rests_until.max(self.silent_until) }
    }

    /// A part of a duration that differs from process to process.
    pub(super) fn part_of(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(self.random.fraction())
    }

    /// What follows an attempt at `now` with a request of this many bytes. `wait` is what the receiver asked for.
    pub(super) fn after(
        &mut self,
        outcome: Outcome,
        past: Past,
        bytes: usize,
        wait: Option<Duration>,
        now: Instant,
    ) -> (Fate, Next) {
        let held_or = |fate| if past.holds() { Fate::Held(past) } else { fate };
        let doubtful = Fate::Held(Past { in_doubt: true, ..past });
        self.unsent = if outcome == Outcome::Unsent { self.unsent + 1 } else { 0 };
        self.doubted = if outcome == Outcome::Unknown { self.doubted + 1 } else { 0 };
        match outcome {
            Outcome::Taken => {
                self.failures = 0;
                self.taken += 1;
                if self.taken >= GROWS_AFTER {
                    self.taken = 0;
                    self.limit = self.limit.saturating_mul(2).min(self.largest);
                }
                self.rests_until = None;
                self.silent_until = None;
                (Fate::Delivered, Next::Now)
            }
            Outcome::Unread => (Fate::GivenUp, Next::Now),
            Outcome::Busy => (held_or(Fate::Merged), self.later(wait, now)),
            // Something on the way does not let so much through, or not in time.
            Outcome::Unsent if !past.holds() && self.unsent >= MOST_UNSENT => {
                self.unsent = 0;
                (Fate::Merged, self.shrink(bytes))
            }
            Outcome::Unsent => (held_or(Fate::Merged), self.later(wait, now)),
            Outcome::Unknown if self.doubted >= MOST_DOUBTED && self.may_shrink(bytes) => {
                self.doubted = 0;
                (Fate::Merged, self.shrink(bytes))
            }
            Outcome::Unknown => (doubtful, self.later(wait, now)),
            Outcome::Garbled => (doubtful, Next::WhenDue),
            Outcome::Malformed if past.malformed => (Fate::GivenUp, Next::Now),
            Outcome::Malformed => (Fate::Held(Past { malformed: true, ..past }), Next::Now),
            // Whatever became of an earlier attempt: it had the same bytes, and was as little taken.
            Outcome::TooLarge => (Fate::Merged, self.shrink(bytes)),
            Outcome::Denied => (held_or(Fate::Merged), Next::WhenDue),
        }
    }

    fn later(&mut self, wait: Option<Duration>, now: Instant) -> Next {
        let doubled = self.backoff.first.saturating_mul(1 << self.failures.min(30));
        let longest = doubled.min(self.backoff.longest);
        self.failures = self.failures.saturating_add(1);
        // Half of it at least, and the other half by chance, so that exporters that failed together do not return together.
        let rest = longest / 2 + self.part_of(longest / 2);
        let mut at = now + rest;
        if let Some(wait) = wait {
            // By chance a little later, for the same reason.
            let until = now + wait.min(LONGEST_WAIT) + self.part_of(self.backoff.first);
            self.silent_until = Some(until);
            at = at.max(until);
        }
        self.rests_until = Some(at);
        Next::At(at)
    }

    /// What is larger than the limit is one point, which cannot be split.
    fn may_shrink(&self, bytes: usize) -> bool {
        bytes > SMALLEST_REQUEST && bytes <= self.limit
    }

    fn shrink(&mut self, bytes: usize) -> Next {
        if !self.may_shrink(bytes) {
            return Next::WhenDue;
        }
        self.limit = (bytes / 2).max(SMALLEST_REQUEST);
        self.taken = 0;
        Next::Now
    }
}

/// Numbers that nobody has to foresee or not to foresee: those of processes that start together differ.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn seeded() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }

    /// From 0 to below 1 (SplitMix64).
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
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
            (
                Unknown,
                [Fate::Held(DOUBTED), Fate::Held(DOUBTED), Fate::Held(BOTH), Fate::Held(BOTH)],
                "later",
            ),
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
}
