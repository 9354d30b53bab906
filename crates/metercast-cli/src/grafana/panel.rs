//! Panels as Grafana's JSON has them.

use serde_json::{Value as Json, json};

/// A panel, wherever it stands.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) view: View,
    /// Grafana's name of it.
    pub(super) unit: &'static str,
    /// Of 24 columns.
    pub(super) width: u32,
    pub(super) targets: Vec<Target>,
}

/// How it shows what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Lines,
    Heatmap,
    Table,
}

/// What it asks for.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) expression: String,
    pub(super) legend: String,
    /// Whether traces are to be marked that stand for a value.
    pub(super) has_exemplars: bool,
}

/// The variable that says which Prometheus is asked.
fn datasource() -> Json {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

impl Target {
    pub(super) fn new(expression: String, legend: impl Into<String>) -> Target {
        Target { expression, legend: legend.into(), has_exemplars: false }
    }

    fn json(&self, at: usize, view: View) -> Json {
        let format = match view {
            View::Lines => "time_series",
            View::Heatmap => "heatmap",
            View::Table => "table",
        };
        json!({
            "refId": reference(at),
            "datasource": datasource(),
            "editorMode": "code",
            "expr": self.expression,
            "legendFormat": self.legend,
            "format": format,
            "exemplar": self.has_exemplars,
            "range": view != View::Table,
            "instant": view == View::Table,
        })
    }
}

impl Panel {
    /// How high it is, in rows of the grid.
    pub(super) fn height(&self) -> u32 {
        if self.view == View::Table { 5 } else { 8 }
    }

    pub(super) fn json(&self, id: u64, (x, y): (u32, u32)) -> Json {
        let targets = self.targets.iter().enumerate().map(|(at, target)| target.json(at, self.view));
        let mut panel = json!({
            "id": id,
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": { "h": self.height(), "w": self.width, "x": x, "y": y },
            "targets": targets.collect::<Vec<_>>(),
        });
        let (kind, config, options) = match self.view {
            View::Lines => ("timeseries", self.lines(), lines_options()),
            View::Heatmap => ("heatmap", json!({}), heatmap_options(self.unit)),
            View::Table => ("table", json!({}), json!({ "showHeader": true })),
        };
        panel["type"] = kind.into();
        panel["fieldConfig"] = json!({ "defaults": config, "overrides": [] });
        panel["options"] = options;
        if self.view == View::Table {
            // The value is always 1; the labels are what it says.
            panel["transformations"] = json!([{
                "id": "organize",
                "options": { "excludeByName": { "Time": true, "Value": true, "__name__": true } },
            }]);
        }
        panel
    }

    fn lines(&self) -> Json {
        json!({
            "unit": self.unit,
            "custom": { "drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false },
        })
    }
}

fn lines_options() -> Json {
    json!({
        "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] },
        "tooltip": { "mode": "multi", "sort": "desc" },
    })
}

fn heatmap_options(unit: &str) -> Json {
    json!({
        "calculate": false,
        "cellGap": 1,
        "color": {
            "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "scale": "exponential", "exponent": 0.5, "steps": 64,
            "reverse": false,
        },
        "exemplars": { "color": "rgba(255,0,255,0.7)" },
        "filterValues": { "le": 1e-9 },
        "legend": { "show": true },
        "rowsFrame": { "layout": "auto" },
        "showValue": "never",
        "tooltip": { "show": true, "yHistogram": true },
        "yAxis": { "axisPlacement": "left", "reverse": false, "unit": unit },
    })
}

/// What Grafana calls the first, second and so on of a panel's targets.
fn reference(at: usize) -> String {
    let letter = char::from(b'A' + (at % 26) as u8);
    if at < 26 { letter.to_string() } else { format!("{letter}{}", at / 26) }
}
