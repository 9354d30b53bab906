//! The services, and programs whose catalogues are made up.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{file, run};

/// A service, and the jobs under which it is scraped.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) jobs: &'static [&'static str],
}

pub(crate) const SERVICES: [Service; 5] = [
    Service { name: "executor", jobs: &["executor"] },
    Service { name: "mailroom", jobs: &["mailroom"] },
    Service { name: "osapi", jobs: &["controller", "agent"] },
    Service { name: "relay", jobs: &["relay"] },
    Service { name: "router", jobs: &["router"] },
];

impl Service {
    /// A file of its documents.
    pub(crate) fn document(&self, name: &str) -> PathBuf {
        let services = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../services"));
        services.join(self.name).join("docs").join(name)
    }

    fn catalogue(&self) -> String {
        self.document("metrics.json").to_str().unwrap().to_owned()
    }

    pub(crate) fn dashboard(&self) -> String {
        printed(&["grafana", "--binary", &self.catalogue(), "--title", self.name])
    }

    pub(crate) fn rules(&self) -> String {
        let catalogue = self.catalogue();
        let mut arguments = vec!["alerts", "--binary", &catalogue];
        for job in self.jobs {
            arguments.extend(["--job", job]);
        }
        printed(&arguments)
    }

    /// What its metrics are called on its page, with what histograms have besides.
    pub(crate) fn names(&self) -> Vec<String> {
        let catalogue: Value =
            serde_json::from_str(&std::fs::read_to_string(self.catalogue()).unwrap()).unwrap();
        let metrics = catalogue["metrics"].as_array().unwrap();
        let name = |metric: &Value| metric["prometheus"].as_str().unwrap().to_owned();
        metrics
            .iter()
            .filter(|metric| metric["visibility"] == "public")
            .flat_map(|metric| match metric["kind"].as_str().unwrap() {
                "histogram" => vec![format!("{}_bucket", name(metric)), format!("{}_count", name(metric))],
                _ => vec![name(metric)],
            })
            .collect()
    }
}

/// What a command prints if all goes well, and says nothing else.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!((ran.status, &*ran.stderr), (0, ""), "{arguments:?}");
    ran.stdout
}

/// A metric of a catalogue; what is given takes the place of what it has else.
pub(crate) fn metric(name: &str, kind: &str, more: &Value) -> Value {
    let mut metric = json!({
        "name": name, "prometheus": name, "kind": kind, "unit": "", "description": "", "visibility": "public",
        "labels": [], "open_labels": false, "places": [{ "package": "shop" }],
    });
    for (key, value) in more.as_object().unwrap() {
        metric[key] = value.clone();
    }
    metric
}

/// The path of a catalogue with these metrics.
pub(crate) fn catalogue(name: &str, metrics: &[Value]) -> String {
    file(&format!("{name}.json"), &json!({ "metrics": metrics }).to_string())
}

/// The dashboard of a catalogue with these metrics.
pub(crate) fn dashboard(name: &str, metrics: &[Value]) -> Value {
    serde_json::from_str(&printed(&["grafana", "--binary", &catalogue(name, metrics)])).unwrap()
}
