//! What an exporter lets out, for people.

use std::fmt::Write as _;

use serde_json::Value;

const TITLES: [&str; 7] = ["METRIC", "AS", "KIND", "UNIT", "VISIBILITY", "ATTRIBUTES", "DESCRIPTION"];

/// No column is filled up further, so that one long text does not push all others out of sight.
const WIDEST: usize = 48;

/// A table of the metrics, and the attributes of the resource.
///
/// # Errors
///
/// It is not what a live page tells.
pub(super) fn of(told: &Value) -> Result<String, String> {
    let foreign = || "what answers there is no live page of metercast: its answer has no metrics".to_owned();
    let metrics = told["metrics"].as_array().ok_or_else(foreign)?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().replace('\n', " ");
    let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let private = if told["private"] == true { ", which the program keeps to itself" } else { "" };
    let mut page =
        format!("{}: {}, {}{private}\n\n", text(told, "name"), text(told, "type"), text(told, "target"));
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(metrics.iter().map(|metric| {
        let list = |key: &str| {
            let keys = metric[key].as_array().map(Vec::as_slice).unwrap_or_default();
            keys.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        };
        let attributes = match list("exemplar_attributes") {
            none if none.is_empty() => list("attributes"),
            keys => format!("{} (exemplars: {keys})", list("attributes")).trim_start().to_owned(),
        };
        [
            text(metric, "declared"),
            text(metric, "name"),
            text(metric, "kind"),
            or_none(text(metric, "unit")),
            text(metric, "visibility"),
            or_none(attributes),
            text(metric, "description"),
        ]
    }));
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).filter(|width| *width <= WIDEST).max()
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(|column| width(column).unwrap_or(0)).collect();
    if metrics.is_empty() {
        page.push_str("no metrics\n");
    } else {
        for row in &rows {
            let line: String =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
            // A text in a `String` is always written.
            let _ = writeln!(page, "{}", line.trim_end());
        }
    }
    let resource = told["resource"].as_object().ok_or_else(foreign)?;
    if !resource.is_empty() {
        page.push('\n');
    }
    for (key, value) in resource {
        let _ = writeln!(page, "resource {key} = {}", value.as_str().unwrap_or_default());
    }
    Ok(page)
}
