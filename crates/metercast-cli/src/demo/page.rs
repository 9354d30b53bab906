//! Reads a page in Prometheus' text format 0.0.4, as a scraper does.

use std::collections::BTreeMap;
use std::fmt;

use super::totals::{Distribution, Labels, METRICS, Metric, Totals, Value};

/// One line of a page that is not a comment.
#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Labels,
    value: f64,
}

/// What is wrong with a page, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageError {
    line: usize,
    fault: &'static str,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the page {}", self.line, self.fault)
    }
}

impl std::error::Error for PageError {}

/// What a page says of the metrics that are compared.
pub(crate) fn totals(page: &str) -> Result<Totals, PageError> {
    let mut samples = BTreeMap::<String, Vec<Sample>>::new();
    for sample in parse(page)? {
        samples.entry(sample.name.clone()).or_default().push(sample);
    }
    let of = |name: String| samples.get(&name).map(Vec::as_slice).unwrap_or_default();
    let mut totals = Totals::new();
    for metric in METRICS {
        let series = if metric.is_histogram {
            histogram(metric, |suffix| of(format!("{}{suffix}", metric.page_name)))
        } else {
            of(metric.page_name.to_owned())
                .iter()
                .map(|sample| (sample.labels.clone(), Value::Number(sample.value)))
                .collect()
        };
        totals.insert(metric, series);
    }
    Ok(totals)
}

fn histogram<'a>(metric: &Metric, of: impl Fn(&str) -> &'a [Sample]) -> BTreeMap<Labels, Value> {
    debug_assert!(metric.is_histogram);
    let mut series = BTreeMap::<Labels, Distribution>::new();
    for sample in of("_count") {
        series.entry(sample.labels.clone()).or_default().count = sample.value as u64;
    }
    for sample in of("_sum") {
        series.entry(sample.labels.clone()).or_default().sum = sample.value;
    }
    for sample in of("_bucket") {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le").and_then(|bound| number(&bound));
        // A bucket without a bound would be missing in the comparison, and so be found.
        if let Some(bound) = bound {
            series.entry(labels).or_default().up_to.push((bound, sample.value as u64));
        }
    }
    series.into_iter().map(|(labels, distribution)| (labels, Value::Histogram(distribution))).collect()
}

fn parse(page: &str) -> Result<Vec<Sample>, PageError> {
    if !page.is_empty() && !page.ends_with('\n') {
        return Err(PageError { line: page.lines().count(), fault: "has no end" });
    }
    let mut samples = Vec::new();
    for (at, line) in page.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        samples.push(sample(line).map_err(|fault| PageError { line: at + 1, fault })?);
    }
    Ok(samples)
}

fn sample(line: &str) -> Result<Sample, &'static str> {
    let end = line.find(['{', ' ']).ok_or("has no value")?;
    let (name, mut rest) = line.split_at(end);
    if name.is_empty() {
        return Err("has no name");
    }
    let mut labels = Labels::default();
    if let Some(inside) = rest.strip_prefix('{') {
        (labels, rest) = self::labels(inside)?;
    }
    let value = number(rest.strip_prefix(' ').ok_or("has no blank before its value")?);
    Ok(Sample { name: name.to_owned(), labels, value: value.ok_or("has a value that is no number")? })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Result<(Labels, &str), &'static str> {
    let mut labels = Labels::default();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, quoted) = rest.split_once("=\"").ok_or("has a label without a value")?;
        let (value, after) = text(quoted)?;
        if labels.get(name).is_some() {
            return Err("has a label twice");
        }
        labels = labels.and(name, Some(value));
        rest = match after.strip_prefix(',') {
            Some(next) => next,
            None if after.starts_with('}') => after,
            None => return Err("has labels that do not end"),
        };
    }
}

/// The value up to the closing quote, and what follows it.
fn text(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut runes = quoted.chars();
    while let Some(rune) = runes.next() {
        match rune {
            '"' => return Ok((value, runes.as_str())),
            '\\' => value.push(match runes.next() {
                Some('n') => '\n',
                Some(escaped @ ('\\' | '"')) => escaped,
                _ => return Err("has an escape that there is not"),
            }),
            rune => value.push(rune),
        }
    }
    Err("has a label value that does not end")
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust also reads "inf", "infinity" and "nan", which the format does not have in small letters.
        text if text.contains(['i', 'I']) || text.contains("nan") => None,
        text => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::totals::{ORDER_AMOUNT, ORDERS_PLACED};
    use super::*;

    #[test]
    fn lines_are_read_with_their_labels_and_escapes() {
        let page = "# HELP a What it is.\n# TYPE a counter\na{x=\"1\",y=\"a\\\\b\\\"c\\nd{}, e\"} 1.5e3\n\nb -0.25\nc{} +Inf\n";
        let samples = parse(page).unwrap();
        let labels = Labels::of([("x", "1"), ("y", "a\\b\"c\nd{}, e")]);
        assert_eq!(samples[0], Sample { name: "a".to_owned(), labels, value: 1500.0 });
        assert_eq!(samples[1], Sample { name: "b".to_owned(), labels: Labels::default(), value: -0.25 });
        assert_eq!((samples[2].name.as_str(), samples[2].value), ("c", f64::INFINITY));
    }

    #[test]
    fn a_page_that_is_not_valid_is_refused_with_its_line() {
        for (line, fault) in [
            ("a", "has no value"),
            ("{x=\"1\"} 1", "has no name"),
            ("a{x} 1", "has a label without a value"),
            ("a{x=\"1\" 1", "has labels that do not end"),
            ("a{x=\"1} 1", "has a label value that does not end"),
            ("a{x=\"\\t\"} 1", "has an escape that there is not"),
            ("a{x=\"1\",x=\"2\"} 1", "has a label twice"),
            ("a{x=\"1\"}1", "has no blank before its value"),
            ("a one", "has a value that is no number"),
            ("a inf", "has a value that is no number"),
        ] {
            let page = format!("b 1\n{line}\n");
            assert_eq!(parse(&page).unwrap_err(), PageError { line: 2, fault }, "{line}");
        }
        assert_eq!(parse("a 1\nb 2").unwrap_err().to_string(), "line 2 of the page has no end");
    }

    #[test]
    fn totals_are_taken_by_metric() {
        let page = "orders_placed_total{side=\"buy\"} 3\norder_amount_bucket{side=\"buy\",le=\"10\"} 1\n\
                    order_amount_bucket{side=\"buy\",le=\"+Inf\"} 3\norder_amount_sum{side=\"buy\"} 70.5\n\
                    order_amount_count{side=\"buy\"} 3\nother 1\n";
        let totals = totals(page).unwrap();
        let buy = Labels::of([("side", "buy")]);
        assert_eq!(totals[&ORDERS_PLACED][&buy], Value::Number(3.0));
        let amounts = Distribution { count: 3, sum: 70.5, up_to: vec![(10.0, 1), (f64::INFINITY, 3)] };
        assert_eq!(totals[&ORDER_AMOUNT][&buy], Value::Histogram(amounts));
    }
}
