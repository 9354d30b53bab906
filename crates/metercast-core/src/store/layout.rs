//! The bounds of a histogram's buckets, and the search for the bucket of a value.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Mutex, PoisonError};

use super::directory::CHUNK_WORDS;

/// The upper bounds of a histogram's buckets. Layouts are interned, and live as long as the program: there are
/// as many as the program text names.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Finite and increasing; the bucket above the last has no bound.
    pub(crate) bounds: Box<[f64]>,
}

/// The most bounds that a histogram can have: its cells fit a chunk.
pub(crate) const MOST_BOUNDS: usize = CHUNK_WORDS - 2;

impl Layout {
    /// The layout of these bounds, or what is wrong with them.
    pub(crate) fn of(bounds: &[f64]) -> Result<&'static Layout, String> {
        if bounds.len() > MOST_BOUNDS {
            return Err(format!("has {} buckets; at most {MOST_BOUNDS} bounds are kept", bounds.len()));
        }
        if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
            return Err(format!("has the bound {bound}; bounds are finite, and the last bucket is implied"));
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(format!(
                "has the bounds {} and {}, which do not increase; sort them",
                pair[0], pair[1]
            ));
        }
        static INTERNED: Mutex<Option<HashMap<Vec<u64>, &'static Layout>>> = Mutex::new(None);
        let mut interned = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
        let key = bounds.iter().map(|bound| bound.to_bits()).collect();
        Ok(interned
            .get_or_insert_default()
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Layout { bounds: bounds.into() }))))
    }

    /// The bounds that fit a unit when nothing else is said.
    pub(crate) fn by_unit(unit: &str) -> &'static Layout {
        let bounds: &[f64] = match unit {
            // Semantic conventions, "http.server.request.duration": seconds from 5 ms to 10 s.
            "s" => &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
            // Metrics SDK, "Explicit Bucket Histogram Aggregation": made for milliseconds.
            _ => &[
                0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
                10000.0,
            ],
        };
        Layout::of(bounds).expect("our own bounds are finite and increase")
    }

    /// One bucket for everything: for what cannot be.
    pub(crate) fn fallback() -> &'static Layout {
        Layout::of(&[]).expect("no bounds are increasing bounds")
    }

    /// The bucket of `value`: upper bounds belong to their bucket.
    #[inline]
    pub(crate) fn bucket(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }

    /// Counts `value` in its bucket and adds it to the sum, in a cell that only the caller writes to.
    #[inline(always)]
    pub(crate) fn record(&self, words: &[AtomicU64], value: f64) {
        if let Some(count) = words.get(self.bucket(value)) {
            count.store(count.load(Relaxed).wrapping_add(1), Release);
        }
        if let Some(sum) = words.last() {
            sum.store((f64::from_bits(sum.load(Relaxed)) + value).to_bits(), Release);
        }
    }

    /// The words of a cell: a count for each bucket, then the sum.
    pub(crate) fn words(&self) -> usize {
        self.bounds.len() + 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let layout = Layout::of(&[0.0, 1.0, 2.5]).unwrap();
        for (value, bucket) in
            [(-1.0, 0), (0.0, 0), (-0.0, 0), (0.1, 1), (1.0, 1), (1.1, 2), (2.5, 2), (2.6, 3), (1e300, 3)]
        {
            assert_eq!(layout.bucket(value), bucket, "{value}");
        }
        assert_eq!(Layout::of(&[]).unwrap().bucket(7.0), 0);
    }

    #[test]
    fn bounds_that_make_no_sense_are_refused_with_the_reason() {
        assert!(Layout::of(&[1.0, 1.0]).unwrap_err().contains("do not increase"));
        assert!(Layout::of(&[2.0, 1.0]).unwrap_err().contains("1"));
        assert!(Layout::of(&[1.0, f64::INFINITY]).unwrap_err().contains("inf"));
        assert!(Layout::of(&[f64::NAN]).unwrap_err().contains("NaN"));
        assert!(Layout::of(&vec![0.0; 600]).unwrap_err().contains("600"));
    }

    #[test]
    fn equal_bounds_share_one_layout() {
        assert!(std::ptr::eq(Layout::of(&[1.0, 2.0]).unwrap(), Layout::of(&[1.0, 2.0]).unwrap()));
    }
}
