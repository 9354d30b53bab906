//! Writes the pages of one format, straight from what a store holds.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use metercast_core::reading::{PointView, Reading, SeriesView};

use super::claims::{Claims, Owner, Place};
use super::family::Family;
use super::form::Form;
use super::merge::Merged;
use super::metric::Metric;
use super::problem::Problem;
use super::selection::Selection;
use super::series::{Series, Value};
use super::style::Style;
use crate::view::{ByNumber, Plan, Stream, StreamView};

/// What is kept from page to page of one format.
pub(super) struct Encoder<F: Form> {
    pub(super) style: Arc<Style>,
    metrics: Metrics<F>,
    claims: Claims,
    /// What is known of the resource, if the page begins with it.
    target: Option<Family>,
    /// How many of those in [`Order`] have claimed their names.
    placed: usize,
}

/// Metrics in the order in which they were first met, on pages of any format: in that order they get their names in all of them.
#[derive(Default)]
pub(super) struct Order {
    list: Vec<Arc<Stream>>,
    known: HashSet<u32>,
}

impl Order {
    /// What was met, in that order.
    pub(super) fn streams(&self) -> &[Arc<Stream>] {
        &self.list
    }

    /// Takes the place of another order: what these streams were of was met in this order.
    pub(super) fn succeed(&mut self, streams: &[Arc<Stream>], plan: &mut Plan) {
        for old in streams {
            let new = plan.streams_of(old.definition());
            new.iter().filter(|new| new.ordinal() == old.ordinal()).for_each(|new| self.add(new));
        }
    }

    fn add(&mut self, stream: &Arc<Stream>) {
        if self.known.insert(stream.id()) {
            self.list.push(Arc::clone(stream));
        }
    }
}

/// What is prepared of each metric.
struct Metrics<F: Form> {
    style: Arc<Style>,
    list: Vec<Metric<F>>,
    /// Places in the list by the number of the stream.
    places: HashMap<u32, usize, BuildHasherDefault<ByNumber>>,
}

impl<F: Form> Metrics<F> {
    fn place(&mut self, stream: &Arc<Stream>) -> usize {
        *self.places.entry(stream.id()).or_insert_with(|| {
            self.list.push(Metric::new(stream, &self.style));
            self.list.len() - 1
        })
    }
}

/// A metric, by its place in the list, and what the store holds of it.
type Present<'a> = (usize, StreamView<'a>);

/// A page that is being written, and what is used again for each series.
struct Page<'a, F: Form> {
    style: &'a Style,
    selection: &'a Selection,
    claims: &'a mut Claims,
    sheet: F::Sheet<'a>,
    hashes: &'a mut Vec<u64>,
    order: &'a mut Order,
    /// How many series were written.
    points: u64,
}

impl<F: Form> Encoder<F> {
    pub(super) fn new(style: Style) -> Encoder<F> {
        let style = Arc::new(style);
        let target = Family::target(&style).filter(|_| style.options().has_target_info());
        let mut claims = Claims::default();
        if let Some(target) = &target {
            claims.claim(target, &Owner::Target, style.is_open);
        }
        let metrics = Metrics { style: Arc::clone(&style), list: Vec::new(), places: HashMap::default() };
        Encoder { style, metrics, claims, target, placed: 0 }
    }

    /// Writes a page. Returns how many series of the program it has, and what is wrong with the names on it, each time
    /// something else.
    pub(super) fn page(
        &mut self,
        (plan, reading): (&mut Plan, &Reading<'_>),
        selection: &Selection,
        (order, hashes): (&mut Order, &mut Vec<u64>),
        desk: &mut F::Desk,
        sink: &mut dyn FnMut(&[u8]),
    ) -> (u64, Vec<Problem>) {
        for stream in &order.list[self.placed..] {
            let metric = self.metrics.place(stream);
            self.metrics.list[metric].place(&mut self.claims);
        }
        let style = Arc::clone(&self.style);
        let points = {
            let claims = &mut self.claims;
            let (sheet, order) = (F::sheet(desk, sink), &mut *order);
            let mut page = Page::<F> { style: &style, selection, claims, sheet, hashes, order, points: 0 };
            let present = page.present(plan, reading, &mut self.metrics);
            if let Some(target) = &mut self.target
                && selection.shows(target, style.is_open)
            {
                page.target(target, &self.metrics.list);
            }
            if style.has_more() {
                page.metrics::<true>(present, &mut self.metrics.list);
            } else {
                page.metrics::<false>(present, &mut self.metrics.list);
            }
            F::finish(page.sheet, &style);
            page.points
        };
        self.placed = order.list.len();
        let of_labels = self.metrics.list.iter_mut().flat_map(|metric| metric.known.problems.drain(..));
        (points, self.claims.problems.drain(..).chain(of_labels).collect())
    }
}

impl<F: Form> Page<'_, F> {
    /// The metrics of the program, in the order of their names on the page.
    fn present<'r>(
        &mut self,
        plan: &'r mut Plan,
        reading: &'r Reading<'_>,
        metrics: &mut Metrics<F>,
    ) -> Vec<Present<'r>> {
        let streams = plan.streams(reading).into_iter();
        let mut present: Vec<Present<'_>> =
            streams.map(|view| (metrics.place(view.stream()), view)).collect();
        // Sorted already but for what is spelled in another way. Equal names stay in the order of the metrics' own.
        let name = |(metric, _): &Present<'_>| metrics.list[*metric].family.name.as_str();
        present.sort_by(|a, b| name(a).cmp(name(b)));
        if present.iter().any(|(metric, _)| metrics.list[*metric].gives_way) {
            // What the program records has its names before anything is written that would have to give way.
            let is_new = |(metric, _): &&Present<'_>| {
                let metric = &metrics.list[*metric];
                metric.place.is_none() && !metric.gives_way
            };
            let new: Vec<&Present<'_>> = present.iter().filter(is_new).collect();
            self.claimed(new, &mut metrics.list);
        }
        present
    }

    /// OpenMetrics 1.0, "Supporting target metadata": before everything else.
    fn target(&mut self, target: &mut Family, metrics: &[Metric<F>]) {
        // Others are asked before they are written, and whether they have a series is not known yet.
        let title = target.title(self.style.is_open);
        let is_met = metrics.iter().any(|metric| metric.family.title(self.style.is_open) == title);
        if is_met || self.claims.has_no_type(&Owner::Target) {
            target.give_up_type();
        }
        let mut form = F::metric(target, self.style);
        F::begin(&mut form, &mut self.sheet);
        let series = Series {
            labels: target.constants.clone(),
            value: Value::U64(1),
            started_unix_nanos: 0,
            exemplars: Vec::new(),
        };
        F::write_kept(&mut form, target, &series, self.style, &mut self.sheet);
        F::end(&mut form, self.style, &mut self.sheet);
    }

    /// Writes all metrics. `MORE` says whether there may be more than the lines that every format has.
    fn metrics<const MORE: bool>(&mut self, mut present: Vec<Present<'_>>, metrics: &mut [Metric<F>]) {
        let mut rest = &mut present[..];
        while let Some((first, _)) = rest.first() {
            let name = &metrics[*first].family.name;
            let count = rest.iter().take_while(|(metric, _)| metrics[*metric].family.name == *name).count();
            let (same, others) = std::mem::take(&mut rest).split_at_mut(count);
            rest = others;
            if !self.selection.shows(&metrics[same[0].0].family, self.style.is_open) {
                self.claimed(&*same, metrics);
                continue;
            }
            let is_written = match same {
                [(metric, view)] if view.is_uniform() => self.uniform::<MORE>(&mut metrics[*metric], view),
                _ => {
                    // The one that has the name says what it means.
                    same.sort_by_key(|(metric, _)| !metrics[*metric].has_name());
                    self.mixed::<MORE>(same, metrics)
                }
            };
            if !is_written {
                self.merged(same, metrics);
            }
        }
    }

    /// Gives metrics their names before they are written, or if they are not selected, as if they were: no page depends on what was
    /// selected before.
    fn claimed<'p>(&mut self, present: impl IntoIterator<Item = &'p Present<'p>>, metrics: &mut [Metric<F>]) {
        for (metric, view) in present {
            let mut is_known = false;
            view.each(|series| is_known = is_known || self.is_shown(&mut metrics[*metric], series));
        }
    }

    /// Writes a metric of which no two series are spelled alike. False if they may be after all; then nothing is written.
    fn uniform<const MORE: bool>(&mut self, metric: &mut Metric<F>, view: &StreamView<'_>) -> bool {
        let (mut begun, mut fits, mut points) = (false, true, 0);
        view.each(|series| {
            let first = !begun;
            if first && fits {
                (begun, fits) = self.first(metric, view, series);
            }
            if begun && let Some(keys) = metric.known.last(&series.labels, first) {
                points += 1;
                if MORE && self.style.is_special(series, metric.family.kind) {
                    return self.special(metric, series);
                }
                F::write::<false, MORE>(&mut metric.form, &keys.written, series, &mut self.sheet);
            }
        });
        self.points += points;
        if begun {
            F::end(&mut metric.form, self.style, &mut self.sheet);
        }
        fits
    }

    /// Begins with the first series of a metric, if it is that. Says whether it was, and whether the metric may be uniform.
    /// A call of its own, so that the loop over all series has little in it.
    #[cold]
    #[inline(never)]
    fn first(
        &mut self,
        metric: &mut Metric<F>,
        view: &StreamView<'_>,
        series: &SeriesView<'_>,
    ) -> (bool, bool) {
        if !self.is_shown(metric, series) {
            return (false, true);
        }
        if metric.keys(&series.labels).collide {
            return (false, false);
        }
        self.begin(metric);
        metric.meet(view, series);
        (true, true)
    }

    /// Writes metrics of one name, and looks whether two of their series are spelled alike. False if so; then nothing is
    /// written.
    ///
    /// Equal labels have equal hashes, in any order. So the lines stay in the buffer until all hashes are there: memory for
    /// the lines of this name, which are about to be handed out anyway, and eight bytes for each series.
    fn mixed<const MORE: bool>(&mut self, same: &[Present<'_>], metrics: &mut [Metric<F>]) -> bool {
        let held = F::hold(&mut self.sheet);
        self.hashes.clear();
        let (mut fits, mut begun) = (true, None);
        for (at, view) in same {
            let metric = &mut metrics[*at];
            let mut first = true;
            view.each(|series| {
                if !fits || !self.is_shown(metric, series) {
                    return;
                }
                fits &= !metric.keys(&series.labels).collide;
                if !fits {
                    return;
                }
                if begun.is_none() {
                    self.begin(metric);
                    begun = Some(*at);
                }
                if std::mem::take(&mut first) {
                    metric.meet(view, series);
                }
                let Metric { known, form, family, .. } = &mut *metric;
                let keys = known.of(&series.labels, &family.constants, form);
                if MORE && self.style.is_special(series, family.kind) {
                    // What it is spelled like is looked at with the others'.
                    fits = false;
                    return;
                }
                self.hashes.push(F::write::<true, MORE>(form, &keys.written, series, &mut self.sheet));
            });
        }
        self.hashes.sort_unstable();
        fits &= self.hashes.windows(2).all(|pair| pair[0] != pair[1]);
        match begun {
            _ if !fits => F::take_back(&mut self.sheet, held),
            Some(at) => {
                self.points += self.hashes.len() as u64;
                F::end(&mut metrics[at].form, self.style, &mut self.sheet);
            }
            None => {}
        }
        F::let_go(&mut self.sheet);
        fits
    }

    /// Writes metrics of one name, each series that is spelled in its own way once.
    fn merged(&mut self, same: &[Present<'_>], metrics: &mut [Metric<F>]) {
        let mut merged = Merged::default();
        let mut named = None;
        for (at, view) in same {
            let metric = &mut metrics[*at];
            let mut first = true;
            view.each(|series| {
                if !self.is_shown(metric, series) {
                    return;
                }
                if std::mem::take(&mut first) {
                    metric.meet(view, series);
                }
                named.get_or_insert(*at);
                if let Some(series) = metric.series(series) {
                    merged.add(series, metric.stream.kind());
                }
            });
        }
        if let Some(at) = named {
            let metric = &mut metrics[at];
            self.begin(metric);
            for series in merged.series() {
                self.points += 1;
                F::write_kept(&mut metric.form, &metric.family, series, self.style, &mut self.sheet);
            }
            F::end(&mut metric.form, self.style, &mut self.sheet);
        }
    }

    /// Writes what stands above the samples of a metric.
    fn begin(&mut self, metric: &mut Metric<F>) {
        metric.settle(self.claims);
        F::begin(&mut metric.form, &mut self.sheet);
    }

    #[cold]
    fn special(&mut self, metric: &mut Metric<F>, series: &SeriesView<'_>) {
        if let Some(series) = metric.series(series) {
            F::write_kept(&mut metric.form, &metric.family, &series, self.style, &mut self.sheet);
        }
    }

    /// Whether a series stands on the page.
    fn is_shown(&mut self, metric: &mut Metric<F>, series: &SeriesView<'_>) -> bool {
        let is_known = matches!(
            series.value,
            PointView::U64(_)
                | PointView::I64(_)
                | PointView::F64(_)
                | PointView::Histogram(_)
                | PointView::Exponential(_)
                | PointView::Summary(_)
        );
        if is_known && metric.place.is_none() {
            self.order.add(&metric.stream);
        }
        is_known && metric.place(self.claims) != Place::LeftOut
    }
}
