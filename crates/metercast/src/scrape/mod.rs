//! Answers scrapes, for any transport: negotiation, packing, limits. The listener and the tower service are made of it.

mod answer;
mod encoding;
mod in_flight;
mod names;
mod parts;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use metercast_core::Store;

pub use answer::{ScrapeAnswer, ScrapeBody};
pub(crate) use encoding::Encoding;
use in_flight::{InFlight, Places};
pub use parts::{ScrapePart, ScrapeParts};

use crate::export::prometheus::{PageFormat, PrometheusPage, Selection};
use crate::log::Level;
use crate::observer;
use crate::reader::Reader;

/// Answers scrapes of a store, for a server of the application: in the format and packing that the scraper asks for, with a
/// limit for requests at once and for the time of each. Clones are the same scrape, seen by another tenant maybe.
///
/// With a page comes the header `Process-Start-Time-Unix`: since when the values count, in seconds since 1970, as the libraries
/// of Prometheus say it. It knows neither paths nor whom to let in; that is the application's. `metercast-tower` has it as a tower service.
///
/// | request | answer |
/// | --- | --- |
/// | GET | 200 and the page, in the format that `Accept` asks for; packed as `Accept-Encoding` says |
/// | GET with `name[]=a&name[]=b` in the query | only these families, named as on the page or by one of their samples |
/// | HEAD | the headers of the same |
/// | any other method | 405 |
/// | more at once than [`max_in_flight`](Scrape::max_in_flight), or longer than [`timeout`](Scrape::timeout) | 503 with `Retry-After` |
///
/// ```
/// use metercast::{Log, PrometheusPage, Scrape, ScrapeRequest, Store, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| u64_counter!("jobs", "Jobs done", 3));
///
/// let scrape = Scrape::new(store, PrometheusPage::new("own", Log::default()));
/// let answer = scrape.answer_blocking(&ScrapeRequest::new("GET").accept(Some("text/plain")));
/// assert_eq!(answer.status(), 200);
/// assert!(answer.body().ends_with(b"jobs_total 3\n"));
/// ```
#[derive(Clone)]
pub struct Scrape {
    inner: Arc<Inner>,
    tenant: Option<(Arc<str>, Arc<str>)>,
    max_in_flight: usize,
    timeout: Duration,
}

/// What all clones share.
struct Inner {
    page: PrometheusPage,
    reader: Reader,
    places: Places,
    /// The memory of a page that was sent.
    spare: Mutex<Vec<u8>>,
}

/// What there is to know of an HTTP request to answer a scrape. By default a GET without headers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ScrapeRequest<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// What stands behind the question mark of the URL.
    pub query: Option<&'a str>,
    /// The header `Accept`; several with commas between them.
    pub accept: Option<&'a str>,
    /// The header `Accept-Encoding`; several with commas between them.
    pub accept_encoding: Option<&'a str>,
}

impl Default for ScrapeRequest<'_> {
    fn default() -> Self {
        ScrapeRequest::new("GET")
    }
}

impl<'a> ScrapeRequest<'a> {
    /// With this method, without query and headers.
    pub fn new(method: &'a str) -> ScrapeRequest<'a> {
        ScrapeRequest { method, query: None, accept: None, accept_encoding: None }
    }

    /// With what stands behind the question mark of the URL, if there is one.
    pub fn query(self, query: Option<&'a str>) -> ScrapeRequest<'a> {
        ScrapeRequest { query, ..self }
    }

    /// With the header `Accept`, if there is one; several with commas between them.
    pub fn accept(self, accept: Option<&'a str>) -> ScrapeRequest<'a> {
        ScrapeRequest { accept, ..self }
    }

    /// With the header `Accept-Encoding`, if there is one; several with commas between them.
    pub fn accept_encoding(self, accept_encoding: Option<&'a str>) -> ScrapeRequest<'a> {
        ScrapeRequest { accept_encoding, ..self }
    }
}

impl Scrape {
    /// Requests at once unless it is said otherwise.
    pub const MAX_IN_FLIGHT: usize = 16;

    /// The time of a request unless it is said otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// Answers with pages of `store` as `page` writes them. From now on callbacks of its observable instruments are waited for
    /// for a second together, as where a `Telemetry` runs: a page has what those observed last that take longer.
    pub fn new(store: Store, page: PrometheusPage) -> Scrape {
        observer::install(&store);
        let reader = Reader::new(store, page.log().clone());
        let scrape = Scrape::of(reader, page);
        scrape.begin();
        scrape
    }

    /// The same over a reader. Nothing is asked of the store before it [begins](Self::begin).
    pub(crate) fn of(reader: Reader, page: PrometheusPage) -> Scrape {
        let inner = Inner { page, reader, places: Places::default(), spare: Mutex::default() };
        Scrape {
            inner: Arc::new(inner),
            tenant: None,
            max_in_flight: Scrape::MAX_IN_FLIGHT,
            timeout: Scrape::TIMEOUT,
        }
    }

    /// Asks the store for the buckets that its pages are to have.
    pub(crate) fn begin(&self) {
        self.inner.page.commit(self.inner.reader.store());
    }

    /// Takes the place of another scrape: metrics keep the names that they had on its pages.
    #[cfg(feature = "serve")]
    pub(crate) fn succeed(&self, other: &Scrape) {
        self.inner.page.succeed(&other.inner.page);
    }

    /// There are no more scrapes: says what it would say at a later one.
    #[cfg(feature = "serve")]
    pub(crate) fn conclude(&self) {
        self.inner.page.conclude(crate::view::When::AtTheEnd);
    }

    /// Where it says what goes wrong.
    #[cfg(feature = "serve")]
    pub(crate) fn log(&self) -> &crate::Log {
        self.inner.reader.log()
    }

    /// The same for one tenant: only series with the label `key` (spelled as the program does) of this value, and these
    /// without it. What has no such label is not shown, and nothing tells that there are other tenants. A value that is a
    /// whole number or a truth value is meant by its text.
    ///
    /// Such a page costs a comparison for each series of the whole store, and some allocations for each that is shown.
    ///
    /// The limit of series is that of a metric, not of a tenant: what is beyond it is counted in the overflow series, which has
    /// no tenant and so is on nobody's page but that of all. Bound what each tenant can bring, or raise the limit
    /// ([`Store::set_limit`](metercast_core::Store::set_limit)). The limit of a view is for the series of each tenant alone.
    ///
    /// What series that have ended had counted stays in the sums that views make, as on the page of all: that is remembered of the
    /// 256 tenants whose pages were asked for last. On the page of one that was not among them such a sum may be less than it
    /// was, as after a restart.
    ///
    /// ```
    /// # use metercast::{Log, PrometheusPage, Scrape, ScrapeRequest, Store, u64_counter};
    /// # let store = Store::new();
    /// store.scope(|| {
    ///     u64_counter!("jobs", "Jobs done", 3, "tenant" => "acme", "kind" => "import");
    ///     u64_counter!("jobs", "Jobs done", 5, "tenant" => "other", "kind" => "import");
    /// });
    /// let scrape = Scrape::new(store, PrometheusPage::new("tenants", Log::default())).tenant("tenant", "acme");
    /// let answer = scrape.answer_blocking(&ScrapeRequest::default());
    /// assert_eq!(answer.body(), b"# HELP jobs_total Jobs done\n# TYPE jobs_total counter\njobs_total{kind=\"import\"} 3\n");
    /// ```
    #[must_use]
    pub fn tenant(&self, key: &str, value: &str) -> Scrape {
        Scrape { tenant: Some((key.into(), value.into())), ..self.clone() }
    }

    /// How many requests may be under way at once, of all clones together, until their answers were sent; 16 unless it is
    /// said, and at least 1. It bounds the memory: each has a page of its own.
    ///
    /// Clients that stop reading do not keep the others out: where there is no place for a request, the answer of which
    /// nothing was taken for longest, and not for 30 s, loses its page and its place. That holds for bodies that are sent in
    /// [parts](ScrapeBody::into_parts), as `metercast-tower` sends them; one that is sent as a whole has its place until it
    /// is dropped, for servers that end writes which take too long, as the own listener does.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Scrape {
        self.max_in_flight = requests.max(1);
        self
    }

    /// How long a request may wait for its page; 10 s unless it is said. Not counted is how long the client takes to read it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Scrape {
        self.timeout = timeout;
        self
    }

    /// Answers on this thread, which it may block for as long as pages that others asked for take before it. Meant for
    /// servers without tasks; the timeout does not hold here.
    pub fn answer_blocking(&self, request: &ScrapeRequest<'_>) -> ScrapeAnswer {
        let answer = match self.admit(request) {
            Ok(job) => job.run(),
            Err(answer) => answer,
        };
        answer.to(request.method)
    }

    /// Answers without blocking the task: the page is written on a thread for blocking work. It is to be awaited on a Tokio
    /// runtime whose time is enabled; elsewhere it is as [`answer_blocking`](Self::answer_blocking).
    #[cfg(feature = "serve")]
    pub fn answer(&self, request: &ScrapeRequest<'_>) -> impl Future<Output = ScrapeAnswer> + Send + use<> {
        let (admitted, timeout) = (self.admit(request), self.timeout);
        // What it knows of the request, which it is not to keep.
        let method = if request.method == "HEAD" { "HEAD" } else { "GET" };
        async move {
            let job = match admitted {
                Ok(job) => job,
                Err(answer) => return answer.to(method),
            };
            let Ok(runtime) = tokio::runtime::Handle::try_current() else { return job.run().to(method) };
            // Dropped with this future: nobody waits for the page then.
            let _unwanted = Unwanted(Arc::clone(&job.unwanted));
            let written = runtime.spawn_blocking(|| job.run());
            let answer = match tokio::time::timeout(timeout, written).await {
                Ok(Ok(answer)) => answer,
                // The runtime is going down.
                Ok(Err(_)) => {
                    ScrapeAnswer::plain(503, "the server is stopping\n").with("retry-after", RETRY_AFTER)
                }
                Err(_) => {
                    let text = format!("the page was not ready within {timeout:?}; try again later\n");
                    ScrapeAnswer::plain(503, text).with("retry-after", RETRY_AFTER)
                }
            };
            answer.to(method)
        }
    }

    /// What is to be written, if there is a place for it.
    fn admit(&self, request: &ScrapeRequest<'_>) -> Result<Job, ScrapeAnswer> {
        if !matches!(request.method, "GET" | "HEAD") {
            return Err(
                ScrapeAnswer::plain(405, "the metrics are read with GET\n").with("allow", "GET, HEAD")
            );
        }
        let Some(in_flight) = InFlight::begin(&self.inner, self.max_in_flight) else {
            let limit = self.max_in_flight;
            let text = format!("{limit} requests are under way, and there may be no more; try again later\n");
            return Err(ScrapeAnswer::plain(503, text).with("retry-after", RETRY_AFTER));
        };
        let mut selection = Selection::named(names::asked_for(request.query));
        if let Some((key, value)) = &self.tenant {
            selection = selection.of_tenant(key, value);
        }
        Ok(Job {
            inner: Arc::clone(&self.inner),
            format: PageFormat::negotiate(request.accept),
            encoding: Encoding::negotiate(request.accept_encoding),
            selection,
            unwanted: Arc::default(),
            in_flight,
        })
    }
}

/// Seconds. What is in the way takes milliseconds, unless somebody is unkind.
const RETRY_AFTER: &str = "1";

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrape")
            .field("page", &self.inner.page)
            .field("tenant", &self.tenant)
            .field("max_in_flight", &self.max_in_flight)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Says on its way out that nobody waits for the page.
#[cfg(feature = "serve")]
struct Unwanted(Arc<AtomicBool>);

#[cfg(feature = "serve")]
impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A page to be written.
struct Job {
    inner: Arc<Inner>,
    format: PageFormat,
    encoding: Encoding,
    selection: Selection,
    unwanted: Arc<AtomicBool>,
    in_flight: InFlight,
}

impl Job {
    /// Writes the page. Should a part of it panic, which observed callbacks do not bring about, the answer is 500.
    fn run(self) -> ScrapeAnswer {
        let inner = Arc::clone(&self.inner);
        catch_unwind(AssertUnwindSafe(|| self.written())).unwrap_or_else(|_| {
            inner.reader.log().write_rarely(
                Level::Error,
                &format!("page {:?}", inner.page),
                "a page could not be written, because of a panic, whose message stands before this; please report it",
            );
            ScrapeAnswer::plain(500, "the page could not be written; the log of the program says why\n")
        })
    }

    fn written(self) -> ScrapeAnswer {
        let Job { inner, format, encoding, selection, unwanted, in_flight } = self;
        let is_unwanted = || unwanted.load(Ordering::Relaxed);
        // Its memory is used again: to fault new pages in takes longer than to write them.
        let mut page = std::mem::take(&mut *inner.spare());
        page.clear();
        if !is_unwanted() {
            // The whole page, since the reading cannot wait for a client that is slow to take it.
            let points = inner.reader.read(|store| {
                inner.page.write_selected(store, format, &selection, &mut |chunk| {
                    if !is_unwanted() {
                        page.extend_from_slice(chunk);
                    }
                })
            });
            if !is_unwanted() {
                inner.reader.own().points(points, None);
            }
        }
        // Since when the values count, for whoever makes deltas of them; Prometheus' own libraries call it so.
        let started = inner.reader.store().started().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Packed afterwards, so that meanwhile the next page can be written.
        let packed = if is_unwanted() { None } else { encoding.pack(&page) };
        let answer = match packed {
            Some((packed, coding)) => {
                inner.give_back(page);
                ScrapeAnswer::page(packed, None, in_flight).with("content-encoding", coding)
            }
            None => ScrapeAnswer::page(page, Some(inner), in_flight),
        };
        answer
            .with("content-type", format.content_type())
            .with("vary", "accept, accept-encoding")
            .with("process-start-time-unix", started.as_secs().to_string())
    }
}

impl Inner {
    fn spare(&self) -> MutexGuard<'_, Vec<u8>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the memory of a page; of several that were under way at once, one.
    fn give_back(&self, page: Vec<u8>) {
        let mut spare = self.spare();
        if spare.capacity() < page.capacity() {
            *spare = page;
        }
    }
}

#[cfg(test)]
mod tests;
