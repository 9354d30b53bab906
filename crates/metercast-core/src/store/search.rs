//! The search for the bucket of a value.

/// Finds a bucket with two loads and no branch that depends on the value: the upper bits of a double (sign, exponent and the
/// first two bits of the fraction) say which bounds are below for certain, and the one or two that remain are compared.
#[derive(Debug)]
pub(super) struct Search {
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
    pub(super) fn of(bounds: &[f64]) -> Search {
        let key = |bound: f64| bound.to_bits() as i64 >> REST;
        let none = Search { lowest: 0, below: Box::new([]), bounds: Box::new([]), compared: 0 };
        let Some(first) = bounds.iter().find(|bound| **bound > 0.0) else { return none };
        if key(*first) == 0 {
            // The least of all doubles has the upper bits of zero, and so no place of its own.
            return none;
        }
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

    /// How many bounds are below `value`; `None` if the bounds are not made for this search.
    #[inline(always)]
    pub(super) fn bucket(&self, value: f64) -> Option<usize> {
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
    use crate::store::layout::Layout;

    #[test]
    fn the_search_agrees_with_comparing_all_bounds() {
        let exponential: Vec<f64> = (-30..30).map(|at| 2f64.powi(at)).collect();
        let fine: Vec<f64> = (0..100).map(|at| 1.0 + f64::from(at) / 100.0).collect();
        let sets: [&[f64]; 12] = [
            &Layout::by_unit("s").explicit().unwrap().bounds,
            &Layout::by_unit("ms").explicit().unwrap().bounds,
            &exponential,
            &fine,
            &[],
            &[0.0],
            &[-5.0, -1.0],
            &[-5.0, -1.0, 0.0, 1.0, 5.0],
            &[f64::MIN_POSITIVE, 1.0, f64::MAX],
            &[5e-324, 1e-320, 1e-310],
            &[0.0, 5e-324],
            &[-2.5, -0.0, 5e-324, 0.1],
        ];
        for bounds in sets {
            let layout = Layout::of(bounds).unwrap();
            let around = bounds.iter().flat_map(|bound| [bound.next_down(), *bound, bound.next_up()]);
            let others = [0.0, -0.0, 1e-9, 0.3, 1.005, 1.5, 7.0, 1e9, f64::MAX, f64::MIN, 5e-324, -5e-324];
            for value in around.chain(others) {
                let expected = bounds.iter().filter(|bound| **bound < value).count();
                assert_eq!(layout.explicit().unwrap().bucket(value), expected, "{value:?} among {bounds:?}");
            }
        }
    }
}
