//! What the page said, reading after reading: every metric with its series.

use std::collections::HashMap;

use crate::page::{Family, Kind, Labels, Page};

use super::figure::Unit;
use super::track::{Moment, Track};

/// All that is known of a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// In the order of the page.
    metrics: Vec<Metric>,
    index: HashMap<String, usize>,
    readings: u64,
    /// When the last one was, in seconds since any one moment.
    last: Option<f64>,
    /// Seconds between the last two.
    pub(crate) interval: Option<f64>,
    /// Series of the last reading.
    pub(crate) series: usize,
}

/// A metric as it is now and was lately.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    /// As the page says.
    pub(crate) kind: Kind,
    pub(crate) help: String,
    pub(crate) unit: Unit,
    /// All series together.
    pub(crate) all: Track,
    /// In the order of the page.
    pub(crate) series: Vec<Series>,
}

/// A series as it is now and was lately.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) track: Track,
}

impl History {
    /// Takes the next page, which was read `at` so many seconds since any one moment. What is not on it any more is forgotten.
    pub(crate) fn take(&mut self, page: &Page, at: f64) {
        self.readings += 1;
        self.interval = self.last.map(|last| at - last);
        self.last = Some(at);
        self.series = page.series;
        let moment = Moment { reading: self.readings, since: self.interval };
        let mut known: HashMap<String, Metric> =
            self.metrics.drain(..).map(|metric| (metric.name.clone(), metric)).collect();
        for family in &page.families {
            let mut metric = known.remove(&family.name).unwrap_or_else(|| Metric::new(family));
            metric.take(family, moment);
            self.metrics.push(metric);
        }
        self.index = self.metrics.iter().enumerate().map(|(at, metric)| (metric.name.clone(), at)).collect();
    }

    /// All metrics, in the order of the page.
    pub(crate) fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The metric of this name; dots and underscores are the same, as pages write names either way.
    pub(crate) fn get(&self, name: &str) -> Option<&Metric> {
        let at = self.index.get(name).copied().or_else(|| {
            self.metrics
                .iter()
                .position(|metric| metric.name.len() == name.len() && metric.name.replace('.', "_") == name)
        })?;
        Some(&self.metrics[at])
    }

    /// How many pages there were.
    pub(crate) fn readings(&self) -> u64 {
        self.readings
    }
}

impl Metric {
    fn new(family: &Family) -> Metric {
        Metric {
            name: family.name.clone(),
            kind: family.kind,
            help: family.help.clone(),
            unit: Unit::of(&family.unit, &family.name),
            all: Track::default(),
            series: Vec::new(),
        }
    }

    fn take(&mut self, family: &Family, moment: Moment) {
        self.kind = family.kind;
        let adds_up = self.adds_up();
        let mut known: HashMap<Labels, Track> =
            self.series.drain(..).map(|series| (series.labels, series.track)).collect();
        for series in &family.series {
            let mut track = known.remove(&series.labels).unwrap_or_default();
            track.take(series.value.clone(), adds_up, moment);
            self.series.push(Series { labels: series.labels.clone(), track });
        }
        self.all.take_all(self.series.iter().map(|series| &series.track), adds_up, moment);
    }

    /// Whether its values only go up, so that what people want to know is how fast.
    pub(crate) fn adds_up(&self) -> bool {
        match self.kind {
            Kind::Counter | Kind::Histogram | Kind::Summary => true,
            Kind::Unknown => self.name.ends_with("_total"),
            Kind::Gauge | Kind::GaugeHistogram | Kind::Info | Kind::StateSet => false,
        }
    }

    /// Whether it is of many values, of which quantiles are known.
    pub(crate) fn is_distribution(&self) -> bool {
        matches!(self.kind, Kind::Histogram | Kind::GaugeHistogram | Kind::Summary)
    }

    /// The smallest and the largest value of its series.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let values = || self.series.iter().map(|series| series.track.value).filter(|value| !value.is_nan());
        Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
    }

    /// How many values each label has, those with most first.
    pub(crate) fn labels(&self) -> Vec<(&str, usize)> {
        let mut values: HashMap<&str, std::collections::HashSet<&str>> = HashMap::new();
        for (key, value) in self.series.iter().flat_map(|series| &series.labels) {
            values.entry(key).or_default().insert(value);
        }
        let mut counts: Vec<_> = values.into_iter().map(|(key, values)| (key, values.len())).collect();
        counts.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        counts
    }
}

/// Labels as a page writes them, without braces.
pub(crate) fn written(labels: &Labels) -> String {
    let mut text = String::new();
    for (key, value) in labels {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&format!("{key}={value:?}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Limits;

    fn after(pages: &[(&str, f64)]) -> History {
        let mut history = History::default();
        for (text, at) in pages {
            history.take(&Page::read(text.as_bytes(), &Limits::default()).unwrap(), *at);
        }
        history
    }

    #[test]
    fn what_only_goes_up_has_a_rate_and_the_rest_a_value() {
        let head = "# TYPE c_total counter\n# TYPE g gauge\n";
        let history = after(&[
            (&format!("{head}c_total{{x=\"1\"}} 10\nc_total{{x=\"2\"}} 5\ng 3\nu 1\nu_total 7\n"), 0.0),
            (&format!("{head}c_total{{x=\"1\"}} 30\nc_total{{x=\"2\"}} 5\ng 1\nu 2\nu_total 9\n"), 2.0),
        ]);
        let all = |name: &str| &history.get(name).unwrap().all;
        assert_eq!(
            (all("c_total").value, all("c_total").rate, all("c_total").delta),
            (35.0, Some(10.0), Some(20.0))
        );
        assert_eq!((all("g").value, all("g").rate, all("g").delta), (1.0, None, Some(-2.0)));
        assert_eq!(all("u").rate, None, "nobody says that it adds up");
        assert_eq!(all("u_total").rate, Some(1.0), "its name says that it adds up");
        let series = &history.get("c_total").unwrap().series;
        assert_eq!(series.iter().map(|series| series.track.changed).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(history.interval, Some(2.0));
    }

    #[test]
    fn a_total_that_is_less_began_anew_and_a_new_series_at_nothing() {
        let page = |text: &str| format!("# TYPE c_total counter\n{text}");
        let history = after(&[(&page("c_total 10\n"), 0.0), (&page("c_total 4\nc_total{x=\"1\"} 6\n"), 1.0)]);
        let metric = history.get("c_total").unwrap();
        assert_eq!(
            metric.series.iter().map(|series| series.track.rate).collect::<Vec<_>>(),
            [Some(4.0), Some(6.0)]
        );
        assert_eq!((metric.all.value, metric.all.rate), (10.0, Some(10.0)));
    }

    #[test]
    fn quantiles_are_of_what_came_since_the_page_before() {
        let page = |one: u64, all: u64| {
            format!(
                "# TYPE h histogram\nh_bucket{{le=\"1\"}} {one}\nh_bucket{{le=\"2\"}} {all}\nh_bucket{{le=\"+Inf\"}} {all}\nh_sum 1\nh_count {all}\n"
            )
        };
        let first = after(&[(&page(100, 100), 0.0)]);
        assert_eq!(first.get("h").unwrap().all.quantiles[0], Some(0.5), "of all at first");
        let second = after(&[(&page(100, 100), 0.0), (&page(100, 110), 1.0)]);
        assert_eq!(second.get("h").unwrap().all.quantiles[0], Some(1.5));
        assert_eq!(second.get("h").unwrap().all.rate, Some(10.0));
        let nothing = after(&[(&page(100, 100), 0.0), (&page(100, 100), 1.0)]);
        assert_eq!(nothing.get("h").unwrap().all.quantiles, [None; 3], "nothing came");
        let anew = after(&[(&page(100, 100), 0.0), (&page(3, 3), 1.0)]);
        assert_eq!(
            (anew.get("h").unwrap().all.quantiles[0], anew.get("h").unwrap().all.delta),
            (Some(0.5), Some(3.0))
        );
    }

    #[test]
    fn histograms_with_other_buckets_are_not_added_up() {
        let history = after(&[(
            "# TYPE h histogram\nh_bucket{x=\"1\",le=\"1\"} 1\nh_bucket{x=\"1\",le=\"+Inf\"} 1\nh_bucket{x=\"2\",le=\"+Inf\"} 1\n",
            0.0,
        )]);
        let metric = history.get("h").unwrap();
        assert_eq!((metric.all.value, metric.all.quantiles), (2.0, [None; 3]));
        assert_eq!(metric.series[0].track.quantiles[0], Some(0.5));
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let history = after(&[("a 1\nb{x=\"1\"} 1\nb{x=\"2\"} 1\n", 0.0), ("b{x=\"2\"} 1\n", 1.0)]);
        assert!(history.get("a").is_none());
        assert_eq!(written(&history.get("b").unwrap().series[0].labels), "x=\"2\"");
        assert_eq!(history.get("b").unwrap().labels(), [("x", 1)]);
    }
}
