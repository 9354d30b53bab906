//! What an exporter makes of the metrics, as each source says it: filter, views, buckets, limit.

use super::custom::Custom;
use super::error::{Checked, Findings};
use super::otlp::Otlp;
use super::place::{Given, Origin, Place, lay};
use super::prometheus::Prometheus;
use super::pushgateway::Pushgateway;
use super::sources::{bounds, list, view};
use super::stdout::Stdout;
use crate::view::{
    Aggregation, Clash, Filter, Glob, LabelRule, Projection, Rule, Said, Selector, View, Visibilities, clash,
};
use metercast_core::__private::instrument_name_fault;

/// What code says. A filter is whole: it leaves nothing to the sources below.
#[derive(Debug, Clone, Default)]
pub(super) struct ProjectionSettings {
    filter: Option<Filter>,
    views: Vec<View>,
    rule: Option<Rule>,
    limit: Option<usize>,
    limits: Vec<(Selector, usize)>,
    buckets: Option<Vec<f64>>,
}

macro_rules! projected {
    ($($exporter:ty),*) => {$(
        impl $exporter {
            /// Takes these metrics only: all public ones unless it is said.
            pub fn filter(mut self, filter: Filter) -> Self {
                self.projection.filter = Some(filter);
                self
            }

            /// Adds a view, behind those of all sources below: where several say something of a metric, the last counts.
            pub fn view(mut self, view: View) -> Self {
                self.projection.views.push(view);
                self
            }

            /// The filter, the rule, the views and, where it says something of them, the limit and the default buckets of
            /// this projection; in place of what was given here before.
            pub fn projection(mut self, projection: Projection) -> Self {
                let Projection { filter, views, rule, limit, limits, buckets } = projection;
                let (filter, rule) = (Some(filter), Some(rule));
                self.projection = ProjectionSettings { filter, views, rule, limit, limits, buckets };
                self
            }
        }
    )*};
}

projected!(Prometheus, Otlp, Pushgateway, Stdout, Custom);

impl ProjectionSettings {
    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> ProjectionLayer {
        let given = |key: &str, globs: Vec<Glob>, findings: &mut Findings| {
            findings.take(&place.child(key), check_globs(globs))
        };
        let mut layer = ProjectionLayer::default();
        if let Some(Filter { visibility, include, exclude, include_scopes, exclude_scopes, .. }) = self.filter
        {
            layer.visibility = Some(Given { value: visibility, place: place.child("visibility") });
            layer.include = given("include", include, findings);
            layer.exclude = given("exclude", exclude, findings);
            layer.include_scopes = given("include_scopes", include_scopes, findings);
            layer.exclude_scopes = given("exclude_scopes", exclude_scopes, findings);
        }
        let place_of_views = place.child("views");
        let what = if place.origin() == Origin::Default { "default exporter" } else { "exporter" };
        for (n, view) in self.views.into_iter().enumerate() {
            let view = View { said: Said::in_code(n + 1, what), ..view };
            layer.views.extend(findings.take(&place_of_views.item(n), check_view(view)));
        }
        layer.rule = self.rule.map(|rule| Given::new(rule, place));
        layer.limit =
            self.limit.and_then(|limit| findings.take(&place.child("cardinality_limit"), check_limit(limit)));
        let place_of_limits = place.child("cardinality_limits");
        for (n, (selector, limit)) in self.limits.into_iter().enumerate() {
            let limit = check_limit(limit).map(|limit| (selector, limit));
            layer.limits.extend(findings.take(&place_of_limits.item(n), limit));
        }
        layer.buckets =
            self.buckets.and_then(|bounds| findings.take(&place.child("buckets"), check_bounds(bounds)));
        layer
    }
}

/// What one source says.
#[derive(Debug, Clone, Default)]
pub(super) struct ProjectionLayer {
    pub(super) visibility: Option<Given<Visibilities>>,
    pub(super) include: Option<Given<Vec<Glob>>>,
    pub(super) exclude: Option<Given<Vec<Glob>>>,
    pub(super) include_scopes: Option<Given<Vec<Glob>>>,
    pub(super) exclude_scopes: Option<Given<Vec<Glob>>>,
    pub(super) views: Vec<Given<View>>,
    pub(super) rule: Option<Given<Rule>>,
    pub(super) limit: Option<Given<usize>>,
    /// Those for some metrics only; the first that selects one holds.
    pub(super) limits: Vec<Given<(Selector, usize)>>,
    pub(super) buckets: Option<Given<Vec<f64>>>,
}

impl ProjectionLayer {
    /// This, and where it is silent what `below` says. Views come behind those of `below`, and so win over them field by field.
    pub(super) fn over(self, below: Self) -> Self {
        let mut views = below.views;
        views.extend(self.views);
        let mut limits = self.limits;
        limits.extend(below.limits);
        Self {
            visibility: lay(self.visibility, below.visibility),
            include: lay(self.include, below.include),
            exclude: lay(self.exclude, below.exclude),
            include_scopes: lay(self.include_scopes, below.include_scopes),
            exclude_scopes: lay(self.exclude_scopes, below.exclude_scopes),
            views,
            rule: lay(self.rule, below.rule),
            limit: lay(self.limit, below.limit),
            limits,
            buckets: lay(self.buckets, below.buckets),
        }
    }

    pub(super) fn resolve(self, place: &Place, findings: &mut Findings) -> Projection {
        let globs = |key, given: Option<Given<Vec<Glob>>>, findings: &mut Findings| {
            findings.settle_if(&place.child(key), given, |globs| list(globs)).unwrap_or_default()
        };
        let visibility = |visibility: &Visibilities| match visibility {
            Visibilities::Public => "public".to_owned(),
            Visibilities::Private => "private".to_owned(),
            Visibilities::Both => "both".to_owned(),
        };
        let at = place.child("visibility");
        let visibility = findings.settle(&at, self.visibility, Visibilities::Public, visibility);
        let filter = Filter {
            visibility,
            include: globs("include", self.include, findings),
            exclude: globs("exclude", self.exclude, findings),
            include_scopes: globs("include_scopes", self.include_scopes, findings),
            exclude_scopes: globs("exclude_scopes", self.exclude_scopes, findings),
            refuses_configured: false,
        };
        let rule = self.rule.map(|rule| rule.value).unwrap_or_default();
        check_names(&self.views, &filter, rule, findings);
        let at = place.child("views");
        let mut views = Vec::new();
        for (n, given) in self.views.into_iter().enumerate() {
            let is_own = given.place.key().starts_with(at.key());
            let said = Said::at(&given.place.to_string(), !is_own);
            let view = findings.note(&at.item(n), given, view);
            views.push(if view.said.is_known() { view } else { View { said, ..view } });
        }
        let at = place.child("cardinality_limits");
        let limits = self.limits.into_iter().enumerate();
        let limits = limits.map(|(n, given)| {
            findings.note(&at.item(n), given, |(selector, limit)| format!("{limit} of {selector}"))
        });
        let limits = limits.collect();
        Projection {
            filter,
            views,
            rule,
            limit: findings.settle_if(&place.child("cardinality_limit"), self.limit, usize::to_string),
            limits,
            buckets: findings.settle_if(&place.child("buckets"), self.buckets, |given| bounds(given)),
        }
    }
}

/// The most bounds that the store keeps of a histogram.
const MOST_BOUNDS: usize = 510;

/// Bounds of buckets: finite and increasing.
pub(super) fn check_bounds(bounds: Vec<f64>) -> Checked<Vec<f64>> {
    if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
        return Err(format!(
            "has the bound {bound}, which is not finite; leave it out: the last bucket has no bound anyway"
        ));
    }
    if let Some(pair) = bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!(
            "has the bound {} behind {}; write bounds in increasing order, each once",
            pair[1], pair[0]
        ));
    }
    if bounds.len() > MOST_BOUNDS {
        return Err(format!("has {} bounds; write at most {MOST_BOUNDS}", bounds.len()));
    }
    Ok(bounds)
}

/// The most series of a metric.
pub(super) fn check_limit(limit: usize) -> Checked<usize> {
    if limit == 0 {
        return Err("0 leaves no series at all; write at least 1, or leave the metric out".to_owned());
    }
    Ok(limit)
}

/// A pattern that something can match.
pub(super) fn check_glob(glob: Glob) -> Checked<Glob> {
    if glob.as_str().is_empty() {
        return Err("is an empty pattern, which nothing matches; write for example \"http.*\"".to_owned());
    }
    Ok(glob)
}

fn check_globs(globs: Vec<Glob>) -> Checked<Vec<Glob>> {
    globs.into_iter().map(check_glob).collect()
}

/// A view that does something, and nothing that contradicts itself.
pub(super) fn check_view(view: View) -> Checked<View> {
    let View { selector, name, alias, labels, exemplar_labels, aggregation, limit, .. } = &view;
    for glob in [&selector.name, &selector.scope].into_iter().flatten() {
        check_glob(glob.clone())?;
    }
    if view.is_idle() {
        return Err("changes nothing; say what to make of the metrics that it selects".to_owned());
    }
    if name.is_some() && alias.is_some() {
        return Err(
            "has a rename beside an alias; an alias is a name of its own, so write two views or keep one of them"
                .to_owned(),
        );
    }
    if *exemplar_labels && !labels.iter().any(LabelRule::takes) {
        return Err("leaves labels to exemplars and takes none from series; say which labels to keep or to drop, or leave \
                    exemplar_labels out"
            .to_owned());
    }
    for (key, new) in [("rename", name), ("alias", alias)] {
        let Some(new) = new else { continue };
        if let Some(fault) = instrument_name_fault(new) {
            return Err(format!(
                "has the {key} {new:?}, which {fault} (a name is a letter, then up to 254 of letters, digits and _ . - /)"
            ));
        }
        if !selector.name.as_ref().is_some_and(Glob::is_exact) {
            return Err(format!(
                "has the {key} {new:?} for every metric that it selects, and one name is for one metric; \
                 select a metric by its whole name"
            ));
        }
    }
    for rule in labels {
        match rule {
            LabelRule::Keep(globs) | LabelRule::Drop(globs) => _ = check_globs(globs.clone())?,
            LabelRule::Rename(from, to) if from.is_empty() || to.is_empty() => {
                return Err("renames a label without a key; write both keys".to_owned());
            }
            LabelRule::Rename(..) => {}
        }
    }
    if let Some(Clash { first, second, to, .. }) = clash(labels) {
        return Err(format!(
            "renames both {first:?} and {second:?} to {to:?}, and labels that differ are not one; rename {second:?} to another"
        ));
    }
    match aggregation {
        Some(Aggregation::Buckets(bounds)) => _ = check_bounds(bounds.clone())?,
        Some(Aggregation::Exponential { max_size, max_scale }) => check_exponential(*max_size, *max_scale)?,
        _ => {}
    }
    limit.map_or(Ok(0), check_limit)?;
    Ok(view)
}

/// A name that a view gives a metric.
struct Named<'v> {
    name: &'v str,
    place: &'v Place,
    is_dropped: bool,
}

/// Notes names that views give to two metrics, or twice to one, as far as that is certain: the metrics are selected by their whole
/// names. What comes about by other means is said when the metrics are there.
fn check_names(views: &[Given<View>], filter: &Filter, rule: Rule, findings: &mut Findings) {
    let exact = |view: &View| {
        let name = view.selector.name.as_ref().filter(|glob| glob.is_exact())?;
        (view.name.is_some() || view.alias.is_some()).then(|| name.as_str().to_owned())
    };
    let mut metrics: Vec<String> = views.iter().filter_map(|given| exact(&given.value)).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let mut named: Vec<(&str, Named<'_>)> = Vec::new();
    for metric in metrics.iter().filter(|metric| filter.takes_name(metric)) {
        named.extend(names(metric, views, rule).into_iter().map(|named| (metric.as_str(), named)));
    }
    // The first is the one whose view comes first.
    let order = |place: &Place| views.iter().position(|given| given.place == *place);
    named.sort_by_key(|(_, named)| order(named.place));
    for (n, (metric, second)) in named.iter().enumerate() {
        let is_same = |(_, first): &&(&str, Named<'_>)| first.name == second.name;
        if let Some((other, first)) = named[..n].iter().find(is_same) {
            let message = format!(
                "gives {metric:?} the name {:?}, which {} gives {other:?}; give each a name of its own",
                second.name, first.place
            );
            findings.problem_once(second.place, &message);
        }
    }
}

/// The names that views give a metric.
fn names<'v>(metric: &str, views: &'v [Given<View>], rule: Rule) -> Vec<Named<'v>> {
    let mut own: Option<Named<'_>> = None;
    let mut others: Vec<Named<'_>> = Vec::new();
    let mut is_dropped = false;
    let selects = |view: &View| view.selector.name.as_ref().is_none_or(|glob| glob.matches(metric));
    for Given { value: view, place } in views.iter().filter(|given| selects(&given.value)) {
        let drops = view.aggregation.as_ref().map(|aggregation| *aggregation == Aggregation::Drop);
        let named = |name: &'v String, is_dropped| Named { name, place, is_dropped };
        if rule == Rule::Each {
            // Streams of one metric may well have one name there.
            let name = view.alias.as_ref().or(view.name.as_ref());
            let name = name.filter(|name| others.iter().all(|other| other.name != name.as_str()));
            others.extend(name.map(|name| named(name, drops == Some(true))));
        } else if let Some(alias) = &view.alias {
            others.push(named(alias, drops.unwrap_or(is_dropped)));
        } else {
            own = view.name.as_ref().map(|name| named(name, false)).or(own);
            if let Some(drops) = drops {
                is_dropped = drops;
                others.iter_mut().for_each(|named| named.is_dropped = drops);
            }
            own.iter_mut().for_each(|named| named.is_dropped = is_dropped);
        }
    }
    others.extend(own);
    others.retain(|named| !named.is_dropped);
    others
}

/// The bounds of an exponential histogram's buckets.
pub(super) fn check_exponential(max_size: u32, max_scale: i8) -> Checked<()> {
    if !(2..=160).contains(&max_size) {
        return Err(format!("has {max_size} for max_size; write 2 to 160"));
    }
    if !(-10..=20).contains(&max_scale) {
        return Err(format!("has {max_scale} for max_scale; write -10 to 20"));
    }
    Ok(())
}
