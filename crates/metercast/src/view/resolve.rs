//! What can be done of what views ask for, and what is said of the rest.

use std::sync::{Arc, Mutex};

use metercast_core::__private::instrument_name_fault;
use metercast_core::{Definition, Kind};

use super::change::{Aggregation, Said, View};
use super::glob::Glob;
use super::layers::Layered;
use super::projection::Projection;
use super::relabel::{Clash, Relabel, clash};
use super::stream::{Face, Spelled};
use super::transform::{Shape, Transform, bounds, converted};
use super::unit;
use super::warnings::Warnings;

/// What is known of a histogram before anything was recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buckets<'a> {
    /// Whether the program text says something of them.
    pub(super) are_declared: bool,
    /// What the exporter has where nobody says anything.
    pub(super) or_else: &'a Shape,
}

/// How a stream looks, and what becomes of its series.
pub(super) fn resolve(
    definition: &Definition,
    layered: Layered,
    buckets: Buckets<'_>,
    projection: &Projection,
    warnings: &mut Warnings,
) -> (Face, Option<Transform>) {
    let Layered { mut face, labels, exemplar_labels, aggregation, gauges, limit, unit_by, aggregation_by } =
        layered;
    let said = |number: usize| spelled(number.checked_sub(1).and_then(|at| projection.views.get(at)));
    let metric = Spelled(definition);
    let scale = face.unit.as_ref().map_or(Ok(None), |wanted| scale_to(definition, wanted));
    if let Err(declared) = scale
        && let Some(wanted) = face.unit.take()
    {
        let view = said(unit_by);
        warnings.say(&format!(
            "{view} asks for unit {wanted:?}, and there is no way from {declared:?}, the unit of metric {metric}, which keeps it: \
             ask for a unit that measures the same"
        ));
    }
    let scale = scale.ok().flatten();
    let shape = shape(definition, &aggregation, scale, buckets).unwrap_or_else(|fault| {
        let view = aggregation_by.checked_sub(1).and_then(|at| projection.views.get(at));
        let is_meant = view.is_none_or(|view| view.selector.name.as_ref().is_some_and(Glob::is_exact));
        // A pattern may well match others beside histograms.
        if is_meant || definition.kind() == Kind::Histogram {
            let view = said(aggregation_by);
            warnings.say(&format!("{view} asks for buckets of metric {metric}, which {fault}"));
        }
        Shape::Declared
    });
    let transform = Transform {
        kind: definition.kind(),
        labels: Relabel::new(labels),
        exemplar_labels: exemplar_labels == Some(true),
        scale,
        buckets: shape,
        gauges,
        limit: limit.map(|limit| limit.max(1)),
        converted: Mutex::default(),
        memory: Arc::default(),
    };
    (face, Some(transform).filter(|transform| !transform.is_nothing()))
}

/// What a stream wants of the cells of a histogram: bounds, and whether there are to be exponential buckets.
pub(super) fn wanted(definition: &Definition, layered: &Layered, buckets: Buckets<'_>) -> (Vec<f64>, bool) {
    let scale = layered.face.unit.as_ref().and_then(|wanted| scale_to(definition, wanted).ok().flatten());
    match shape(definition, &layered.aggregation, scale, buckets) {
        Ok(Shape::Bounds { kept, .. }) => (kept.to_vec(), false),
        Ok(Shape::Exponential { .. }) => (Vec::new(), true),
        Ok(Shape::Declared) | Err(_) => (Vec::new(), false),
    }
}

/// By how much values are multiplied to be in this unit; the declared unit if there is no way.
fn scale_to<'d>(definition: &'d Definition, wanted: &str) -> Result<Option<f64>, &'d str> {
    let declared = definition.unit();
    // Of a metric without a unit nothing is known that could be converted.
    if declared == wanted || declared.is_empty() || wanted.is_empty() {
        return Ok(None);
    }
    unit::scale(declared, wanted).map(|scale| Some(scale).filter(|scale| *scale != 1.0)).ok_or(declared)
}

/// The buckets that a stream shows: what a view says, else what the program text says, else what the exporter has for all others.
fn shape(
    definition: &Definition,
    aggregation: &Aggregation,
    scale: Option<f64>,
    Buckets { are_declared, or_else }: Buckets<'_>,
) -> Result<Shape, String> {
    let is_histogram = definition.kind() == Kind::Histogram;
    match aggregation {
        Aggregation::Default | Aggregation::Drop if are_declared || !is_histogram => Ok(Shape::Declared),
        // In the unit of the metric, as the declared ones are.
        Aggregation::Default | Aggregation::Drop => Ok(match (or_else, scale) {
            (Shape::Bounds { kept, .. }, Some(scale)) => converted(kept, scale),
            (shape, _) => *shape,
        }),
        _ if !is_histogram => {
            Err(format!("is a {} and has none; it stays as it is: take the buckets out", definition.kind()))
        }
        Aggregation::Buckets(wanted) => {
            bounds(wanted, scale).map_err(|fault| format!("cannot have them, and keeps its own: it {fault}"))
        }
        Aggregation::Exponential { max_size, max_scale } => {
            Ok(Shape::Exponential { max_size: *max_size, max_scale: *max_scale })
        }
    }
}

/// Makes views that no configuration has checked such that they can be used: each has a place, a name that a metric can have, and no
/// two labels that become one. What is left out for that is said.
pub(super) fn settle(projection: &mut Arc<Projection>, warnings: &mut Warnings) {
    let is_settled = |view: &View| {
        let names = [&view.name, &view.alias];
        let is_name = |name: &&String| instrument_name_fault(name).is_none();
        view.said.is_known()
            && names.into_iter().flatten().all(|name| is_name(&name))
            && clash(&view.labels).is_none()
    };
    if projection.views.iter().all(is_settled) {
        return;
    }
    let projection = Arc::make_mut(projection);
    let mut number = 0;
    projection.views.retain_mut(|view| {
        number += 1;
        if !view.said.is_known() {
            view.said = Said::in_code(number, "exporter");
        }
        while let Some(Clash { first, second, at, to }) = clash(&view.labels) {
            view.labels.remove(at);
            warnings.say(&format!(
                "{} renames both {first:?} and {second:?} to {to:?}, and labels that differ are not one; {second:?} keeps its key: \
                 rename it to another",
                spelled(Some(view))
            ));
        }
        let mut is_left_out = false;
        for (key, is_alias) in [("rename", false), ("alias", true)] {
            let name = if is_alias { &view.alias } else { &view.name };
            let Some((name, fault)) = name.as_ref().and_then(|name| Some((name, instrument_name_fault(name)?))) else { continue };
            warnings.say(&format!("{} has the {key} {name:?}, which {fault}; it is left out until then", spelled(Some(view))));
            is_left_out |= is_alias;
            if !is_alias {
                view.name = None;
            }
        }
        // Without its name an alias would change what it is beside.
        !is_left_out
    });
}

/// A view, for a sentence.
pub(super) fn spelled(view: Option<&View>) -> String {
    match view {
        Some(view) => format!("{} (of {})", view.said, view.selector),
        None => "the projection".to_owned(),
    }
}
