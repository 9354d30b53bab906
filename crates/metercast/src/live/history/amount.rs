//! What all series of a metric come to together at one reading, and what that says of the time between two readings.

use metercast_core::Kind;
use metercast_core::reading::{FamilyView, LabelsView, PointView, ValueView};

use super::quantile;
use crate::view::Total;

/// The label of the series that takes what limits have no room for.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// All series of a metric at one reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Amount {
    /// Their sum; `None` if there are none.
    pub(crate) total: Option<Total>,
    /// How much of it is of series that say that something failed; `None` if none does.
    failed: Option<f64>,
    /// The least and the most that a series has, of gauges and up-down counters.
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) series: u64,
    /// What the overflow series has, if there is one.
    pub(crate) overflow: Option<f64>,
}

/// The names of the lines that a metric of a kind has, and their places in [`Now`].
pub(crate) const LINES: [&str; 6] = ["rate", "failed", "p50", "p95", "p99", "value"];

/// What a metric is at now: a value for each of [`LINES`], as far as its kind has it and it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Now(pub(crate) [Option<f64>; LINES.len()]);

/// The places of the lines that a kind always has.
pub(crate) const fn lines_of(kind: Kind) -> &'static [usize] {
    match kind {
        Kind::Counter | Kind::Summary => &[0],
        Kind::Histogram => &[0, 2, 3, 4],
        _ => &[5],
    }
}

const RATE: usize = 0;
/// Not every metric has it.
pub(super) const FAILED: usize = 1;
const QUANTILES: [(usize, f64); 3] = [(2, 0.5), (3, 0.95), (4, 0.99)];
const VALUE: usize = 5;

impl Amount {
    /// Adds the series of a metric up that `takes` takes.
    pub(crate) fn of(family: &FamilyView<'_>, takes: impl Fn(LabelsView<'_>) -> bool) -> Amount {
        let mut amount = Amount::default();
        let has_range = !is_counted(family.definition().kind());
        family.each(|series| {
            if !takes(series.labels) {
                return;
            }
            amount.series += 1;
            let value = amount_of(&series.value);
            if has_range {
                let (least, most) = amount.range.unwrap_or((value, value));
                amount.range = Some((least.min(value), most.max(value)));
            }
            let Said { failed, overflow } = said(series.labels);
            if failed && !has_range {
                *amount.failed.get_or_insert(0.0) += value;
            }
            if overflow {
                amount.overflow = Some(value);
            }
            match &mut amount.total {
                Some(total) => total.add(&series.value, None),
                none => *none = Total::of(&series.value),
            }
        });
        amount
    }

    /// What is so now, after so many seconds since another reading.
    pub(crate) fn since(&self, before: Option<&Amount>, kind: Kind, seconds: f64) -> Now {
        let mut now = Now::default();
        let Some(total) = &self.total else { return now };
        if !is_counted(kind) {
            now.0[VALUE] = Some(total.amount());
            return now;
        }
        // One that was not there before has begun in between.
        let none = Amount::default();
        let Some(before) = before.filter(|_| seconds > 0.0) else { return now };
        let before = if before.total.is_none() { &none } else { before };
        let came = total.amount() - before.total.as_ref().map_or(0.0, Total::amount);
        // Series have ended, so what the others came to is not known.
        if came < 0.0 {
            return now;
        }
        now.0[RATE] = Some(came / seconds);
        let failed = self.failed.map(|failed| failed - before.failed.unwrap_or(0.0));
        now.0[FAILED] = failed.filter(|failed| *failed >= 0.0).map(|failed| failed / seconds);
        if kind == Kind::Histogram {
            for (place, q) in QUANTILES {
                now.0[place] = quantile::between(before.total.as_ref(), total, q);
            }
        }
        now
    }

    /// The quantiles of all values, of histograms: each name with its value.
    pub(crate) fn quantiles(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> {
        QUANTILES.iter().map(|(place, q)| {
            let value = self.total.as_ref().and_then(|total| quantile::between(None, total, *q));
            (LINES[*place], value)
        })
    }
}

/// Whether only more comes: others have a value.
pub(crate) fn is_counted(kind: Kind) -> bool {
    matches!(kind, Kind::Counter | Kind::Histogram | Kind::Summary)
}

/// How much a series has: its number, or how many values there were.
pub(crate) fn amount_of(value: &PointView<'_>) -> f64 {
    match value {
        PointView::U64(value) => *value as f64,
        PointView::I64(value) => *value as f64,
        PointView::F64(value) => *value,
        PointView::Histogram(buckets) => buckets.count() as f64,
        PointView::Exponential(exponential) => exponential.count() as f64,
        PointView::Summary(summary) => summary.count as f64,
        _ => 0.0,
    }
}

/// What labels say of a series.
struct Said {
    /// It counts what failed, as the semantic conventions say that.
    failed: bool,
    overflow: bool,
}

fn said(labels: LabelsView<'_>) -> Said {
    let mut said = Said { failed: false, overflow: false };
    for (key, value) in labels.keys().zip(labels.values()) {
        match key {
            "error.type" => said.failed |= value != ValueView::Absent,
            "http.response.status_code" => said.failed |= status(value).is_some_and(|status| status >= 500),
            OVERFLOW => said.overflow |= value != ValueView::Absent,
            _ => {}
        }
    }
    said
}

fn status(value: ValueView<'_>) -> Option<u64> {
    match value {
        ValueView::I64(status) => u64::try_from(status).ok(),
        ValueView::U64(status) => Some(status),
        ValueView::Text(text) => text.parse().ok(),
        ValueView::Packed(text) => text.with(|text| text.parse().ok()),
        _ => None,
    }
}
