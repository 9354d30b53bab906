//! What several views of one metric come to: the streams of its definition.

use metercast_core::Definition;

use super::change::{Aggregation, GaugeMerge, LabelRule, View};
use super::projection::{Projection, Rule};
use super::stream::Face;

/// A stream as views have it, before anybody asked whether that can be.
#[derive(Clone, Debug)]
pub(super) struct Layered {
    pub(super) face: Face,
    pub(super) labels: Vec<LabelRule>,
    /// Whether each view that takes labels leaves them to exemplars; `None` if none takes any.
    pub(super) exemplar_labels: Option<bool>,
    pub(super) aggregation: Aggregation,
    pub(super) gauges: GaugeMerge,
    pub(super) limit: Option<usize>,
    /// Which view, counted from 1, says the unit; and which the aggregation.
    pub(super) unit_by: usize,
    pub(super) aggregation_by: usize,
}

impl Layered {
    /// As the program declares it.
    fn new(definition: &Definition, projection: &Projection) -> Layered {
        Layered {
            face: Face::default(),
            labels: Vec::new(),
            exemplar_labels: None,
            aggregation: Aggregation::Default,
            gauges: GaugeMerge::default(),
            limit: projection.limit_for(definition),
            unit_by: 0,
            aggregation_by: 0,
        }
    }

    /// Lays a view over it, the `number`th; `name` is the name that it gets.
    fn lay(&mut self, view: &View, number: usize, name: Option<&String>) {
        let View { unit, description, labels, exemplar_labels, aggregation, gauges, limit, .. } = view;
        if let Some(name) = name {
            self.face.name = Some(name.clone());
            self.face.named = Some((number, view.said.clone()));
        }
        if let Some(unit) = unit {
            (self.face.unit, self.unit_by) = (Some(unit.clone()), number);
        }
        if let Some(description) = description {
            self.face.description = Some(description.clone());
        }
        // Of lists to keep the last one holds. What is dropped stays so, whoever asks for it later.
        if labels.iter().any(|rule| matches!(rule, LabelRule::Keep(_))) {
            self.labels.retain(|rule| !matches!(rule, LabelRule::Keep(_)));
        }
        if labels.iter().any(LabelRule::takes) {
            self.exemplar_labels = Some(self.exemplar_labels.unwrap_or(true) && *exemplar_labels);
        }
        self.labels.extend_from_slice(labels);
        if let Some(aggregation) = aggregation {
            (self.aggregation, self.aggregation_by) = (aggregation.clone(), number);
        }
        self.gauges = gauges.unwrap_or(self.gauges);
        self.limit = limit.or(self.limit);
    }

    fn is_dropped(&self) -> bool {
        self.aggregation == Aggregation::Drop
    }
}

/// The streams of a definition, each with its ordinal.
pub(super) fn streams(definition: &Definition, projection: &Projection) -> Vec<(u32, Layered)> {
    let mut streams = Vec::new();
    let views = projection.views.iter().enumerate().filter(|(_, view)| view.selector.selects(definition));
    for (at, view) in views {
        let number = at + 1;
        match (projection.rule, &view.alias) {
            (Rule::Layered, None) => {
                if streams.is_empty() {
                    streams.push(Layered::new(definition, projection));
                }
                for (ordinal, stream) in streams.iter_mut().enumerate() {
                    stream.lay(view, number, view.name.as_ref().filter(|_| ordinal == 0));
                }
            }
            (Rule::Layered, Some(alias)) => {
                if streams.is_empty() {
                    streams.push(Layered::new(definition, projection));
                }
                let mut stream = streams[0].clone();
                stream.lay(view, number, Some(alias));
                streams.push(stream);
            }
            (Rule::Each, alias) => {
                let mut stream = Layered::new(definition, projection);
                stream.lay(view, number, alias.as_ref().or(view.name.as_ref()));
                streams.push(stream);
            }
        }
    }
    if streams.is_empty() {
        streams.push(Layered::new(definition, projection));
    }
    // Which is which must not depend on what is left out.
    let streams = (0..).zip(streams).filter(|(_, stream)| !stream.is_dropped());
    if projection.filter.takes(definition) { streams.collect() } else { Vec::new() }
}
