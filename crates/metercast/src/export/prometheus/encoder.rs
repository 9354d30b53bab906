//! Writes the pages of one format, straight from what a store holds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metercast_core::Definition;
use metercast_core::reading::{FamilyView, PointView, Reading, SeriesView};

use super::buffer::{Buffer, Out};
use super::claims::{Claims, Owner, Place};
use super::family::Family;
use super::labels;
use super::merge::Merged;
use super::metric::Metric;
use super::problem::Problem;
use super::selection::Selection;
use super::style::Style;

/// What is kept from page to page of one format.
pub(super) struct Encoder {
    pub(super) style: Arc<Style>,
    metrics: Metrics,
    claims: Claims,
    /// What is known of the resource, if the page begins with it.
    target: Option<Family>,
    /// How many of those in [`Order`] have claimed their names.
    placed: usize,
}

/// What the pages of all formats are written with, one after the other.
#[derive(Default)]
pub(super) struct Desk {
    buffer: Buffer,
    scratch: Vec<u8>,
    hashes: Vec<u64>,
    order: Order,
}

/// Metrics in the order in which they were first met, on pages of any format: in that order they get their names in all of
/// them.
#[derive(Default)]
struct Order {
    list: Vec<&'static Arc<Definition>>,
    known: HashSet<usize>,
}

impl Order {
    fn add(&mut self, definition: &'static Arc<Definition>) {
        if self.known.insert(Arc::as_ptr(definition) as usize) {
            self.list.push(definition);
        }
    }
}

/// What is prepared of each metric.
struct Metrics {
    style: Arc<Style>,
    list: Vec<Metric>,
    /// Places in the list by the address of the definition, which lives as long as the program.
    places: HashMap<usize, usize>,
}

impl Metrics {
    fn place(&mut self, definition: &'static Arc<Definition>) -> usize {
        *self.places.entry(Arc::as_ptr(definition) as usize).or_insert_with(|| {
            self.list.push(Metric::new(definition, &self.style));
            self.list.len() - 1
        })
    }
}

/// A metric, by its place in the list, and what the store holds of it.
type Present<'a> = (usize, FamilyView<'a>);

/// A page that is being written, and what is used again for each series.
struct Page<'a> {
    style: &'a Style,
    selection: &'a Selection,
    claims: &'a mut Claims,
    out: Out<'a>,
    scratch: &'a mut Vec<u8>,
    hashes: &'a mut Vec<u64>,
    order: &'a mut Order,
    /// Whether anything of the metric that is being written stands there.
    begun: bool,
}

impl Encoder {
    pub(super) fn new(style: Style) -> Encoder {
        let style = Arc::new(style);
        let target = Family::target(&style).filter(|_| style.options().has_target_info());
        let mut claims = Claims::default();
        if let Some(target) = &target {
            claims.claim(target, Owner::Target, style.is_open);
        }
        let metrics = Metrics { style: Arc::clone(&style), list: Vec::new(), places: HashMap::new() };
        Encoder { style, metrics, claims, target, placed: 0 }
    }

    /// Writes a page. Returns what is wrong with the names on it, each time something else.
    pub(super) fn page(
        &mut self,
        reading: &Reading<'_>,
        selection: &Selection,
        desk: &mut Desk,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Vec<Problem> {
        let Desk { buffer, scratch, hashes, order } = desk;
        for definition in &order.list[self.placed..] {
            let metric = self.metrics.place(definition);
            self.metrics.list[metric].place(&mut self.claims);
        }
        let style = Arc::clone(&self.style);
        let out = Out::new(buffer, sink);
        let mut page = Page {
            style: &style,
            selection,
            claims: &mut self.claims,
            out,
            scratch,
            hashes,
            order,
            begun: false,
        };
        let present = page.present(reading, &mut self.metrics);
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
        if style.is_open {
            page.out.text("# EOF\n");
        }
        page.out.hand_out();
        self.placed = order.list.len();
        let of_labels = self.metrics.list.iter_mut().flat_map(|metric| metric.known.problems.drain(..));
        self.claims.problems.drain(..).chain(of_labels).collect()
    }
}

impl Page<'_> {
    /// The metrics of the program, in the order of their names on the page.
    fn present<'r>(&mut self, reading: &'r Reading<'_>, metrics: &mut Metrics) -> Vec<Present<'r>> {
        let mut present: Vec<Present<'_>> =
            reading.families().map(|family| (metrics.place(family.definition()), family)).collect();
        for same in present.chunk_by(|a, b| a.1.definition().name() == b.1.definition().name()) {
            if same.len() > 1 {
                // The first that is looked at has the name, and others are looked at in another order below.
                same.iter().for_each(|(_, family)| family.each(|_| {}));
            }
        }
        // Sorted already but for what is spelled in another way. Equal names stay in the order of the metrics' own.
        let name = |(metric, _): &Present<'_>| metrics.list[*metric].family.name.as_str();
        present.sort_by(|a, b| name(a).cmp(name(b)));
        present
    }

    /// OpenMetrics 1.0, "Supporting target metadata": before everything else.
    fn target(&mut self, target: &mut Family, metrics: &[Metric]) {
        // Others are asked before they are written, and whether they have a series is not known yet.
        let title = target.title(self.style.is_open);
        let is_met = metrics.iter().any(|metric| metric.family.title(self.style.is_open) == title);
        if is_met || self.claims.has_no_type(Owner::Target) {
            target.give_up_type();
        }
        self.out.text(&target.header(self.style.is_open));
        let [_, begin] = labels::begin(&target.name, &target.constants.text());
        self.out.text(&format!("{begin}1\n"));
        self.part();
    }

    /// Writes a blank line between metrics, where there is one.
    fn part(&mut self) {
        if self.style.parts_metrics() {
            self.out.text("\n");
        }
    }

    /// Writes all metrics. `MORE` says whether there may be more than the lines that every format has.
    fn metrics<const MORE: bool>(&mut self, mut present: Vec<Present<'_>>, metrics: &mut [Metric]) {
        let mut rest = &mut present[..];
        while let Some((first, _)) = rest.first() {
            let name = &metrics[*first].family.name;
            let count = rest.iter().take_while(|(metric, _)| metrics[*metric].family.name == *name).count();
            let (same, others) = std::mem::take(&mut rest).split_at_mut(count);
            rest = others;
            self.begun = false;
            if !self.selection.shows(&metrics[same[0].0].family, self.style.is_open) {
                self.claimed(same, metrics);
                continue;
            }
            let is_written = match same {
                [(metric, family)] if family.is_uniform() => {
                    self.uniform::<MORE>(&mut metrics[*metric], family)
                }
                _ => {
                    // The one that has the name says what it means.
                    same.sort_by_key(|(metric, _)| !metrics[*metric].has_name());
                    self.mixed::<MORE>(same, metrics)
                }
            };
            if !is_written {
                self.merged(same, metrics);
            }
            if MORE && self.begun {
                self.part();
            }
        }
    }

    /// Gives metrics that are not selected their names, as if they were: no page depends on what was selected before.
    fn claimed(&mut self, same: &[Present<'_>], metrics: &mut [Metric]) {
        for (metric, family) in same {
            let mut is_known = false;
            family.each(|series| is_known = is_known || self.is_shown(&mut metrics[*metric], series));
        }
    }

    /// Writes a metric of which no two series are spelled alike. False if they may be after all; then nothing is written.
    fn uniform<const MORE: bool>(&mut self, metric: &mut Metric, family: &FamilyView<'_>) -> bool {
        let (mut begun, mut fits) = (false, true);
        family.each(|series| {
            let first = !begun;
            if first && fits {
                (begun, fits) = self.first(metric, family, series);
            }
            if begun && let Some(keys) = metric.known.last(&series.labels, first) {
                if MORE && self.style.is_special(series, metric.family.kind) {
                    return self.special(metric, series);
                }
                metric.lines.write::<false, MORE>(keys, series, &mut self.out, self.scratch);
            }
        });
        fits
    }

    /// Begins with the first series of a metric, if it is that. Says whether it was, and whether the metric may be uniform.
    /// A call of its own, so that the loop over all series has little in it.
    #[cold]
    #[inline(never)]
    fn first(
        &mut self,
        metric: &mut Metric,
        family: &FamilyView<'_>,
        series: &SeriesView<'_>,
    ) -> (bool, bool) {
        if !self.is_shown(metric, series) {
            return (false, true);
        }
        if metric.keys(&series.labels).collide {
            return (false, false);
        }
        self.begin(metric);
        metric.meet(family, series);
        (true, true)
    }

    /// Writes metrics of one name, and looks whether two of their series are spelled alike. False if so; then nothing is
    /// written.
    ///
    /// Equal labels have equal hashes, in any order. So the lines stay in the buffer until all hashes are there: memory for
    /// the lines of this name, which are about to be handed out anyway, and eight bytes for each series.
    fn mixed<const MORE: bool>(&mut self, same: &[Present<'_>], metrics: &mut [Metric]) -> bool {
        let held = self.out.hold();
        self.hashes.clear();
        let mut fits = true;
        for (metric, family) in same {
            let metric = &mut metrics[*metric];
            let mut first = true;
            family.each(|series| {
                if !fits || !self.is_shown(metric, series) {
                    return;
                }
                fits &= !metric.keys(&series.labels).collide;
                if !fits {
                    return;
                }
                if self.hashes.is_empty() {
                    self.begin(metric);
                }
                if std::mem::take(&mut first) {
                    metric.meet(family, series);
                }
                let Metric { known, lines, family, .. } = &mut *metric;
                let keys = known.of(&series.labels, &family.constants);
                if MORE && self.style.is_special(series, family.kind) {
                    // What it is spelled like is looked at with the others'.
                    fits = false;
                    return;
                }
                self.hashes.push(lines.write::<true, MORE>(keys, series, &mut self.out, self.scratch));
            });
        }
        self.hashes.sort_unstable();
        fits &= self.hashes.windows(2).all(|pair| pair[0] != pair[1]);
        if !fits {
            self.out.take_back(held);
            self.begun = false;
        }
        self.out.let_go();
        fits
    }

    /// Writes metrics of one name, each series that is spelled in its own way once.
    fn merged(&mut self, same: &[Present<'_>], metrics: &mut [Metric]) {
        let mut merged = Merged::default();
        let mut named = None;
        for (at, family) in same {
            let metric = &mut metrics[*at];
            let mut first = true;
            family.each(|series| {
                if !self.is_shown(metric, series) {
                    return;
                }
                if std::mem::take(&mut first) {
                    metric.meet(family, series);
                }
                named.get_or_insert(*at);
                if let Some(series) = metric.series(series) {
                    merged.add(series, metric.definition.kind());
                }
            });
        }
        if let Some(at) = named {
            self.begin(&mut metrics[at]);
            merged.write(&metrics[at].family, self.style, &mut self.out);
        }
    }

    /// Writes what stands above the samples of a metric.
    fn begin(&mut self, metric: &mut Metric) {
        self.out.text(metric.header(self.claims));
        self.begun = true;
    }

    #[cold]
    fn special(&mut self, metric: &mut Metric, series: &SeriesView<'_>) {
        if let Some(series) = metric.series(series) {
            series.write(&metric.family, self.style, &mut self.out);
        }
    }

    /// Whether a series stands on the page.
    fn is_shown(&mut self, metric: &mut Metric, series: &SeriesView<'_>) -> bool {
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
            self.order.add(metric.definition);
        }
        is_known && metric.place(self.claims) != Place::LeftOut
    }
}
