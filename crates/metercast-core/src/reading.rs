//! One pass over a store: every metric, every series, every value, in nobody's format.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::time::SystemTime;

use crate::definition::{Definition, Kind};
use crate::label::LabelSet;
use crate::number::sealed::Cell as _;
use crate::number::{Number, NumberType};
use crate::registry;
use crate::store::dictionary::Cell;
use crate::store::layout::Layout;
use crate::store::{GaugeSlot, Inner, Store};

/// A metric and its series.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Family {
    /// What the metric is.
    pub definition: Arc<Definition>,
    /// Its series, sorted by their labels; at least one.
    pub series: Vec<Series>,
}

/// One series of a metric.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Series {
    /// What tells it from the others; no two series of a family have equal labels.
    pub labels: Arc<LabelSet>,
    /// When it began to count.
    pub started: SystemTime,
    /// Its value.
    pub point: Point,
}

/// The value of a series: for counters, up-down counters and histograms everything since the start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Point {
    /// A whole number that is never negative.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A double.
    F64(f64),
    /// A distribution.
    Histogram(Buckets),
}

/// A distribution over buckets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// The upper bounds, finite and increasing. A value on a bound belongs to the bucket below.
    pub bounds: &'static [f64],
    /// How many values fell into each bucket; one more than bounds, since the last bucket has none.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: f64,
}

impl Buckets {
    /// How many values there were: what the buckets add up to.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Store {
    /// Reads everything that was recorded, families sorted by name. Recording goes on meanwhile and is never
    /// waited for: each series is exact for some moment during the reading, and no counter is ever less than in an
    /// earlier reading.
    pub fn collect(&self) -> Vec<Family> {
        self.inner().collect()
    }
}

impl Inner {
    fn collect(&self) -> Vec<Family> {
        self.next_epoch();
        let zeroes = self.zeroes();
        let mut families = Vec::new();
        for definition in registry::definitions() {
            let mut series = Vec::new();
            let fixed = definition.fixed.read().unwrap_or_else(PoisonError::into_inner).clone();
            for fixed in fixed {
                let point = match definition.kind {
                    Kind::Counter => self.sum(Where::Fixed, fixed.slot, definition.number),
                    Kind::UpDownCounter => self.up_down(Where::Fixed, fixed.slot, definition.number),
                    Kind::Gauge => self.gauge_point(GaugeSlot::Fixed(fixed.slot), definition.number),
                    Kind::Histogram => None,
                };
                // Gauges are numbered apart, and are never zero without having been set.
                let noted = definition.kind != Kind::Gauge && zeroes.contains(&fixed.slot);
                let point = point.or_else(|| noted.then(|| zero(definition.number)));
                series.extend(point.map(|point| Series {
                    labels: fixed.labels,
                    started: self.started(),
                    point,
                }));
            }
            let mut lines = Vec::new();
            self.dictionary.each_of(&definition, |cold, cell| {
                lines.push((Arc::clone(&cold.labels), cell, cold.started));
            });
            for (labels, cell, started) in lines {
                let number = definition.number;
                let point = match cell {
                    Cell::Sum(slot) => self.sum(Where::Series, slot, number).or(Some(zero(number))),
                    Cell::UpDown(slot) => self.up_down(Where::Series, slot, number).or(Some(zero(number))),
                    Cell::Gauge(slot) => self.gauge_point(GaugeSlot::Series(slot), number),
                    Cell::Histogram(slot, layout) => Some(self.buckets(slot, layout)),
                };
                series.extend(point.map(|point| Series { labels, started, point }));
            }
            if !series.is_empty() && self.claim(&definition) {
                for difference in &*definition.differences.read().unwrap_or_else(PoisonError::into_inner) {
                    self.problems.report(definition.name, difference.clone());
                }
                sort_and_merge(&mut series);
                families.push(Family { definition, series });
            }
        }
        families.sort_by_key(|family| family.definition.name);
        // One reading is before another if it ends before the other begins: then it has seen no more.
        self.next_epoch();
        families
    }

    /// Whether the name belongs to this definition in this store. The first that a reading meets has it.
    fn claim(&self, definition: &Arc<Definition>) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        match claims.get_or_insert_default().entry(definition.name) {
            Entry::Vacant(free) => {
                free.insert(Arc::clone(definition));
                true
            }
            Entry::Occupied(taken) => {
                let first = taken.get();
                if first.id != definition.id {
                    let message = format!(
                        "is {} at {} and {} at {}; the second is left out: give it another name",
                        first.spelled(),
                        first.place,
                        definition.spelled(),
                        definition.place
                    );
                    self.problems.report(definition.name, message);
                }
                first.id == definition.id
            }
        }
    }

    /// The total of a word over all regions; `None` if nothing was ever added to it.
    fn sum(&self, place: Where, slot: u32, number: NumberType) -> Option<Point> {
        match number {
            NumberType::F64 => self.word(place, slot).map(|bits: f64| Point::F64(bits)),
            NumberType::U64 => self.word(place, slot).map(Point::U64),
            NumberType::I64 => self.word(place, slot).map(Point::I64),
        }
    }

    fn word<N: Number>(&self, place: Where, slot: u32) -> Option<N> {
        let total = self.regions.iter().fold(N::ZERO, |total, region| {
            let chunk = match place {
                Where::Fixed => region.fixed(slot),
                Where::Series => region.series(slot),
            };
            chunk.map_or(total, |chunk| total.plus(N::from_bits(chunk.word(slot).load(Acquire))))
        });
        (total != N::ZERO).then_some(total)
    }

    fn up_down(&self, place: Where, slot: u32, number: NumberType) -> Option<Point> {
        match number {
            NumberType::F64 => self.ups_and_downs::<f64>(place, slot).map(Point::F64),
            NumberType::I64 | NumberType::U64 => self.ups_and_downs::<i64>(place, slot).map(Point::I64),
        }
    }

    /// What went up less what went down. Downs are read before the ups, so that something that goes up before it
    /// goes down never reads as less than nothing, and again after, to find a moment when the two fit together.
    fn ups_and_downs<N: Number>(&self, place: Where, slot: u32) -> Option<N> {
        let read = |slot| self.word::<N>(place, slot).unwrap_or(N::ZERO);
        let mut best: Option<(f64, N)> = None;
        let mut there = false;
        for _ in 0..TRIES {
            let (downs, ups) = (read(slot + 1), read(slot));
            let gap = read(slot + 1).minus(downs).to_f64().abs();
            there |= ups != N::ZERO || downs != N::ZERO;
            if best.is_none_or(|(least, _)| gap < least) {
                best = Some((gap, ups.minus(downs)));
            }
            if gap == 0.0 {
                break;
            }
        }
        best.filter(|_| there).map(|(_, value)| value)
    }

    fn gauge_point(&self, slot: GaugeSlot, number: NumberType) -> Option<Point> {
        let words: &[AtomicU64] = self.gauge(slot)?;
        // The epoch is stored after the bits: one that is not 0 says that the bits were set.
        if words[1].load(Acquire) == 0 {
            return None;
        }
        Some(point(number, words[0].load(Relaxed)))
    }

    fn buckets(&self, slot: u32, layout: &'static Layout) -> Point {
        let buckets = layout.bounds.len() + 1;
        let mut total = Buckets { bounds: &layout.bounds, counts: vec![0; buckets], sum: 0.0 };
        let mut of_one = vec![0; buckets + 1];
        for region in self.regions.iter() {
            let Some(chunk) = region.series(slot) else { continue };
            let words = chunk.words(slot, buckets + 1);
            region.read_at_once(|| {
                for (to, word) in of_one.iter_mut().zip(words) {
                    *to = word.load(Relaxed);
                }
            });
            for (to, count) in total.counts.iter_mut().zip(&of_one) {
                *to = to.wrapping_add(*count);
            }
            total.sum += f64::from_bits(of_one[buckets]);
        }
        Point::Histogram(total)
    }
}

/// How often an up-down counter is read at most to find a quiet moment.
const TRIES: usize = 8;

#[derive(Clone, Copy)]
enum Where {
    Fixed,
    Series,
}

fn zero(number: NumberType) -> Point {
    point(number, 0)
}

fn point(number: NumberType, bits: u64) -> Point {
    match number {
        NumberType::U64 => Point::U64(bits),
        NumberType::I64 => Point::I64(i64::from_bits(bits)),
        NumberType::F64 => Point::F64(f64::from_bits(bits)),
    }
}

/// Sorts by labels, and makes one series of those whose labels are equal: the same labels may have been written in
/// the program text and put together at run time.
fn sort_and_merge(series: &mut Vec<Series>) {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series.dedup_by(|later, first| {
        if later.labels != first.labels {
            return false;
        }
        first.started = first.started.min(later.started);
        match (&mut first.point, &later.point) {
            (Point::U64(a), Point::U64(b)) => *a = a.wrapping_add(*b),
            (Point::I64(a), Point::I64(b)) => *a = a.wrapping_add(*b),
            (Point::F64(a), Point::F64(b)) => *a += b,
            // Histograms and gauges have one cell per label set.
            _ => {}
        }
        true
    });
}

impl Definition {
    /// For a sentence: `a counter (U64, unit "s")`.
    fn spelled(&self) -> String {
        let number = match self.number {
            NumberType::U64 => "u64",
            NumberType::I64 => "i64",
            NumberType::F64 => "f64",
        };
        format!("a {} of {number} in unit {:?}", self.kind, self.unit)
    }
}
