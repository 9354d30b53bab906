//! Which buckets the histograms of a store have: those of the first site, and what its readers want beside them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, PoisonError};

use super::guarded::guarded;
use super::layout::{self, Layout, UNPLANNED, Wanted};
use super::wish::Wish;
use super::{Inner, Store};
use crate::definition::{Buckets, Definition, Descriptor, Kind, Place};
use crate::{lock, registry};

/// Which buckets histograms have and are to have.
#[derive(Default)]
pub(super) struct Plan {
    /// By the number of the metric.
    chosen: HashMap<u32, Chosen>,
    /// What readers want, each under a number of its own.
    wishes: Vec<(u64, Asked)>,
    next: u64,
    /// Whether it is carried out: before, values are kept as they are.
    is_begun: bool,
}

/// The buckets of a histogram, and the site that brought them.
#[derive(Clone, Copy)]
struct Chosen {
    layout: &'static Layout,
    buckets: Buckets,
    place: Place,
}

/// What somebody asked for.
struct Asked {
    meant: Meant,
    wanted: Wanted,
}

/// Which histograms somebody asked for.
enum Meant {
    /// The one of this name.
    Metric(String),
    /// All of which the program text says nothing.
    Undeclared,
    /// What this says of each.
    Rule(Rule),
}

/// What is wanted of a metric; it is told whether the program text says something of the buckets.
pub(super) type Rule = Box<dyn Fn(&Definition, bool) -> Wanted + Send + Sync>;

impl Asked {
    /// What is wanted of a metric, if anything, or what is wrong with the rule that says so.
    fn of(&self, definition: &Definition, buckets: Buckets) -> Option<Result<Cow<'_, Wanted>, String>> {
        let is_declared = buckets != Buckets::ByUnit;
        match &self.meant {
            Meant::Metric(metric) => (metric == definition.name).then_some(Ok(Cow::Borrowed(&self.wanted))),
            Meant::Undeclared => (!is_declared).then_some(Ok(Cow::Borrowed(&self.wanted))),
            Meant::Rule(rule) => match said(rule, definition, is_declared) {
                Ok(wanted) => layout::check(&wanted.bounds).is_ok().then_some(Ok(Cow::Owned(wanted))),
                Err(fault) => Some(Err(fault)),
            },
        }
    }
}

/// What a rule says, which may be asked by who records.
fn said(rule: &Rule, definition: &Definition, is_declared: bool) -> Result<Wanted, String> {
    guarded(|| rule(definition, is_declared)).map_err(|panic| {
        format!("is asked about by a rule of a reader, which panicked: {panic}; so that reader wants no buckets of it")
    })
}

/// What a histogram is to have beside what is declared.
#[derive(Default)]
struct Kept {
    wanted: Wanted,
    /// The numbers of the wishes for which there is no room, each with what is wrong.
    left_out: Vec<(u64, String)>,
    /// What is wrong with rules.
    faults: Vec<String>,
}

impl Plan {
    /// What is kept of what is wanted of a metric with these buckets: the oldest wishes go first, so that nobody loses what he has
    /// to one who comes later. What is wrong if not even what is declared can be.
    fn kept(&self, definition: &Definition, buckets: Buckets) -> Result<Kept, String> {
        let check = |wanted: &Wanted| Layout::check_planned(buckets, definition.unit(), wanted);
        let (mut all, mut wishes) = (Kept::default(), Vec::new());
        for (number, asked) in &self.wishes {
            match asked.of(definition, buckets) {
                Some(Ok(wanted)) => wishes.push((*number, wanted)),
                Some(Err(fault)) => all.faults.push(fault),
                None => {}
            }
        }
        wishes.iter().for_each(|(_, wanted)| all.wanted.add(wanted));
        all.wanted.sort();
        if check(&all.wanted).is_ok() {
            return Ok(all);
        }
        // Together they are too many, or what is declared makes no sense.
        let mut kept = Kept { faults: all.faults, ..Kept::default() };
        check(&kept.wanted)?;
        for (number, wanted) in wishes {
            let bounds = Wanted { bounds: wanted.bounds.clone(), exponential: false };
            let exponential = Wanted { bounds: Vec::new(), exponential: wanted.exponential };
            for some in [bounds, exponential] {
                let mut with = kept.wanted.clone();
                with.add(&some);
                with.sort();
                match check(&with) {
                    Ok(()) => kept.wanted = with,
                    Err(fault) => kept.left_out.push((number, fault)),
                }
            }
        }
        Ok(kept)
    }
}

impl Inner {
    /// The buckets that a new series of a histogram is to have: those of the first site that recorded into it here, and what
    /// is wanted; with the version of the plan.
    pub(crate) fn layout(
        &self,
        definition: &Definition,
        site: &Descriptor,
    ) -> Option<(&'static Layout, u64)> {
        if !matches!(definition.kind, Kind::Histogram | Kind::Summary) {
            return None;
        }
        let mut plan = lock::soon(&self.layouts)?;
        let plan = plan.get_or_insert_default();
        let first = match plan.chosen.get(&definition.id) {
            Some(first) => *first,
            None => {
                let buckets = match (definition.kind, site.buckets) {
                    (Kind::Summary, Buckets::ByUnit) => Buckets::USUAL_QUANTILES,
                    (_, buckets) => buckets,
                };
                let layout = self.planned(plan, definition, buckets, site.place);
                let first = Chosen { layout, buckets: site.buckets, place: site.place };
                plan.chosen.insert(definition.id, first);
                first
            }
        };
        // A site that says nothing of buckets is content with any.
        if site.buckets != Buckets::ByUnit && first.buckets != site.buckets {
            let message = format!(
                "has other buckets at {} than at {}; the first are kept: make them equal",
                first.place, site.place
            );
            self.problems.report(definition.name, message);
        }
        let is_kept_as_is = definition.kind == Kind::Histogram && !plan.is_begun;
        Some((if is_kept_as_is { &UNPLANNED } else { first.layout }, self.version_of_plan.load(Relaxed)))
    }

    /// The layout of a histogram or a summary that is declared like this. What cannot be is reported.
    fn planned(
        &self,
        plan: &Plan,
        definition: &Definition,
        buckets: Buckets,
        place: Place,
    ) -> &'static Layout {
        let kept = plan.kept(definition, buckets);
        let with_wanted = kept.and_then(|kept| {
            kept.faults.into_iter().for_each(|fault| self.problems.report(definition.name, fault));
            if let Some((_, fault)) = kept.left_out.first() {
                let message = format!(
                    "{fault} with those that its readers want; what was wanted last is left out: want fewer"
                );
                self.problems.report(definition.name, message);
            }
            Layout::planned(buckets, definition.unit(), &kept.wanted)
        });
        with_wanted.unwrap_or_else(|fault: String| {
            let what = match definition.kind {
                Kind::Summary => "the usual quantiles",
                _ => "the buckets of its unit",
            };
            let message = format!("defined at {place} {fault}; {what} are used");
            self.problems.report(definition.name, message);
            Layout::spare(definition.kind, definition.unit())
        })
    }

    /// The buckets that the cells of a histogram are to have, if it was used here.
    pub(super) fn layout_now(&self, definition: &Definition) -> Option<&'static Layout> {
        let plan = lock::patiently(&self.layouts)?;
        Some(plan.as_ref()?.chosen.get(&definition.id)?.layout)
    }

    /// Whether a new series may have a layout that was asked for when the plan had this version.
    pub(crate) fn plan_is(&self, version: u64) -> bool {
        self.version_of_plan.load(Acquire) == version
    }

    /// Begins to carry the plan out: new series have their buckets from the start. False if it is out of reach.
    pub(super) fn begin_plan(&self, patiently: bool) -> bool {
        let plan = if patiently { lock::patiently(&self.layouts) } else { lock::soon(&self.layouts) };
        let Some(mut plan) = plan else { return false };
        let plan = plan.get_or_insert_default();
        if !plan.is_begun {
            plan.is_begun = true;
            self.version_of_plan.fetch_add(1, Release);
        }
        true
    }

    /// Takes a wish back. Cells change only when others are asked for.
    pub(super) fn take_back(&self, number: u64) {
        // Dropped after the lock: a rule is somebody else's.
        let _gone: Option<(u64, Asked)>;
        let Some(mut plan) = lock::patiently(&self.layouts) else { return };
        let plan = plan.get_or_insert_default();
        let place = plan.wishes.iter().position(|(there, _)| *there == number);
        _gone = place.map(|place| plan.wishes.remove(place));
        self.plan_anew(plan);
    }

    /// Chooses the layouts anew, and says so.
    fn plan_anew(&self, plan: &mut Plan) {
        for definition in registry::definitions().iter().filter(|one| one.kind == Kind::Histogram) {
            let Some(Chosen { buckets, place, .. }) = plan.chosen.get(&definition.id).copied() else {
                continue;
            };
            let layout = self.planned(plan, definition, buckets, place);
            plan.chosen.insert(definition.id, Chosen { layout, buckets, place });
        }
        self.version_of_plan.fetch_add(1, Release);
        self.plan_has_changed.store(true, Release);
    }
}

impl Store {
    /// Takes a wish down, and sees to it that it is carried out.
    pub(super) fn want(&self, metric: Option<&str>, wanted: &Wanted) -> Result<Wish, String> {
        layout::check(&wanted.bounds)?;
        let inner = self.inner();
        // What was left to others to record comes before.
        self.scope(|| inner.settle());
        let (number, meant) = {
            let mut plan = inner.layouts.lock().unwrap_or_else(PoisonError::into_inner);
            let plan = plan.get_or_insert_default();
            let number = plan.next;
            plan.next += 1;
            let is_of_bounds = !wanted.bounds.is_empty();
            let meant = metric.map_or(Meant::Undeclared, |metric| Meant::Metric(metric.to_owned()));
            plan.wishes.push((number, Asked { meant, wanted: wanted.clone() }));
            for definition in registry::definitions().iter().filter(|one| Some(one.name) == metric) {
                let Some(chosen) = plan.chosen.get(&definition.id).filter(|_| is_of_bounds) else { continue };
                let left_out =
                    plan.kept(definition, chosen.buckets).map_or_else(|_| Vec::new(), |kept| kept.left_out);
                if let Some((_, fault)) = left_out.into_iter().find(|(wish, _)| *wish == number) {
                    plan.wishes.pop();
                    return Err(format!("{} {fault} with those that are kept already", definition.name));
                }
            }
            inner.plan_anew(plan);
            let is_meant = |one: &&'static Arc<Definition>| {
                let of_all = |chosen: &Chosen| metric.is_none() && chosen.buckets == Buckets::ByUnit;
                Some(one.name) == metric || plan.chosen.get(&one.id).is_some_and(of_all)
            };
            // What is not carried out yet is carried out whole.
            let all = registry::definitions();
            (number, plan.is_begun.then(|| all.iter().copied().filter(is_meant).collect::<Vec<_>>()))
        };
        let restarted = meant.is_some_and(|meant| {
            inner.carry_out_plan();
            // What was replaced before, since nobody may be reading.
            inner.lifecycle.tidy(inner, || inner.clock().now());
            inner.began_anew(&meant, wanted)
        });
        Ok(Wish { store: self.clone(), number, restarted })
    }

    /// The same for what a rule says of each histogram, now and whenever one is used for the first time.
    pub(super) fn want_by(&self, rule: Rule) -> Wish {
        let inner = self.inner();
        // What was left to others to record comes before.
        self.scope(|| inner.settle());
        let (number, meant) = {
            let mut plan = inner.layouts.lock().unwrap_or_else(PoisonError::into_inner);
            let plan = plan.get_or_insert_default();
            let number = plan.next;
            plan.next += 1;
            let of = |definition: &'static Arc<Definition>| {
                let chosen =
                    plan.chosen.get(&definition.id).filter(|_| definition.kind == Kind::Histogram)?;
                // If it panics nothing is wanted, which is said below.
                let wanted = said(&rule, definition, chosen.buckets != Buckets::ByUnit);
                Some((definition, wanted.unwrap_or_default()))
            };
            let meant: Vec<_> = registry::definitions().iter().copied().filter_map(of).collect();
            plan.wishes.push((number, Asked { meant: Meant::Rule(rule), wanted: Wanted::default() }));
            inner.plan_anew(plan);
            (number, plan.is_begun.then_some(meant))
        };
        let restarted = meant.is_some_and(|meant| {
            inner.carry_out_plan();
            meant.iter().any(|(definition, wanted)| inner.began_anew(&[definition], wanted))
        });
        Wish { store: self.clone(), number, restarted }
    }
}

impl Inner {
    /// Whether the program text says something of the buckets of a histogram that was used here.
    pub(crate) fn has_declared_buckets(&self, definition: &Definition) -> bool {
        // Nobody here can choose them.
        if definition.is_produced() {
            return true;
        }
        // A rule that asks this is asked under the lock.
        let Some(plan) = lock::patiently(&self.layouts) else { return false };
        let chosen = plan.as_ref().and_then(|plan| plan.chosen.get(&definition.id));
        chosen.is_some_and(|chosen| chosen.buckets != Buckets::ByUnit)
    }
}
