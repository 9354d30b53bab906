//! Instruments of a configuration, as data in `conformance/instruments/`: what selectors find and which conditions hold in requests of
//! every kind, what values come to, and what is refused. `UPDATE=1` writes the files anew; the diff is what is reviewed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use metercast_tower::bytes::Bytes;
use metercast_tower::dynamic::Stages;
use metercast_tower::{
    Config, Configured, HttpLayer, HttpProfile, HttpRoute, Log, MockClock, PrometheusPage, Store, Telemetry,
    UrlTemplate, http_client_stage, http_server_stage,
};
use tower::{Layer, ServiceExt, service_fn};

/// The requests that everything is tried with.
const REQUESTS: [&str; 8] = ["rich", "bare", "odd", "failing", "error", "cancelled", "cut", "broken"];

/// A program with one stage, what is configured for it, and a clock that it takes its time from.
struct Program {
    store: Store,
    clock: MockClock,
    stages: Stages,
    is_client: bool,
    _telemetry: Telemetry,
}

fn stages() -> Stages {
    Stages::new([http_server_stage("router"), http_client_stage("subgraph")])
}

fn read(text: &str) -> Result<(Stages, Config), String> {
    let stages = stages();
    let variables = [("REGION".to_owned(), "eu".to_owned()), ("EMPTY".to_owned(), String::new())];
    let config = Config::builder().variables(variables).without_exporter("prometheus").stages(&stages);
    let config = config.self_metrics(false).text("given.toml", text).build();
    Ok((stages, config.map_err(|error| error.to_string())?))
}

impl Program {
    fn new(text: &str, is_client: bool) -> Result<Program, String> {
        let (stages, config) = read(text)?;
        let clock = MockClock::new();
        let store = Store::with_clock(&clock);
        let telemetry = Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start();
        let telemetry = telemetry.map_err(|error| error.to_string())?;
        Ok(Program { store, clock, stages, is_client, _telemetry: telemetry })
    }

    /// The lines of the page that say something of the metrics of the test.
    fn page(&self) -> String {
        let page = PrometheusPage::new("own", Log::to(|_, _| {})).render(&self.store);
        let is_own = |line: &&str| !line.starts_with("# HELP");
        page.lines().filter(is_own).map(|line| format!("{line}\n")).collect()
    }

    /// Lets a request of this name happen.
    fn request(&self, name: &str) {
        let clock = self.clock.clone();
        let answer = Answer { name: name.to_owned(), clock: clock.clone() };
        let service = service_fn(move |_: Request<Empty<Bytes>>| answer.clone().make());
        let profile = match self.is_client {
            true => Configured::client(self.stages.stage("subgraph").unwrap()),
            false => Configured::server(self.stages.stage("router").unwrap()),
        };
        let service = HttpLayer::new(profile).layer(service);
        self.store.scope(|| {
            let mut context = Context::from_waker(Waker::noop());
            let mut call = pin!(service.oneshot(request(name)));
            let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut context) else { return };
            let mut body = pin!(response.into_body());
            for frame in 0.. {
                if name == "cut" && frame == 1 {
                    return;
                }
                let next = pin!(body.frame()).poll(&mut context);
                if !matches!(next, Poll::Ready(Some(Ok(_)))) {
                    return;
                }
            }
        });
    }
}

fn request(name: &str) -> Request<Empty<Bytes>> {
    let request = match name {
        "bare" => Request::get("/"),
        "odd" => Request::builder()
            .method("BREW")
            .uri("/%ff?page")
            .header("host", "a b")
            .header("x-tenant", HeaderValue::from_bytes(b"\xff").unwrap()),
        _ => Request::post("https://Shop.example:8443/items/7?page=2&page=3")
            .header("x-tenant", "acme")
            .header("x-user", "a@b.example")
            .header("x-n", "5")
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .header("baggage", "tier=gold;ttl=1,region=eu")
            .header("content-length", "12")
            .extension(HttpRoute("/items/{id}"))
            .extension(UrlTemplate("/items/{n}")),
    };
    request.body(Empty::new()).unwrap()
}

#[derive(Clone)]
struct Answer {
    name: String,
    clock: MockClock,
}

impl Answer {
    async fn make(self) -> Result<Response<Frames>, io::Error> {
        self.clock.advance(Duration::from_millis(250));
        let (status, frames): (_, &[usize]) = match self.name.as_str() {
            "error" => return Err(io::ErrorKind::ConnectionRefused.into()),
            "cancelled" => std::future::pending().await,
            "bare" => (204, &[]),
            "odd" => (404, &[]),
            "failing" => (503, &[1]),
            _ => (200, &[5, 3]),
        };
        let mut frames: VecDeque<_> =
            frames.iter().map(|bytes| Ok(Bytes::from(vec![b'x'; *bytes]))).collect();
        if self.name == "broken" {
            frames.push_back(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let response = Response::builder().status(status);
        let response =
            if status == 200 { response.header("x-cost", "7").header("x-word", "many") } else { response };
        Ok(response.body(Frames { frames, clock: self.clock }).unwrap())
    }
}

/// A body whose frames take their time.
struct Frames {
    frames: VecDeque<Result<Bytes, io::Error>>,
    clock: MockClock,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = self.frames.pop_front();
        if frame.is_some() {
            self.clock.advance(Duration::from_millis(100));
        }
        Poll::Ready(frame.map(|frame| frame.map(Frame::data)))
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/instruments")
}

/// Compares with what the file says, or writes it.
fn check(file: &str, found: &str) {
    let path = folder().join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{file} says something else than what is found:\n{found}");
}

/// The lines of a file that are given, with the comments before them; what is indented is what was found.
fn given(file: &str) -> Vec<String> {
    let text = fs::read_to_string(folder().join(file)).unwrap();
    text.lines().filter(|line| !line.starts_with("  ")).map(str::to_owned).collect()
}

/// For each line that is no comment, the line and below it what `find` makes of it.
fn tried(file: &str, mut find: impl FnMut(&str) -> String) {
    let mut found = String::new();
    for line in given(file) {
        found.push_str(&format!("{line}\n"));
        if !line.is_empty() && !line.starts_with('#') {
            for told in find(&line).lines() {
                found.push_str(&format!("  {told}\n"));
            }
        }
    }
    check(file, &found);
}

/// The stage that a line is about: that of clients if it begins so.
fn of_line(line: &str) -> (&str, bool) {
    line.strip_prefix("client ").map_or((line, false), |line| (line, true))
}

#[test]
fn selectors_find_what_a_request_has_and_nothing_else() {
    tried("selectors.txt", |line| {
        let (selector, is_client) = of_line(line);
        let stage = if is_client { "subgraph" } else { "router" };
        let text = format!(
            "[telemetry.instruments.{stage}.\"tried\"]\ntype = \"counter\"\nvalue = \"unit\"\nattributes = {{ it = {selector} }}\n"
        );
        let value = |name: &str| -> Result<String, String> {
            let program = Program::new(&text, is_client)?;
            program.request(name);
            let page = program.page();
            let sample = page.lines().find(|line| line.starts_with("tried_total")).unwrap_or("not recorded");
            let value = sample.split_once("it=\"").and_then(|(_, rest)| rest.rsplit_once("\"}"));
            Ok(value.map_or_else(|| "-".to_owned(), |(value, _)| value.to_owned()))
        };
        match REQUESTS.iter().map(|name| value(name).map(|value| format!("{name:<9} {value}\n"))).collect() {
            Ok(found) => found,
            Err(refused) => refused,
        }
    });
}

#[test]
fn conditions_hold_once_they_are_known_to() {
    tried("conditions.txt", |line| {
        let text = format!(
            "[telemetry.instruments.router.\"tried\"]\ntype = \"counter\"\nvalue = \"unit\"\ncondition = {line}\n"
        );
        let mut recorded = Vec::new();
        for name in REQUESTS {
            match Program::new(&text, false) {
                Ok(program) => {
                    program.request(name);
                    recorded.extend(program.page().contains("tried_total 1\n").then_some(name));
                }
                Err(refused) => return refused,
            }
        }
        if recorded.is_empty() { "none".to_owned() } else { recorded.join(" ") }
    });
}

#[test]
fn values_come_to_what_their_instruments_say() {
    tried("values.txt", |line| {
        let (instrument, is_client) = of_line(line);
        let stage = if is_client { "subgraph" } else { "router" };
        let text = match instrument.split_once(": ") {
            Some((name, rest)) if !name.contains('{') => {
                format!("telemetry.instruments.{stage}.\"{name}\" = {rest}\n")
            }
            _ => format!("telemetry.instruments.{stage}.\"tried\" = {instrument}\n"),
        };
        match Program::new(&text, is_client) {
            Ok(program) => {
                REQUESTS.iter().for_each(|name| program.request(name));
                let is_told = |line: &&str| {
                    let is_empty = line.contains("_bucket{") && !line.contains("+Inf");
                    !is_empty
                };
                program.page().lines().filter(is_told).map(|line| format!("{line}\n")).collect()
            }
            Err(refused) => refused,
        }
    });
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place_and_its_mend() {
    tried("refused.txt", |line| match read(&format!("[telemetry.instruments.router]\n{line}\n")) {
        Ok((_, config)) if config.warnings().is_empty() => "accepted".to_owned(),
        Ok((_, config)) => config.warnings().join("\n"),
        Err(refused) => refused,
    });
}

#[test]
fn what_is_not_configured_costs_nothing_and_counts_nothing() {
    let program = Program::new("", false).unwrap();
    assert!(program.stages.stage("router").unwrap().begin(&()).is_none());
    program.request("rich");
    assert_eq!(program.page(), "");
}

#[tokio::test]
async fn a_service_without_errors_is_measured_too() {
    let program =
        Program::new("telemetry.instruments.router.tried = { type = 'counter', value = 'unit' }", false)
            .unwrap();
    let service = service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let profile = Configured::server(program.stages.stage("router").unwrap());
    let call = HttpLayer::new(profile).layer(service).oneshot(request("bare"));
    drop(metercast_tower::StoreFutureExt::in_store(call, program.store.clone()).await);
    assert!(program.page().contains("tried_total 1\n"), "{}", program.page());
}

#[test]
fn what_the_layer_measures_itself_is_not_measured_again_and_a_warning_says_so() {
    let instruments = |names: &[&str]| {
        let lines: String = names.iter().map(|name| format!("\"{name}\" = true\n")).collect();
        format!("[telemetry.instruments.router]\ntried = {{ type = 'counter', value = 'unit' }}\n{lines}")
    };
    let (duration, active) = ("http.server.request.duration", "http.server.active_requests");
    let size = "http.server.response.body.size";
    let (stages, store) = (stages(), Store::new());
    let configured = |text: &str| {
        let config = Config::builder().environment(false).without_exporter("prometheus").stages(&stages);
        config.self_metrics(false).text("given.toml", text).build().unwrap()
    };
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| {
            if level == metercast_tower::log::Level::Warn {
                lines.lock().unwrap().push(line.to_owned());
            }
        }
    });
    let telemetry =
        Telemetry::builder(configured(&instruments(&[duration, size]))).store(store.clone()).log(log);
    let telemetry = telemetry.start().unwrap();
    let said = || std::mem::take(&mut *lines.lock().unwrap());
    assert_eq!(said(), [""; 0], "nobody has joined them yet");

    // A layer that is made after the start says it then, and the other one measures what it did.
    let router = || Configured::server(stages.stage("router").unwrap());
    let joined = metercast_tower::server().and(router());
    let warning = |line: usize, name: &str| {
        format!(
            "given.toml:{line}: telemetry.instruments.router.\"{name}\": the program itself measures this beside the stage \"router\", so \
             that it is counted once and as the program says; leave it out"
        )
    };
    assert_eq!(said(), [warning(3, duration)]);
    let alone = HttpLayer::new(router());
    fn send(layer: &HttpLayer<impl HttpProfile + Clone>, store: &Store) {
        let service = layer.layer(service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }));
        store.scope(|| {
            let call = pin!(service.oneshot(request("bare")));
            assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        });
    }
    let counts = || {
        let page = PrometheusPage::new("own", Log::to(|_, _| {})).render(&store);
        let count = |name: &str| -> f64 {
            let of_it = |line: &&str| line.split(['{', ' ']).next() == Some(name);
            page.lines()
                .filter(of_it)
                .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
                .sum()
        };
        [
            "http_server_request_duration_seconds_count",
            "http_server_response_body_size_bytes_count",
            "tried_total",
        ]
        .map(count)
    };
    send(&joined, &store);
    assert_eq!(counts(), [1.0, 1.0, 1.0]);
    send(&alone, &store);
    assert_eq!(counts(), [2.0, 2.0, 2.0]);

    // In the other order, too, and after a reload.
    let before = HttpLayer::new(router()).and(metercast_tower::server().into_profile());
    send(&before, &store);
    assert_eq!(counts(), [3.0, 3.0, 3.0]);
    telemetry.reload(configured(&instruments(&[active, duration]))).unwrap();
    assert_eq!(said(), [warning(4, duration), warning(3, active)]);
    send(&joined, &store);
    assert_eq!(counts(), [4.0, 0.0, 4.0]);
    telemetry.reload(configured(&instruments(&[]))).unwrap();
    assert_eq!(said(), [""; 0]);
    send(&joined, &store);
    assert_eq!(counts(), [5.0, 0.0, 5.0]);
}

#[test]
fn the_instruments_of_the_readme_are_accepted() {
    let readme = include_str!("../../../README.md");
    let files = readme.split("```toml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let files: Vec<_> = files.filter(|text| text.contains("[telemetry.instruments")).collect();
    assert!(!files.is_empty());
    for text in files {
        let (_, config) = read(text).unwrap();
        assert!(config.instruments() > 0 && config.warnings().is_empty(), "{text}{:?}", config.warnings());
    }
}
