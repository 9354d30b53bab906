//! What can be done of what views ask for, and what is said of the rest.

use std::sync::{Arc, Mutex};

use metercast_core::{Definition, Kind};

use super::change::{Aggregation, View};
use super::layers::Layered;
use super::projection::Projection;
use super::relabel::Relabel;
use super::stream::{Face, Spelled};
use super::transform::{Places, Shape, Transform, bounds};
use super::unit;
use super::warnings::Warnings;

/// How a stream looks, and what becomes of its series.
pub(super) fn resolve(
    definition: &'static Arc<Definition>,
    layered: Layered,
    projection: &Projection,
    warnings: &mut Warnings,
) -> (Face, Option<Transform>) {
    let Layered { mut face, labels, aggregation, gauges, limit, unit_by, aggregation_by } = layered;
    let said = |number: usize| spelled(number, number.checked_sub(1).and_then(|at| projection.views.get(at)));
    let metric = Spelled(definition, definition.name());
    let declared = definition.unit();
    let mut scale = None;
    // Of a metric without a unit nothing is known that could be converted.
    if unit_by > 0 && face.unit != declared && !face.unit.is_empty() && !declared.is_empty() {
        scale = unit::scale(declared, &face.unit);
        if scale.is_none() {
            let (view, wanted) = (said(unit_by), &face.unit);
            warnings.say(format!(
                "{view} asks for unit {wanted:?}, and there is no way from {declared:?}, the unit of metric {metric}, which keeps \
                 it: ask for a unit that measures the same"
            ));
            face.unit = declared.into();
        }
        scale = scale.filter(|scale| *scale != 1.0);
    }
    let is_histogram = definition.kind() == Kind::Histogram;
    let shape = match aggregation {
        _ if !is_histogram => {
            let view = aggregation_by.checked_sub(1).and_then(|at| projection.views.get(at));
            let is_meant =
                view.is_some_and(|view| view.selector.name.as_ref().is_some_and(|name| name.is_exact()));
            if is_meant && !matches!(aggregation, Aggregation::Default | Aggregation::Drop) {
                let (view, kind) = (said(aggregation_by), definition.kind());
                warnings.say(format!(
                    "{view} asks for buckets, and metric {metric} is a {kind}, which has none and stays as it is: take the \
                     buckets out"
                ));
            }
            Shape::Declared
        }
        Aggregation::Buckets(wanted) => bounds(&wanted, scale).unwrap_or_else(|fault| {
            let view = said(aggregation_by);
            warnings.say(format!(
                "{view} asks for buckets that cannot be: {fault}; metric {metric} keeps its own"
            ));
            Shape::Declared
        }),
        Aggregation::Exponential { max_size, max_scale } => Shape::Exponential { max_size, max_scale },
        Aggregation::Default | Aggregation::Drop => Shape::Declared,
    };
    let transform = Transform {
        kind: definition.kind(),
        labels: Relabel::new(labels),
        scale,
        buckets: shape,
        gauges,
        limit: limit.map(|limit| limit.max(1)),
        converted: Mutex::default(),
        places: Mutex::new(Places::default()),
    };
    (face, Some(transform).filter(|transform| !transform.is_nothing()))
}

/// A view, for a sentence.
pub(super) fn spelled(number: usize, view: Option<&View>) -> String {
    match view {
        Some(view) => format!("view {number} (of {})", view.selector),
        None => "the projection".to_owned(),
    }
}
