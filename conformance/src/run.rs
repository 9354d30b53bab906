//! A case from end to end: recorded into a store, scraped over HTTP, pushed over HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use metercast::config::{Config, Otlp, Prometheus};
use metercast::{Log, Store, Telemetry};

use crate::http::{self, Request};
use crate::{Given, otlp};

/// What came out of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The pages, each with the name of its file.
    pub pages: Vec<ServedPage>,
    /// The pushed message.
    pub message: Vec<u8>,
    /// What was said, a line each.
    pub log: String,
}

/// A page as it was served.
#[derive(Debug)]
pub struct ServedPage {
    /// Without `.txt`.
    pub file: &'static str,
    /// How it was announced.
    pub content_type: String,
    /// The page.
    pub body: Vec<u8>,
}

/// The formats of which each case has a page: the name of the file, and what a scraper asks for.
const FORMATS: &[(&str, &str)] = &[("prometheus", "text/plain;version=0.0.4")];

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
    store.scope(|| given.record());

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
    let inbox = Inbox::new();
    let config = Config::builder()
        .environment(false)
        .service(name, "1")
        .exporter("scrape", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(&inbox.url()))
        .build()
        .expect("a valid configuration");
    let telemetry = Telemetry::builder(config).store(store).log(log).start().expect("exporters start");
    let address = telemetry.scrape_address().expect("a listener");
    let pages = FORMATS.iter().map(|(file, accept)| page(&format!("http://{address}/metrics"), file, accept));
    let pages = pages.collect();
    telemetry.shutdown().expect("the final push");
    let [message] = <[Vec<u8>; 1]>::try_from(inbox.take()).expect("one push");
    let log = said.lock().expect("no panic").clone();
    Outcome { pages, message, log }
}

fn page(url: &str, file: &'static str, accept: &str) -> ServedPage {
    let get = || http::ask(url, "GET", &format!("Accept: {accept}\r\n"), b"").expect("the listener answers");
    let (status, head, body) = get();
    assert_eq!(status, 200, "{head}");
    assert_eq!(body, get().2, "two scrapes of an unchanged store are the same bytes");
    let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let content_type = content_type.expect("a content type").to_owned();
    let media_type = accept.split(';').next().expect("a media type");
    assert!(content_type.starts_with(media_type), "{content_type} instead of {accept}");
    ServedPage { file, content_type, body }
}

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
                assert!(head.contains("content-type: application/x-protobuf"), "{head}");
                received().lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default().push(body);
                ("application/x-protobuf".to_owned(), Vec::new())
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
