//! The page in text format 0.0.4: valid for the strictest parser, and the same bytes while nothing changed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metercast_core::reading::{FamilyView, PointView, Reading, SeriesView};
use metercast_core::{Definition, Store};

use super::buffer::{Buffer, Out};
use super::claims::{Claims, Place};
use super::merge::Merged;
use super::metric::Metric;
use crate::log::{Level, Log};

/// Spells what a store holds as a page in the text format 0.0.4, for a listener of your own.
///
/// A page is valid whatever the names and labels are, and has the same bytes as long as nothing changed: metrics sorted by
/// name, series in the order of their first use. Metrics that get the same name are reported once to the log; the one that
/// had it first keeps it, which is why the pages of one exporter are all made by one `PrometheusPage`. It also keeps what
/// does not change from page to page, so that a series costs no allocation.
///
/// ```
/// use metercast::{Log, PrometheusPage, Store, f64_counter_with_unit};
///
/// let store = Store::new();
/// store.scope(|| f64_counter_with_unit!("worker.busy", "Time at work", "s", 1.5, "worker.name" => "a"));
///
/// let page = PrometheusPage::new("own", Log::default());
/// assert_eq!(page.render(&store).lines().last(), Some(r#"worker_busy_seconds_total{worker_name="a"} 1.5"#));
/// ```
pub struct PrometheusPage {
    exporter: String,
    log: Log,
    /// Pages are made one after the other.
    encoder: Mutex<Encoder>,
}

impl fmt::Debug for PrometheusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusPage").field("exporter", &self.exporter).finish_non_exhaustive()
    }
}

impl PrometheusPage {
    /// The `Content-Type` of a page.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// For the exporter of this name, which is used in what the log is told.
    pub fn new(exporter: &str, log: Log) -> PrometheusPage {
        PrometheusPage { exporter: exporter.to_owned(), log, encoder: Mutex::default() }
    }

    /// The page of a store.
    pub fn render(&self, store: &Store) -> String {
        let mut page = Vec::new();
        self.write(store, &mut |chunk| page.extend_from_slice(chunk));
        String::from_utf8(page).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Gives the page of a store to `sink`, in chunks of at most 16 KiB. They are handed out while the store is read: keep
    /// them, rather than wait until a client has taken them, and make no other page with this one meanwhile.
    pub fn write(&self, store: &Store, sink: &mut dyn FnMut(&[u8])) {
        // Locked only within: what is called to be observed, or is told of a problem, may make a page itself.
        let problems = store.read(|reading| self.encoder().page(reading, sink));
        for problem in problems {
            self.log.write_once(Level::Warn, &format!("exporter {:?}: {problem}", self.exporter));
        }
    }

    fn encoder(&self) -> MutexGuard<'_, Encoder> {
        // A sink that panicked left a page unfinished, and the next begins anew.
        self.encoder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept from page to page.
#[derive(Default)]
struct Encoder {
    metrics: Metrics,
    claims: Claims,
    buffer: Buffer,
    scratch: Vec<u8>,
    hashes: Vec<u64>,
}

/// What is prepared of each metric.
#[derive(Default)]
struct Metrics {
    list: Vec<Metric>,
    /// Places in the list by the address of the definition, which lives as long as the program.
    places: HashMap<usize, usize>,
}

impl Metrics {
    fn place(&mut self, definition: &'static Arc<Definition>) -> usize {
        *self.places.entry(Arc::as_ptr(definition) as usize).or_insert_with(|| {
            self.list.push(Metric::new(definition));
            self.list.len() - 1
        })
    }
}

/// A metric, by its place in the list, and what the store holds of it.
type Present<'a> = (usize, FamilyView<'a>);

/// A page that is being written, and what is used again for each series.
struct Page<'a> {
    claims: &'a mut Claims,
    out: Out<'a>,
    scratch: &'a mut Vec<u8>,
    hashes: &'a mut Vec<u64>,
}

impl Encoder {
    /// Writes a page. Returns what is wrong with the names on it, each time something else.
    fn page(&mut self, reading: &Reading<'_>, sink: &mut dyn FnMut(&[u8])) -> Vec<String> {
        let Encoder { metrics, claims, buffer, scratch, hashes } = self;
        let mut page = Page { claims, out: Out::new(buffer, sink), scratch, hashes };
        page.write(reading, metrics);
        page.out.hand_out();
        std::mem::take(&mut claims.problems)
    }
}

impl Page<'_> {
    fn write(&mut self, reading: &Reading<'_>, metrics: &mut Metrics) {
        let mut present: Vec<Present<'_>> =
            reading.families().map(|family| (metrics.place(family.definition()), family)).collect();
        for same in present.chunk_by(|a, b| a.1.definition().name() == b.1.definition().name()) {
            if same.len() > 1 {
                // The first that is looked at has the name, and others are looked at in another order below.
                same.iter().for_each(|(_, family)| family.each(|_| {}));
            }
        }
        let metrics = &mut metrics.list;
        // Sorted already but for what is spelled in another way. Equal names stay in the order of the metrics' own.
        present.sort_by(|a, b| metrics[a.0].name.cmp(&metrics[b.0].name));
        let mut rest = &mut present[..];
        while let Some((first, _)) = rest.first() {
            let name = &metrics[*first].name;
            let count = rest.iter().take_while(|(metric, _)| metrics[*metric].name == *name).count();
            let (same, others) = std::mem::take(&mut rest).split_at_mut(count);
            rest = others;
            let is_written = match same {
                [(metric, family)] if family.is_uniform() => self.uniform(&mut metrics[*metric], family),
                _ => {
                    // The one that has the name says what it means.
                    same.sort_by_key(|(metric, _)| !metrics[*metric].has_name());
                    self.mixed(same, metrics)
                }
            };
            if !is_written {
                self.merged(same, metrics);
            }
        }
    }

    /// Writes a metric of which no two series are spelled alike. False if they may be after all; then nothing is written.
    fn uniform(&mut self, metric: &mut Metric, family: &FamilyView<'_>) -> bool {
        let (mut begun, mut fits) = (false, true);
        family.each(|series| {
            let first = !begun;
            if first && fits && self.is_shown(metric, series) {
                fits = !metric.keys(&series.labels).collide;
                if fits {
                    self.out.text(&metric.header);
                    begun = true;
                }
            }
            if begun && let Some(keys) = metric.known.last(&series.labels, first) {
                metric.lines.write::<false>(keys, series, &mut self.out, self.scratch);
            }
        });
        fits
    }

    /// Writes metrics of one name, and looks whether two of their series are spelled alike. False if so; then nothing is
    /// written.
    ///
    /// Equal labels have equal hashes, in any order. So the lines stay in the buffer until all hashes are there: memory for
    /// the lines of this name, which are about to be handed out anyway, and eight bytes for each series.
    fn mixed(&mut self, same: &[Present<'_>], metrics: &mut [Metric]) -> bool {
        let held = self.out.hold();
        self.hashes.clear();
        let mut fits = true;
        for (metric, family) in same {
            let metric = &mut metrics[*metric];
            family.each(|series| {
                if !fits || !self.is_shown(metric, series) {
                    return;
                }
                let Metric { known, lines, definition, .. } = metric;
                let keys = known.of(&series.labels, definition.kind(), &lines.before);
                fits &= !keys.collide;
                if !fits {
                    return;
                }
                if self.hashes.is_empty() {
                    self.out.text(&metric.header);
                }
                self.hashes.push(lines.write::<true>(keys, series, &mut self.out, self.scratch));
            });
        }
        self.hashes.sort_unstable();
        fits &= self.hashes.windows(2).all(|pair| pair[0] != pair[1]);
        if !fits {
            self.out.take_back(held);
        }
        self.out.let_go();
        fits
    }

    /// Writes metrics of one name, each series that is spelled in its own way once.
    fn merged(&mut self, same: &[Present<'_>], metrics: &mut [Metric]) {
        let mut merged = Merged::default();
        let mut header = None;
        for (at, family) in same {
            let metric = &mut metrics[*at];
            family.each(|series| {
                if self.is_shown(metric, series) {
                    header.get_or_insert(*at);
                    merged.add(series, metric.definition.kind());
                }
            });
        }
        if let Some(metric) = header.map(|at| &metrics[at]) {
            self.out.text(&metric.header);
            merged.write(&metric.name, &mut self.out);
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
        is_known && metric.place(self.claims) != Place::LeftOut
    }
}

#[cfg(test)]
mod tests;
