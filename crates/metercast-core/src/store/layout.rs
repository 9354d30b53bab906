//! What the cells of a distribution are made of: buckets with bounds, or buckets that find their own.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use super::directory::{CHUNK_WORDS, Chunk};
use super::exponential::Shape;
use super::search::Search;
use crate::definition::{Buckets, Kind};
use crate::lock;

/// The make of a histogram's or a summary's cells. Layouts are interned, and live as long as the program: there are
/// as many as the program text and its readers name.
#[derive(Debug)]
pub(crate) enum Layout {
    Explicit(Explicit),
    Exponential(Shape),
    Both(Both),
    Summary(Quantiles),
    /// None yet: nobody has said what is wanted, and values are kept as they are (see `unplanned`). A cell is one word that
    /// nobody writes to.
    Unplanned,
}

/// Buckets with bounds, and exponential ones behind them in the same cell.
#[derive(Debug)]
pub(crate) struct Both {
    explicit: Explicit,
    shape: Shape,
    /// Which of them are shown to whoever asks for none: those that are declared.
    shows_exponential: bool,
}

/// What readers want of a histogram beside what is declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    /// Increasing.
    pub(crate) bounds: Vec<f64>,
    pub(crate) exponential: bool,
}

impl Wanted {
    /// Wants what is wanted elsewhere as well, in whichever order.
    pub(crate) fn add(&mut self, other: &Wanted) {
        self.bounds.extend(&other.bounds);
        self.exponential |= other.exponential;
    }

    /// Puts the bounds in order.
    pub(crate) fn sort(&mut self) {
        self.bounds.sort_by(f64::total_cmp);
        self.bounds.dedup();
    }
}

/// Buckets with bounds. A cell is the sum, then a count for each bucket.
#[derive(Debug)]
pub(crate) struct Explicit {
    /// The upper bounds of the buckets that are kept, finite and increasing; the bucket above the last has no bound.
    pub(crate) bounds: Box<[f64]>,
    /// The bounds that are shown to whoever asks for none, which are among those.
    pub(crate) shown: Box<[f64]>,
    search: Search,
}

/// A cell is that of an exponential histogram; what is shown are quantiles of what was recorded of late.
#[derive(Debug)]
pub(crate) struct Quantiles {
    /// From 0 to 1, increasing.
    pub(crate) quantiles: Box<[f64]>,
    /// How far back a value counts.
    pub(crate) window: Duration,
}

/// The most bounds that a histogram can have: its cells fit a chunk.
pub(crate) const MOST_BOUNDS: usize = CHUNK_WORDS - 2;

impl Layout {
    /// The layout of these bounds, or what is wrong with them.
    pub(crate) fn of(bounds: &[f64]) -> Result<&'static Layout, String> {
        check(bounds)?;
        let bits: Vec<_> = bounds.iter().map(|bound| bound.to_bits()).collect();
        Ok(interned((0, bits.clone(), bits), || {
            Layout::Explicit(Explicit {
                shown: bounds.into(),
                bounds: bounds.into(),
                search: Search::of(bounds),
            })
        }))
    }

    /// The layout of what is declared and of what is wanted as well, or what is wrong with it.
    pub(crate) fn planned(buckets: Buckets, unit: &str, wanted: &Wanted) -> Result<&'static Layout, String> {
        check(&wanted.bounds)?;
        let shown = match buckets {
            Buckets::ByUnit => usual_bounds(unit),
            Buckets::Bounds(bounds) => bounds,
            Buckets::Exponential if wanted.bounds.is_empty() => {
                return Ok(interned((1, Vec::new(), Vec::new()), || Layout::Exponential(Shape::DEFAULT)));
            }
            Buckets::Exponential => &[],
            Buckets::Quantiles { quantiles, window_seconds } => {
                check_quantiles(quantiles)?;
                let bits = quantiles.iter().map(|quantile| quantile.to_bits()).collect();
                return Ok(interned((2, vec![u64::from(window_seconds)], bits), || {
                    let window = Duration::from_secs(u64::from(window_seconds).max(1));
                    Layout::Summary(Quantiles { quantiles: quantiles.into(), window })
                }));
            }
        };
        let shows_exponential = buckets == Buckets::Exponential;
        let (bounds, shape) = beside(shown, wanted, shows_exponential)?;
        let bits = |bounds: &[f64]| bounds.iter().map(|bound| bound.to_bits()).collect::<Vec<_>>();
        let make =
            || Explicit { shown: shown.into(), search: Search::of(&bounds), bounds: bounds.clone().into() };
        let Some(shape) = shape else {
            return Ok(interned((0, bits(shown), bits(&bounds)), || Layout::Explicit(make())));
        };
        Ok(interned((3 + u8::from(shows_exponential), bits(shown), bits(&bounds)), || {
            Layout::Both(Both { explicit: make(), shape, shows_exponential })
        }))
    }

    /// What is wrong with the layout of what is declared and of what is wanted as well. It is not made, and so is not kept.
    pub(crate) fn check_planned(buckets: Buckets, unit: &str, wanted: &Wanted) -> Result<(), String> {
        match buckets {
            Buckets::ByUnit => beside(usual_bounds(unit), wanted, false).map(drop),
            Buckets::Bounds(bounds) => beside(bounds, wanted, false).map(drop),
            Buckets::Exponential if wanted.bounds.is_empty() => Ok(()),
            Buckets::Exponential => beside(&[], wanted, true).map(drop),
            Buckets::Quantiles { quantiles, .. } => check_quantiles(quantiles),
        }
    }

    /// The layout of the bounds that fit a unit.
    pub(crate) fn by_unit(unit: &str) -> &'static Layout {
        Layout::of(usual_bounds(unit)).expect("our own bounds are finite and increase")
    }

    /// The layout of a summary that says nothing.
    pub(crate) fn usual_quantiles() -> &'static Layout {
        Layout::planned(Buckets::USUAL_QUANTILES, "", &Wanted::default())
            .expect("our own quantiles are in range and increase")
    }

    /// What a histogram or a summary of this unit has if there are too many layouts for it to have its own.
    pub(crate) fn spare(kind: Kind, unit: &str) -> &'static Layout {
        match kind {
            Kind::Summary => Layout::usual_quantiles(),
            _ => Layout::by_unit(unit),
        }
    }

    /// One bucket for everything: for what cannot be.
    #[cold]
    pub(crate) fn fallback() -> &'static Layout {
        Layout::of(&[]).expect("no bounds are increasing bounds")
    }

    /// Records `value` into a cell that only the caller writes to, and keeps readers from seeing half done. False if there are
    /// no buckets yet.
    #[inline(always)]
    pub(crate) fn record(&self, chunk: &Chunk, slot: u32, value: f64) -> bool {
        match self {
            Layout::Explicit(explicit) => {
                record_into(explicit.bucket(value), chunk, slot, value);
                true
            }
            _ => self.record_many(chunk, slot, value, 1),
        }
    }

    /// The same for the usual buckets, without a call; false for others.
    #[inline(always)]
    pub(crate) fn record_usual(&self, chunk: &Chunk, slot: u32, value: f64) -> bool {
        let Layout::Explicit(explicit) = self else { return false };
        let Some(bucket) = explicit.search.bucket(value) else { return false };
        record_into(bucket, chunk, slot, value);
        true
    }

    /// The same, so many times at once.
    #[inline(never)]
    pub(crate) fn record_many(&self, chunk: &Chunk, slot: u32, value: f64, times: u64) -> bool {
        if let Some(explicit) = self.explicit() {
            let [sum, counts @ ..] = chunk.words(slot, explicit.words()) else { return false };
            if let Some(count) = counts.get(explicit.bucket(value)) {
                count.store(count.load(Relaxed).wrapping_add(times), Release);
            }
            sum.store((f64::from_bits(sum.load(Relaxed)) + value * times as f64).to_bits(), Release);
        }
        if let Some((at, shape)) = self.exponential() {
            shape.record(chunk.words(slot + at, shape.words()), value, times);
        }
        !matches!(self, Layout::Unplanned)
    }

    /// The buckets with bounds, which are first in a cell.
    pub(crate) fn explicit(&self) -> Option<&Explicit> {
        match self {
            Layout::Explicit(explicit) => Some(explicit),
            Layout::Both(both) => Some(&both.explicit),
            Layout::Exponential(_) | Layout::Summary(_) | Layout::Unplanned => None,
        }
    }

    /// The shape of the exponential buckets, and from which word of a cell on they are.
    pub(crate) fn exponential(&self) -> Option<(u32, Shape)> {
        match self {
            Layout::Exponential(shape) => Some((0, *shape)),
            Layout::Summary(_) => Some((0, Shape::SUMMARY)),
            Layout::Both(both) => Some((both.explicit.words() as u32, both.shape)),
            Layout::Explicit(_) | Layout::Unplanned => None,
        }
    }

    /// Whether whoever asks for nothing sees exponential buckets.
    pub(crate) fn shows_exponential(&self) -> bool {
        match self {
            Layout::Both(both) => both.shows_exponential,
            Layout::Exponential(_) => true,
            Layout::Explicit(_) | Layout::Summary(_) | Layout::Unplanned => false,
        }
    }

    /// Whether it has all buckets that another has.
    pub(crate) fn has_all_of(&self, other: &Layout) -> bool {
        let has_bounds = other.explicit().is_none_or(|other| {
            let has = |own: &Explicit| other.bounds.iter().all(|bound| own.bounds.contains(bound));
            self.explicit().is_some_and(has)
        });
        has_bounds && (other.exponential().is_none() || self.exponential().is_some())
    }

    /// The words of a cell.
    pub(crate) fn words(&self) -> usize {
        let explicit = self.explicit().map_or(0, Explicit::words);
        let all = explicit + self.exponential().map_or(0, |(_, shape)| shape.words());
        // A cell of its own, even if nothing is in it.
        all.max(1)
    }
}

/// Counts a value in its bucket, and adds it to the sum.
#[inline(always)]
fn record_into(bucket: usize, chunk: &Chunk, slot: u32, value: f64) {
    let sum = chunk.word(slot);
    // Cells do not straddle chunks.
    let count = chunk.word(slot + 1 + bucket as u32);
    count.store(count.load(Relaxed).wrapping_add(1), Release);
    sum.store((f64::from_bits(sum.load(Relaxed)) + value).to_bits(), Release);
}

impl Explicit {
    /// The words of a cell: the sum, and a count for each bucket.
    pub(crate) fn words(&self) -> usize {
        self.bounds.len() + 2
    }

    /// The bucket of `value`: upper bounds belong to their bucket.
    #[inline(always)]
    pub(crate) fn bucket(&self, value: f64) -> usize {
        self.search.bucket(value).unwrap_or_else(|| self.bucket_by_halves(value))
    }

    #[cold]
    #[inline(never)]
    fn bucket_by_halves(&self, value: f64) -> usize {
        self.bounds.partition_point(|bound| *bound < value)
    }
}

/// That of histograms of which nobody has said yet what is wanted.
pub(crate) static UNPLANNED: Layout = Layout::Unplanned;

/// What tells layouts apart: their form, and its numbers.
type Identity = (u8, Vec<u64>, Vec<u64>);

fn interned(identity: Identity, make: impl FnOnce() -> Layout) -> &'static Layout {
    static INTERNED: Mutex<Option<HashMap<Identity, &'static Layout>>> = Mutex::new(None);
    match lock::patiently(&INTERNED) {
        Some(mut interned) => {
            interned.get_or_insert_default().entry(identity).or_insert_with(|| Box::leak(Box::new(make())))
        }
        // Out of reach for ever, as after a fork: then a few are there twice.
        None => Box::leak(Box::new(make())),
    }
}

/// The bounds that are declared and those that are wanted, and the shape of the exponential buckets if there are to be some; or
/// what is wrong with them.
fn beside(
    shown: &[f64],
    wanted: &Wanted,
    shows_exponential: bool,
) -> Result<(Vec<f64>, Option<Shape>), String> {
    check(shown)?;
    let mut bounds = [shown, &wanted.bounds].concat();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    check(&bounds)?;
    if !shows_exponential && !wanted.exponential {
        return Ok((bounds, None));
    }
    let shape = Shape::beside(bounds.len() + 2).ok_or_else(|| {
        format!("has {} buckets, beside which there is no room for exponential ones", bounds.len() + 1)
    })?;
    Ok((bounds, Some(shape)))
}

/// The one copy of these bounds, or what is wrong with them.
pub(crate) fn interned_bounds(bounds: &[f64]) -> Result<&'static [f64], String> {
    Ok(Layout::of(bounds)?.explicit().map_or(&[], |explicit| &explicit.shown))
}

/// What is wrong with bounds.
pub(crate) fn check(bounds: &[f64]) -> Result<(), String> {
    if bounds.len() > MOST_BOUNDS {
        return Err(format!("has {} buckets; at most {MOST_BOUNDS} bounds are kept", bounds.len()));
    }
    if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
        return Err(format!("has the bound {bound}; bounds are finite, and the last bucket is implied"));
    }
    if let Some(pair) = bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("has the bounds {} and {}, which do not increase; sort them", pair[0], pair[1]));
    }
    Ok(())
}

pub(crate) fn check_quantiles(quantiles: &[f64]) -> Result<(), String> {
    if let Some(quantile) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        return Err(format!("has the quantile {quantile}; quantiles are from 0 to 1"));
    }
    if let Some(pair) = quantiles.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!(
            "has the quantiles {} and {}, which do not increase; sort them",
            pair[0], pair[1]
        ));
    }
    Ok(())
}

/// The bounds that fit a unit when nothing else is said.
pub fn usual_bounds(unit: &str) -> &'static [f64] {
    match unit {
        // Semantic conventions, "http.server.request.duration": seconds from 5 ms to 10 s.
        "s" => &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
        // Metrics SDK, "Explicit Bucket Histogram Aggregation": made for milliseconds.
        _ => &[
            0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
            10000.0,
        ],
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
            assert_eq!(layout.explicit().unwrap().bucket(value), bucket, "{value}");
        }
        assert_eq!(Layout::of(&[]).unwrap().explicit().unwrap().bucket(7.0), 0);
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

    fn planned(buckets: Buckets, bounds: &[f64], exponential: bool) -> Result<&'static Layout, String> {
        Layout::planned(buckets, "", &Wanted { bounds: bounds.to_vec(), exponential })
    }

    #[test]
    fn bounds_that_are_wanted_are_kept_beside_those_that_are_shown() {
        let both =
            planned(Buckets::Bounds(&[1.0, 2.0]), &[0.5, 2.0, 3.0], false).unwrap().explicit().unwrap();
        assert_eq!(*both.bounds, [0.5, 1.0, 2.0, 3.0]);
        assert_eq!(*both.shown, [1.0, 2.0]);
        assert!(planned(Buckets::Bounds(&[1.0]), &[2.0, 1.0], false).is_err());
    }

    #[test]
    fn exponential_buckets_stand_beside_others_where_there_is_room() {
        let declared = planned(Buckets::Bounds(&[1.0, 2.0]), &[], false).unwrap();
        let both = planned(Buckets::Bounds(&[1.0, 2.0]), &[], true).unwrap();
        assert!(both.has_all_of(declared) && !declared.has_all_of(both) && !both.shows_exponential());
        let other = planned(Buckets::Exponential, &[1.0], false).unwrap();
        assert!(other.shows_exponential() && both.has_all_of(other));
        assert!(both.words() <= CHUNK_WORDS && other.words() <= CHUNK_WORDS);
        let many: Vec<f64> = (0..400).map(f64::from).collect();
        let narrow = planned(Buckets::ByUnit, &many, true).unwrap();
        assert!(narrow.words() <= CHUNK_WORDS);
        let most: Vec<f64> = (0..505).map(f64::from).collect();
        assert!(planned(Buckets::Exponential, &most, true).unwrap_err().contains("no room"));
    }

    #[test]
    fn quantiles_that_make_no_sense_are_refused_with_the_reason() {
        let of = |quantiles| planned(Buckets::Quantiles { quantiles, window_seconds: 1 }, &[], false);
        assert!(of(&[0.5, 0.9]).is_ok());
        assert!(of(&[0.9, 0.5]).unwrap_err().contains("do not increase"));
        assert!(of(&[1.5]).unwrap_err().contains("1.5"));
        assert!(of(&[f64::NAN]).unwrap_err().contains("NaN"));
    }
}
