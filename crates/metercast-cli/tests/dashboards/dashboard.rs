//! A dashboard, read.

use serde_json::Value;

/// A panel, and what it asks for.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) queries: Vec<String>,
    pub(crate) legends: Vec<String>,
    pub(crate) has_exemplars: bool,
}

/// All panels with those of rows that are closed, without the rows.
pub(crate) fn panels(dashboard: &Value) -> Vec<Panel> {
    let mut found = Vec::new();
    collect(&dashboard["panels"], &mut found);
    found
}

fn collect(panels: &Value, found: &mut Vec<Panel>) {
    for panel in panels.as_array().unwrap() {
        if panel["type"] == "row" {
            collect(&panel["panels"], found);
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        let text = |key: &str| {
            let all = targets.iter().map(|target| target[key].as_str().unwrap().to_owned());
            all.collect::<Vec<_>>()
        };
        let unit = [&panel["fieldConfig"]["defaults"]["unit"], &panel["options"]["yAxis"]["unit"]];
        found.push(Panel {
            title: panel["title"].as_str().unwrap().to_owned(),
            kind: panel["type"].as_str().unwrap().to_owned(),
            unit: unit.iter().find_map(|unit| unit.as_str()).unwrap_or_default().to_owned(),
            queries: text("expr"),
            legends: text("legendFormat"),
            has_exemplars: targets.iter().any(|target| target["exemplar"] == true),
        });
    }
}

/// A query as Grafana asks it, with all jobs and instances.
pub(crate) fn substituted(query: &str) -> String {
    query.replace("$__rate_interval", "10s").replace("$job", ".*").replace("$instance", ".*")
}
