//! A page in text: what was chosen of text 0.0.4, text 1.0.0 and OpenMetrics is in its style.

use metercast_core::Exemplar;
use metercast_core::reading::SeriesView;

use super::buffer::{Buffer, Moment, Out};
use super::classic::Classic;
use super::escape::{Of, quoted};
use super::family::{Family, Type};
use super::form::Form;
use super::keys::Spelled;
use super::labels::{begin, end};
use super::lines::Lines;
use super::number::Spelling;
use super::series::{Series, Value, labels_of, newest, newest_within, seconds};
use super::style::{Style, is_total};

/// Text.
pub(super) enum Text {}

/// What pages are written with.
#[derive(Default)]
pub(super) struct Desk {
    buffer: Buffer,
    scratch: Vec<u8>,
}

/// A page on its way out.
pub(super) struct Sheet<'a> {
    out: Out<'a>,
    scratch: &'a mut Vec<u8>,
}

/// What is prepared of a metric.
pub(super) struct Metric {
    /// What stands above its samples.
    header: String,
    lines: Lines,
}

impl Form for Text {
    type Desk = Desk;
    type Sheet<'a> = Sheet<'a>;
    type Moment = Moment;
    type Metric = Metric;
    type Keys = Spelled;

    fn sheet<'a>(desk: &'a mut Desk, sink: &'a mut dyn FnMut(&[u8])) -> Sheet<'a> {
        Sheet { out: Out::new(&mut desk.buffer, sink), scratch: &mut desk.scratch }
    }

    fn finish(mut sheet: Sheet<'_>, style: &Style) {
        if style.is_open {
            sheet.out.text("# EOF\n");
        }
        sheet.out.hand_out();
    }

    fn metric(family: &Family, style: &Style) -> Metric {
        Metric { header: family.header(style.is_open), lines: Lines::new(family, style) }
    }

    fn keys(metric: &Metric, names: &[String]) -> Spelled {
        Spelled::new(&metric.lines.before, names)
    }

    #[inline(always)]
    fn classic(metric: &mut Metric) -> &mut Classic {
        &mut metric.lines.classic
    }

    fn begin(metric: &mut Metric, sheet: &mut Sheet<'_>) {
        sheet.out.text(&metric.header);
    }

    fn end(_: &mut Metric, style: &Style, sheet: &mut Sheet<'_>) {
        if style.parts_metrics() {
            sheet.out.text("\n");
        }
    }

    #[inline(always)]
    fn write<const HASHED: bool, const MORE: bool>(
        metric: &mut Metric,
        keys: &Spelled,
        series: &SeriesView<'_>,
        sheet: &mut Sheet<'_>,
    ) -> u64 {
        metric.lines.write::<HASHED, MORE>(keys, series, &mut sheet.out, sheet.scratch)
    }

    fn write_kept(_: &mut Metric, family: &Family, series: &Series, style: &Style, sheet: &mut Sheet<'_>) {
        let labels = series.labels.text();
        Unhurried { family, labels, out: &mut sheet.out, style }.series(series);
    }

    fn hold(sheet: &mut Sheet<'_>) -> Moment {
        sheet.out.hold()
    }

    fn take_back(sheet: &mut Sheet<'_>, since: Moment) {
        sheet.out.take_back(since);
    }

    fn let_go(sheet: &mut Sheet<'_>) {
        sheet.out.let_go();
    }
}

/// Writes the lines of one series that was kept.
struct Unhurried<'a, 'o> {
    family: &'a Family,
    labels: String,
    out: &'a mut Out<'o>,
    style: &'a Style,
}

impl Unhurried<'_, '_> {
    fn series(&mut self, series: &Series) {
        let (family, style) = (self.family, self.style);
        let exemplars: &[Exemplar] = if style.shows_exemplars() { &series.exemplars } else { &[] };
        // OpenMetrics 1.0: what is like a counter is a number, and not negative.
        let is_total = |sum: f64| !style.is_open || is_total(sum);
        match &series.value {
            Value::U64(value) => self.number(&value.to_string(), exemplars),
            Value::I64(value) => self.number(&value.to_string(), exemplars),
            Value::F64(value) if family.kind == Type::Counter && !is_total(*value) => return,
            Value::F64(value) => self.number(&style.values.value(*value), exemplars),
            Value::Histogram { bounds, counts, sum, has_negative, .. } => {
                let count = self.buckets(bounds, counts, exemplars);
                // OpenMetrics 1.0, "Histogram": neither sum nor count where values are negative, as bounds may tell, since the sum
                // is no counter then; and one not without the other.
                if is_total(*sum) && !(style.is_open && *has_negative) {
                    self.line("_sum", &style.values.value(*sum));
                    self.line("_count", &count.to_string());
                }
            }
            Value::Summary { quantiles, asked, count, sum } => {
                if quantiles.is_empty() && style.shows_quantiles_of_nothing() {
                    asked.iter().for_each(|quantile| self.part("", "quantile", *quantile, "0", None));
                }
                for (quantile, value) in quantiles {
                    if !style.is_open || *value >= 0.0 || value.is_nan() {
                        let value = style.values.value(*value);
                        self.part("", "quantile", *quantile, &value, None);
                    }
                }
                if is_total(*sum) {
                    self.line("_sum", &style.values.value(*sum));
                }
                self.line("_count", &count.to_string());
            }
        }
        if style.shows_created() && family.has_created() {
            let created = Spelling::Shortest.value(seconds(series.started_unix_nanos));
            self.sample(&family.created(), &created, None);
        }
    }

    fn number(&mut self, value: &str, exemplars: &[Exemplar]) {
        let newest = newest(exemplars);
        let name = &self.family.name;
        self.sample(name, value, newest.filter(|_| self.family.kind == Type::Counter));
    }

    /// Writes the lines of all buckets. Returns how many values are in them.
    fn buckets(&mut self, bounds: &[f64], counts: &[u64], exemplars: &[Exemplar]) -> u64 {
        let (mut below, mut lower) = (0u64, f64::NEG_INFINITY);
        for (count, bound) in counts.iter().zip(bounds.iter().chain([&f64::INFINITY])) {
            below = below.wrapping_add(*count);
            let newest = newest_within(exemplars, lower, *bound);
            self.part("_bucket", "le", *bound, &below.to_string(), newest);
            lower = *bound;
        }
        below
    }

    fn line(&mut self, suffix: &str, value: &str) {
        let name = format!("{}{suffix}", self.family.name);
        self.sample(&name, value, None);
    }

    fn sample(&mut self, name: &str, value: &str, exemplar: Option<&Exemplar>) {
        let [_, begin] = begin(name, &self.labels);
        self.out.text(&format!("{begin}{value}{}\n", exemplar.map(text).unwrap_or_default()));
    }

    fn part(&mut self, suffix: &str, label: &str, bound: f64, value: &str, exemplar: Option<&Exemplar>) {
        let [begin, _] = begin(&format!("{}{suffix}", self.family.name), &self.labels);
        let end = end(label, bound, self.style.bounds);
        self.out.text(&format!("{begin}{end}{value}{}\n", exemplar.map(text).unwrap_or_default()));
    }
}

/// What stands behind a value.
fn text(exemplar: &Exemplar) -> String {
    let labels = labels_of(exemplar);
    let labels = labels.iter().map(|(name, value)| format!("{}={}", Of::Label.spelled(name), quoted(value)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let value = Spelling::Shortest.value(exemplar.value);
    let time = exemplar.time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let time = Spelling::Shortest.value(seconds(time.as_nanos() as u64));
    format!(" # {{{labels}}} {value} {time}")
}
