//! The pages of an exporter: valid for the strictest parser of their format, and the same bytes while nothing changed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metercast_core::reading::Reading;
use metercast_core::{Store, Value};

use super::encoder::{Encoder, Order};
use super::form::Form;
use super::format::{Format, PageFormat};
use super::options::PageOptions;
use super::problem::{Problem, Said};
use super::protobuf::Protobuf;
use super::selection::Selection;
use super::style::{Choice, Style};
use super::text::Text;
use crate::log::{Level, Log};
use crate::reader::Reader;
use crate::view::{Plan, Projection, When};

/// Spells what a store holds as a page for Prometheus, for a listener of your own.
///
/// A page is valid whatever the names and labels are, and has the same bytes as long as nothing changed: metrics sorted by
/// name, series in the order of their first use. Metrics that get the same name are reported once to the log; the one that
/// had it first keeps it, which is why the pages of one exporter are all made by one `PrometheusPage`. It also keeps what
/// does not change from page to page, for each format that was asked for, so that a series costs no allocation.
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
    choice: Arc<Choice>,
    /// Pages are made one after the other.
    press: Mutex<Press>,
}

/// What is kept from page to page.
struct Press {
    plan: Plan,
    text: Kept<Text>,
    protobuf: Kept<Protobuf>,
    order: Order,
    hashes: Vec<u64>,
    said: Said,
}

impl Press {
    fn new(exporter: &str, projection: Projection) -> Press {
        Press {
            plan: Plan::new(Arc::new(projection), exporter).with_shared_names(),
            text: Kept::default(),
            protobuf: Kept::default(),
            order: Order::default(),
            hashes: Vec::new(),
            said: Said::default(),
        }
    }
}

/// What is kept for one form of pages.
struct Kept<F: Form> {
    /// One for each format, at most twelve, since those that look the same share one.
    encoders: Vec<Encoder<F>>,
    desk: F::Desk,
}

impl<F: Form> Default for Kept<F> {
    fn default() -> Kept<F> {
        Kept { encoders: Vec::new(), desk: F::Desk::default() }
    }
}

impl<F: Form> Kept<F> {
    /// Writes a page. Returns how many series it has, and what is wrong with the names on it.
    fn page(
        &mut self,
        style: Style,
        read: (&mut Plan, &Reading<'_>),
        selection: &Selection,
        seen: (&mut Order, &mut Vec<u64>),
        sink: &mut dyn FnMut(&[u8]),
    ) -> (u64, Vec<Problem>) {
        let known = self.encoders.iter().position(|encoder| encoder.style.is_same_as(&style));
        let at = known.unwrap_or_else(|| {
            self.encoders.push(Encoder::new(style));
            self.encoders.len() - 1
        });
        self.encoders[at].page(read, selection, seen, &mut self.desk, sink)
    }
}

impl fmt::Debug for PrometheusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusPage").field("exporter", &self.exporter).finish_non_exhaustive()
    }
}

impl PrometheusPage {
    /// For the exporter of this name, which is used in what the log is told.
    pub fn new(exporter: &str, log: Log) -> PrometheusPage {
        PrometheusPage::with(exporter, PageOptions::new(), &[], log)
    }

    /// The same with options, and the attributes of the resource, of which the options may show some.
    pub fn with(
        exporter: &str,
        options: PageOptions,
        resource: &[(String, Value)],
        log: Log,
    ) -> PrometheusPage {
        let choice = Arc::new(Choice::new(options, resource));
        let press = Mutex::new(Press::new(exporter, Projection::new()));
        PrometheusPage { exporter: exporter.to_owned(), log, choice, press }
    }

    /// The same with what this makes of a store: which metrics are on the page, and how they look.
    ///
    /// ```
    /// use metercast::view::{Filter, Projection, View};
    /// use metercast::{Log, PageOptions, PrometheusPage, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| {
    ///     u64_counter!("orders.placed", "Orders placed", 3);
    ///     u64_counter!("debug.retries", "Tries that failed", 8);
    /// });
    ///
    /// let projection = Projection::new()
    ///     .filter(Filter::new().exclude("debug.*"))
    ///     .view(View::of("orders.*").rename("shop.orders").description("Orders of this shop"));
    /// let page = PrometheusPage::new("own", Log::default()).projection(projection);
    /// assert_eq!(
    ///     page.render(&store).lines().collect::<Vec<_>>(),
    ///     [
    ///         "# HELP shop_orders_total Orders of this shop",
    ///         "# TYPE shop_orders_total counter",
    ///         "shop_orders_total 3",
    ///     ]
    /// );
    /// ```
    pub fn projection(self, projection: Projection) -> PrometheusPage {
        let press = Mutex::new(Press::new(&self.exporter, projection));
        PrometheusPage { press, ..self }
    }

    /// The same for one who reads a store: it goes on with what is remembered for it, and is measured as it is.
    #[cfg_attr(
        not(any(feature = "serve", feature = "otlp")),
        allow(dead_code, reason = "only what is served or put comes back")
    )]
    pub(crate) fn read_by(self, reader: &Reader) -> PrometheusPage {
        let press = self.press.into_inner().unwrap_or_else(PoisonError::into_inner);
        let press = Mutex::new(Press { plan: press.plan.read_by(reader), ..press });
        PrometheusPage { press, ..self }
    }

    /// Where it says what is wrong.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The page of a store, in text format 0.0.4.
    pub fn render(&self, store: &Store) -> String {
        self.render_as(store, PageFormat::default())
    }

    /// The page of a store in a format that is text. [`Format::Protobuf`] is none, and here as good as text 0.0.4:
    /// [`write_as`](Self::write_as) writes it.
    ///
    /// ```
    /// use metercast::{Escaping, Format, Log, PageFormat, PrometheusPage, Store, u64_counter};
    ///
    /// let store = Store::new();
    /// store.scope(|| u64_counter!("orders.placed", "Orders \"placed\"", 3));
    ///
    /// let page = PrometheusPage::new("own", Log::default());
    /// let format = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };
    /// let page = page.render_as(&store, format);
    /// assert_eq!(
    ///     page.lines().collect::<Vec<_>>(),
    ///     [
    ///         "# TYPE orders_placed counter",
    ///         r#"# HELP orders_placed Orders \"placed\""#,
    ///         "orders_placed_total 3",
    ///         "# EOF"
    ///     ]
    /// );
    /// ```
    pub fn render_as(&self, store: &Store, format: PageFormat) -> String {
        let mut page = Vec::new();
        let format = match format.format {
            Format::Protobuf => PageFormat { format: Format::Text0, ..format },
            _ => format,
        };
        self.write_as(store, format, &mut |chunk| page.extend_from_slice(chunk));
        String::from_utf8(page).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Gives the page of a store in text format 0.0.4 to `sink`, as [`write_as`](Self::write_as) does.
    pub fn write(&self, store: &Store, sink: &mut dyn FnMut(&[u8])) {
        self.write_as(store, PageFormat::default(), sink);
    }

    /// Gives the page of a store to `sink`, in chunks of at most 16 KiB. They are handed out while the store is read: keep
    /// them, rather than wait until a client has taken them, and make no other page with this one meanwhile.
    ///
    /// In [`Format::Protobuf`] histograms with exponential buckets have native ones, and beside them the classic ones of the text
    /// formats, for those who do not know the native ones.
    ///
    /// The page's log hears once of each [problem](Store::problems) of the store.
    pub fn write_as(&self, store: &Store, format: PageFormat, sink: &mut dyn FnMut(&[u8])) {
        self.write_selected(store, format, &Selection::default(), sink);
        // Exporters and scrapes read through a reader, which says them.
        for problem in store.problems() {
            self.log.write_once(Level::Warn, &problem.to_string());
        }
    }

    /// [`write_as`](Self::write_as) for a part of the store. Returns how many series were written.
    pub(crate) fn write_selected(
        &self,
        store: &Store,
        format: PageFormat,
        selection: &Selection,
        sink: &mut dyn FnMut(&[u8]),
    ) -> u64 {
        self.commit(store);
        // Locked only within: what is called to be observed, or is told of a problem, may make a page itself.
        let (points, problems) = selection.read(store, |reading| {
            let mut press = self.press();
            let Press { plan, text, protobuf, order, hashes, said } = &mut *press;
            let style = Style::new(&self.choice, format);
            let (points, problems) = match format.format {
                Format::Protobuf => {
                    protobuf.page(style, (&mut *plan, reading), selection, (order, hashes), sink)
                }
                _ => text.page(style, (&mut *plan, reading), selection, (order, hashes), sink),
            };
            let problems = problems.into_iter().filter_map(|problem| said.anew(problem));
            let exporter = &self.exporter;
            let said: Vec<_> = problems.map(|problem| format!("exporter {exporter:?}: {problem}")).collect();
            (points, said)
        });
        let warnings = self.press().plan.warnings();
        for problem in problems.iter().chain(&warnings) {
            self.log.write_once(Level::Warn, problem);
        }
        points
    }

    /// Takes the place of another page: metrics that get the same name get it in the order in which the other met them, and what
    /// is remembered of series that have ended stays in the sums.
    #[cfg_attr(
        not(any(feature = "serve", feature = "otlp")),
        allow(dead_code, reason = "only what is served or put is reloaded")
    )]
    pub(crate) fn succeed(&self, other: &PrometheusPage) {
        let (streams, estate) = {
            let press = other.press();
            (press.order.streams().to_vec(), press.plan.estate())
        };
        let mut press = self.press();
        let Press { plan, order, .. } = &mut *press;
        plan.succeed(estate);
        order.succeed(&streams, plan);
    }

    /// Asks a store for the buckets that pages are to have. The first page does that as well; but what was recorded before may be in
    /// other buckets by then.
    pub(crate) fn commit(&self, store: &Store) {
        self.press().plan.commit(store);
    }

    /// Says what it would say on a later page, as there are no more, or as this may have been the only one.
    #[cfg_attr(
        not(any(feature = "serve", feature = "otlp")),
        allow(dead_code, reason = "only what is served or put ends")
    )]
    pub(crate) fn conclude(&self, when: When) {
        let Some(store) = self.press().plan.unsaid() else { return };
        // Locked only within, as for a page.
        store.read(|reading| self.press().plan.conclude(reading, when));
        let said = self.press().plan.warnings();
        for line in said {
            self.log.write_once(Level::Warn, &line);
        }
    }

    fn press(&self) -> MutexGuard<'_, Press> {
        // A sink that panicked left a page unfinished, and the next begins anew.
        self.press.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests;
