//! How long each of many operations took: buckets fine enough for any quantile, in fixed memory.

/// Every power of two has this many buckets, so a quantile is at most 1.6 % off.
const STEPS: u64 = 64;

pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
    over: u64,
}

/// What is counted as long, in nanoseconds.
const LONG: u64 = 50_000;

impl Latencies {
    pub(crate) fn new() -> Latencies {
        Latencies { counts: vec![0; 60 * STEPS as usize], total: 0, longest: 0, over: 0 }
    }

    #[inline]
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.counts[bucket(nanoseconds)] += 1;
        self.total += 1;
        self.longest = self.longest.max(nanoseconds);
        self.over += u64::from(nanoseconds > LONG);
    }

    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// How many took longer than 50 microseconds.
    pub(crate) fn over(&self) -> u64 {
        self.over
    }

    /// The time that this share of all operations did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = (self.total as f64 * share).ceil() as u64;
        let mut below = 0;
        let at = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        });
        at.map_or(self.longest, |at| highest(at).min(self.longest))
    }
}

fn bucket(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let shift = u64::from(value.ilog2() - STEPS.ilog2());
    (shift * STEPS + (value >> shift)) as usize
}

/// The largest value of a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    ((bucket - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_near() {
        for value in (0..100_000).chain([u64::from(u32::MAX), 1 << 40]) {
            let top = highest(bucket(value));
            assert!(top >= value && top - value <= value / STEPS, "{value}: {top}");
        }
    }

    #[test]
    fn quantiles_are_counted_from_below() {
        let mut latencies = Latencies::new();
        (1..=1000).for_each(|value| latencies.add(value * 100));
        assert_eq!(latencies.quantile(1.0), 100_000);
        assert!((50_000..=50_900).contains(&latencies.quantile(0.5)));
        assert_eq!((latencies.longest(), latencies.over()), (100_000, 500));
    }
}
