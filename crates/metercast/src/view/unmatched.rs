//! What of a projection nothing comes under: views, patterns of the filter, patterns of labels. Said once, when metrics have had time
//! to be used, or when there is no more.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use metercast_core::reading::FamilyView;
use metercast_core::{Definition, Store};

use super::change::{LabelRule, View};
use super::filter::{Filter, Visibilities};
use super::glob::Glob;
use super::projection::Projection;
use super::resolve::spelled;
use super::warnings::Warnings;

/// It is said at this reading that finds metrics,
const READINGS: u32 = 3;
/// or at the first one that is so long after the first that did.
const AFTER: Duration = Duration::from_secs(60);

/// What came under the views and patterns so far.
#[derive(Debug)]
pub(super) struct Unmatched {
    views: Vec<Met>,
    /// Of what is to be included and excluded, by name and by scope.
    patterns: [Vec<Met>; 4],
    readings: u32,
    first: Option<Instant>,
    is_said: bool,
    when: When,
}

/// When it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While more metrics may come.
    Meanwhile,
    /// When the exporter ends.
    AtTheEnd,
}

impl When {
    /// Behind what comes under nothing; `what` is what may come later.
    fn mend(self, what: &str) -> String {
        match self {
            When::Meanwhile => format!("so far; check the pattern, unless such {what} come later"),
            When::AtTheEnd => "until the end; check the pattern".to_owned(),
        }
    }
}

/// What was read: a store, if it is known, and its families.
pub(super) type Read<'r, 'f> = (Option<&'r Store>, &'r [FamilyView<'f>]);

/// What came under a view or a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    Nothing,
    /// Only what is left out for another reason.
    LeftOut,
    Something,
}

impl Unmatched {
    pub(super) fn of(projection: &Projection) -> Unmatched {
        let patterns = patterns(&projection.filter).map(|(_, globs)| vec![Met::Nothing; globs.len()]);
        let views = vec![Met::Nothing; projection.views.len()];
        let is_said = views.is_empty() && patterns.iter().all(Vec::is_empty);
        Unmatched { views, patterns, readings: 0, first: None, is_said, when: When::Meanwhile }
    }

    /// Whether there is nothing left to say.
    pub(super) fn is_said(&self) -> bool {
        self.is_said
    }

    /// Notes what a metric comes under.
    pub(super) fn meet(&mut self, definition: &Definition, projection: &Projection) {
        if self.is_said {
            return;
        }
        let note = |met: &mut Met, is_taken: bool| {
            *met = (*met).max(if is_taken { Met::Something } else { Met::LeftOut });
        };
        let is_taken = projection.filter.takes(definition);
        for (view, met) in projection.views.iter().zip(&mut self.views) {
            if view.selector.selects(definition) {
                note(met, is_taken);
            }
        }
        let is_visible = Filter::new().visibility(projection.filter.visibility).takes(definition);
        for ((key, globs), met) in patterns(&projection.filter).into_iter().zip(&mut self.patterns) {
            let name = if key.ends_with("scopes") { definition.scope().name } else { definition.name() };
            for (_, met) in globs.iter().zip(met).filter(|(glob, _)| glob.matches(name)) {
                note(met, is_visible || key.starts_with("exclude"));
            }
        }
    }

    /// Says it, if it is time. The families are those of this reading, and there are some.
    pub(super) fn say(
        &mut self,
        now: Instant,
        projection: &Projection,
        (store, families): Read<'_, '_>,
        warnings: &mut Warnings,
    ) {
        if self.is_said {
            return;
        }
        self.readings += 1;
        let first = *self.first.get_or_insert(now);
        if self.readings < READINGS && now.saturating_duration_since(first) < AFTER {
            return;
        }
        self.say_all(projection, (store, families), warnings);
    }

    /// Says it, as there may be no other reading, or is none. The families are those of this one, and there are some.
    pub(super) fn conclude(
        &mut self,
        projection: &Projection,
        read: Read<'_, '_>,
        warnings: &mut Warnings,
        when: When,
    ) {
        if !self.is_said {
            self.when = when;
            self.say_all(projection, read, warnings);
        }
    }

    fn say_all(&mut self, projection: &Projection, (store, families): Read<'_, '_>, warnings: &mut Warnings) {
        self.is_said = true;
        self.meet_registered(&store.map(Store::registered).unwrap_or_default(), projection);
        self.say_filter(&projection.filter, warnings);
        for (view, met) in projection.views.iter().zip(&self.views) {
            let said = spelled(Some(view));
            match met {
                Met::Nothing => {
                    let what = format!("{said} matches no metric {}", self.when.mend("metrics"));
                    if view.said.is_for_all() { warnings.say_of_all(what) } else { warnings.say(&what) }
                }
                // What is for all exporters may well be of no use to one.
                Met::LeftOut if view.said.is_for_all() => {}
                Met::LeftOut => warnings.say(&format!(
                    "{said} matches only metrics that the filter of the exporter leaves out; check the filter, or take the view out"
                )),
                Met::Something => {}
            }
        }
        self.say_labels(projection, families, warnings);
    }

    /// Notes what the metrics of callbacks come under that have said nothing yet. Of those nothing is known but their names.
    fn meet_registered(&mut self, names: &[&str], projection: &Projection) {
        let is_one = |glob: &Glob| names.iter().any(|name| glob.matches(name));
        let found = |met: &mut Met| *met = (*met).max(Met::Something);
        for (view, met) in projection.views.iter().zip(&mut self.views) {
            if view.selector.name.as_ref().is_some_and(is_one) {
                found(met);
            }
        }
        for ((key, globs), met) in patterns(&projection.filter).into_iter().zip(&mut self.patterns) {
            let of_names = globs.iter().zip(met).filter(|_| !key.ends_with("scopes"));
            of_names.filter(|(glob, _)| is_one(glob)).for_each(|(_, met)| found(met));
        }
    }

    fn say_filter(&self, filter: &Filter, warnings: &mut Warnings) {
        for ((key, globs), met) in patterns(filter).into_iter().zip(&self.patterns) {
            for (glob, met) in globs.iter().zip(met) {
                let glob = glob.as_str();
                match met {
                    Met::Nothing => warnings
                        .say(&format!("{key}: {glob:?} matches no metric {}", self.when.mend("metrics"))),
                    Met::LeftOut => {
                        let (others, taken) = match filter.visibility {
                            Visibilities::Private => ("public", "private"),
                            _ => ("private", "public"),
                        };
                        warnings.say(&format!(
                            "{key}: {glob:?} matches only {others} metrics so far, and the exporter takes {taken} ones; say another \
                             visibility, or take the pattern out"
                        ));
                    }
                    Met::Something => {}
                }
            }
        }
    }

    /// Says which rules of labels are about none of the labels that there are. Looks at the labels of all series, this once.
    fn say_labels(&self, projection: &Projection, families: &[FamilyView<'_>], warnings: &mut Warnings) {
        let about_labels = |view: &&View| !view.labels.is_empty();
        let used = projection.views.iter().zip(&self.views).filter(|(_, met)| **met == Met::Something);
        let views: Vec<&View> = used.map(|(view, _)| view).filter(about_labels).collect();
        let is_about = |view: &View, family: &FamilyView<'_>| {
            let definition = family.definition();
            view.selector.selects(definition) && projection.filter.takes(definition)
        };
        let families = families.iter().filter(|family| views.iter().any(|view| is_about(view, family)));
        let known: Vec<_> = families.map(|family| (family, keys(family))).collect();
        for view in &views {
            let of_view = known.iter().filter(|(family, _)| is_about(view, family));
            let mut keys: BTreeSet<&str> = of_view.flat_map(|(_, keys)| keys).map(String::as_str).collect();
            // What a label is renamed to may be meant as well.
            let renamed = views.iter().flat_map(|view| &view.labels).filter_map(|rule| match rule {
                LabelRule::Rename(_, to) => Some(to.as_str()),
                _ => None,
            });
            keys.extend(renamed);
            for (what, pattern) in view.labels.iter().flat_map(patterns_of) {
                if !keys.iter().any(|key| pattern.matches(key)) {
                    let (view, pattern) = (spelled(Some(view)), pattern.as_str());
                    warnings.say(&format!(
                        "{view} {what} labels by {pattern:?}, which matches no label of its metrics {}",
                        self.when.mend("labels")
                    ));
                }
            }
        }
    }
}

/// The patterns of a filter, each list with its key.
fn patterns(filter: &Filter) -> [(&'static str, &[Glob]); 4] {
    [
        ("include", &filter.include),
        ("exclude", &filter.exclude),
        ("include_scopes", &filter.include_scopes),
        ("exclude_scopes", &filter.exclude_scopes),
    ]
}

/// What a rule does, by which patterns.
fn patterns_of(rule: &LabelRule) -> Vec<(&'static str, Glob)> {
    match rule {
        LabelRule::Keep(globs) => globs.iter().map(|glob| ("keeps", glob.clone())).collect(),
        LabelRule::Drop(globs) => globs.iter().map(|glob| ("drops", glob.clone())).collect(),
        LabelRule::Rename(from, _) => vec![("renames", Glob::new(from))],
    }
}

/// The keys of the labels of a metric, as its series have them, and as the program text does.
fn keys(family: &FamilyView<'_>) -> BTreeSet<String> {
    let definition = family.definition();
    let mut keys: BTreeSet<String> =
        definition.label_keys().into_iter().flatten().map(str::to_owned).collect();
    family.each(|series| {
        for key in series.labels.keys() {
            if !keys.contains(key) {
                keys.insert(key.to_owned());
            }
        }
    });
    keys
}
