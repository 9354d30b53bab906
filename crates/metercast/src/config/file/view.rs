//! The keys of filters and views.

use super::Reader;
use crate::config::error::Checked;
use crate::config::keys::view::{AGGREGATIONS, GAUGES, KINDS, VISIBILITIES};
use crate::config::keys::{self, VIEW};
use crate::config::place::{Given, Place, given};
use crate::config::projection::{
    ProjectionLayer, check_bounds, check_exponential, check_glob, check_limit, check_view,
};
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::tree::{Node, Value};
use crate::view::{Aggregation, GaugeMerge, Glob, LabelRule, View, Visibilities};
use metercast_core::{Kind, Visibility};

impl Reader<'_> {
    /// Takes a key that says what an exporter, or each of them, makes of metrics. False if it is none of these.
    pub(super) fn projection(
        &mut self,
        at: &Place,
        key: &str,
        node: &Node,
        layer: &mut ProjectionLayer,
    ) -> bool {
        let globs = match key {
            "visibility" => {
                let names = &keys::exporters::VISIBILITIES;
                layer.visibility = given(at, self.findings.word(at, node, names, visibilities));
                return true;
            }
            "views" => {
                layer.views = self.views(at, node);
                return true;
            }
            "buckets" => {
                layer.buckets = self.bounds(at, node);
                return true;
            }
            "cardinality_limit" => {
                layer.limit = self.limit(at, node);
                return true;
            }
            "include" => &mut layer.include,
            "exclude" => &mut layer.exclude,
            "include_scopes" => &mut layer.include_scopes,
            "exclude_scopes" => &mut layer.exclude_scopes,
            _ => return false,
        };
        *globs = given(at, self.globs(at, node));
        true
    }

    fn globs(&mut self, at: &Place, node: &Node) -> Option<Vec<Glob>> {
        self.findings.texts(at, node, "\"http.*\"", |text| check_glob(Glob::new(text)))
    }

    fn glob(&mut self, at: &Place, node: &Node) -> Option<Glob> {
        let text = self.findings.string(at, node, "\"http.*\"")?;
        self.findings.checked(at, check_glob(Glob::new(text)))
    }

    fn bounds(&mut self, at: &Place, node: &Node) -> Option<Given<Vec<f64>>> {
        let bounds = self.findings.numbers(at, node, "[0.1, 1, 10]")?;
        self.findings.take(at, check_bounds(bounds))
    }

    fn limit(&mut self, at: &Place, node: &Node) -> Option<Given<usize>> {
        let limit = self.findings.count(at, node, "500")?;
        self.findings.take(at, check_limit(limit))
    }

    fn views(&mut self, at: &Place, node: &Node) -> Vec<Given<View>> {
        const EXPECTED: &str =
            "a list of tables such as [{ name = \"http.*\", drop_labels = [\"user.id\"] }]";
        let Value::List(items) = &node.value else {
            self.findings.mistyped::<()>(at, EXPECTED, &node.value);
            return Vec::new();
        };
        let mut views = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let place = at.item(n).of(item);
            let problems = self.findings.problems();
            let Some(view) = self.view(&place, item) else { continue };
            if self.findings.problems() == problems {
                views.extend(self.findings.take(&place, check_view(view)));
            }
        }
        views
    }

    fn view(&mut self, at: &Place, node: &Node) -> Option<View> {
        let entries =
            self.findings.table(at, node, "a table such as { name = \"http.*\", unit = \"ms\" }")?;
        let mut view = View::default();
        let (mut keep, mut drop, mut renames) = (None, None, Vec::new());
        let mut aggregations = Vec::new();
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !self.findings.knows(&place, key, &[VIEW]) {
                continue;
            }
            let selector = &mut view.selector;
            match key.as_str() {
                "name" => selector.name = self.glob(&place, node),
                "kind" => selector.kind = self.findings.word(&place, node, &KINDS, kind),
                "observable" => selector.observable = self.findings.truth(&place, node),
                "unit_is" => selector.unit = self.text(&place, node, "\"s\""),
                "scope" => selector.scope = self.glob(&place, node),
                "scope_version" => selector.scope_version = self.text(&place, node, "\"1.4.2\""),
                "visibility" => {
                    selector.visibility = self.findings.word(&place, node, &VISIBILITIES, visibility);
                }
                "rename" => view.name = self.text(&place, node, "\"http_latency\""),
                "alias" => view.alias = self.text(&place, node, "\"http_latency\""),
                "description" => view.description = self.text(&place, node, "\"Time to answer\""),
                "unit" => view.unit = self.text(&place, node, "\"ms\""),
                "keep_labels" => keep = self.globs(&place, node),
                "drop_labels" => drop = self.globs(&place, node),
                "rename_labels" => renames = self.renames(&place, node),
                "exemplar_labels" => {
                    view.exemplar_labels = self.findings.truth(&place, node).unwrap_or_default();
                }
                "buckets" => {
                    let bounds = self.bounds(&place, node).map(|bounds| bounds.value);
                    aggregations.push(bounds.map(Aggregation::Buckets));
                }
                "exponential" => aggregations.extend(self.exponential(&place, node)),
                "aggregation" => aggregations.push(self.aggregation(&place, node)),
                "gauges" => view.gauges = self.findings.word(&place, node, &GAUGES, gauges),
                "cardinality_limit" => view.limit = self.limit(&place, node).map(|limit| limit.value),
                _ => {}
            }
        }
        if aggregations.len() > 1 {
            let message = "has more than one of buckets, exponential and aggregation; keep one of them";
            self.findings.problem(at, message);
        }
        view.aggregation = aggregations.into_iter().flatten().next();
        view.labels = keep.map(LabelRule::Keep).into_iter().chain(drop.map(LabelRule::Drop)).collect();
        view.labels.extend(renames);
        Some(view)
    }

    /// A word. A histogram is asked for by its buckets, here and in the files of others.
    fn aggregation(&mut self, at: &Place, node: &Node) -> Option<Aggregation> {
        if let Value::String(text) = &node.value
            && let Some(histogram) = nearest(text, &["histogram"])
        {
            let meant = if text == histogram { String::new() } else { did_you_mean(text, &[histogram]) };
            let words = AGGREGATIONS.map(|word| format!("{word:?}")).join(", ");
            let message =
                format!("expected {words} or {histogram:?} with its buckets, found {text:?}{meant}");
            self.findings.problem(at, message);
            return None;
        }
        self.findings.word(at, node, &AGGREGATIONS, aggregation)
    }

    fn text(&mut self, at: &Place, node: &Node, example: &str) -> Option<String> {
        self.findings.string(at, node, example).map(str::to_owned)
    }

    fn renames(&mut self, at: &Place, node: &Node) -> Vec<LabelRule> {
        let table = self.findings.table(at, node, "a table such as { \"http.route\" = \"route\" }");
        let mut renames = Vec::new();
        for (from, node) in table.unwrap_or_default() {
            let place = at.child(from).of(node);
            let to = self.findings.string(&place, node, "\"route\"");
            renames.extend(to.map(|to| LabelRule::Rename(from.clone(), to.to_owned())));
        }
        renames
    }

    /// Nothing if it is switched off; something that cannot be used is nothing known.
    fn exponential(&mut self, at: &Place, node: &Node) -> Option<Option<Aggregation>> {
        let (mut max_size, mut max_scale) = (160, 20);
        if let Value::Table(entries) = &node.value {
            for (key, node) in entries {
                let place = at.child(key).of(node);
                if !self.findings.knows(&place, key, &[keys::EXPONENTIAL]) {
                    continue;
                }
                let number = self.findings.integer(&place, node, "160");
                match key.as_str() {
                    "max_size" => max_size = number?.try_into().unwrap_or(u32::MAX),
                    _ => max_scale = number?.try_into().unwrap_or(i8::MAX),
                }
            }
        } else if !self.findings.truth(at, node)? {
            return None;
        }
        let checked: Checked<()> = check_exponential(max_size, max_scale);
        let checked = checked.map(|()| Aggregation::Exponential { max_size, max_scale });
        Some(self.findings.checked(at, checked))
    }
}

fn visibilities(name: &str) -> Option<Visibilities> {
    match name {
        "public" => Some(Visibilities::Public),
        "private" => Some(Visibilities::Private),
        "both" => Some(Visibilities::Both),
        _ => None,
    }
}

fn visibility(name: &str) -> Option<Visibility> {
    match name {
        "public" => Some(Visibility::Public),
        "private" => Some(Visibility::Private),
        _ => None,
    }
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "counter" => Some(Kind::Counter),
        "up_down_counter" => Some(Kind::UpDownCounter),
        "gauge" => Some(Kind::Gauge),
        "histogram" => Some(Kind::Histogram),
        "summary" => Some(Kind::Summary),
        _ => None,
    }
}

fn aggregation(name: &str) -> Option<Aggregation> {
    match name {
        "default" => Some(Aggregation::Default),
        "drop" => Some(Aggregation::Drop),
        _ => None,
    }
}

fn gauges(name: &str) -> Option<GaugeMerge> {
    match name {
        "newest" => Some(GaugeMerge::Newest),
        "sum" => Some(GaugeMerge::Sum),
        "min" => Some(GaugeMerge::Min),
        "max" => Some(GaugeMerge::Max),
        _ => None,
    }
}
