//! What is prepared of a metric.

use std::sync::Arc;

use metercast_core::Definition;
use metercast_core::reading::{FamilyView, LabelsView, PointView, SeriesView};

use super::claims::{Claims, Owner, Place};
use super::classic::Classic;
use super::family::Family;
use super::keys::{Keys, Known, Naming};
use super::labels::Labels;
use super::lines::Lines;
use super::series::{Series, Value};
use super::style::Style;

/// One metric for the pages of a format. There are as many as the program text defines, and what each keeps is bounded.
pub(super) struct Metric {
    pub(super) definition: &'static Arc<Definition>,
    pub(super) family: Family,
    /// What stands above its samples.
    header: String,
    style: Arc<Style>,
    /// Known once it has a series.
    pub(super) place: Option<Place>,
    pub(super) known: Known,
    pub(super) lines: Lines,
}

impl Metric {
    pub(super) fn new(definition: &'static Arc<Definition>, style: &Arc<Style>) -> Metric {
        let family = Family::of(definition, style);
        let lines = Lines::new(&family, style);
        let naming = Naming { definition, style: Arc::clone(style), before: lines.before.clone() };
        Metric {
            definition,
            header: family.header(style.is_open),
            family,
            style: Arc::clone(style),
            place: None,
            known: Known::new(naming),
            lines,
        }
    }

    /// Where its series stand. To be asked only if it has any, since the first that has gets the name.
    #[inline]
    pub(super) fn place(&mut self, claims: &mut Claims) -> Place {
        match self.place {
            Some(place) => place,
            None => {
                let place = claims.claim(&self.family, Owner::Metric(self.definition), self.style.is_open);
                *self.place.insert(place)
            }
        }
    }

    /// Whether it has its name.
    pub(super) fn has_name(&self) -> bool {
        self.place == Some(Place::Own)
    }

    /// What stands above its samples.
    pub(super) fn header(&mut self, claims: &Claims) -> &str {
        if claims.has_no_type(Owner::Metric(self.definition)) {
            self.family.give_up_type();
            self.header = self.family.header(self.style.is_open);
            self.lines = Lines::new(&self.family, &self.style);
        }
        &self.header
    }

    /// Makes itself ready for the series of a store, of which this is the first.
    #[inline]
    pub(super) fn meet(&mut self, family: &FamilyView<'_>, first: &SeriesView<'_>) {
        if let PointView::Exponential(_) = first.value {
            self.lines.classic = Classic::of(family);
        }
    }

    /// The keys of these labels.
    #[inline(always)]
    pub(super) fn keys(&mut self, labels: &LabelsView<'_>) -> &Keys {
        self.known.of(labels, &self.family.constants)
    }

    /// A series, to keep; `None` if it is of a kind that is not known here.
    pub(super) fn series(&mut self, series: &SeriesView<'_>) -> Option<Series> {
        Some(Series {
            labels: Labels::of(&series.labels, &self.style, self.definition.kind(), &self.family.constants),
            value: Value::of(series.value, &mut self.lines.classic)?,
            started_unix_nanos: series.started_unix_nanos,
            exemplars: series.exemplars.to_vec(),
        })
    }
}
