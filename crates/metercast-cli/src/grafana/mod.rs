//! `metercast grafana`: a dashboard of a program's metrics, made from the program.

mod golden;
mod layout;
mod of_metric;
mod options;
mod panel;
mod unit;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::exported::{Kind, Metric};
use crate::query::{literally, text};
use crate::terminal::{Answer, data};

use layout::Row;
pub(crate) use options::Options;

/// Grafana 10.1; later versions read it, and make of it what they have.
const SCHEMA: u32 = 36;

/// A uid has so many characters at most.
const LONGEST_UID: usize = 40;

/// So many metrics are asked for the jobs and instances that there are.
const ASKED: usize = 40;

/// Prints the dashboard.
pub(crate) fn run(options: &Options) -> Answer {
    let metrics = options.program.metrics()?;
    let title = options.title.clone().unwrap_or_else(|| options.program.name());
    if title.trim().is_empty() {
        return Err("a dashboard needs a title; give it by --title".to_owned());
    }
    data(format!("{:#}\n", dashboard(&title, &metrics)))?;
    Ok(true)
}

/// The dashboard, the same for the same metrics.
pub(crate) fn dashboard(title: &str, metrics: &[Metric]) -> Json {
    let rows: Vec<Row> = golden::row(metrics).into_iter().chain(rows(metrics)).collect();
    json!({
        "uid": uid(title),
        "title": title,
        "description": "Made by `metercast grafana` from the program; make it anew rather than change it.",
        "tags": ["metercast"],
        "schemaVersion": SCHEMA,
        "editable": true,
        // One line through all panels where the mouse is.
        "graphTooltip": 1,
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "30s",
        "timezone": "browser",
        "templating": { "list": variables(metrics) },
        "annotations": { "list": [] },
        "panels": layout::lay(&rows),
    })
}

/// A row for each crate, those of metercast last and closed; and one for each first word of what is made at run time.
fn rows(metrics: &[Metric]) -> Vec<Row> {
    let mut by_title: BTreeMap<(bool, String), Vec<&Metric>> = BTreeMap::new();
    for metric in metrics {
        let package = metric.package();
        let title = match package {
            "" => metric.words().into_iter().next().unwrap_or_default(),
            package => package.to_owned(),
        };
        by_title.entry((title.starts_with("metercast"), title)).or_default().push(metric);
    }
    let row = |((is_collapsed, title), metrics): ((bool, String), Vec<&Metric>)| Row {
        title,
        is_collapsed,
        panels: metrics.into_iter().flat_map(of_metric::panels).collect(),
    };
    by_title.into_iter().map(row).collect()
}

/// Which Prometheus, which jobs, and which instances of those.
fn variables(metrics: &[Metric]) -> Json {
    let names: Vec<String> =
        metrics.iter().filter(|metric| !metric.is_of_metercast()).take(ASKED).map(sample_of).collect();
    let names = if names.is_empty() { metrics.iter().take(ASKED).map(sample_of).collect() } else { names };
    let all = format!("__name__=~{}", text(&names.join("|")));
    let of_label = |label: &str, query: String| {
        json!({
            "type": "query",
            "name": label,
            "label": label,
            "datasource": { "type": "prometheus", "uid": "${datasource}" },
            "query": query,
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "allValue": ".*",
            "current": { "selected": true, "text": "All", "value": "$__all" },
        })
    };
    json!([
        { "type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "refresh": 1 },
        of_label("job", format!("label_values({{{all}}}, job)")),
        of_label("instance", format!("label_values({{{all}, job=~\"$job\"}}, instance)")),
    ])
}

/// The name of a series of it.
fn sample_of(metric: &Metric) -> String {
    let ending = if metric.kind == Kind::Histogram { "_count" } else { "" };
    literally(&format!("{}{ending}", metric.prometheus))
}

/// The same for the same title: letters of it, and a number of all of it, as two titles may have the same letters.
fn uid(title: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let mut uid: String = title.chars().map(letter).collect();
    let is_plain = uid == title && uid.len() <= LONGEST_UID - "metercast-".len();
    if !is_plain {
        let number = format!("{:016x}", fnv(title));
        uid.truncate(LONGEST_UID - "metercast-".len() - number.len() - 1);
        uid = format!("{uid}-{number}");
    }
    format!("metercast-{uid}")
}

/// FNV-1a, which is the same in every version of every compiler.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
