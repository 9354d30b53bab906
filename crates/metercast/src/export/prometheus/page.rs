//! The pages of an exporter: valid for the strictest parser of their format, and the same bytes while nothing changed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metercast_core::{Store, Value};

use super::encoder::{Desk, Encoder};
use super::format::PageFormat;
use super::options::PageOptions;
use super::problem::Said;
use super::selection::Selection;
use super::style::{Choice, Style};
use crate::log::{Level, Log};

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
#[derive(Default)]
struct Press {
    /// One for each format, at most eight, since those that look the same share one.
    encoders: Vec<Encoder>,
    desk: Desk,
    said: Said,
}

impl fmt::Debug for PrometheusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusPage").field("exporter", &self.exporter).finish_non_exhaustive()
    }
}

impl PrometheusPage {
    /// The `Content-Type` of a page in text format 0.0.4.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

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
        PrometheusPage { exporter: exporter.to_owned(), log, choice, press: Mutex::default() }
    }

    /// Where it says what is wrong.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The page of a store, in text format 0.0.4.
    pub fn render(&self, store: &Store) -> String {
        self.render_as(store, PageFormat::default())
    }

    /// The page of a store in a format that is text.
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
    /// [`Format::Protobuf`](super::Format::Protobuf) is written as text 0.0.4.
    pub fn write_as(&self, store: &Store, format: PageFormat, sink: &mut dyn FnMut(&[u8])) {
        self.write_selected(store, format, &Selection::default(), sink);
    }

    /// [`write_as`](Self::write_as) for a part of the store.
    pub(crate) fn write_selected(
        &self,
        store: &Store,
        format: PageFormat,
        selection: &Selection,
        sink: &mut dyn FnMut(&[u8]),
    ) {
        // Locked only within: what is called to be observed, or is told of a problem, may make a page itself.
        let problems = selection.read(store, |reading| {
            let mut press = self.press();
            let Press { encoders, desk, said } = &mut *press;
            let style = Style::new(&self.choice, format);
            let known = encoders.iter().position(|encoder| encoder.style.is_same_as(&style));
            let at = known.unwrap_or_else(|| {
                encoders.push(Encoder::new(style));
                encoders.len() - 1
            });
            let problems = encoders[at].page(reading, selection, desk, sink);
            problems.into_iter().filter_map(|problem| said.anew(problem)).collect::<Vec<_>>()
        });
        for problem in problems {
            self.log.write_once(Level::Warn, &format!("exporter {:?}: {problem}", self.exporter));
        }
    }

    fn press(&self) -> MutexGuard<'_, Press> {
        // A sink that panicked left a page unfinished, and the next begins anew.
        self.press.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
