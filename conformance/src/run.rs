//! A case from end to end: recorded into a store, scraped over HTTP, pushed over HTTP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use metercast::config::{Config, Otlp, Prometheus, Protocol, TemporalityPreference};
use metercast::view::Projection;
use metercast::{Escaping, Format, Log, PageFormat, PrometheusPage, Store, Telemetry};

use crate::http::{self, Answer, Request};
use crate::options::{PAGES, is_open};
use crate::{Given, otlp};

/// What came out of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The pages, each with the name of its file.
    pub pages: Vec<ServedPage>,
    /// The pushed message in protobuf.
    pub message: Vec<u8>,
    /// The pushed message in JSON.
    pub json: Vec<u8>,
    /// The messages that were delivered between the recordings, in protobuf and in JSON, if the case has that.
    pub between: Option<[Vec<u8>; 2]>,
    /// What was said, a line each.
    pub log: String,
}

/// A page as it was served.
#[derive(Debug)]
pub struct ServedPage {
    /// Without `.txt`.
    pub file: &'static str,
    /// What it is written in.
    pub format: PageFormat,
    /// How it is announced.
    pub content_type: String,
    /// The page.
    pub body: Vec<u8>,
}

impl ServedPage {
    /// Whether it is in OpenMetrics.
    pub fn is_open(&self) -> bool {
        is_open(self.format)
    }

    /// Whether a listener served it for which nothing was chosen.
    pub fn is_scraped(&self) -> bool {
        SCRAPED.iter().any(|(file, _)| *file == self.file)
    }

    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        self.format.format != Format::Protobuf
    }

    /// Whether names may be any UTF-8.
    pub fn has_utf8_names(&self) -> bool {
        self.format.escaping == Escaping::AllowUtf8
    }
}

impl Outcome {
    /// The page of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn page(&self, file: &str) -> &ServedPage {
        let page = self.pages.iter().find(|page| page.file == file);
        page.unwrap_or_else(|| panic!("there is no page {file:?}"))
    }

    /// The message in lines.
    pub fn otlp(&self) -> String {
        otlp::lines(&self.message)
    }

    /// The message before it in lines; nothing if there was none.
    pub fn otlp_between(&self) -> String {
        self.between.as_ref().map(|[message, _]| otlp::lines(message)).unwrap_or_default()
    }
}

/// Runs cases, each with a name, several at a time, since they mostly wait.
///
/// # Panics
///
/// If anything on the way fails.
pub fn run_all(cases: &[(String, Given)]) -> Vec<Outcome> {
    let each = cases.len().div_ceil(AT_A_TIME).max(1);
    thread::scope(|scope| {
        let run =
            |part: &[(String, Given)]| part.iter().map(|(name, given)| run(name, given)).collect::<Vec<_>>();
        let running: Vec<_> = cases.chunks(each).map(|part| scope.spawn(move || run(part))).collect();
        running.into_iter().flat_map(|part| part.join().expect("a case runs")).collect()
    })
}

const AT_A_TIME: usize = 8;

/// Records what a case gives into a store of its own, and exports it in every way. The service is called `name`.
///
/// # Panics
///
/// If anything on the way fails.
pub fn run(name: &str, given: &Given) -> Outcome {
    let store = Store::new();
    let said = Arc::new(Mutex::new(String::new()));
    let log = Log::to({
        let said = Arc::clone(&said);
        move |level, line| {
            // The start-up line names ports, which differ from run to run.
            if level != metercast::log::Level::Info {
                *said.lock().expect("no panic") += &format!("{level}: {line}\n");
            }
        }
    });
    let (protobuf, json) = (Inbox::new(), Inbox::new());
    let temporality =
        if given.delta { TemporalityPreference::Delta } else { TemporalityPreference::Cumulative };
    // No message comes but those that are asked for.
    let push = |inbox: &Inbox| Otlp::to(&inbox.url()).temporality(temporality).interval(A_YEAR);
    let config = Config::builder()
        .environment(false)
        .text("given.toml", &given.configuration())
        .exemplars(given.filter())
        .self_metrics(false)
        .service(name, "1")
        .self_metrics(false)
        .exporter("scrape", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", push(&protobuf))
        .exporter("push_json", push(&json).protocol(Protocol::HttpJson))
        .build()
        .expect("a valid configuration");
    if !given.is_delivered_between() {
        given.record(&store);
    }
    let projection = config.exporter("scrape").expect("it is pinned").projection().clone();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(log.clone());
    let telemetry = telemetry.start().expect("exporters start");
    let between = given.is_delivered_between().then(|| {
        given.record_after(&store, Some(0));
        telemetry.flush(Duration::from_secs(60)).expect("the push between");
        let [message, json] = [&protobuf, &json].map(|inbox| inbox.take().pop().expect("the push between"));
        given.record_after(&store, Some(1));
        [message, json]
    });
    let mut pages = pages(given, projection, &store, log);
    pages.extend(scraped(telemetry.scrape_address().expect("a listener")));
    telemetry.shutdown().expect("the final push");
    let [message, json] = [protobuf, json].map(|inbox| {
        // The last has everything; whether one came before it is the exporter's business.
        inbox.take().pop().expect("the final push")
    });
    let log = said.lock().expect("no panic").clone();
    Outcome { pages, message, json, between, log }
}

/// Records what a case gives, and pushes it by gRPC to a collector.
///
/// # Errors
///
/// Why the collector does not have it.
///
/// # Panics
///
/// If anything before the push fails.
pub fn push_grpc(name: &str, given: &Given, to: &str) -> Result<(), String> {
    let store = Store::new();
    given.record(&store);
    let config = Config::builder()
        .environment(false)
        .text("given.toml", &given.configuration())
        .exemplars(given.filter())
        .service(name, "1")
        .exporter("push", Otlp::to(to).protocol(Protocol::Grpc))
        .build()
        .expect("a valid configuration");
    let builder = Telemetry::builder(config).store(store).log(Log::to(|_, _| {}));
    builder.start().expect("exporters start").shutdown().map_err(|error| error.to_string())
}

const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The pages that a case asks for, in every format.
fn pages(given: &Given, projection: Projection, store: &Store, log: Log) -> Vec<ServedPage> {
    let page = PrometheusPage::with("scrape", given.page.options(), &given.page.resource(), log);
    let page = page.projection(projection);
    let write = |(file, format): (&'static str, PageFormat)| {
        let [body, again] = [(); 2].map(|()| {
            let mut body = Vec::new();
            page.write_as(store, format, &mut |chunk| body.extend_from_slice(chunk));
            body
        });
        assert!(body == again, "two pages of an unchanged store are the same bytes");
        ServedPage { file, format, content_type: format.content_type(), body }
    };
    PAGES.into_iter().map(write).collect()
}

/// The pages that a listener serves if nothing is chosen, to whoever asks for them.
fn scraped(address: SocketAddr) -> impl Iterator<Item = ServedPage> {
    SCRAPED.into_iter().map(move |(file, accept)| {
        let (url, accept) = (format!("http://{address}/metrics"), format!("Accept: {accept}\r\n"));
        let (status, head, body) = http::ask(&url, "GET", &accept, b"").expect("the listener answers");
        assert_eq!(status, 200, "{head}");
        let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: "));
        let content_type = content_type.expect("a content type");
        let mut formats = PAGES.into_iter().map(|(_, format)| format);
        // Heads are in small letters.
        let format = formats.find(|format| format.content_type().eq_ignore_ascii_case(content_type));
        let format = format.unwrap_or_else(|| panic!("{content_type} is no format that was asked for"));
        ServedPage { file, format, content_type: format.content_type(), body }
    })
}

/// The pages that are scraped, and how they are asked for.
const SCRAPED: [(&str, &str); 3] = [
    ("scraped", "text/plain;version=0.0.4"),
    // As a Prometheus 2.42 with native histograms does.
    (
        "scraped_protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
         application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    ),
    ("scraped_openmetrics", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,*/*;q=0.1"),
];

/// A path of the one receiver of all cases.
struct Inbox(u32);

type Bodies = Mutex<HashMap<String, Vec<Vec<u8>>>>;

static RECEIVED: OnceLock<Bodies> = OnceLock::new();

fn received() -> &'static Bodies {
    RECEIVED.get_or_init(Bodies::default)
}

impl Inbox {
    fn new() -> Inbox {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Inbox(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn url(&self) -> String {
        static SERVER: OnceLock<String> = OnceLock::new();
        let server = SERVER.get_or_init(|| {
            http::serve(|Request { head, path, body }| {
                let is_json = head.contains("content-type: application/json");
                assert!(is_json || head.contains("content-type: application/x-protobuf"), "{head}");
                received().lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default().push(body);
                if is_json {
                    Answer::ok("application/json", "{}")
                } else {
                    Answer::ok("application/x-protobuf", "")
                }
            })
        });
        format!("{server}/{}", self.0)
    }

    /// What came.
    fn take(&self) -> Vec<Vec<u8>> {
        let path = format!("/{}/v1/metrics", self.0);
        received().lock().unwrap_or_else(PoisonError::into_inner).remove(&path).unwrap_or_default()
    }
}
