//! What stands on a page of a Prometheus exporter: names, suffixes, and labels beside those that were measured.

use super::error::{Findings, Place};
use super::prometheus::Prometheus;
#[cfg(feature = "config")]
use super::tree::{Node, Value};
use crate::export::prometheus::{PageOptions, Profile, ResourceLabels, Strategy};

/// The options of a page, as [`PageOptions`](crate::PageOptions) has them; `PageOptions` says more about each.
impl Prometheus {
    /// Whose habits the page follows.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.page.profile = Some(profile);
        self
    }

    /// How names are translated. Not beside [`Profile::MetricsRs`], which has a way of its own.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.page.strategy = Some(strategy);
        self
    }

    /// Whether names end with their unit. Unless it is said, the strategy decides.
    pub fn unit_suffix(mut self, on: bool) -> Self {
        self.page.unit_suffix = Some(on);
        self
    }

    /// Whether the names of counters end with `_total`. Unless it is said, the strategy decides.
    pub fn total_suffix(mut self, on: bool) -> Self {
        self.page.total_suffix = Some(on);
        self
    }

    /// Whether every line says which library measured. Not unless it is said.
    pub fn scope_labels(mut self, on: bool) -> Self {
        self.page.scope_labels = Some(on);
        self
    }

    /// Whether the page begins with `target_info`. Not unless it is said.
    pub fn target_info(mut self, on: bool) -> Self {
        self.page.target_info = Some(on);
        self
    }

    /// Which attributes of the resource stand on every line. None unless it is said.
    pub fn resource_labels(mut self, labels: ResourceLabels) -> Self {
        self.page.resource_labels = Some(labels);
        self
    }

    /// Whether OpenMetrics and protobuf say of each series when it began to count. Not unless it is said.
    pub fn created(mut self, on: bool) -> Self {
        self.page.created = Some(on);
        self
    }

    /// Whether exemplars are shown in formats that have them. They are unless it is said.
    pub fn exemplars(mut self, on: bool) -> Self {
        self.page.exemplars = Some(on);
        self
    }
}

/// What one source says about the page.
#[derive(Debug, Clone, Default)]
pub(super) struct PageLayer {
    profile: Option<Profile>,
    strategy: Option<Strategy>,
    /// Where a file gives it.
    strategy_place: Option<Place>,
    unit_suffix: Option<bool>,
    total_suffix: Option<bool>,
    scope_labels: Option<bool>,
    target_info: Option<bool>,
    resource_labels: Option<ResourceLabels>,
    created: Option<bool>,
    exemplars: Option<bool>,
}

impl PageLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            profile: self.profile.or(below.profile),
            strategy: self.strategy.or(below.strategy),
            strategy_place: None,
            unit_suffix: self.unit_suffix.or(below.unit_suffix),
            total_suffix: self.total_suffix.or(below.total_suffix),
            scope_labels: self.scope_labels.or(below.scope_labels),
            target_info: self.target_info.or(below.target_info),
            resource_labels: self.resource_labels.or(below.resource_labels),
            created: self.created.or(below.created),
            exemplars: self.exemplars.or(below.exemplars),
        }
    }

    /// The options with the defaults where no source said anything.
    pub(super) fn resolve(self) -> PageOptions {
        fn with<T>(
            options: PageOptions,
            said: Option<T>,
            set: fn(PageOptions, T) -> PageOptions,
        ) -> PageOptions {
            match said {
                Some(value) => set(options, value),
                None => options,
            }
        }
        let options = with(PageOptions::new(), self.profile, PageOptions::profile);
        let options = with(options, self.strategy, PageOptions::strategy);
        let options = with(options, self.unit_suffix, PageOptions::unit_suffix);
        let options = with(options, self.total_suffix, PageOptions::total_suffix);
        let options = with(options, self.scope_labels, PageOptions::scope_labels);
        let options = with(options, self.target_info, PageOptions::target_info);
        let options = with(options, self.resource_labels, PageOptions::resource_labels);
        let options = with(options, self.created, PageOptions::created);
        with(options, self.exemplars, PageOptions::exemplars)
    }

    /// Notes what contradicts something else that the same source says. `at` is the place of the exporter.
    pub(super) fn check(&self, at: &Place, findings: &mut Findings) {
        if self.profile == Some(Profile::MetricsRs) && self.strategy.is_some() {
            let place = self.strategy_place.clone().unwrap_or_else(|| at.child("strategy"));
            let message =
                "is given beside the profile \"metrics-rs\", which has a way of its own; keep one of them";
            findings.problem(&place, message);
        }
        if let Some(ResourceLabels::Only(keys)) = &self.resource_labels
            && keys.iter().any(String::is_empty)
        {
            findings.problem(&at.child("resource_labels"), NO_KEY);
        }
    }
}

const NO_KEY: &str = "has an attribute without a key; leave it out";

/// The keys of a file.
#[cfg(feature = "config")]
pub(super) const KEYS: [&str; 9] = [
    "profile",
    "strategy",
    "unit_suffix",
    "total_suffix",
    "scope_labels",
    "target_info",
    "resource_labels",
    "created",
    "exemplars",
];

#[cfg(feature = "config")]
const PROFILES: [(&str, Profile); 2] = [("otel", Profile::Otel), ("metrics-rs", Profile::MetricsRs)];

#[cfg(feature = "config")]
const STRATEGIES: [(&str, Strategy); 4] = [
    ("UnderscoreEscapingWithSuffixes", Strategy::UnderscoreEscapingWithSuffixes),
    ("UnderscoreEscapingWithoutSuffixes", Strategy::UnderscoreEscapingWithoutSuffixes),
    ("NoUTF8EscapingWithSuffixes", Strategy::NoUtf8EscapingWithSuffixes),
    ("NoTranslation", Strategy::NoTranslation),
];

#[cfg(feature = "config")]
fn named<T: Copy>(words: &[(&str, T)], name: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == name).map(|(_, value)| *value)
}

#[cfg(feature = "config")]
impl PageLayer {
    /// Takes a key of a file. False if it is none of [`KEYS`].
    pub(super) fn read(&mut self, at: &Place, key: &str, node: &Node, findings: &mut Findings) -> bool {
        let switch = match key {
            "profile" => {
                let words = PROFILES.map(|(word, _)| word);
                self.profile = findings.word(at, node, &words, |name| named(&PROFILES, name));
                return true;
            }
            "strategy" => {
                let words = STRATEGIES.map(|(word, _)| word);
                self.strategy = findings.word(at, node, &words, |name| named(&STRATEGIES, name));
                self.strategy_place = Some(at.clone());
                return true;
            }
            "resource_labels" => {
                self.resource_labels = resource_labels(at, node, findings);
                return true;
            }
            "unit_suffix" => &mut self.unit_suffix,
            "total_suffix" => &mut self.total_suffix,
            "scope_labels" => &mut self.scope_labels,
            "target_info" => &mut self.target_info,
            "created" => &mut self.created,
            "exemplars" => &mut self.exemplars,
            _ => return false,
        };
        *switch = findings.truth(at, node);
        true
    }
}

#[cfg(feature = "config")]
fn resource_labels(at: &Place, node: &Node, findings: &mut Findings) -> Option<ResourceLabels> {
    const EXPECTED: &str = "\"all\", \"none\" or a list of attributes such as [\"service.name\"]";
    match &node.value {
        Value::String(word) if word == "all" => Some(ResourceLabels::All),
        Value::String(word) if word == "none" => Some(ResourceLabels::None),
        Value::String(word) => {
            findings.problem(at, format!("expected {EXPECTED}, found {word:?}"));
            None
        }
        Value::List(keys) => {
            let mut only = Vec::new();
            for key in keys {
                let at = at.on_line(key.line);
                match findings.string(&at, key, "\"service.name\" for each attribute")? {
                    "" => {
                        findings.problem(&at, NO_KEY);
                        return None;
                    }
                    key => only.push(key),
                }
            }
            Some(ResourceLabels::only(only))
        }
        other => findings.mistyped(at, EXPECTED, other),
    }
}

#[cfg(all(test, feature = "config"))]
mod tests {
    use super::super::Config;
    use super::*;

    fn options(prometheus: Prometheus, file: &str) -> PageOptions {
        let file = format!("[telemetry.exporters.prometheus]\n{file}");
        let config = Config::builder().environment(false).toml("a.toml", &file);
        let config = config.exporter("prometheus", prometheus).build().unwrap();
        match config.exporter("prometheus") {
            Some(crate::config::ExporterConfig::Prometheus(settings)) => settings.page().clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_option_can_be_given_in_a_file() {
        let file = "strategy = 'NoUTF8EscapingWithSuffixes'\nunit_suffix = false\ntotal_suffix = true\n\
                    scope_labels = true\ntarget_info = true\nresource_labels = ['service.name']\n\
                    created = true\nexemplars = false";
        let expected = PageOptions::new()
            .strategy(Strategy::NoUtf8EscapingWithSuffixes)
            .unit_suffix(false)
            .total_suffix(true)
            .scope_labels(true)
            .target_info(true)
            .resource_labels(ResourceLabels::only(["service.name"]))
            .created(true)
            .exemplars(false);
        assert_eq!(options(Prometheus::default(), file), expected);
        assert_eq!(options(Prometheus::default(), ""), PageOptions::new());
        let metrics_rs = "profile = 'metrics-rs'\nresource_labels = 'all'";
        let expected = PageOptions::new().profile(Profile::MetricsRs).resource_labels(ResourceLabels::All);
        assert_eq!(options(Prometheus::default(), metrics_rs), expected);
    }

    #[test]
    fn each_option_that_code_pins_wins_over_the_file() {
        let pinned =
            Prometheus::default().strategy(Strategy::NoTranslation).scope_labels(false).exemplars(true);
        let file = "strategy = 'UnderscoreEscapingWithoutSuffixes'\nscope_labels = true\ncreated = true";
        let expected = PageOptions::new().strategy(Strategy::NoTranslation).created(true);
        assert_eq!(options(pinned, file), expected);
    }

    #[test]
    fn code_is_told_what_contradicts_itself() {
        let both = Prometheus::default().profile(Profile::MetricsRs).strategy(Strategy::NoTranslation);
        let both = both.resource_labels(ResourceLabels::only([""]));
        let error = Config::builder().environment(false).exporter("p", both).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "telemetry.exporters.p.strategy: is given beside the profile \"metrics-rs\", which has a way of its \
             own; keep one of them\n\
             telemetry.exporters.p.resource_labels: has an attribute without a key; leave it out"
        );
    }
}
