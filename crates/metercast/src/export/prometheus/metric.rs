//! What is prepared of a metric.

use std::sync::Arc;

use metercast_core::reading::LabelsView;
use metercast_core::{Definition, Kind};

use super::claims::{Claims, Place};
use super::keys::{Keys, Known};
use super::lines::Lines;
use super::name;

/// One metric for the pages of an exporter. There are as many as the program text defines, and what each keeps is bounded.
pub(super) struct Metric {
    pub(super) definition: &'static Arc<Definition>,
    /// The name of the family.
    pub(super) name: String,
    /// `HELP` and `TYPE`.
    pub(super) header: String,
    /// Known once it has a series.
    place: Option<Place>,
    pub(super) known: Known,
    pub(super) lines: Lines,
}

impl Metric {
    pub(super) fn new(definition: &'static Arc<Definition>) -> Metric {
        let name = name::family(definition);
        let kind = match definition.kind() {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
            // Text format 0.0.4 knows no up-down counter: it is a gauge.
            _ => "gauge",
        };
        let mut header = String::new();
        if !definition.description().is_empty() {
            header = format!("# HELP {name} {}\n", name::description(definition.description()));
        }
        header += &format!("# TYPE {name} {kind}\n");
        let lines = Lines::new(&name, definition.kind() == Kind::Histogram);
        Metric { definition, name, header, place: None, known: Known::default(), lines }
    }

    /// Where its series stand. To be asked only if it has any, since the first that has gets the name.
    pub(super) fn place(&mut self, claims: &mut Claims) -> Place {
        *self.place.get_or_insert_with(|| claims.claim(&self.name, self.definition))
    }

    /// Whether it has its name.
    pub(super) fn has_name(&self) -> bool {
        self.place == Some(Place::Own)
    }

    /// The keys of these labels.
    #[inline(always)]
    pub(super) fn keys(&mut self, labels: &LabelsView<'_>) -> &Keys {
        self.known.of(labels, self.definition.kind(), &self.lines.before)
    }
}
