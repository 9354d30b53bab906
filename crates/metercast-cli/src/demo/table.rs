//! Everything that was sent, scraped and received, side by side, one cell for each value.

use std::collections::{BTreeMap, BTreeSet};

use super::tally::{Truth, Truths};
use super::totals::{HTTP_DURATION, Labels, METRICS, Metric, Totals, Value};

/// The comparison.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) cells: Vec<Cell>,
}

/// One value, as each of the three has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) metric: &'static Metric,
    pub(crate) labels: Labels,
    pub(crate) part: Part,
    pub(crate) sent: Entry,
    pub(crate) scraped: Entry,
    pub(crate) pushed: Entry,
}

/// Which of a series' values it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// The only one.
    Value,
    /// Of a histogram, how many values there were.
    Count,
    /// Of a histogram, what they add up to.
    Sum,
    /// Of a histogram, how many were up to this bound.
    UpTo(f64),
}

/// What one of the three says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Entry {
    /// It cannot say.
    Unknown,
    /// There is no such series.
    Absent,
    Is(f64),
}

impl Table {
    /// Compares; what was pushed elsewhere is not known.
    pub(crate) fn compare(truths: &Truths, scraped: &Totals, pushed: Option<&Totals>) -> Table {
        let mut cells = Vec::new();
        for metric in METRICS {
            let truths = truths.get(metric);
            let scraped = scraped.get(metric);
            let of_metric = pushed.map(|totals| totals.get(metric));
            let known = [scraped, of_metric.flatten()];
            let all: BTreeSet<&Labels> = known
                .iter()
                .flatten()
                .flat_map(|series| series.keys())
                .chain(truths.into_iter().flat_map(BTreeMap::keys))
                .collect();
            for labels in all {
                let truth = truths.and_then(|series| series.get(labels));
                let scraped = scraped.and_then(|series| series.get(labels));
                let pushed = of_metric.map(|series| series.and_then(|series| series.get(labels)));
                for part in parts(metric, [scraped, pushed.flatten()]) {
                    cells.push(Cell {
                        metric,
                        labels: labels.clone(),
                        part,
                        sent: Entry::of_truth(truth, part),
                        scraped: Entry::of_value(scraped, part),
                        pushed: pushed.map_or(Entry::Unknown, |value| Entry::of_value(value, part)),
                    });
                }
            }
        }
        Table { cells }
    }

    /// Whether every cell is the same wherever it is known.
    pub(crate) fn is_equal(&self) -> bool {
        self.differing().next().is_none()
    }

    /// The cells that are not the same.
    pub(crate) fn differing(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.is_equal())
    }

    /// How many HTTP requests one of the three knows of; `None` if it cannot say.
    pub(crate) fn requests(&self, column: fn(&Cell) -> Entry) -> Option<u64> {
        let counts =
            self.cells.iter().filter(|cell| cell.metric == &HTTP_DURATION && cell.part == Part::Count);
        counts.map(column).try_fold(0, |sum, entry| match entry {
            Entry::Unknown => None,
            Entry::Absent => Some(sum),
            Entry::Is(count) => Some(sum + count as u64),
        })
    }
}

impl Cell {
    /// What was sent, scraped and received.
    pub(crate) fn entries(&self) -> [Entry; 3] {
        [self.sent, self.scraped, self.pushed]
    }

    pub(crate) fn is_equal(&self) -> bool {
        let mut known = self.entries().into_iter().filter(|entry| *entry != Entry::Unknown);
        let first = known.next();
        known.all(|entry| Some(entry) == first)
    }
}

/// The values that a series has, the bounds of both ways out together.
fn parts(metric: &Metric, values: [Option<&Value>; 2]) -> Vec<Part> {
    if !metric.is_histogram {
        return vec![Part::Value];
    }
    let mut bounds: Vec<f64> = vec![f64::INFINITY];
    for value in values.into_iter().flatten() {
        if let Value::Histogram(distribution) = value {
            bounds.extend(distribution.up_to.iter().map(|(bound, _)| *bound));
        }
    }
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    [Part::Count, Part::Sum].into_iter().chain(bounds.into_iter().map(Part::UpTo)).collect()
}

impl Entry {
    fn of_truth(truth: Option<&Truth>, part: Part) -> Entry {
        let up_to = |values: &[(f64, u64)], bound: f64| {
            values.iter().filter(|(value, _)| *value <= bound).map(|(_, times)| times).sum::<u64>()
        };
        match (truth, part) {
            (None, _) => Entry::Absent,
            (Some(Truth::Number(value)), Part::Value) => Entry::Is(*value),
            (Some(Truth::Count(count)), Part::Count | Part::UpTo(f64::INFINITY)) => Entry::Is(*count as f64),
            (Some(Truth::Values(values)), Part::Count) => Entry::Is(up_to(values, f64::INFINITY) as f64),
            (Some(Truth::Values(values)), Part::UpTo(bound)) => Entry::Is(up_to(values, bound) as f64),
            (Some(Truth::Values(values)), Part::Sum) => {
                Entry::Is(values.iter().map(|(value, times)| value * *times as f64).sum())
            }
            (Some(_), _) => Entry::Unknown,
        }
    }

    fn of_value(value: Option<&Value>, part: Part) -> Entry {
        match (value, part) {
            (Some(Value::Number(value)), Part::Value) => Entry::Is(*value),
            (Some(Value::Histogram(distribution)), Part::Count) => Entry::Is(distribution.count as f64),
            (Some(Value::Histogram(distribution)), Part::Sum) => Entry::Is(distribution.sum),
            (Some(Value::Histogram(distribution)), Part::UpTo(bound)) => {
                let bucket = distribution.up_to.iter().find(|(of, _)| *of == bound);
                bucket.map_or(Entry::Absent, |(_, count)| Entry::Is(*count as f64))
            }
            _ => Entry::Absent,
        }
    }

    /// Both together, for rows that stand for several cells.
    pub(crate) fn plus(self, other: Entry) -> Entry {
        match (self, other) {
            (Entry::Unknown, _) | (_, Entry::Unknown) => Entry::Unknown,
            (Entry::Absent, entry) | (entry, Entry::Absent) => entry,
            (Entry::Is(one), Entry::Is(other)) => Entry::Is(one + other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::totals::{Distribution, HTTP_ACTIVE, ORDER_AMOUNT, ORDERS_PLACED, SETTLE_DURATION};
    use super::*;

    fn truths(of: impl IntoIterator<Item = (&'static Metric, Truth)>) -> Truths {
        of.into_iter().map(|(metric, truth)| (metric, BTreeMap::from([(Labels::default(), truth)]))).collect()
    }

    fn totals(of: impl IntoIterator<Item = (&'static Metric, Value)>) -> Totals {
        of.into_iter().map(|(metric, value)| (metric, BTreeMap::from([(Labels::default(), value)]))).collect()
    }

    fn amounts(up_to_ten: u64) -> Value {
        Value::Histogram(Distribution {
            count: 3,
            sum: 31.0,
            up_to: vec![(10.0, up_to_ten), (f64::INFINITY, 3)],
        })
    }

    fn differences(truths: &Truths, scraped: &Totals, pushed: Option<&Totals>) -> Vec<(&'static str, Part)> {
        let table = Table::compare(truths, scraped, pushed);
        assert_eq!(table.is_equal(), table.differing().next().is_none());
        table.differing().map(|cell| (cell.metric.name, cell.part)).collect()
    }

    #[test]
    fn a_number_must_be_the_same_in_all_three() {
        let truth = truths([(&ORDERS_PLACED, Truth::Number(3.0))]);
        let (right, wrong) =
            (totals([(&ORDERS_PLACED, Value::Number(3.0))]), totals([(&ORDERS_PLACED, Value::Number(2.0))]));
        let difference = vec![("orders.placed", Part::Value)];
        assert_eq!(differences(&truth, &right, Some(&right)), []);
        assert_eq!(differences(&truth, &wrong, Some(&right)), difference);
        assert_eq!(differences(&truth, &right, Some(&wrong)), difference);
        assert_eq!(differences(&truth, &wrong, Some(&wrong)), difference);
        assert_eq!(differences(&truth, &right, None), [], "what was pushed elsewhere is not known");
        assert_eq!(differences(&truth, &wrong, None), difference);
    }

    #[test]
    fn a_series_that_one_lacks_is_a_difference_even_at_zero() {
        let truth = truths([(&HTTP_ACTIVE, Truth::Number(0.0))]);
        let zero = totals([(&HTTP_ACTIVE, Value::Number(0.0))]);
        assert_eq!(differences(&truth, &zero, Some(&zero)), []);
        for (truth, scraped, pushed) in
            [(&Truths::new(), &zero, &zero), (&truth, &Totals::new(), &zero), (&truth, &zero, &Totals::new())]
        {
            assert_eq!(differences(truth, scraped, Some(pushed)).len(), 1);
        }
    }

    #[test]
    fn every_bucket_is_compared_with_the_values() {
        let truth = truths([(&ORDER_AMOUNT, Truth::Values(vec![(10.0, 2), (11.0, 1)]))]);
        let right = totals([(&ORDER_AMOUNT, amounts(2))]);
        assert_eq!(differences(&truth, &right, Some(&right)), []);
        let wrong = totals([(&ORDER_AMOUNT, amounts(1))]);
        assert_eq!(differences(&truth, &wrong, Some(&wrong)), [("order.amount", Part::UpTo(10.0))]);
        let other = truths([(&ORDER_AMOUNT, Truth::Values(vec![(10.0, 2), (12.0, 1)]))]);
        assert_eq!(differences(&other, &right, None), [("order.amount", Part::Sum)]);
    }

    #[test]
    fn buckets_that_only_the_service_knows_are_compared_between_the_two_ways_out() {
        let truth = truths([(&SETTLE_DURATION, Truth::Count(3))]);
        let (two, one) = (totals([(&SETTLE_DURATION, amounts(2))]), totals([(&SETTLE_DURATION, amounts(1))]));
        assert_eq!(differences(&truth, &two, Some(&two)), []);
        assert_eq!(differences(&truth, &one, Some(&two)), [("order.settle.duration", Part::UpTo(10.0))]);
        let four = truths([(&SETTLE_DURATION, Truth::Count(4))]);
        let count =
            [("order.settle.duration", Part::Count), ("order.settle.duration", Part::UpTo(f64::INFINITY))];
        assert_eq!(differences(&four, &two, Some(&two)), count);
    }

    #[test]
    fn requests_are_the_counts_of_the_http_histogram() {
        let of =
            |count| Value::Histogram(Distribution { count, sum: 0.0, up_to: vec![(f64::INFINITY, count)] });
        let labels = [Labels::of([("http_route", "/a")]), Labels::of([("http_route", "/b")])];
        let scraped = Totals::from([(&HTTP_DURATION, labels.into_iter().zip([of(3), of(4)]).collect())]);
        let table = Table::compare(&Truths::new(), &scraped, None);
        assert_eq!(table.requests(|cell| cell.scraped), Some(7));
        assert_eq!(table.requests(|cell| cell.pushed), None);
    }
}
