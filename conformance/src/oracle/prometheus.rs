//! What a Prometheus stores of pages that it scrapes, and answers when it is asked for them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use serde::Deserialize;

use crate::http;
use crate::program::{Folder, Program, free_address};
use crate::samples::{Labels, Samples};

/// Says which page a sample came from.
const PAGE: &str = "conformance_page";

/// A private Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    url: String,
    program: Program,
}

/// What became of a scrape.
pub type Scraped = Result<Samples, String>;

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    result: Vec<Sample>,
    #[serde(default)]
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Sample {
    metric: Labels,
    /// Native histograms have none.
    value: Option<(f64, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    labels: Labels,
    health: String,
    last_error: String,
}

impl Prometheus {
    /// Scrapes these pages, each a target with a name and a path, again and again.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(address: &str, pages: &[(String, String)]) -> Prometheus {
        // So many a second that a machine with other work keeps up.
        let seconds = 1 + pages.len() / 300;
        let mut config = format!(
            "global: {{scrape_interval: {seconds}s, scrape_timeout: {seconds}s}}\nscrape_configs:\n\
             - job_name: conformance\n  static_configs:\n",
        );
        for (name, path) in pages {
            let _ = writeln!(
                config,
                "  - {{targets: ['{address}'], labels: {{{PAGE}: '{name}', __metrics_path__: '{path}'}}}}"
            );
        }
        Prometheus::run(&config, &free_address())
    }

    /// Listens at this address, and scrapes these pages each second: a job for each, with its name and URL.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or a URL has no path.
    pub fn of_jobs(address: &str, pages: &[(String, String)]) -> Prometheus {
        let mut config =
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nscrape_configs:\n"
                .to_owned();
        for (job, url) in pages {
            let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a URL with a path");
            let _ = writeln!(
                config,
                "- {{job_name: {job}, metrics_path: /{path}, static_configs: [{{targets: ['{host}']}}]}}"
            );
        }
        Prometheus::run(&config, address)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn run(config: &str, address: &str) -> Prometheus {
        let folder = Folder::new();
        let config = folder.write("prometheus.yml", config);
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage,native-histograms")
            .arg("--log.level=warn");
        let url = format!("http://{address}");
        let mut program = Program::start(command, folder);
        program.wait_until_ready(&format!("{url}/-/ready"));
        Prometheus { url, program }
    }

    /// Waits until each of so many pages was scraped or refused, and says what is stored of it by its name, but for native histograms.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub fn read_back(&mut self, pages: usize) -> BTreeMap<String, Scraped> {
        let targets = format!("{}/api/v1/targets?state=active", self.url);
        let targets = self.program.wait_for("a scrape of each page", || {
            let targets = answer(&http::get(&targets)).active_targets;
            (targets.len() == pages && targets.iter().all(|target| target.health != "unknown"))
                .then_some(targets)
        });
        let mut found: BTreeMap<String, Scraped> = BTreeMap::new();
        for target in targets {
            let page = target.labels.get(PAGE).cloned().unwrap_or_default();
            let result =
                if target.health == "up" { Ok(Samples::default()) } else { Err(target.last_error.clone()) };
            found.insert(page, result);
        }
        for sample in self.query(&format!("{{{PAGE}!=\"\"}}")) {
            let Sample { metric: mut labels, value: Some((_, value)) } = sample else { continue };
            let name = labels.remove("__name__").unwrap_or_default();
            let page = labels.remove(PAGE).unwrap_or_default();
            // What it adds: where it scraped, and how that went.
            labels.remove("job");
            labels.remove("instance");
            if name == "up" || name.starts_with("scrape_") {
                continue;
            }
            if let Some(Ok(samples)) = found.get_mut(&page) {
                let added = samples.add(&name, labels, value.parse().expect("a number"));
                added.expect("a series is stored once");
            }
        }
        found
    }

    fn query(&self, query: &str) -> Vec<Sample> {
        answer(&http::get(&format!("{}/api/v1/query?query={}", self.url, http::encode(query)))).result
    }

    /// What a query finds now: labels, with the name among them, and values.
    ///
    /// # Panics
    ///
    /// If the query is wrong.
    pub fn series(&self, query: &str) -> Vec<(Labels, f64)> {
        let samples = self.query(query).into_iter();
        let number = |(_, text): (f64, String)| text.parse().expect("a number");
        samples.filter_map(|sample| Some((sample.metric, number(sample.value?)))).collect()
    }

    /// What it says of itself: the value of a sample of its own page.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn own(&self, sample: &str) -> Option<f64> {
        let page = http::get(&format!("{}/metrics", self.url));
        let page = String::from_utf8_lossy(&page);
        let value = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
        value.parse().ok()
    }
}

fn answer(body: &[u8]) -> Data {
    let answer: Answer = serde_json::from_slice(body).expect("Prometheus answers with JSON");
    answer.data
}
