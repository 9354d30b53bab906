//! Which buckets the histograms of a store have: those of the first site, and what its readers want beside them.

use std::collections::HashMap;
use std::sync::PoisonError;

use super::Inner;
use super::layout::{self, Layout};
use crate::definition::{Buckets, Definition, Descriptor, Kind, Place};
use crate::{lock, registry};

/// Which buckets histograms have and are to have.
#[derive(Default)]
pub(super) struct Plan {
    /// By the number of the metric.
    chosen: HashMap<u32, ChosenLayout>,
    /// Bounds that readers want, by the metric's name.
    wanted: HashMap<String, Vec<f64>>,
    /// Whether a reader wants buckets that follow the values where nothing is said of them.
    exponential: bool,
}

/// The buckets of a histogram, and the site that brought them.
#[derive(Clone, Copy)]
struct ChosenLayout {
    layout: &'static Layout,
    buckets: Buckets,
    place: Place,
}

impl Inner {
    /// The buckets of a histogram in this store: those of the first site that recorded into it here.
    pub(crate) fn layout(&self, definition: &Definition, site: &Descriptor) -> Option<&'static Layout> {
        if !matches!(definition.kind, Kind::Histogram | Kind::Summary) {
            return None;
        }
        let buckets = match (definition.kind, site.buckets) {
            (Kind::Summary, Buckets::ByUnit) => Buckets::USUAL_QUANTILES,
            (_, buckets) => buckets,
        };
        let mut layouts = lock::soon(&self.layouts)?;
        let layouts = layouts.get_or_insert_default();
        let wanted = layouts.wanted.get(definition.name).map_or(&[][..], Vec::as_slice);
        // Whoever wants bounds can have them only from buckets with bounds.
        let buckets = match buckets {
            Buckets::ByUnit if layouts.exponential && wanted.is_empty() => Buckets::Exponential,
            buckets => buckets,
        };
        let first = *layouts.chosen.entry(definition.id).or_insert_with(|| {
            let with_wanted = Layout::declared(buckets, definition.unit, wanted).or_else(|fault| {
                // Together they may be too many; what is declared goes first.
                let declared = Layout::declared(buckets, definition.unit, &[])?;
                let message =
                    format!("{fault} with those that its readers want; only those declared are kept");
                self.problems.report(definition.name, message);
                Ok(declared)
            });
            let layout = with_wanted.unwrap_or_else(|fault: String| {
                let (layout, what) = match definition.kind {
                    Kind::Summary => (Layout::usual_quantiles(), "the usual quantiles"),
                    _ => (Layout::by_unit(definition.unit), "the buckets of its unit"),
                };
                let message = format!("defined at {} {fault}; {what} are used", site.place);
                self.problems.report(definition.name, message);
                layout
            });
            ChosenLayout { layout, buckets: site.buckets, place: site.place }
        });
        // A site that says nothing of buckets is content with any.
        if site.buckets != Buckets::ByUnit && first.buckets != site.buckets {
            let message = format!(
                "has other buckets at {} than at {}; the first are kept: make them equal",
                first.place, site.place
            );
            self.problems.report(definition.name, message);
        }
        Some(first.layout)
    }

    /// Gives histograms of which nothing is said buckets that follow the values, if nothing was recorded into them here.
    pub(super) fn want_exponential(&self) {
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let layouts = layouts.get_or_insert_default();
        if layouts.exponential {
            return;
        }
        layouts.exponential = true;
        for definition in registry::definitions().iter() {
            let is_by_unit = |chosen: &ChosenLayout| {
                definition.kind == Kind::Histogram && chosen.buckets == Buckets::ByUnit
            };
            if layouts.chosen.get(&definition.id).is_some_and(is_by_unit)
                && self.dictionary.count_of(definition) == 0
            {
                layouts.chosen.remove(&definition.id);
            }
        }
    }

    /// Keeps these bounds as well for the histogram of this name, if nothing was recorded into it here.
    pub(super) fn want_bounds(&self, metric: &str, bounds: &[f64]) -> Result<bool, String> {
        layout::check(bounds)?;
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let layouts = layouts.get_or_insert_default();
        let of_metric: Vec<_> =
            registry::definitions().iter().copied().filter(|definition| definition.name == metric).collect();
        if of_metric.iter().any(|definition| definition.kind != Kind::Histogram) {
            return Ok(false);
        }
        let chosen = of_metric.iter().filter_map(|definition| layouts.chosen.get(&definition.id));
        let has_all = |chosen: &ChosenLayout| match chosen.layout {
            Layout::Explicit(explicit) => bounds.iter().all(|bound| explicit.bounds.contains(bound)),
            Layout::Exponential(_) | Layout::Summary(_) => false,
        };
        if chosen.clone().count() > 0 && chosen.into_iter().all(has_all) {
            return Ok(true);
        }
        if of_metric.iter().any(|definition| !self.dictionary.ends_of(definition).is_empty()) {
            return Ok(false);
        }
        for definition in of_metric {
            layouts.chosen.remove(&definition.id);
        }
        let wanted = layouts.wanted.entry(metric.to_owned()).or_default();
        wanted.extend(bounds);
        wanted.sort_by(f64::total_cmp);
        wanted.dedup();
        Ok(true)
    }
}
