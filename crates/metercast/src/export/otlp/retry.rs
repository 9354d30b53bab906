//! What follows an attempt to send a request, and when: a machine without a clock, a socket or a store.
//!
//! The rules are those of OTLP, sharpened so that nothing is lost and nothing that was taken is sent again under another
//! name: what was certainly refused goes back to the store and is read anew; what may have been taken is sent again byte by
//! byte, before anything else, so that a receiver can tell that it has it already. Which is which, `outcome` says.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Outcome;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            Outcome::Unknown | Outcome::Overloaded => (doubtful, self.later(wait, now)),
            Outcome::Garbled => (doubtful, Next::WhenDue),
            Outcome::Malformed if past.malformed => (Fate::GivenUp, Next::Now),
            Outcome::Malformed => (Fate::Held(Past { malformed: true, ..past }), Next::Now),
            // Whatever became of an earlier attempt: it had the same bytes, and was as little taken.
            Outcome::TooLarge => (Fate::Merged, self.shrink(bytes)),
            Outcome::Denied => (held_or(Fate::Merged), Next::WhenDue),
        }
    }

    /// When a request that is never read anew may go again, byte by byte, after an attempt at `now`; `None` if it may not.
    pub(super) fn again(
        &mut self,
        outcome: Outcome,
        wait: Option<Duration>,
        now: Instant,
    ) -> Option<Instant> {
        match outcome {
            Outcome::Busy | Outcome::Unsent | Outcome::Unknown | Outcome::Overloaded => {
                match self.later(wait, now) {
                    Next::At(at) => Some(at),
                    Next::Now | Next::WhenDue => None,
                }
            }
            Outcome::Taken => {
                (self.failures, self.rests_until, self.silent_until) = (0, None, None);
                None
            }
            _ => None,
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
mod tests;
