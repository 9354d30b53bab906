//! What is prepared of a metric.

use std::sync::Arc;

use metercast_core::reading::{LabelsView, PointView, SeriesView};

use super::claims::{Claims, Owner, Place};
use super::classic::Classic;
use super::family::Family;
use super::form::Form;
use super::keys::{Keys, Known, Naming};
use super::labels::Labels;
use super::series::{Series, Value};
use super::style::Style;
use crate::view::{Stream, StreamView};

/// One metric for the pages of a format. There are as many as the program text defines, and what each keeps is bounded.
pub(super) struct Metric<F: Form> {
    pub(super) stream: Arc<Stream>,
    pub(super) family: Family,
    /// What the form needs.
    pub(super) form: F::Metric,
    style: Arc<Style>,
    /// Whether it may lose its name to others.
    pub(super) gives_way: bool,
    /// Known once it has a series.
    pub(super) place: Option<Place>,
    pub(super) known: Known<F>,
}

impl<F: Form> Metric<F> {
    pub(super) fn new(stream: &Arc<Stream>, style: &Arc<Style>) -> Metric<F> {
        let family = Family::of(stream, style);
        let naming = Naming { stream: Arc::clone(stream), style: Arc::clone(style) };
        Metric {
            stream: Arc::clone(stream),
            form: F::metric(&family, style),
            family,
            style: Arc::clone(style),
            gives_way: stream.definition().is_produced(),
            place: None,
            known: Known::new(naming),
        }
    }

    /// Where its series stand. To be asked only if it has any, since the first that has gets the name.
    #[inline]
    pub(super) fn place(&mut self, claims: &mut Claims) -> Place {
        match self.place {
            Some(Place::Own) if self.gives_way && claims.is_left_out(&self.owner()) => Place::LeftOut,
            Some(place) => place,
            None => {
                let owner = self.owner();
                let place = claims.claim(&self.family, &owner, self.style.is_open);
                *self.place.insert(place)
            }
        }
    }

    fn owner(&self) -> Owner {
        Owner::Metric(Arc::clone(&self.stream))
    }

    /// Whether it has its name.
    pub(super) fn has_name(&self) -> bool {
        self.place == Some(Place::Own)
    }

    /// Does without its type if somebody else needs the names that it brings with it. To be asked before it is written.
    pub(super) fn settle(&mut self, claims: &Claims) {
        if claims.has_no_type(&self.owner()) {
            self.family.give_up_type();
            self.form = F::metric(&self.family, &self.style);
        }
    }

    /// Makes itself ready for the series of a store, of which this is the first.
    #[inline]
    pub(super) fn meet(&mut self, view: &StreamView<'_>, first: &SeriesView<'_>) {
        if let PointView::Exponential(_) = first.value {
            *F::classic(&mut self.form) = Classic::of(view);
        }
    }

    /// The keys of these labels.
    #[inline(always)]
    pub(super) fn keys(&mut self, labels: &LabelsView<'_>) -> &Keys<F> {
        self.known.of(labels, &self.family.constants, &self.form)
    }

    /// A series, to keep; `None` if it is of a kind that is not known here.
    pub(super) fn series(&mut self, series: &SeriesView<'_>) -> Option<Series> {
        Some(Series {
            labels: Labels::of(&series.labels, &self.style, &self.stream, &self.family.constants),
            value: Value::of(series.value, F::classic(&mut self.form), self.style.is_protobuf)?,
            started_unix_nanos: series.started_unix_nanos,
            exemplars: series.exemplars.to_vec(),
        })
    }
}
