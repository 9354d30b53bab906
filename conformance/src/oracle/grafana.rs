//! What Grafana's own library for Python makes of dashboards, and a parser of others of their queries: `grafana.py` is started once.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use super::python;

/// What is to be read.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Dashboards.
    pub dashboards: Vec<Value>,
    /// Queries of Prometheus.
    pub queries: Vec<String>,
}

/// What was understood, in the order in which it was asked for.
#[derive(Debug, Deserialize)]
pub struct Answers {
    /// Of each dashboard, what is wrong.
    pub dashboards: Vec<Vec<String>>,
    /// Of each query, which metrics it asks for.
    pub queries: Vec<Query>,
}

/// A query as it was understood.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    /// The names in it, sorted.
    Names(Vec<String>),
    /// Why it cannot be read.
    Error(String),
}

impl Batch {
    /// Asks. `target` is a folder of the target folder, as `CARGO_TARGET_TMPDIR` is.
    ///
    /// # Panics
    ///
    /// If there is no such environment: `cargo xtask test --only services` makes it.
    pub fn ask(&self, target: &str) -> Answers {
        let python = python::interpreter(target);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana.py");
        let mut child = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; `cargo xtask test --only services` makes it", python.display())
            });
        let input = json!({ "dashboards": self.dashboards, "queries": self.queries }).to_string();
        // It reads all before it writes anything.
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("grafana.py reads");
        let output = child.wait_with_output().expect("grafana.py ends");
        assert!(output.status.success(), "grafana.py ended with {}", output.status);
        serde_json::from_slice(&output.stdout).expect("grafana.py prints JSON")
    }
}
