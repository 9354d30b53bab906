//! The bounds of a histogram's buckets, and the search for the bucket of a value.

use std::collections::HashMap;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Mutex, PoisonError};

use super::directory::{CHUNK_WORDS, Chunk};

/// The upper bounds of a histogram's buckets. Layouts are interned, and live as long as the program: there are
/// as many as the program text names.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Finite and increasing; the bucket above the last has no bound.
    pub(crate) bounds: Box<[f64]>,
    search: Search,
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
        Ok(interned.get_or_insert_default().entry(key).or_insert_with(|| {
            Box::leak(Box::new(Layout { bounds: bounds.into(), search: Search::of(bounds) }))
        }))
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
    #[inline(always)]
    pub(crate) fn bucket(&self, value: f64) -> usize {
        self.search.bucket(value).unwrap_or_else(|| self.bounds.partition_point(|bound| *bound < value))
    }

    /// Counts `value` in its bucket and adds it to the sum, in a cell that only the caller writes to.
    #[inline(always)]
    pub(crate) fn record(&self, chunk: &Chunk, slot: u32, value: f64) {
        let sum = chunk.word(slot);
        // Cells do not straddle chunks.
        let count = chunk.word(slot + 1 + self.bucket(value) as u32);
        count.store(count.load(Relaxed).wrapping_add(1), Release);
        sum.store((f64::from_bits(sum.load(Relaxed)) + value).to_bits(), Release);
    }

    /// The words of a cell: the sum, then a count for each bucket.
    pub(crate) fn words(&self) -> usize {
        self.bounds.len() + 2
    }
}

/// Finds a bucket with two loads and no branch that depends on the value: the upper bits of a double (sign, exponent and the
/// first two bits of the fraction) say which bounds are below for certain, and the one or two that remain are compared.
#[derive(Debug)]
struct Search {
    /// The upper bits of the first positive bound, less one: the place of everything smaller.
    lowest: i64,
    /// For each value of the upper bits from `lowest` on, how many bounds are below.
    below: Box<[u16]>,
    /// The bounds, and more that nothing is above.
    bounds: Box<[f64]>,
    /// How many bounds are compared at most; 0 if the bounds are not made for this search.
    compared: usize,
}

/// Bits of a double that are left out.
const REST: u32 = 50;

/// With more bounds to compare than this, halving them is as fast.
const MOST_COMPARED: usize = 4;

impl Search {
    fn of(bounds: &[f64]) -> Search {
        let key = |bound: f64| bound.to_bits() as i64 >> REST;
        let none = Search { lowest: 0, below: Box::new([]), bounds: Box::new([]), compared: 0 };
        let Some(first) = bounds.iter().find(|bound| **bound > 0.0) else { return none };
        let lowest = key(*first) - 1;
        let highest = key(bounds[bounds.len() - 1]) + 1;
        // From the first place on all positive doubles are in order; everything else is below.
        let place = |bound: f64| if bound > 0.0 { key(bound).max(lowest) } else { lowest };
        let below: Box<[u16]> = (lowest..=highest)
            .map(|at| bounds.iter().filter(|bound| place(**bound) < at).count() as u16)
            .collect();
        let in_place = |at: i64| bounds.iter().filter(|bound| place(**bound) == at).count();
        let compared = (lowest..=highest).map(in_place).max().unwrap_or(0).max(1);
        if compared > MOST_COMPARED {
            return none;
        }
        let beyond = std::iter::repeat_n(f64::INFINITY, MOST_COMPARED);
        Search { lowest, below, bounds: bounds.iter().copied().chain(beyond).collect(), compared }
    }

    #[inline(always)]
    fn bucket(&self, value: f64) -> Option<usize> {
        // Negative values are far below `lowest`, since their sign is the highest bit.
        let place = (value.to_bits() as i64 >> REST).wrapping_sub(self.lowest).max(0) as usize;
        let mut bucket = usize::from(*self.below.get(place.min(self.below.len().wrapping_sub(1)))?);
        for _ in 0..self.compared {
            bucket += usize::from(*self.bounds.get(bucket)? < value);
        }
        Some(bucket)
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
    fn the_search_agrees_with_comparing_all_bounds() {
        let exponential: Vec<f64> = (-30..30).map(|at| 2f64.powi(at)).collect();
        let fine: Vec<f64> = (0..100).map(|at| 1.0 + f64::from(at) / 100.0).collect();
        let sets: [&[f64]; 10] = [
            &Layout::by_unit("s").bounds,
            &Layout::by_unit("ms").bounds,
            &exponential,
            &fine,
            &[],
            &[0.0],
            &[-5.0, -1.0],
            &[-5.0, -1.0, 0.0, 1.0, 5.0],
            &[f64::MIN_POSITIVE, 1.0, f64::MAX],
            &[5e-324, 1e-320, 1e-310],
        ];
        for bounds in sets {
            let layout = Layout::of(bounds).unwrap();
            let around = bounds.iter().flat_map(|bound| [bound.next_down(), *bound, bound.next_up()]);
            let others = [0.0, -0.0, 1e-9, 0.3, 1.005, 1.5, 7.0, 1e9, f64::MAX, f64::MIN, 5e-324, -5e-324];
            for value in around.chain(others) {
                let expected = bounds.iter().filter(|bound| **bound < value).count();
                assert_eq!(layout.bucket(value), expected, "{value:?} among {bounds:?}");
            }
        }
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
