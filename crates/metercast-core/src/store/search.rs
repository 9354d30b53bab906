//! The search for the bucket of a value.

/// Finds a bucket in one step, with no branch that depends on the value: the upper bits of a double (sign, exponent and the
/// first bits of the fraction) say which bounds are below for certain, and the few that remain are compared.
#[derive(Debug)]
pub(super) struct Search {
    /// How many bits of a double are left out.
    rest: u32,
    /// The upper bits of the first positive bound, less one: the place of everything smaller.
    lowest: i64,
    /// What is known for each value of the upper bits from `lowest` on, the last also of all that is greater. `None` if the bounds
    /// are not made for this search.
    places: Option<Box<[Place; PLACES]>>,
}

/// The doubles that begin with the same bits: half a cache line, so that what is compared comes at once.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Place {
    /// How many bounds are below all of them.
    below: u64,
    /// The bounds among them, and more that nothing is above.
    bounds: [f64; COMPARED],
}

/// As many as fit. With more bounds to compare, halving them is as fast.
const COMPARED: usize = 3;

/// A fixed number, so that a place is there without a look at how many there are: buckets from 1 ms to 10 s have 42 if two bits
/// of the fraction tell them apart.
const PLACES: usize = 64;

impl Search {
    pub(super) fn of(bounds: &[f64]) -> Search {
        // As few bits as tell the bounds apart, so that the places reach far; with more than six of the fraction there is none left
        // for an octave's end.
        let made = (46..=56).rev().find_map(|rest| Search::with(bounds, rest));
        made.unwrap_or(Search { rest: 0, lowest: 0, places: None })
    }

    fn with(bounds: &[f64], rest: u32) -> Option<Search> {
        let key = |bound: f64| bound.to_bits() as i64 >> rest;
        let first = bounds.iter().find(|bound| **bound > 0.0)?;
        if key(*first) == 0 {
            // What has the upper bits of zero has no place of its own.
            return None;
        }
        let lowest = key(*first) - 1;
        let highest = key(bounds[bounds.len() - 1]) + 1;
        if highest - lowest >= PLACES as i64 {
            return None;
        }
        // From the first place on all positive doubles are in order; everything else is below.
        let place = |bound: f64| if bound > 0.0 { key(bound).max(lowest) } else { lowest };
        let mut places = Box::new([Place { below: 0, bounds: [f64::INFINITY; COMPARED] }; PLACES]);
        for (at, here) in (lowest..).zip(&mut *places) {
            let below = bounds.partition_point(|bound| place(*bound) < at);
            let among = bounds[below..].iter().take_while(|bound| place(**bound) == at);
            here.below = below as u64;
            for (nth, bound) in among.enumerate() {
                *here.bounds.get_mut(nth)? = *bound;
            }
        }
        Some(Search { rest, lowest, places: Some(places) })
    }

    /// How many bounds are below `value`; `None` if the bounds are not made for this search.
    #[inline(always)]
    pub(super) fn bucket(&self, value: f64) -> Option<usize> {
        let places = self.places.as_deref()?;
        // Negative values are far below `lowest`, since their sign is the highest bit.
        let at = (value.to_bits() as i64 >> (self.rest % 64)).wrapping_sub(self.lowest);
        let place = &places[at.clamp(0, PLACES as i64 - 1) as usize];
        let [first, second, third] = place.bounds.map(|bound| u64::from(bound < value));
        Some((place.below + first + second + third) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::layout::Layout;

    #[test]
    fn usual_bounds_need_no_halving() {
        let tens: Vec<f64> = (-9..9).map(|at| 10f64.powi(at)).collect();
        let twos: Vec<f64> = (0..40).map(|at| 2f64.powi(at)).collect();
        let percent: Vec<f64> = (1..=20).map(|at| f64::from(at) * 5.0).collect();
        let usual =
            ["s", "ms", "By", "{item}"].map(|unit| &Layout::by_unit(unit).explicit().unwrap().bounds[..]);
        for bounds in usual.into_iter().chain([&tens[..], &twos, &percent]) {
            assert!(Search::of(bounds).places.is_some(), "{bounds:?}");
        }
        // More in one place than are compared.
        let dense: Vec<f64> = (0..500).map(|at| 1.0 + f64::from(at) / 500.0).collect();
        assert!(Search::of(&dense).places.is_none());
    }

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
