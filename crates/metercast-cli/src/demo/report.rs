//! The table as people read it, and as programs do.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::console::Console;
use super::table::{Cell, Entry, Part, Table};
use super::totals::{HTTP_DURATION, METRICS};

/// How the demo ended, in one line of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) requests_sent: u64,
    pub(crate) scraped: u64,
    /// `null` if pushes went elsewhere.
    pub(crate) pushed: Option<u64>,
    pub(crate) equal: bool,
}

impl Summary {
    pub(crate) fn to_json(self) -> String {
        json_of(&self)
    }
}

/// The width of a row's name and of its numbers: 94 characters together.
const NAME: usize = 52;
const NUMBER: usize = 14;

/// A line of the table: a cell, or several together.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    part: Part,
    entries: [Entry; 3],
    is_equal: bool,
}

/// Prints the table: a row for each series; of histograms the count of each series, and the buckets of all together.
pub(crate) fn print(table: &Table, console: &Console) {
    console.say(&columns("", ["sent", "scraped", "received"]));
    for metric in METRICS {
        let cells: Vec<&Cell> = table.cells.iter().filter(|cell| cell.metric == metric).collect();
        let unit = if metric.unit.is_empty() { String::new() } else { format!(", in {}", metric.unit) };
        let title = format!("{}{unit}", metric.name);
        match series(&cells).as_slice() {
            [] => {}
            // The only series, and no labels.
            [row] if row.name.is_empty() => row.print(&title, console),
            rows => {
                console.say(&title);
                for row in rows.iter().chain(&buckets(&cells)) {
                    row.print(&format!("  {}", row.name), console);
                }
            }
        }
    }
}

/// Prints each cell that differs, in full.
pub(crate) fn print_differences(table: &Table, console: &Console) {
    let (differing, all) = (table.differing().count(), table.cells.len());
    console.say(&console.verdict(false, &format!("{differing} of {all} values differ:")));
    for cell in table.differing() {
        let part = match cell.part {
            Part::Value => String::new(),
            Part::Count => " count".to_owned(),
            Part::Sum => " sum".to_owned(),
            Part::UpTo(bound) => format!(" up to {bound}"),
        };
        let [sent, scraped, pushed] = cell.entries().map(|entry| match entry {
            Entry::Unknown => "unknown".to_owned(),
            Entry::Absent => "nothing".to_owned(),
            Entry::Is(value) => value.to_string(),
        });
        let (metric, labels) = (cell.metric.name, &cell.labels);
        console.say(&format!(
            "  {metric} {{{labels}}}{part}: sent {sent}, scraped {scraped}, received {pushed}"
        ));
    }
}

/// Prints each value that was sent as a line of JSON, under the name and labels that it has on a page.
pub(crate) fn print_truths(table: &Table, console: &Console) {
    for cell in &table.cells {
        let Entry::Is(value) = cell.sent else { continue };
        let (suffix, bound) = match cell.part {
            Part::Value => ("", None),
            Part::Count => ("_count", None),
            Part::Sum => ("_sum", None),
            Part::UpTo(f64::INFINITY) => ("_bucket", Some("+Inf".to_owned())),
            Part::UpTo(bound) => ("_bucket", Some(bound.to_string())),
        };
        let labels = cell.labels.clone().and("le", bound);
        let labels: BTreeMap<_, _> = labels.iter().collect();
        let sample = format!("{}{suffix}", cell.metric.page_name);
        console.result(&json_of(&json!({ "sample": sample, "labels": labels, "value": value })));
    }
}

fn json_of(value: &impl Serialize) -> String {
    // Maps with texts as keys and finite numbers: there is nothing that JSON cannot say.
    serde_json::to_string(value).unwrap_or_default()
}

/// A row for each series.
fn series(cells: &[&Cell]) -> Vec<Row> {
    let of_series = |cell: &&&Cell| matches!(cell.part, Part::Value | Part::Count);
    let mut rows: Vec<Row> = cells.iter().filter(of_series).map(|cell| Row::of(name(cell), cell)).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    rows
}

/// The sum and the buckets of all series together; buckets with the same counts share a row.
fn buckets(cells: &[&Cell]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for cell in cells.iter().filter(|cell| matches!(cell.part, Part::Sum | Part::UpTo(_))) {
        match rows.iter_mut().find(|row| row.part == cell.part) {
            Some(row) => row.add(cell),
            None => rows.push(Row::of(String::new(), cell)),
        }
    }
    let same = |one: &Row, other: &Row| {
        let is_bucket = |row: &Row| matches!(row.part, Part::UpTo(bound) if bound.is_finite());
        is_bucket(one) && is_bucket(other) && one.entries == other.entries && one.is_equal == other.is_equal
    };
    let shared = rows.chunk_by(same).map(|rows| {
        let (first, last) = (rows[0].clone(), rows[rows.len() - 1].part);
        let name = match (first.part, last) {
            (Part::UpTo(f64::INFINITY), _) => "all".to_owned(),
            (Part::UpTo(from), Part::UpTo(to)) if from < to => {
                format!("all, up to {} ... {}", number(from), number(to))
            }
            (Part::UpTo(bound), _) => format!("all, up to {}", number(bound)),
            _ => "all, sum".to_owned(),
        };
        Row { name, ..first }
    });
    shared.collect()
}

impl Row {
    fn of(name: String, cell: &Cell) -> Row {
        Row { name, part: cell.part, entries: cell.entries(), is_equal: cell.is_equal() }
    }

    fn add(&mut self, cell: &Cell) {
        for (entry, more) in self.entries.iter_mut().zip(cell.entries()) {
            *entry = entry.plus(more);
        }
        self.is_equal &= cell.is_equal();
    }

    fn print(&self, name: &str, console: &Console) {
        let entries = self.entries.map(|entry| match entry {
            Entry::Unknown => "?".to_owned(),
            Entry::Absent => "-".to_owned(),
            Entry::Is(value) => number(value),
        });
        let row = columns(name, entries.each_ref().map(String::as_str));
        if self.is_equal {
            console.say(&row);
        } else {
            console.say(&console.verdict(false, &format!("{row} !=")));
        }
    }
}

fn columns(name: &str, [sent, scraped, pushed]: [&str; 3]) -> String {
    format!("{name:<NAME$}{sent:>NUMBER$}{scraped:>NUMBER$}{pushed:>NUMBER$}")
}

/// What tells the row of a series from the others.
fn name(cell: &Cell) -> String {
    if cell.metric != &HTTP_DURATION {
        return cell.labels.to_string();
    }
    let label = |name| cell.labels.get(name).unwrap_or_default();
    let route = cell.labels.get("http_route").unwrap_or("(no route)");
    let ended = match label("http_response_status_code") {
        "" => label("error_type"),
        status => status,
    };
    let version = match label("network_protocol_version") {
        "" | "1.1" => String::new(),
        version => format!(" HTTP/{version}"),
    };
    format!("{route:<22} {:<7} {ended}{version}", label("http_request_method"))
}

/// A count as `12,345`; what is no whole number with at most four decimals.
pub(crate) fn number(value: f64) -> String {
    if value.fract() != 0.0 {
        let text = format!("{value:.4}");
        return text.trim_end_matches('0').to_owned();
    }
    let digits = value.abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::totals::{Labels, ORDER_AMOUNT};
    use super::*;

    #[test]
    fn the_summary_is_one_line_in_a_fixed_order() {
        let summary = Summary { requests_sent: 3, scraped: 3, pushed: Some(3), equal: true };
        assert_eq!(summary.to_json(), r#"{"requests_sent":3,"scraped":3,"pushed":3,"equal":true}"#);
        let elsewhere = Summary { pushed: None, ..summary };
        assert_eq!(elsewhere.to_json(), r#"{"requests_sent":3,"scraped":3,"pushed":null,"equal":true}"#);
    }

    #[test]
    fn buckets_with_the_same_counts_share_a_row() {
        let cell = |side, part, count: f64, sent| Cell {
            metric: &ORDER_AMOUNT,
            labels: Labels::of([("side", side)]),
            part,
            sent,
            scraped: Entry::Is(count),
            pushed: Entry::Is(count),
        };
        let mut cells = Vec::new();
        for side in ["buy", "sell"] {
            cells.push(cell(side, Part::Count, 4.0, Entry::Is(4.0)));
            cells.push(cell(side, Part::Sum, 50.5, Entry::Unknown));
            for (bound, count) in [(5.0, 2.0), (10.0, 3.0), (2500.0, 3.0), (f64::INFINITY, 4.0)] {
                let sent = if side == "sell" && bound == 5.0 { Entry::Is(1.0) } else { Entry::Is(count) };
                cells.push(cell(side, Part::UpTo(bound), count, sent));
            }
        }
        let cells: Vec<&Cell> = cells.iter().collect();
        let shown = |rows: Vec<Row>| -> Vec<_> {
            rows.into_iter().map(|row| (row.name, row.entries[0], row.is_equal)).collect()
        };
        let named = |name: &str, entry, is_equal| (name.to_owned(), entry, is_equal);
        assert_eq!(
            shown(buckets(&cells)),
            [
                named("all, sum", Entry::Unknown, true),
                named("all, up to 5", Entry::Is(3.0), false),
                named("all, up to 10 ... 2,500", Entry::Is(6.0), true),
                named("all", Entry::Is(8.0), true),
            ]
        );
        let each = [named("side=buy", Entry::Is(4.0), true), named("side=sell", Entry::Is(4.0), true)];
        assert_eq!(shown(series(&cells)), each);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (-1234567.0, "-1,234,567"),
            (0.0025, "0.0025"),
            (2.5, "2.5"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_request_is_named_by_route_method_and_end() {
        let named = |labels: Labels| {
            let entry = Entry::Is(1.0);
            name(&Cell {
                metric: &HTTP_DURATION,
                labels,
                part: Part::Count,
                sent: entry,
                scraped: entry,
                pushed: entry,
            })
        };
        let get = |labels: Labels| labels.and("http_request_method", Some("GET".to_owned()));
        let answered = Labels::of([("http_route", "/orders/{id}"), ("http_response_status_code", "200")]);
        assert_eq!(named(get(answered)), "/orders/{id}           GET     200");
        let cancelled = Labels::of([("http_route", "/orders/{id}/wait"), ("error_type", "cancelled")]);
        assert_eq!(named(get(cancelled)), "/orders/{id}/wait      GET     cancelled");
    }
}
