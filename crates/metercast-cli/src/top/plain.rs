//! What was read, for programs and for who has no terminal: JSON, CSV and plain lines.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::golden::Golden;
use super::history::{History, Metric, written};
use super::options::Sort;
use super::rows::Wanted;
use super::track::Track;
use super::view::View;

/// Everything as one value of JSON; what is not known is null.
pub(crate) fn json(view: &View) -> Json {
    let shown = &view.shown;
    let golden = Golden::of(&shown.history).map(|golden| {
        let [p50, p95, p99] = golden.quantiles;
        json!({
            "rate": golden.rate, "failed": golden.failed, "in_flight": golden.in_flight,
            "p50": p50, "p95": p95, "p99": p99,
        })
    });
    let exporters = shown.health.exporters.iter().map(|exporter| {
        json!({
            "name": exporter.name, "status": exporter.status.name(), "last_success": exporter.last_success,
            "failures": exporter.failures, "points": exporter.points, "cause": exporter.cause,
        })
    });
    let metrics = view.wanted().metrics(&shown.history).into_iter().map(of_metric);
    json!({
        "url": view.url,
        "time": shown.time,
        "interval": shown.history.interval,
        "bytes": shown.bytes,
        "took": shown.took,
        "series": shown.history.series,
        "troubles": shown.troubles,
        "problems": shown.health.problems,
        "exporters": exporters.collect::<Vec<_>>(),
        "http": golden,
        "metrics": metrics.collect::<Vec<_>>(),
    })
}

fn of_metric(metric: &Metric) -> Json {
    let series = metric.series.iter().map(|series| {
        let labels: Map<String, Json> =
            series.labels.iter().map(|(key, value)| (key.clone(), Json::from(value.as_str()))).collect();
        let mut json = Map::from_iter([("labels".to_owned(), Json::Object(labels))]);
        put(&mut json, metric, &series.track);
        Json::Object(json)
    });
    let mut json = Map::new();
    json.insert("name".to_owned(), metric.name.as_str().into());
    json.insert("kind".to_owned(), metric.kind.name().into());
    json.insert("unit".to_owned(), metric.unit.name().into());
    json.insert("help".to_owned(), metric.help.as_str().into());
    put(&mut json, metric, &metric.all);
    json.insert("series".to_owned(), series.collect());
    Json::Object(json)
}

fn put(json: &mut Map<String, Json>, metric: &Metric, track: &Track) {
    let name = if metric.is_distribution() { "count" } else { "value" };
    json.insert(name.to_owned(), track.value.into());
    json.insert("delta".to_owned(), track.delta.into());
    if metric.adds_up() {
        json.insert("rate".to_owned(), track.rate.into());
    }
    if metric.is_distribution() {
        for (name, quantile) in ["p50", "p95", "p99"].into_iter().zip(track.quantiles) {
            json.insert(name.to_owned(), quantile.into());
        }
    }
}

/// What stands above the table and the table, as lines of text.
pub(crate) fn text(view: &View) -> String {
    let rows = view.wanted().rows(&view.shown.history);
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default().max(6);
    let mut text = String::new();
    for exporter in &view.shown.health.exporters {
        text += &format!("export: {}\n", exporter.words(view.shown.time));
    }
    if let Some(golden) = Golden::of(&view.shown.history) {
        text += &format!("HTTP: {}\n", golden.words());
    }
    for note in view.shown.health.problems.iter().chain(&view.shown.troubles) {
        text += &format!("note: {note}\n");
    }
    text += &format!("{:<width$}  {:<5} {:>6} {:>22} {:>9}\n", "METRIC", "KIND", "SERIES", "NOW", "/s");
    for row in rows {
        text += &format!(
            "{:<width$}  {:<5} {:>6} {:>22} {:>9}\n",
            row.name, row.kind, row.series, row.now, row.rate
        );
    }
    text
}

/// A file that every series of every interval is recorded into.
#[derive(Debug)]
pub(crate) struct Csv(BufWriter<File>);

impl Csv {
    /// A new file, which has only its head so far.
    ///
    /// # Errors
    ///
    /// If there is such a file already, or it cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Csv, String> {
        let shown = path.display();
        let file = File::create_new(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{shown} is there already; name another file for --csv"),
            _ => format!("cannot write {shown}: {error}"),
        })?;
        let mut csv = Csv(BufWriter::new(file));
        let head = csv.0.write_all(b"time,metric,labels,kind,value,delta,rate,p50,p95,p99\n");
        head.and_then(|()| csv.0.flush()).map_err(|error| format!("cannot write {shown}: {error}"))?;
        Ok(csv)
    }

    /// Writes one interval, at `time` in seconds since 1970.
    pub(crate) fn record(&mut self, history: &History, filter: &str, time: f64) -> io::Result<()> {
        let wanted = Wanted { filter, sort: Sort::Name, ..Wanted::default() };
        for metric in wanted.metrics(history) {
            for series in &metric.series {
                let track = &series.track;
                write!(self.0, "{time:.3},{},", quoted(&metric.name))?;
                write!(
                    self.0,
                    "{},{},{}",
                    quoted(&written(&series.labels)),
                    metric.kind.name(),
                    track.value
                )?;
                for figure in [track.delta, track.rate].into_iter().chain(track.quantiles) {
                    match figure {
                        Some(figure) => write!(self.0, ",{figure}")?,
                        None => self.0.write_all(b",")?,
                    }
                }
                self.0.write_all(b"\n")?;
            }
        }
        // So that what was recorded is there however this ends.
        self.0.flush()
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
