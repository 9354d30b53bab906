//! Everybody who judges what came out: each is asked once for all of it.

use std::collections::HashMap;

use conformance::http::{self, Request};
use conformance::oracle::prometheus::Prometheus;
use conformance::oracle::pushgateway::Pushgateway;
use conformance::oracle::python::{Answers, Batch, Fact};
use conformance::oracle::rotel::Rotel;
use conformance::oracle::victoria_metrics::{self, VictoriaMetrics};
use conformance::{Allowed, Families, Outcome, Page, Samples, Truth};

/// What was recorded under a name, and what came out.
pub(crate) struct Judged {
    pub(crate) name: String,
    pub(crate) truth: Truth,
    pub(crate) outcome: Outcome,
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

    fn samples(
        &mut self,
        judge: &str,
        name: &str,
        file: &str,
        got: Result<&Samples, &String>,
        expected: &Samples,
        allowed: Allowed,
    ) {
        match got {
            Ok(samples) => self.say(judge, name, file, &samples.differences(expected, allowed)),
            Err(reason) => self.say(judge, name, file, reason),
        }
    }
}

/// Lets all of them judge.
///
/// # Panics
///
/// If one of them understands something else than what was recorded.
pub(crate) fn judge(all: &[Judged]) {
    let mut faults = Faults::default();
    let pages: Vec<Page> = all.iter().map(|judged| judged.truth.page()).collect();
    let rotel = std::thread::scope(|scope| {
        // Servers start and scrape while the parsers read.
        let scraped = scope.spawn(|| scrape(all));
        let mut batch = Batch::default();
        for Judged { outcome, .. } in all {
            outcome.pages.iter().for_each(|page| add(&mut batch, page.file, &page.body));
            batch.message(&outcome.message);
        }
        let answers = batch.ask(env!("CARGO_TARGET_TMPDIR"));
        parsers(all, &pages, &answers, &mut faults);
        pushgateway(all, &pages, &mut faults);
        victoria_metrics(all, &pages, &mut faults);
        prometheus(all, &pages, &scraped.join().expect("Prometheus scrapes"), &mut faults);
        answers.rotel
    });
    collector(all, &Rotel::start(&rotel), &mut faults);
    let Faults(faults) = faults;
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Adds a page to the batch, under the parser that it is for.
fn add(batch: &mut Batch, file: &str, page: &[u8]) {
    if file.starts_with("openmetrics") { batch.openmetrics(page) } else { batch.text(page) }
}

fn parsers(all: &[Judged], pages: &[Page], answers: &Answers, faults: &mut Faults) {
    let (mut read, mut messages) = (answers.pages.iter(), answers.messages.iter());
    for (Judged { name, outcome, truth }, expected) in all.iter().zip(pages) {
        for page in &outcome.pages {
            let got = read.next().expect("an answer for each page").as_ref();
            faults.samples(
                "prometheus_client",
                name,
                page.file,
                got.map(|page| &page.samples),
                &expected.samples,
                Allowed::SignOfZero,
            );
            if let Ok(got) = got {
                let (got, expected) = (as_parsed(&got.families), as_parsed(&expected.families));
                let same = got == expected;
                let trouble = format!("\n  families {got:?}\n  instead of {expected:?}");
                faults.say("prometheus_client", name, page.file, if same { "" } else { &trouble });
            }
        }
        facts(
            "opentelemetry-proto",
            name,
            truth,
            messages.next().expect("an answer for each message"),
            faults,
        );
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

fn facts(judge: &str, name: &str, truth: &Truth, got: &Result<Vec<Fact>, String>, faults: &mut Faults) {
    let got = match got {
        Ok(facts) => facts,
        Err(reason) => return faults.say(judge, name, "OTLP", reason),
    };
    let expected = truth.facts();
    let got: Vec<&String> = got.iter().filter(|fact| fact.case == name).map(|fact| &fact.fact).collect();
    let missing = expected.iter().filter(|fact| !got.contains(fact));
    let more = got.iter().filter(|fact| !expected.contains(fact));
    let lines = missing.map(|fact| format!("\n  missing {fact}"));
    let lines = lines.chain(more.map(|fact| format!("\n  not recorded {fact}")));
    faults.say(judge, name, "OTLP", &lines.collect::<String>());
    if got.len() != expected.len() {
        faults.say(judge, name, "OTLP", &format!("{} points instead of {}", got.len(), expected.len()));
    }
}

fn pushgateway(all: &[Judged], pages: &[Page], faults: &mut Faults) {
    let pushgateway = Pushgateway::start();
    for (Judged { name, outcome, .. }, expected) in all.iter().zip(pages) {
        let page = outcome.page("prometheus");
        let got = pushgateway.read_back(&page.content_type, &page.body);
        faults.samples("Pushgateway", name, page.file, got.as_ref(), &expected.samples, Allowed::Nothing);
    }
}

fn victoria_metrics(all: &[Judged], pages: &[Page], faults: &mut Faults) {
    let mut victoria_metrics = VictoriaMetrics::start();
    for (at, Judged { name, outcome, .. }) in all.iter().enumerate() {
        if let Err(reason) = victoria_metrics.import(&at.to_string(), &outcome.page("prometheus").body) {
            faults.say("VictoriaMetrics", name, "prometheus", &reason);
        }
    }
    let stored = victoria_metrics.read_back(pages.iter().map(|page| page.samples.len()).sum());
    let nothing = Samples::default();
    for (at, (Judged { name, .. }, expected)) in all.iter().zip(pages).enumerate() {
        let got = stored.get(&at.to_string()).unwrap_or(&nothing);
        let allowed = victoria_metrics::ALLOWED;
        faults.samples("VictoriaMetrics", name, "prometheus", Ok(got), &expected.samples, allowed);
    }
}

/// What a Prometheus scraped, by the number of what was recorded and the name of the page.
fn scrape(all: &[Judged]) -> HashMap<String, Result<Samples, String>> {
    let mut pages = HashMap::new();
    for (at, Judged { outcome, .. }) in all.iter().enumerate() {
        for page in &outcome.pages {
            pages.insert(format!("/{at}/{}", page.file), (page.content_type.clone(), page.body.clone()));
        }
    }
    let mut paths: Vec<String> = pages.keys().cloned().collect();
    paths.sort();
    let server = http::serve(move |Request { path, .. }| pages.get(&path).cloned().unwrap_or_default());
    let address = server.strip_prefix("http://").expect("a URL");
    let targets = paths.iter().map(|path| (&path[1..], path.as_str()));
    let mut prometheus = Prometheus::start(address, targets);
    prometheus.read_back(paths.len()).into_iter().collect()
}

fn prometheus(
    all: &[Judged],
    pages: &[Page],
    scraped: &HashMap<String, Result<Samples, String>>,
    faults: &mut Faults,
) {
    for (at, (Judged { name, outcome, .. }, expected)) in all.iter().zip(pages).enumerate() {
        for page in &outcome.pages {
            let got = scraped[&format!("{at}/{}", page.file)].as_ref();
            faults.samples("Prometheus", name, page.file, got, &expected.samples, Allowed::Nothing);
        }
    }
}

/// A collector takes each message, and hands the same points on.
fn collector(all: &[Judged], rotel: &Rotel, faults: &mut Faults) {
    let mut batch = Batch::default();
    let mut handed_on = Vec::new();
    for Judged { name, outcome, .. } in all {
        match rotel.hand_on("application/x-protobuf", &outcome.message) {
            Ok(body) => {
                batch.message(&body);
                handed_on.push(name);
            }
            Err(reason) => faults.say("rotel", name, "OTLP", &reason),
        }
    }
    let answers = batch.ask(env!("CARGO_TARGET_TMPDIR"));
    for (name, got) in handed_on.into_iter().zip(&answers.messages) {
        let judged = all.iter().find(|judged| judged.name == *name).expect("its truth");
        facts("rotel", name, &judged.truth, got, faults);
    }
}
