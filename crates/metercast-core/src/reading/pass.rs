//! The walk over a store's cells: families by name, their series in the order of first use.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::time::UNIX_EPOCH;

use super::columns::{At, Columns, Distribution, Place};
use super::labels::LabelsView;
use super::part::{Origin, Part, PartId};
use super::share::Share;
use super::view::{PointView, SeriesView};
use crate::definition::{Definition, Kind};
use crate::label::{LabelSet, Shape};
use crate::lock;
use crate::number::NumberType;
use crate::own;
use crate::registry::{self, Definitions};
use crate::store::dictionary::Ends;
use crate::store::exemplars::{Exemplar, Of};
use crate::store::line::{CellWord, Key};
use crate::store::observed::{Observed, Points, Seen};
use crate::store::past::Stage;
use crate::store::region::Region;
use crate::store::{GaugeSlot, Inner, Store};

/// A store while it is read. Series are not removed meanwhile; recording goes on.
pub struct Reading<'a> {
    store: &'a Inner,
    definitions: Definitions,
    zeroes: BTreeSet<u32>,
    observed: Arc<Observed>,
    exemplars: HashMap<Of, Vec<Exemplar>>,
    started: u64,
    /// What is said now is newer than what was set before.
    epoch: u64,
    /// Of the definitions.
    version: u64,
    regions: Vec<&'a Region>,
    share: Option<Share<'a>>,
    _removes_nothing: RwLockReadGuard<'a, ()>,
}

impl Store {
    /// Reads the store without allocating for each series. What `f` sees is cumulative; each series is exact for some
    /// moment during the reading, and no counter is ever less than in an earlier reading.
    ///
    /// ```
    /// use metercast_core::{Store, reading::PointView, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| u64_counter!("orders", "Orders placed", 3));
    /// let mut total = 0;
    /// store.read(|reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| if let PointView::U64(value) = series.value { total += value });
    ///     }
    /// });
    /// assert_eq!(total, 3);
    /// ```
    pub fn read<R>(&self, f: impl FnOnce(&Reading<'_>) -> R) -> R {
        self.read_with(None, f)
    }

    /// Reads what one tenant may see: the series that have the label `key` with this value, without that label. A value
    /// that is a whole number or a truth value is meant by its text; doubles and what has no such label are left out, and so
    /// are overflow series, which belong to nobody.
    ///
    /// It costs a comparison for each series of the store, and allocations for each that is given.
    ///
    /// ```
    /// use metercast_core::{Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     u64_counter!("jobs", "Jobs done", 3, "tenant" => "acme", "kind" => "import");
    ///     u64_counter!("jobs", "Jobs done", 5, "tenant" => "other", "kind" => "import");
    /// });
    /// let mut seen = Vec::new();
    /// store.read_share("tenant", "acme", |reading| {
    ///     for family in reading.families() {
    ///         family.each(|series| seen.push(format!("{:?} {:?}", series.labels, series.value)));
    ///     }
    /// });
    /// assert_eq!(seen, [r#"{"kind": Text("import")} U64(3)"#]);
    /// ```
    pub fn read_share<R>(&self, key: &str, value: &str, f: impl FnOnce(&Reading<'_>) -> R) -> R {
        self.read_with(Some(Share::new(key, value)), f)
    }

    fn read_with<'a, R>(&'a self, share: Option<Share<'a>>, f: impl FnOnce(&Reading<'_>) -> R) -> R {
        let store = self.inner();
        // Before callbacks, which may take long.
        self.scope(|| store.settle_plan());
        // Callbacks may record and read themselves, so nothing is held while they run.
        let observed = self.observed();
        self.scope(|| {
            own::settle(store);
            store.settle();
            store.settle_plan();
        });
        let removes_nothing = store.lifecycle.begin_reading(store);
        let epoch = store.next_epoch() + 1;
        // Before the definitions: they may be newer, and then are looked at once more.
        let version = registry::version();
        let result = f(&Reading {
            epoch,
            version,
            definitions: registry::definitions(),
            zeroes: store.zeroes(),
            observed,
            exemplars: if store.takes_exemplars() { store.exemplars.by_series() } else { HashMap::new() },
            started: store.started().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64,
            regions: store.regions.iter().collect(),
            share,
            store,
            _removes_nothing: removes_nothing,
        });
        // One reading is before another if it ends before the other begins: then it has seen no more.
        store.next_epoch();
        result
    }
}

impl Reading<'_> {
    /// The metrics that were used in this store, sorted by name. One of which all series have ended, or of which the name
    /// belongs to another, may be among them.
    pub fn families(&self) -> impl Iterator<Item = FamilyView<'_>> {
        // Programs define metrics by the thousand, of which few need be in this store.
        let mut columns = Columns::new(&self.regions, Place::Fixed);
        let withdrawn = lock::read(&self.store.withdrawn).map(|withdrawn| withdrawn.clone());
        let is_withdrawn = move |id| withdrawn.as_ref().is_some_and(|withdrawn| withdrawn.contains(&id));
        self.definitions.iter().filter_map(move |definition| {
            // The program may have come to measure it since.
            if definition.is_only_configured() && is_withdrawn(definition.id) {
                return None;
            }
            let ends = self.store.dictionary.ends_of(definition);
            let family = FamilyView { reading: self, definition, ends };
            (!ends.is_empty() || family.is_observed() || family.is_used(&mut columns)).then_some(family)
        })
    }
}

impl Reading<'_> {
    /// Whether all of this store is read, rather than another one or a [share](Store::read_share).
    pub fn is_whole_of(&self, store: &Store) -> bool {
        self.share.is_none() && std::ptr::eq(self.store, store.inner())
    }

    /// The label that all of it have in common, if it is a [share](Store::read_share) of this store.
    pub fn share_of(&self, store: &Store) -> Option<(&str, &str)> {
        self.share.as_ref().filter(|_| std::ptr::eq(self.store, store.inner())).map(Share::label)
    }

    /// A number that changes when a metric was added or became private: what is prepared for the
    /// [families](Self::families) holds as long as it stays. It is the same for all stores.
    ///
    /// ```
    /// use metercast_core::{Store, u64_counter};
    ///
    /// let store = Store::new();
    /// let version = || store.read(|reading| reading.version());
    /// let before = version();
    /// store.scope(|| u64_counter!("reading.version", "New", 1));
    /// assert_ne!(version(), before);
    /// ```
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many series the store may have, without those that the program text names, see
    /// [`Store::set_limits`](crate::Store::set_limits).
    pub fn limit(&self) -> u32 {
        self.store.dictionary.limit_of_all()
    }
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// A metric while its store is read.
#[derive(Clone, Copy, Debug)]
pub struct FamilyView<'a> {
    reading: &'a Reading<'a>,
    definition: &'static Arc<Definition>,
    /// The lines there are: what is added meanwhile is for the next reading.
    ends: Ends,
}

impl<'a> FamilyView<'a> {
    /// What the metric is.
    pub fn definition(&self) -> &'static Arc<Definition> {
        self.definition
    }

    /// Whether the program text says something of the buckets of this histogram, rather than leave them to the unit or to who
    /// reads.
    pub fn has_declared_buckets(&self) -> bool {
        self.reading.store.has_declared_buckets(self.definition)
    }

    /// Whether no two series have labels that are spelled alike, such as a number and its text: all have the same keys in the
    /// same order, and under each key values of the same type. False also where that is not known.
    pub fn is_uniform(&self) -> bool {
        if self.reading.observed.of(self.definition).is_some() || self.reading.share.is_some() {
            return false;
        }
        let dictionary = &self.reading.store.dictionary;
        match self.definition.fixed.len() {
            0 => dictionary.is_uniform(self.definition),
            1 => self.ends.is_empty(),
            _ => false,
        }
    }

    /// Whether callbacks or a gauge set say some of its series in this reading.
    pub fn is_observed(&self) -> bool {
        self.reading.observed.of(self.definition).is_some()
    }

    /// About how many series there are, to make room for them.
    pub fn size_hint(&self) -> usize {
        let recorded = self.definition.fixed.len() + self.reading.store.dictionary.count_of(self.definition);
        let observed = self.reading.observed.of(self.definition).map_or(0, |points| points.series().len());
        recorded as usize + observed
    }

    /// How many series the metric may have before others land in its overflow series, without those that the program text names, see
    /// [`Store::set_limit`](crate::Store::set_limit).
    ///
    /// ```
    /// use metercast_core::{Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.set_limits(50, 1_000);
    /// store.set_limit("jobs.limited", 7);
    /// store.scope(|| u64_counter!("jobs.limited", "Jobs done", 1, "tenant" => String::from("acme")));
    /// store.read(|reading| {
    ///     assert_eq!(reading.limit(), 1_000);
    ///     assert_eq!(reading.families().next().unwrap().limit(), 7);
    /// });
    /// ```
    pub fn limit(&self) -> u32 {
        self.reading.store.dictionary.limit_of(self.definition)
    }

    /// The series that are on their way out, by the number of their [line](PartId::Line) and their start. They are not among
    /// those of [`each`](Self::each), but one that was recorded into at the last moment is again in a later reading, as it
    /// was. One that is neither here nor there has ended for good.
    pub fn leaving(&self) -> impl Iterator<Item = (u32, u64)> + use<'a> {
        let lines = self.reading.store.dictionary.lines_between(self.ends);
        lines.filter(|(.., side)| side.is_removed()).map(|(number, _, side)| (number, side.started()))
    }

    /// Gives each series to `f`: those that the program text names in its order, then the others in the order of their first
    /// use. None if the metric was not used in this store, or if another metric has the name.
    pub fn each(&self, mut f: impl FnMut(&SeriesView<'_>)) {
        match &self.reading.share {
            None => self.each_of_all(f),
            Some(share) => self.each_of(share, &mut f),
        }
    }

    #[cold]
    fn each_of(&self, share: &Share<'_>, f: &mut dyn FnMut(&SeriesView<'_>)) {
        self.each_of_all(|view| share.give(view, f));
    }

    #[inline]
    fn each_of_all(&self, mut f: impl FnMut(&SeriesView<'_>)) {
        let (reading, definition) = (self.reading, self.definition);
        let claimed = Cell::new(None);
        let mut give = |view: &SeriesView<'_>| {
            let is_ours = claimed.get().unwrap_or_else(|| {
                claimed.set(Some(reading.store.claim(definition)));
                claimed.get() == Some(true)
            });
            if is_ours {
                f(view);
            }
        };
        match reading.observed.of(definition) {
            None => self.each_recorded(&mut give),
            Some(points) => self.each_observed(points, &mut give),
        }
    }

    fn each_recorded(&self, give: &mut impl FnMut(&SeriesView<'_>)) {
        let twins = RefCell::new(Vec::new());
        self.each_fixed(&twins, give);
        self.each_line(&twins.into_inner(), give);
    }

    /// What was recorded, and what callbacks and sets say. If both know a series, their values are added; of gauges
    /// that which is said stands.
    fn each_observed(&self, points: &Points, give: &mut impl FnMut(&SeriesView<'_>)) {
        let definition = self.definition;
        let mut given = vec![false; points.series().len()];
        self.each_recorded(&mut |view| {
            let Some(at) = points.find(&view.labels.to_set()) else { return give(view) };
            let seen = &points.series()[at];
            let recorded = match view.value {
                PointView::U64(value) => value,
                PointView::I64(value) => value as u64,
                PointView::F64(value) => value.to_bits(),
                // Nobody says distributions of what is recorded.
                _ => return give(view),
            };
            given[at] = true;
            // Of gauges the first is taken, which is what is said.
            let bits = definition.together(Some(seen.bits), Some(recorded)).unwrap_or(seen.bits);
            let started_unix_nanos = view.started_unix_nanos.min(seen.started_unix_nanos);
            let value = point(definition.number, bits);
            let mut parts: Vec<_> = view.parts().collect();
            parts.push(observed_part(definition, seen));
            let origin = Origin::Several(&parts);
            let (labels, exemplars) = (view.labels, view.exemplars);
            let changed = self.said();
            give(&SeriesView { labels, started_unix_nanos, value, exemplars, changed, origin });
        });
        for (seen, given) in points.series().iter().zip(given) {
            if !given {
                give(&SeriesView {
                    labels: LabelsView::of(&seen.labels),
                    started_unix_nanos: seen.started_unix_nanos,
                    value: seen.view(definition.number),
                    exemplars: seen.exemplars(),
                    changed: self.said(),
                    origin: Origin::One(PartId::Observed(&seen.labels)),
                });
            }
        }
    }

    /// When callbacks and sets said what they say.
    fn said(&self) -> u64 {
        if self.definition.kind == Kind::Gauge { self.reading.epoch } else { 0 }
    }

    /// The series that the program text names. The same labels may have been put together at run time: `twins` takes the
    /// lines of these, whose values are added.
    fn each_fixed(&self, twins: &RefCell<Vec<u32>>, give: &mut impl FnMut(&SeriesView<'_>)) {
        let (reading, definition) = (self.reading, self.definition);
        let shapes = definition.shapes();
        let has_lines = !self.ends.is_empty();
        let mut columns = Columns::new(&reading.regions, Place::Fixed);
        let mut of_lines = Columns::new(&reading.regions, Place::Series);
        let all_at_zero = definition.zeroes() && self.is_used(&mut columns);
        let same_as = |first: u32| {
            (first + 1..definition.fixed.len())
                .filter_map(|at| definition.fixed.get(at))
                .filter(move |fixed| fixed.same_as == Some(first))
        };
        let has_same = (0..definition.fixed.len())
            .any(|at| definition.fixed.get(at).is_some_and(|fixed| fixed.same_as.is_some()));
        let number = definition.number;
        let mut parts = Vec::new();
        for at in 0..definition.fixed.len() {
            let Some(fixed) = definition.fixed.get(at).filter(|fixed| fixed.same_as.is_none()) else {
                continue;
            };
            let twin = if has_lines { reading.line_of(definition, &shapes, &fixed.labels) } else { None };
            // Of several gauges the first that was set is taken.
            let changed = Cell::new(0);
            let gauge = |slot| {
                let (bits, epoch) = reading.store.gauge_bits(slot)?;
                changed.set(if changed.get() == 0 { epoch } else { changed.get() });
                Some(bits)
            };
            let mut read = |slot| match definition.kind {
                Kind::Counter => columns.sum(slot, number),
                Kind::UpDownCounter => columns.up_down(slot, number),
                Kind::Gauge => gauge(GaugeSlot::Fixed(slot)),
                Kind::Histogram | Kind::Summary => None,
            };
            parts.clear();
            let mut add = |id, started, bits: Option<u64>| {
                parts.extend(bits.map(|bits| Part::new(id, started, point(number, bits))));
            };
            let mut value = read(fixed.slot);
            add(PartId::Named(fixed.slot), reading.started, value);
            if has_same {
                for same in same_as(at) {
                    let other = read(same.slot);
                    add(PartId::Named(same.slot), reading.started, other);
                    value = definition.together(value, other);
                }
            }
            // Gauges are numbered apart, and are never zero without having been set.
            let is_noted =
                definition.kind != Kind::Gauge && (all_at_zero || reading.zeroes.contains(&fixed.slot));
            value = value.or(is_noted.then_some(0));
            if let Some((line, cell, started)) = twin {
                twins.borrow_mut().push(line);
                let other = match definition.kind {
                    Kind::Counter => of_lines.sum(cell.slot(), number).or(Some(0)),
                    Kind::UpDownCounter => of_lines.up_down(cell.slot(), number).or(Some(0)),
                    Kind::Gauge => gauge(GaugeSlot::Series(cell.slot())),
                    Kind::Histogram | Kind::Summary => None,
                };
                add(PartId::Line(line), started, other);
                value = definition.together(value, other);
            }
            if let Some(bits) = value {
                let labels = LabelsView::of(&fixed.labels);
                let origin = match &parts[..] {
                    [] => Origin::One(PartId::Named(fixed.slot)),
                    [one] if one.started_unix_nanos == reading.started => Origin::One(one.id),
                    several => Origin::Several(several),
                };
                give(&SeriesView {
                    labels,
                    started_unix_nanos: reading.started,
                    value: point(number, bits),
                    exemplars: &[],
                    changed: changed.get(),
                    origin,
                });
            }
        }
    }

    /// Whether one of the series that the program text names was used in this store.
    fn is_used(&self, columns: &mut Columns<'_>) -> bool {
        let (reading, definition) = (self.reading, self.definition);
        (0..definition.fixed.len()).filter_map(|at| definition.fixed.get(at)).any(|fixed| {
            reading.zeroes.contains(&fixed.slot)
                || match definition.kind {
                    Kind::Counter => columns.sum(fixed.slot, definition.number).is_some(),
                    Kind::UpDownCounter => columns.up_down(fixed.slot, definition.number).is_some(),
                    Kind::Gauge => reading.store.gauge_bits(GaugeSlot::Fixed(fixed.slot)).is_some(),
                    Kind::Histogram | Kind::Summary => false,
                }
        })
    }

    /// The series that were put together at run time, but for those whose lines were given already.
    fn each_line(&self, given: &[u32], give: &mut impl FnMut(&SeriesView<'_>)) {
        let (store, number) = (self.reading.store, self.definition.number);
        // A walk for each kind: what the kind is, is asked once.
        match self.definition.kind {
            Kind::Counter if number == NumberType::U64 => {
                self.each_line_of(given, give, |cell, columns, _, _| {
                    Some((PointView::U64(columns.total(cell.slot()).unwrap_or(0)), 0, &[][..]))
                });
            }
            Kind::Counter => self.each_line_of(given, give, |cell, columns, _, _| {
                Some((point(number, columns.sum(cell.slot(), number).unwrap_or(0)), 0, &[][..]))
            }),
            Kind::UpDownCounter => self.each_line_of(given, give, |cell, columns, _, _| {
                Some((point(number, columns.up_down(cell.slot(), number).unwrap_or(0)), 0, &[][..]))
            }),
            Kind::Gauge => self.each_line_of(given, give, |cell, _, _, _| {
                let (bits, epoch) = self.reading.store.gauge_bits(GaugeSlot::Series(cell.slot()))?;
                Some((point(number, bits), epoch, &[][..]))
            }),
            Kind::Histogram | Kind::Summary => {
                self.each_line_of(given, give, |cell, columns, distribution, (line, started)| {
                    let (value, stages) = distribution.read(columns, At { store, line, cell, started })?;
                    Some((value, 0, stages))
                });
            }
        }
    }

    #[inline(always)]
    fn each_line_of(
        &self,
        given: &[u32],
        give: &mut impl FnMut(&SeriesView<'_>),
        read: impl for<'d> Fn(
            CellWord,
            &mut Columns<'_>,
            &'d mut Distribution,
            (u32, u64),
        ) -> Option<(PointView<'d>, u64, &'d [Stage])>,
    ) {
        let reading = self.reading;
        let dictionary = &reading.store.dictionary;
        let mut columns = Columns::new(&reading.regions, Place::Series);
        let mut distribution = Distribution::default();
        let mut keys = (0, &[][..]);
        for (number, line, side) in dictionary.lines_between(self.ends) {
            if side.is_removed() || (!given.is_empty() && given.contains(&number)) {
                continue;
            }
            let started = side.started();
            let of = (number, started);
            let Some((value, changed, stages)) = read(line.cell(), &mut columns, &mut distribution, of)
            else {
                continue;
            };
            let labels = if line.is_packed() {
                if keys.0 != line.shape() {
                    keys = (line.shape(), Shape::get(line.shape()).map_or(&[][..], |shape| shape.keys));
                }
                LabelsView::packed(line, keys.1)
            } else if let Key::Wide { labels, .. } = line.key()
                && let Some(labels) = dictionary.wide.get(labels)
            {
                LabelsView::of(labels)
            } else {
                continue;
            };
            let exemplars = if reading.exemplars.is_empty() {
                &[][..]
            } else {
                let of = Of { slot: line.cell().slot(), started };
                reading.exemplars.get(&of).map_or(&[][..], Vec::as_slice)
            };
            let origin = match stages {
                [] => Origin::One(PartId::Line(number)),
                stages => Origin::Stages(number, stages),
            };
            give(&SeriesView { labels, started_unix_nanos: started, value, exemplars, changed, origin });
        }
    }
}

impl Reading<'_> {
    /// The dynamic series with these labels: its line, its cell and its start.
    fn line_of(
        &self,
        definition: &Definition,
        shapes: &[u32],
        labels: &LabelSet,
    ) -> Option<(u32, CellWord, u64)> {
        let dictionary = &self.store.dictionary;
        let number = dictionary.find_set(definition, shapes, labels)?;
        let cell = dictionary.line(number)?.cell();
        let own = dictionary.own_line(definition, number)?;
        Some((own, cell, dictionary.side(own)?.started()))
    }
}

impl Inner {
    /// Whether the name belongs to this definition in this store, or in its scope if that is apart. The first that a reading
    /// meets has it, but what producers say gives way to what the program records.
    fn claim(&self, definition: &Arc<Definition>) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = claims.get_or_insert_default().entry(definition.name).or_default();
        let owner = of_name.iter_mut().find(|first| first.shares_names_with(definition));
        let mut is_ours = owner.as_ref().is_none_or(|first| first.id == definition.id);
        match owner {
            None => of_name.push(Arc::clone(definition)),
            Some(owner) if !is_ours => {
                is_ours = owner.is_produced() && !definition.is_produced();
                let (first, second) = if is_ours { (definition, &*owner) } else { (&*owner, definition) };
                let message = format!(
                    "is {} at {} and {} at {}; the second is left out: make them equal, or give it another name",
                    first.spelled(),
                    first.place,
                    second.spelled(),
                    second.place
                );
                self.problems.report(definition.name, message);
                if is_ours {
                    *owner = Arc::clone(definition);
                }
            }
            Some(_) => {}
        }
        drop(claims);
        if is_ours {
            for difference in &*definition.differences.read().unwrap_or_else(PoisonError::into_inner) {
                self.problems.report(definition.name, difference.clone());
            }
        }
        is_ours
    }

    /// The bits of a gauge and the epoch in which it was set, if it was.
    #[inline]
    fn gauge_bits(&self, slot: GaugeSlot) -> Option<(u64, u64)> {
        let words = self.gauge(slot)?;
        // The epoch is stored after the bits: one that is not 0 says that the bits were set.
        let epoch = words[1].load(Acquire);
        (epoch != 0).then(|| (words[0].load(Relaxed), epoch))
    }
}

/// What callbacks and sets say of a series.
fn observed_part<'a>(definition: &Definition, seen: &'a Seen) -> Part<'a> {
    Part::new(PartId::Observed(&seen.labels), seen.started_unix_nanos, seen.view(definition.number))
}

#[inline]
fn point(number: NumberType, bits: u64) -> PointView<'static> {
    PointView::of_bits(number, bits)
}

impl Definition {
    /// What two cells of one series hold: sums add up, of gauges the first that was set is taken.
    fn together(&self, a: Option<u64>, b: Option<u64>) -> Option<u64> {
        let (Some(first), Some(second)) = (a, b) else { return a.or(b) };
        Some(if self.kind == Kind::Gauge { first } else { self.number.plus(first, second) })
    }

    /// For a sentence: `a counter of u64 in unit "s"`.
    fn spelled(&self) -> String {
        let article = if self.kind == Kind::UpDownCounter { "an" } else { "a" };
        let unit = match self.unit() {
            "" => "without unit".to_owned(),
            unit => format!("in unit {unit:?}"),
        };
        let producer = if self.is_produced() { " of a producer" } else { "" };
        format!("{article} {} of {} {unit}{producer}", self.kind, self.number)
    }
}
