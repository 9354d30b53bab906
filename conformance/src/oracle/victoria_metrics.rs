//! What a VictoriaMetrics stores of pages that are imported, to about 15 digits.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::http;
use crate::program::{Folder, Program, free_address};
use crate::samples::{Allowed, Labels, Samples};

/// Says which page a sample came from.
const PAGE: &str = "conformance_page";

/// How far a value may be from what was recorded.
pub const ALLOWED: Allowed = Allowed::Part(1e-13);

/// After so long nothing more comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A private VictoriaMetrics.
#[derive(Debug)]
pub struct VictoriaMetrics {
    url: String,
    program: Program,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    values: Vec<serde_json::Value>,
}

impl VictoriaMetrics {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> VictoriaMetrics {
        let address = free_address();
        let folder = Folder::new();
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!("-httpListenAddr={address}"))
            .arg(format!("-storageDataPath={}", folder.path().join("data").display()))
            .args(["-search.latencyOffset=0s", "-loggerLevel=WARN", "-memory.allowedBytes=64MB"]);
        let url = format!("http://{address}");
        let mut program = Program::start(command, folder);
        program.wait_until_ready(&format!("{url}/health"));
        VictoriaMetrics { url, program }
    }

    /// Imports a page under a name.
    ///
    /// # Errors
    ///
    /// Why it does not take the page.
    pub fn import(&self, name: &str, page: &[u8]) -> Result<(), String> {
        let url = format!("{}/api/v1/import/prometheus?extra_label={PAGE}={name}", self.url);
        let (status, _, answer) = http::ask(&url, "POST", "", page).map_err(|error| error.to_string())?;
        if status == 204 { Ok(()) } else { Err(format!("{status} {}", String::from_utf8_lossy(&answer))) }
    }

    /// What is stored of all pages, by their names, once there are so many samples; or after a while what there is.
    ///
    /// # Panics
    ///
    /// If that takes too long, or it does not answer as it should.
    pub fn read_back(&mut self, samples: usize) -> BTreeMap<String, Samples> {
        http::get(&format!("{}/internal/force_flush", self.url));
        let matching = http::encode(&format!("{{{PAGE}!=\"\"}}"));
        let export = format!("{}/api/v1/export?match%5B%5D={matching}", self.url);
        // What was just imported is found after a second or so.
        let begun = Instant::now();
        self.program.wait_for(&format!("{samples} samples"), || {
            let found = read(&http::get(&export));
            let count = found.values().map(Samples::len).sum::<usize>();
            (count >= samples || begun.elapsed() > PATIENCE).then_some(found)
        })
    }
}

fn read(lines: &[u8]) -> BTreeMap<String, Samples> {
    let mut found: BTreeMap<String, Samples> = BTreeMap::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let series: Series = serde_json::from_slice(line).expect("a series as JSON");
        let Series { metric: mut labels, values } = series;
        let name = labels.remove("__name__").unwrap_or_default();
        let page = labels.remove(PAGE).unwrap_or_default();
        assert_eq!(values.len(), 1, "{name} was imported once");
        let value = match &values[0] {
            serde_json::Value::Number(number) => number.as_f64().expect("a double"),
            serde_json::Value::String(text) => text.parse().expect("a number in words"),
            other => panic!("{other} is no value"),
        };
        found.entry(page).or_default().add(&name, labels, value).expect("a series is stored once");
    }
    found
}
