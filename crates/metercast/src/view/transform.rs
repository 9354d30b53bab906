//! What a stream makes of the series of its metric: other labels, units and buckets, fewer series.

use std::sync::{Arc, Mutex, PoisonError};

use metercast_core::reading::{
    BucketsView, Exponential, FamilyView, Part, PointView, SeriesView, SummaryView, interned_bounds,
};
use metercast_core::{Exemplar, KeyValue, Kind, LabelSet};

use super::change::GaugeMerge;
use super::group::{Memory, Readable};
use super::memories::Memories;
use super::relabel::Relabel;
use super::total::scaled_number;
use super::unit::{scaled, scaled_bound, scaled_exponential, unscaled_bound};

/// What becomes of series.
#[derive(Debug)]
pub(super) struct Transform {
    pub(super) kind: Kind,
    pub(super) labels: Relabel,
    /// Whether exemplars keep the labels that series lose.
    pub(super) exemplar_labels: bool,
    pub(super) scale: Option<f64>,
    pub(super) buckets: Shape,
    pub(super) gauges: GaugeMerge,
    /// The most series, at least 1.
    pub(super) limit: Option<usize>,
    /// Bounds that were met, and what they are in the unit of the stream.
    pub(super) converted: Mutex<Vec<(&'static [f64], &'static [f64])>>,
    /// What is remembered of series that are put together, also by those that put the same together before or after.
    pub(super) memory: Arc<Mutex<Memories>>,
}

/// Which buckets a histogram is shown in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Those of the program.
    Declared,
    /// Those with these bounds.
    Bounds {
        /// In the unit of what is recorded.
        kept: &'static [f64],
        /// The same in the unit of the stream.
        shown: &'static [f64],
    },
    /// Those that follow the values.
    Exponential { max_size: u32, max_scale: i8 },
}

impl Shape {
    /// What OpenTelemetry's specification has where nothing else is said.
    pub(super) const USUAL_EXPONENTIAL: Shape = Shape::Exponential { max_size: 160, max_scale: 20 };
}

/// Bounds of a view, and what they are in the unit of what is recorded; or what is wrong with them.
pub(super) fn bounds(shown: &[f64], scale: Option<f64>) -> Result<Shape, String> {
    let shown = interned_bounds(shown)?;
    let kept = match scale {
        None => shown,
        Some(scale) => {
            let kept: Vec<f64> = shown.iter().map(|bound| unscaled_bound(*bound, scale)).collect();
            interned_bounds(&kept)?
        }
    };
    Ok(Shape::Bounds { kept, shown })
}

/// Bounds in the unit of what is recorded, shown in another.
pub(super) fn converted(kept: &'static [f64], scale: f64) -> Shape {
    let shown: Vec<f64> = kept.iter().map(|bound| scaled_bound(*bound, scale)).collect();
    interned_bounds(&shown).map_or(Shape::Declared, |shown| Shape::Bounds { kept, shown })
}

impl Transform {
    /// One that leaves all series as they are.
    pub(super) fn nothing(kind: Kind) -> Transform {
        Transform {
            kind,
            labels: Relabel::new(Vec::new()),
            exemplar_labels: false,
            scale: None,
            buckets: Shape::Declared,
            gauges: GaugeMerge::default(),
            limit: None,
            converted: Mutex::default(),
            memory: Arc::default(),
        }
    }

    /// Whether it leaves all series as they are.
    pub(super) fn is_nothing(&self) -> bool {
        self.labels.is_empty()
            && self.scale.is_none()
            && self.buckets == Shape::Declared
            && self.limit.is_none()
    }

    /// Whether both make the same of any series.
    pub(super) fn is_same_as(&self, other: &Transform) -> bool {
        (self.labels.rules(), self.exemplar_labels) == (other.labels.rules(), other.exemplar_labels)
            && (self.scale, self.buckets) == (other.scale, other.buckets)
            && (self.gauges, self.limit) == (other.gauges, other.limit)
    }

    /// Whether both put the same series together to the same values, so that what one remembers is true of the other.
    pub(super) fn remembers_as(&self, other: &Transform) -> bool {
        self.labels.rules() == other.labels.rules() && self.limit == other.limit && self.measures_as(other)
    }

    /// Whether values are in the same unit and the same buckets.
    pub(super) fn measures_as(&self, other: &Transform) -> bool {
        (self.scale, self.buckets) == (other.scale, other.buckets)
    }

    /// Whether series are put together, of about so many. Where that is remembered it stays so.
    pub(super) fn puts_together(&self, about: usize, of: Readable<'_>) -> bool {
        if !self.labels.is_empty() {
            return true;
        }
        let mut memories = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match self.limit {
            None => memories.known(of).is_some_and(Memory::is_put_together),
            // Before there are too many it is to be known which were there first.
            Some(limit) => memories.of(of).stays_put_together(about.saturating_mul(2) > limit),
        }
    }

    /// Whether no series can be put with another one.
    pub(super) fn keeps_apart(&self) -> bool {
        self.labels.is_empty() && self.limit.is_none()
    }

    /// Whether it changes values, or only labels and how many series there are.
    pub(super) fn changes_values(&self) -> bool {
        self.scale.is_some() || self.buckets != Shape::Declared
    }

    /// Gives each series as the stream has it, but for its labels.
    pub(super) fn each(&self, family: &FamilyView<'_>, f: &mut dyn FnMut(&SeriesView<'_>)) {
        let mut desk = Desk::default();
        family.each(|series| self.one(series, &mut desk, f));
    }

    /// Adds the exemplars of a series, which is given as the program recorded its labels.
    pub(super) fn add_exemplars(&self, series: &SeriesView<'_>, to: &mut Vec<Exemplar>) {
        let from = to.len();
        to.extend_from_slice(series.exemplars);
        if !self.exemplar_labels || series.exemplars.is_empty() {
            return;
        }
        let taken = Arc::new(self.labels.taken(&series.labels));
        if taken.is_empty() {
            return;
        }
        for exemplar in &mut to[from..] {
            exemplar.labels = Some(match exemplar.labels.take() {
                None => Arc::clone(&taken),
                // What is said of the measurement itself is nearer.
                Some(own) => Arc::new(
                    taken
                        .iter()
                        .chain(own.iter())
                        .map(|(key, value)| KeyValue::new(key.to_owned(), value.clone()))
                        .collect(),
                ),
            });
        }
    }

    /// The most buckets of either sign that exponential histograms have together.
    pub(super) fn most_buckets(&self) -> Option<u32> {
        match self.buckets {
            Shape::Exponential { max_size, .. } => Some(max_size),
            _ => None,
        }
    }

    /// Gives a series in the buckets and the unit of the stream, with parts as they are recorded.
    fn one(&self, series: &SeriesView<'_>, desk: &mut Desk, f: &mut dyn FnMut(&SeriesView<'_>)) {
        if !self.changes_values() {
            return f(series);
        }
        let Desk { counts, exponential, quantiles, exemplars } = desk;
        let in_buckets = match (self.buckets, series.value) {
            (Shape::Bounds { kept, .. }, PointView::Histogram(_) | PointView::Exponential(_)) => {
                // If there was no room for them the series has what it has.
                series.at(kept, counts).unwrap_or(*series)
            }
            (Shape::Exponential { .. }, PointView::Histogram(_)) => series.exponential().unwrap_or(*series),
            _ => *series,
        };
        let parts: Vec<Part<'_>> = series.parts().collect();
        let scale = self.scale.unwrap_or(1.0);
        let value = match in_buckets.value {
            PointView::Histogram(buckets) => {
                let shown = match self.buckets {
                    Shape::Bounds { kept, shown } if std::ptr::eq(kept, buckets.bounds) => shown,
                    _ => self.convert(buckets.bounds),
                };
                PointView::Histogram(BucketsView::of(shown, buckets.counts, scaled(buckets.sum, scale)))
            }
            PointView::Exponential(there) => {
                *exponential = self.exponential(there.clone());
                PointView::Exponential(exponential)
            }
            PointView::Summary(summary) => {
                quantiles.clear();
                quantiles.extend(summary.quantiles.iter().map(|(q, value)| (*q, scaled(*value, scale))));
                PointView::Summary(SummaryView::of(
                    summary.count,
                    scaled(summary.sum, scale),
                    quantiles,
                    summary.asked,
                ))
            }
            number => scaled_number(number, scale),
        };
        let shown = match self.scale {
            None => series.exemplars,
            Some(_) => {
                exemplars.clear();
                exemplars.extend_from_slice(series.exemplars);
                exemplars.iter_mut().for_each(|exemplar| exemplar.value = scaled(exemplar.value, scale));
                exemplars
            }
        };
        let none = LabelSet::default();
        let started = in_buckets.started_unix_nanos;
        let mut view = SeriesView::put_together(&none, started, value, shown, &parts);
        (view.labels, view.changed) = (series.labels, series.changed);
        f(&view);
    }

    /// Exponential buckets as the stream has them.
    pub(super) fn exponential(&self, mut exponential: Exponential) -> Exponential {
        if let Shape::Exponential { max_size, max_scale } = self.buckets {
            exponential.lower_to(max_scale.into());
            exponential.fit(max_size);
        }
        match self.scale {
            Some(scale) => scaled_exponential(&exponential, scale),
            None => exponential,
        }
    }

    /// Bounds in the unit of the stream.
    fn convert(&self, bounds: &'static [f64]) -> &'static [f64] {
        let Some(scale) = self.scale else { return bounds };
        let mut converted = self.converted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, to)) = converted.iter().find(|(from, _)| std::ptr::eq(*from, bounds)) {
            return to;
        }
        let to: Vec<f64> = bounds.iter().map(|bound| scaled_bound(*bound, scale)).collect();
        // They increase as they did, unless they are at the end of what a double can be.
        let to = interned_bounds(&to).unwrap_or(bounds);
        converted.push((bounds, to));
        to
    }
}

/// Where one series after the other is changed.
#[derive(Default)]
struct Desk {
    counts: Vec<u64>,
    exponential: Exponential,
    quantiles: Vec<(f64, f64)>,
    exemplars: Vec<Exemplar>,
}
