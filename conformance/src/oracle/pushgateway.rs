//! What a Pushgateway takes, and gives back: it reads with Go's `expfmt`, as most of Prometheus' world does.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::http;
use crate::program::{Folder, Program, free_address};
use crate::samples::{Labels, Samples};

/// A private Pushgateway.
#[derive(Debug)]
pub struct Pushgateway {
    url: String,
    _program: Program,
}

#[derive(Deserialize)]
struct Groups {
    data: Vec<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Family {
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    labels: Option<Labels>,
    value: Option<String>,
    count: Option<String>,
    sum: Option<String>,
    #[serde(default)]
    buckets: BTreeMap<String, String>,
    #[serde(default)]
    quantiles: BTreeMap<String, String>,
}

impl Pushgateway {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start() -> Pushgateway {
        let address = free_address();
        let mut command = Command::new("prometheus-pushgateway");
        // Debian's keeps what was pushed for the next one that starts.
        command.arg(format!("--web.listen-address={address}")).arg("--persistence.file=");
        let url = format!("http://{address}");
        let mut program = Program::start(command, Folder::new());
        program.wait_until_ready(&format!("{url}/-/ready"));
        Pushgateway { url, _program: program }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts a page in the place of what was put before, and reads it back.
    ///
    /// # Errors
    ///
    /// Why it does not take the page.
    ///
    /// # Panics
    ///
    /// If it does not answer as it should.
    pub fn read_back(&self, content_type: &str, page: &[u8]) -> Result<Samples, String> {
        let url = format!("{}/metrics/job/conformance", self.url);
        let content_type = format!("Content-Type: {content_type}\r\n");
        let (status, _, answer) =
            http::ask(&url, "PUT", &content_type, page).map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("{status} {}", String::from_utf8_lossy(&answer)));
        }
        let groups = http::get(&format!("{}/api/v1/metrics", self.url));
        let groups: Groups = serde_json::from_slice(&groups).expect("the groups as JSON");
        let mut samples = Samples::default();
        for (name, family) in groups.data.into_iter().flatten() {
            // What it adds to each group.
            if ["labels", "last_push_successful", "push_time_seconds", "push_failure_time_seconds"]
                .contains(&name.as_str())
            {
                continue;
            }
            let family: Family = serde_json::from_value(family).expect("a family as JSON");
            for metric in family.metrics {
                metric.add_to(&mut samples, &name)?;
            }
        }
        Ok(samples)
    }
}

impl Metric {
    fn add_to(self, samples: &mut Samples, name: &str) -> Result<(), String> {
        let mut labels = self.labels.unwrap_or_default();
        labels.remove("job");
        labels.remove("instance");
        let number = |text: &String| text.parse::<f64>().map_err(|error| format!("{text}: {error}"));
        if let Some(value) = &self.value {
            samples.add(name, labels.clone(), number(value)?)?;
        }
        for (bound, count) in &self.buckets {
            let mut labels = labels.clone();
            labels.insert("le".to_owned(), bound.clone());
            samples.add(&format!("{name}_bucket"), labels, number(count)?)?;
        }
        for (quantile, value) in &self.quantiles {
            let mut labels = labels.clone();
            labels.insert("quantile".to_owned(), quantile.clone());
            samples.add(name, labels, number(value)?)?;
        }
        for (suffix, value) in [("_count", &self.count), ("_sum", &self.sum)] {
            if let Some(value) = value {
                samples.add(&format!("{name}{suffix}"), labels.clone(), number(value)?)?;
            }
        }
        Ok(())
    }
}
