//! Everybody who judges what came out: each is asked once for all of it.

use std::collections::BTreeMap;

use conformance::http::{self, Answer, Request};
use conformance::oracle::prometheus::{Prometheus, Scraped};
use conformance::oracle::pushgateway::Pushgateway;
use conformance::oracle::python::{Batch, Fact};
use conformance::oracle::rotel::Rotel;
use conformance::oracle::victoria_metrics::{self, VictoriaMetrics};
use conformance::{
    Allowed, Families, Given, Outcome, Page, PageChoice, Samples, ServedPage, Truth, push_grpc,
};

/// What was recorded under a name, and what came out.
pub(crate) struct Judged {
    pub(crate) name: String,
    pub(crate) given: Given,
    pub(crate) outcome: Outcome,
}

/// A page, and what must be understood of it.
struct Shown<'a> {
    name: &'a str,
    page: &'a ServedPage,
    /// Whether those can read it who know no UTF-8 in names.
    is_legal: bool,
    /// Not known of the ways of another exporter: then it must be readable.
    expected: Option<Page>,
}

/// What is wrong, a line or more each.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn say(&mut self, judge: &str, name: &str, what: &str, trouble: &str) {
        if !trouble.is_empty() {
            self.0.push(format!("{judge}: {name}, {what}: {trouble}"));
        }
    }

    fn page(&mut self, judge: &str, shown: &Shown<'_>, got: Result<&Samples, &String>, allowed: Allowed) {
        let trouble = match (got, &shown.expected) {
            (Err(reason), _) => reason.clone(),
            (Ok(samples), Some(expected)) => samples.differences(&expected.samples, allowed),
            (Ok(_), None) => String::new(),
        };
        self.say(judge, shown.name, shown.page.file, &trouble);
    }
}

/// Lets all of them judge.
///
/// # Panics
///
/// If one of them understands something else than what was recorded.
pub(crate) fn judge(all: &[Judged]) {
    let mut faults = Faults::default();
    let shown: Vec<Shown<'_>> = all.iter().flat_map(pages).collect();
    let legal: Vec<&Shown<'_>> = shown.iter().filter(|shown| shown.is_legal).collect();
    let known_to_go: Vec<&Shown<'_>> = legal.iter().copied().filter(|shown| !shown.page.is_open()).collect();
    let text: Vec<&Shown<'_>> = known_to_go.iter().copied().filter(|shown| shown.page.is_text()).collect();
    let known_to_python: Vec<&Shown<'_>> = shown.iter().filter(|shown| shown.page.is_text()).collect();
    let rotel = std::thread::scope(|scope| {
        // Prometheus starts and scrapes while others read.
        let scraped = scope.spawn(|| scrape(&legal));
        let mut batch = Batch::default();
        for Shown { page, .. } in &known_to_python {
            if page.is_open() { batch.openmetrics(&page.body) } else { batch.text(&page.body) }
        }
        for Judged { outcome, .. } in all {
            if let Some([message, json]) = &outcome.between {
                batch.protobuf(message);
                batch.json(json);
            }
            batch.protobuf(&outcome.message);
            batch.json(&outcome.json);
        }
        let answers = batch.ask(env!("CARGO_TARGET_TMPDIR"));
        for (shown, got) in known_to_python.iter().zip(&answers.pages) {
            let read = got.as_ref().map(|page| &page.samples);
            faults.page("prometheus_client", shown, read, Allowed::SignOfZero);
            if let (Ok(got), Some(expected)) = (got, &shown.expected) {
                families(shown, &got.families, &expected.families, &mut faults);
                if got.exemplars != expected.exemplars {
                    let trouble =
                        format!("\n  exemplars {:?}\n  instead of {:?}", got.exemplars, expected.exemplars);
                    faults.say("prometheus_client", shown.name, shown.page.file, &trouble);
                }
            }
        }
        let mut messages = answers.messages.chunks(2);
        for judged in all {
            for after in 0..=u32::from(judged.outcome.between.is_some()) {
                let expected = Truth::delivered(&judged.given, after).facts();
                let got = messages.next().expect("an answer for each message");
                facts("opentelemetry-proto", judged, "protobuf", &expected, &got[0], &mut faults);
                facts("opentelemetry-proto", judged, "JSON", &expected, &got[1], &mut faults);
            }
        }
        pushgateway(&known_to_go, &mut faults);
        victoria_metrics(&text, &mut faults);
        let scraped = scraped.join().expect("Prometheus scrapes");
        for (at, shown) in legal.iter().enumerate() {
            faults.page("Prometheus", shown, scraped[&at.to_string()].as_ref(), Allowed::Nothing);
        }
        answers.rotel
    });
    collector(all, &Rotel::start(&rotel), &mut faults);
    let Faults(faults) = faults;
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// The pages of a case, each once: where names are legal, several escapings come to the same.
fn pages(judged: &Judged) -> impl Iterator<Item = Shown<'_>> {
    let Judged { name, given, outcome } = judged;
    let truth = Truth::of(given);
    let differs = |(at, page): &(usize, &ServedPage)| {
        let earlier = &outcome.pages[..*at];
        !earlier.iter().any(|other| other.body == page.body && other.is_open() == page.is_open())
    };
    outcome.pages.iter().enumerate().filter(differs).map(move |(_, page)| {
        let default = PageChoice::default();
        let choice = if page.is_scraped() { &default } else { &given.page };
        let is_legal = choice.makes_legal() || !page.has_utf8_names();
        // What becomes of native buckets, `tests/native.rs` knows.
        let is_native = !page.is_text() && truth.has_exponential();
        let expected = (!choice.is_of_metrics_rs() && !is_native).then(|| truth.page(choice, page.format));
        Shown { name, page, is_legal, expected }
    })
}

fn families(shown: &Shown<'_>, got: &Families, expected: &Families, faults: &mut Faults) {
    let (got, expected) = (as_parsed(got), as_parsed(expected));
    if got != expected {
        let trouble = format!("\n  families {got:?}\n  instead of {expected:?}");
        faults.say("prometheus_client", shown.name, shown.page.file, &trouble);
    }
}

/// As the parsers have families: without space around what is said of them.
fn as_parsed(families: &Families) -> Families {
    // What Python takes for space.
    let is_space = |one: char| one.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&one);
    let family = |(name, (kind, help)): (&String, &(String, String))| {
        (name.clone(), (kind.clone(), help.trim_matches(is_space).to_owned()))
    };
    families.iter().map(family).collect()
}

fn facts(
    judge: &str,
    judged: &Judged,
    what: &str,
    expected: &[String],
    got: &Result<Vec<Fact>, String>,
    faults: &mut Faults,
) {
    let name = &judged.name;
    let got = match got {
        Ok(facts) => facts,
        Err(reason) => return faults.say(judge, name, what, reason),
    };
    let got: Vec<&String> = got.iter().filter(|fact| fact.case == *name).map(|fact| &fact.fact).collect();
    let missing = expected.iter().filter(|fact| !got.contains(fact));
    let more = got.iter().filter(|fact| !expected.contains(fact));
    let lines = missing.map(|fact| format!("\n  missing {fact}"));
    let lines = lines.chain(more.map(|fact| format!("\n  not recorded {fact}")));
    faults.say(judge, name, what, &lines.collect::<String>());
    if got.len() != expected.len() {
        faults.say(judge, name, what, &format!("{} points instead of {}", got.len(), expected.len()));
    }
}

fn pushgateway(shown: &[&Shown<'_>], faults: &mut Faults) {
    let pushgateway = Pushgateway::start();
    for shown in shown {
        let got = pushgateway.read_back(&shown.page.content_type, &shown.page.body);
        faults.page("Pushgateway", shown, got.as_ref(), Allowed::Nothing);
    }
}

fn victoria_metrics(shown: &[&Shown<'_>], faults: &mut Faults) {
    let mut victoria_metrics = VictoriaMetrics::start();
    for (at, shown) in shown.iter().enumerate() {
        if let Err(reason) = victoria_metrics.import(&at.to_string(), &shown.page.body) {
            faults.page("VictoriaMetrics", shown, Err(&reason), Allowed::Nothing);
        }
    }
    let samples = |shown: &&Shown<'_>| shown.expected.as_ref().map_or(0, |page| page.samples.len());
    let stored = victoria_metrics.read_back(shown.iter().map(samples).sum());
    let nothing = Samples::default();
    for (at, shown) in shown.iter().enumerate() {
        let got = stored.get(&at.to_string()).unwrap_or(&nothing);
        faults.page("VictoriaMetrics", shown, Ok(got), victoria_metrics::ALLOWED);
    }
}

/// What a Prometheus stores, by the place in the list.
fn scrape(shown: &[&Shown<'_>]) -> BTreeMap<String, Scraped> {
    let pages: Vec<_> =
        shown.iter().map(|shown| (shown.page.content_type.clone(), shown.page.body.clone())).collect();
    let targets: Vec<(String, String)> =
        (0..pages.len()).map(|at| (at.to_string(), format!("/{at}"))).collect();
    let server = http::serve(move |Request { path, .. }| {
        let at: Option<usize> = path[1..].parse().ok();
        match at.and_then(|at| pages.get(at)) {
            Some((content_type, body)) => Answer::ok(content_type, body.clone()),
            None => Answer::status(404, ""),
        }
    });
    let address = server.strip_prefix("http://").expect("a URL");
    let mut prometheus = Prometheus::start(address, &targets);
    prometheus.read_back(targets.len())
}

/// A collector takes each message by each protocol, and hands on the same points that came as protobuf.
fn collector(all: &[Judged], rotel: &Rotel, faults: &mut Faults) {
    let mut batch = Batch::default();
    let mut handed_on = Vec::new();
    for judged in all {
        let Judged { name, given, outcome } = judged;
        let by_grpc = || push_grpc(name, given, rotel.grpc()).and_then(|()| rotel.handed_on());
        for (what, got) in [
            ("protobuf", rotel.hand_on("application/x-protobuf", &outcome.message)),
            ("JSON", rotel.hand_on("application/json", &outcome.json)),
            ("gRPC", by_grpc()),
        ] {
            match got {
                // Of JSON it loses numbers of 64 bits that are texts, which is how OTLP has them; but it takes them.
                Ok(_) if what == "JSON" => {}
                Ok(body) => {
                    batch.protobuf(&body);
                    handed_on.push((judged, what));
                }
                Err(reason) => faults.say("rotel", name, what, &reason),
            }
        }
    }
    let answers = batch.ask(env!("CARGO_TARGET_TMPDIR"));
    for ((judged, what), got) in handed_on.into_iter().zip(&answers.messages) {
        // What is pushed by gRPC is pushed once.
        let given = &judged.given;
        let last = u32::from(judged.outcome.between.is_some());
        let truth = if what == "gRPC" { Truth::of(given) } else { Truth::delivered(given, last) };
        facts("rotel", judged, what, &truth.facts(), got, faults);
    }
}
