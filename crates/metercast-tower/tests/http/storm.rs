//! Many requests at once that end in every way, from clients that make everything up: all totals are exact, and series stay few.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::any;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use metercast_tower::testing::isolated;
use metercast_tower::{
    ClientSemantic, Endpoints, HttpLayer, HttpProfile, ServerSemantic, Store, StoreFutureExt, Totals, client,
    server,
};
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::lines;

/// Requests: a tenth unless they are asked for in full.
fn requests() -> u64 {
    if std::env::var_os("METERCAST_LONG").is_some() { 100_000 } else { 10_000 }
}

/// A small generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Read,
    Refused,
    Unmatched,
    HalfRead,
    Torn,
    Panic,
    Dropped,
    Late,
    Failed,
}

const ENDINGS: [Ending; 9] = [
    Ending::Read,
    Ending::Refused,
    Ending::Unmatched,
    Ending::HalfRead,
    Ending::Torn,
    Ending::Panic,
    Ending::Dropped,
    Ending::Late,
    Ending::Failed,
];

impl Ending {
    fn path(self, n: u64) -> String {
        match self {
            Ending::Read => format!("/items/{n}"),
            Ending::Refused => "/refused".to_owned(),
            Ending::Unmatched => format!("/made/up/{n}"),
            Ending::HalfRead => "/long".to_owned(),
            Ending::Torn => "/torn".to_owned(),
            Ending::Panic => "/panic".to_owned(),
            Ending::Dropped => "/slow".to_owned(),
            // Where there is no router.
            Ending::Late => "/late".to_owned(),
            Ending::Failed => "/failed".to_owned(),
        }
    }

    /// What the counter by method and status says of it.
    fn status(self) -> u16 {
        match self {
            Ending::Read | Ending::HalfRead | Ending::Torn => 200,
            Ending::Refused => 503,
            Ending::Unmatched => 404,
            Ending::Panic | Ending::Late | Ending::Failed => 500,
            Ending::Dropped => 499,
        }
    }

    fn error_type(self) -> Option<&'static str> {
        match self {
            Ending::Read | Ending::Unmatched => None,
            Ending::Refused => Some("503"),
            Ending::HalfRead | Ending::Dropped => Some("cancelled"),
            Ending::Torn => Some("body"),
            Ending::Panic => Some("panic"),
            Ending::Late => Some("timeout"),
            Ending::Failed => Some("connection_reset"),
        }
    }
}

fn parts<const N: usize>(parts: [Result<&'static str, &'static str>; N]) -> Body {
    let frame =
        |part: Result<&'static str, _>| part.map(|part| Frame::data(Bytes::from_static(part.as_bytes())));
    Body::new(StreamBody::new(stream::iter(parts.map(frame).map(|part| part.map_err(axum::Error::new)))))
}

fn router() -> Router {
    Router::new()
        .route("/items/{id}", any(|| async { parts([Ok("an "), Ok("item")]) }))
        .route("/refused", any(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route("/long", any(|| async { parts([Ok("a"), Ok("b"), Ok("c")]) }))
        .route("/torn", any(|| async { parts([Ok("a"), Err("torn")]) }))
        .route("/panic", any(fail))
        .route("/slow", any(pending::<()>))
}

async fn fail() {
    std::panic::panic_any("on purpose")
}

async fn unrouted(request: Request<Body>) -> Result<Response<Body>, BoxError> {
    if request.uri().path() == "/late" {
        pending::<()>().await;
    }
    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
}

fn name_timeouts<P: HttpProfile>(layer: HttpLayer<P>) -> HttpLayer<P> {
    layer.error_type(|error: &BoxError| error.is::<tower::timeout::error::Elapsed>().then_some("timeout"))
}

/// Whatever clients may send.
fn request(random: &mut Random, n: u64, ending: Ending) -> (Request<Body>, &'static str) {
    let (method, known): (String, _) = match random.below(4) {
        0 => ("GET".to_owned(), "GET"),
        1 => ("POST".to_owned(), "POST"),
        2 => ("get".to_owned(), "other"),
        _ => (format!("M{n}"), "other"),
    };
    let host = match random.below(5) {
        0 => "api.example.com".into(),
        1 => format!("evil-{n}.example").into_bytes(),
        2 => vec![0xff, 0xfe, n as u8 | 0x80],
        3 => "x".repeat(300).into_bytes(),
        _ => b"not a host at all".to_vec(),
    };
    let request =
        Request::builder().method(&*method).uri(ending.path(n)).body(Body::from("1234567")).unwrap();
    let (mut parts, body) = request.into_parts();
    parts.headers.insert(HOST, HeaderValue::from_bytes(&host).unwrap());
    parts.headers.insert("x-envoy-downstream-service-cluster", HeaderValue::from_bytes(b"\xc3\x28").unwrap());
    (Request::from_parts(parts, body), known)
}

type Both = (ServerSemantic, ClientSemantic);

/// Sends one request and ends it so.
async fn one(layer: &HttpLayer<((Both, Endpoints), Totals)>, request: Request<Body>, ending: Ending) {
    match ending {
        Ending::Late | Ending::Failed => {
            let service = ServiceBuilder::new()
                .layer(layer.clone())
                .timeout(Duration::from_millis(1))
                .service(service_fn(unrouted));
            assert!(service.oneshot(request).await.is_err());
        }
        Ending::Dropped => {
            let answer = router().layer(layer.clone()).oneshot(request);
            // Polled once.
            assert!(tokio::time::timeout(Duration::ZERO, answer).await.is_err());
        }
        _ => {
            let app: Router = router().layer(layer.clone());
            let mut body = app.oneshot(request).await.unwrap().into_body();
            if ending == Ending::HalfRead {
                body.frame().await.unwrap().unwrap();
            } else {
                assert_eq!(body.collect().await.is_err(), ending == Ending::Torn);
            }
        }
    }
}

fn tally(lines: &[String], wanted: &str) -> BTreeMap<String, u64> {
    let mut tally = BTreeMap::new();
    for line in lines {
        let (labels, count) = line.rsplit_once(' ').unwrap();
        let value = labels.split(' ').find_map(|label| label.strip_prefix(wanted)).unwrap_or_default();
        *tally.entry(value.to_owned()).or_default() += count.parse::<u64>().unwrap();
    }
    tally
}

#[test]
fn totals_are_exact_and_series_few_however_requests_end() {
    // What panics on purpose does not fill the log.
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            eprintln!("{panic}");
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let layer = name_timeouts(HttpLayer::new((
        server().hosts(["api.example.com"]).unmatched("other").body_sizes().into_profile(),
        client().max_hosts(3).body_sizes().into_profile(),
    )))
    .and(Endpoints::new(
        |request| if request.path().starts_with("/items/") { "/items/{id}" } else { "other" },
    ))
    .and(Totals);
    let (mut errors, mut totals, mut answered) = (BTreeMap::new(), BTreeMap::new(), 0);
    let store = isolated(|store| {
        runtime.block_on(async {
            let mut random = Random(7);
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..requests() {
                let ending = ENDINGS[random.below(ENDINGS.len() as u64) as usize];
                let (request, method) = request(&mut random, n, ending);
                *errors.entry(ending.error_type().unwrap_or_default().to_owned()).or_default() += 1;
                *totals.entry(format!("method={method} status={}", ending.status())).or_default() += 1;
                answered += u64::from(!matches!(
                    ending,
                    Ending::Panic | Ending::Dropped | Ending::Late | Ending::Failed
                ));
                let layer = layer.clone();
                tasks.spawn(async move { one(&layer, request, ending).await }.in_store(store.clone()));
                if tasks.len() >= 64 {
                    tasks.join_next().await;
                }
            }
            while tasks.join_next().await.is_some() {}
        });
        store.clone()
    });
    let all = requests();
    let sum = |tally: &BTreeMap<String, u64>| tally.values().sum::<u64>();

    let durations = lines(&store, "http.server.request.duration");
    assert_eq!(tally(&durations, "error.type="), errors);
    assert_eq!(
        lines(&store, "http.server.response.body.size"),
        durations,
        "the same requests by the same labels"
    );
    assert_eq!(lines(&store, "http.server.request.body.size"), durations);
    // 3 methods, 2 hosts, and 9 endings with one route each.
    assert!(durations.len() <= 3 * 2 * 9, "{}", durations.len());
    let routes = tally(&durations, "http.route=");
    assert_eq!(routes.len(), 7, "{routes:?}");
    assert!(sum(&routes) == all && !routes.contains_key(""));

    let client = lines(&store, "http.client.request.duration");
    assert_eq!(sum(&tally(&client, "server.address=")), all);
    assert_eq!(tally(&client, "server.address=").len(), 4, "3 hosts and all others");

    let total = lines(&store, "http_server_request_total");
    let total: BTreeMap<String, u64> = total
        .iter()
        .map(|line| line.rsplit_once(' ').map(|(labels, n)| (labels.to_owned(), n.parse().unwrap())).unwrap())
        .collect();
    assert_eq!(total, totals);
    assert_eq!(lines(&store, "http_requests_started_total"), [all.to_string()]);
    assert_eq!(sum(&tally(&lines(&store, "http_requests_total"), "endpoint=")), answered);

    for active in ["http.server.active_requests", "http.client.active_requests", "http_requests_in_flight"] {
        let lines = lines(&store, active);
        assert!(
            !lines.is_empty() && lines.iter().all(|line| line == "0" || line.ends_with(" 0")),
            "{active}: {lines:?}"
        );
    }
    assert_nothing_of_a_client(&store);
}

/// No word that a client made up stands anywhere.
fn assert_nothing_of_a_client(store: &Store) {
    let log = metercast_tower::Log::default();
    let page = metercast_tower::PrometheusPage::new("storm", log).render(store);
    for made_up in ["made/up", "xxxx", "M1", "overflow"] {
        assert!(!page.contains(made_up), "{made_up}");
    }
}

#[test]
fn calls_of_grpc_that_are_made_up_make_no_series() {
    async fn refuse(request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let status = if request.uri().path() == "/shop.Orders/Place" { "0" } else { "12" };
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(status));
        let frames = stream::iter([Ok::<_, Infallible>(Frame::trailers(trailers))]);
        Ok(Response::new(Body::new(StreamBody::new(frames))))
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    isolated(|store| {
        let service = server().layer(service_fn(refuse));
        runtime.block_on(async {
            let mut random = Random(11);
            for n in 0..requests() / 10 {
                let path = match random.below(4) {
                    0 => "/shop.Orders/Place".to_owned(),
                    1 => format!("/shop.Orders/Made{n}"),
                    2 => format!("/{}", "x".repeat(300)),
                    _ => format!("/a/b/{n}?c"),
                };
                let mut request = Request::post(path).body(Body::empty()).unwrap();
                request
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
                request
                    .headers_mut()
                    .insert("grpc-timeout", HeaderValue::from_bytes(b"\xff9999999999H").unwrap());
                service.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
            }
        });
        let calls = tally(&lines(store, "rpc.server.call.duration"), "rpc.method=");
        assert_eq!(calls.keys().collect::<Vec<_>>(), ["_OTHER", "shop.Orders/Place"]);
        assert_eq!(calls.values().sum::<u64>(), requests() / 10);
    });
}
