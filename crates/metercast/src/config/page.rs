//! What stands on a page of a Prometheus exporter: names, suffixes, and labels beside those that were measured.

use super::error::{Checked, Findings};
#[cfg(feature = "config")]
use super::place::given;
use super::place::{Given, Place, lay};
use super::prometheus::Prometheus;
#[cfg(feature = "config")]
use super::resource_attributes::ResourceAttributes;
use super::sources::{Source, list};
#[cfg(feature = "config")]
use super::tree::Node;
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

    /// What stands in front of every name, and a `_` behind it. Nothing unless it is said.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.page.namespace = Some(check_namespace(namespace));
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

/// What code says about the page.
#[derive(Debug, Clone, Default)]
pub(super) struct PageSettings {
    profile: Option<Profile>,
    strategy: Option<Strategy>,
    namespace: Option<Checked<String>>,
    unit_suffix: Option<bool>,
    total_suffix: Option<bool>,
    scope_labels: Option<bool>,
    target_info: Option<bool>,
    resource_labels: Option<ResourceLabels>,
    created: Option<bool>,
    exemplars: Option<bool>,
}

impl PageSettings {
    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> PageLayer {
        fn given<T>(value: Option<T>, key: &str, place: &Place) -> Option<Given<T>> {
            value.map(|value| Given::new(value, &place.child(key)))
        }
        let namespace =
            self.namespace.and_then(|namespace| findings.take(&place.child("namespace"), namespace));
        let layer = PageLayer {
            namespace,
            profile: given(self.profile, "profile", place),
            strategy: given(self.strategy, "strategy", place),
            unit_suffix: given(self.unit_suffix, "unit_suffix", place),
            total_suffix: given(self.total_suffix, "total_suffix", place),
            scope_labels: given(self.scope_labels, "scope_labels", place),
            target_info: given(self.target_info, "target_info", place),
            resource_labels: given(self.resource_labels, "resource_labels", place),
            created: given(self.created, "created", place),
            exemplars: given(self.exemplars, "exemplars", place),
        };
        layer.check(findings);
        layer
    }
}

/// What one source says about the page.
#[derive(Debug, Clone, Default)]
pub(super) struct PageLayer {
    profile: Option<Given<Profile>>,
    strategy: Option<Given<Strategy>>,
    namespace: Option<Given<String>>,
    unit_suffix: Option<Given<bool>>,
    total_suffix: Option<Given<bool>>,
    scope_labels: Option<Given<bool>>,
    target_info: Option<Given<bool>>,
    resource_labels: Option<Given<ResourceLabels>>,
    created: Option<Given<bool>>,
    exemplars: Option<Given<bool>>,
}

impl PageLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            profile: lay(self.profile, below.profile),
            strategy: lay(self.strategy, below.strategy),
            namespace: lay(self.namespace, below.namespace),
            unit_suffix: lay(self.unit_suffix, below.unit_suffix),
            total_suffix: lay(self.total_suffix, below.total_suffix),
            scope_labels: lay(self.scope_labels, below.scope_labels),
            target_info: lay(self.target_info, below.target_info),
            resource_labels: lay(self.resource_labels, below.resource_labels),
            created: lay(self.created, below.created),
            exemplars: lay(self.exemplars, below.exemplars),
        }
    }

    /// The options, with the defaults where no source said anything.
    pub(super) fn resolve(self, place: &Place, findings: &mut Findings) -> PageOptions {
        fn take<T>(given: Option<Given<T>>, places: &mut Vec<Option<Place>>) -> Option<T> {
            let (value, place) = given.map(|given| (given.value, given.place)).unzip();
            places.push(place);
            value
        }
        let (mut options, mut places) = (PageOptions::new(), Vec::new());
        // In the order in which they are noted.
        if let Some(profile) = take(self.profile, &mut places) {
            options = options.profile(profile);
        }
        if let Some(strategy) = take(self.strategy, &mut places) {
            options = options.strategy(strategy);
        }
        if let Some(namespace) = take(self.namespace, &mut places) {
            options = options.namespace(namespace);
        }
        if let Some(on) = take(self.unit_suffix, &mut places) {
            options = options.unit_suffix(on);
        }
        if let Some(on) = take(self.total_suffix, &mut places) {
            options = options.total_suffix(on);
        }
        options = options
            .scope_labels(take(self.scope_labels, &mut places).unwrap_or(false))
            .target_info(take(self.target_info, &mut places).unwrap_or(false))
            .resource_labels(take(self.resource_labels, &mut places).unwrap_or(ResourceLabels::None))
            .created(take(self.created, &mut places).unwrap_or(false))
            .exemplars(take(self.exemplars, &mut places).unwrap_or(true));
        note(&options, places, place, findings);
        options
    }

    /// Notes what contradicts something else that the same source says.
    pub(super) fn check(&self, findings: &mut Findings) {
        let is_metrics_rs = self.profile.as_ref().is_some_and(|profile| profile.value == Profile::MetricsRs);
        if let Some(strategy) = self.strategy.as_ref().filter(|_| is_metrics_rs) {
            let message =
                "is given beside the profile \"metrics-rs\", which has a way of its own; keep one of them";
            findings.problem(&strategy.place, message);
        }
        if let Some(labels) = &self.resource_labels
            && let ResourceLabels::Only(keys) = &labels.value
            && keys.iter().any(String::is_empty)
        {
            findings.problem(&labels.place, NO_KEY);
        }
    }
}

/// Notes what holds of a page: each key of it, in this order, with the place that says it, if one does.
pub(super) fn note(
    options: &PageOptions,
    places: impl IntoIterator<Item = Option<Place>>,
    place: &Place,
    findings: &mut Findings,
) {
    let (profile, strategy) = options.habits();
    let words = |words: &[&str], n: usize| words[n].to_owned();
    let labels = match options.labels_of_resource() {
        ResourceLabels::All => "all".to_owned(),
        ResourceLabels::Only(keys) => list(keys),
        _ => "none".to_owned(),
    };
    let shown = [
        ("profile", words(&PROFILE_NAMES, position(&PROFILES, profile))),
        ("strategy", words(&STRATEGY_NAMES, position(&STRATEGIES, strategy))),
        ("namespace", options.of_namespace().to_owned()),
        ("unit_suffix", options.has_unit_suffix().to_string()),
        ("total_suffix", options.has_total_suffix().to_string()),
        ("scope_labels", options.has_scope_labels().to_string()),
        ("target_info", options.has_target_info().to_string()),
        ("resource_labels", labels),
        ("created", options.has_created().to_string()),
        ("exemplars", options.has_exemplars().to_string()),
    ];
    for ((key, shown), given) in shown.into_iter().zip(places) {
        let at = place.child(key);
        match given {
            Some(given) => findings.note(&at, Given::new((), &given), |()| shown),
            None if shown.is_empty() => {}
            // The other profile has none.
            None if key == "strategy" && profile == Profile::MetricsRs => {}
            None => findings.note_as(&at, shown, Source::Default),
        }
    }
}

/// What may stand in front of names, as it is.
fn check_namespace(namespace: &str) -> Checked<String> {
    let is_legal = |(at, rune): (usize, char)| {
        rune.is_ascii_alphabetic() || rune == '_' || (at > 0 && rune.is_ascii_digit())
    };
    match namespace {
        "" => Err("is empty; write a word such as \"shop\", or leave it out".to_owned()),
        _ if namespace.char_indices().all(is_legal) => Ok(namespace.to_owned()),
        _ => {
            Err(format!("{namespace:?} cannot begin a name; write letters, digits and _, and no digit first"))
        }
    }
}

const NO_KEY: &str = "has an attribute without a key; leave it out";

pub(super) const PROFILE_NAMES: [&str; 2] = [PROFILES[0].0, PROFILES[1].0];

const PROFILES: [(&str, Profile); 2] = [("otel", Profile::Otel), ("metrics-rs", Profile::MetricsRs)];

pub(super) const STRATEGY_NAMES: [&str; 4] =
    [STRATEGIES[0].0, STRATEGIES[1].0, STRATEGIES[2].0, STRATEGIES[3].0];

const STRATEGIES: [(&str, Strategy); 4] = [
    ("UnderscoreEscapingWithSuffixes", Strategy::UnderscoreEscapingWithSuffixes),
    ("UnderscoreEscapingWithoutSuffixes", Strategy::UnderscoreEscapingWithoutSuffixes),
    ("NoUTF8EscapingWithSuffixes", Strategy::NoUtf8EscapingWithSuffixes),
    ("NoTranslation", Strategy::NoTranslation),
];

/// Where a value stands among the words for its like.
fn position<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> usize {
    words.iter().position(|(_, word)| *word == value).unwrap_or(0)
}

#[cfg(feature = "config")]
fn named<T: Copy>(words: &[(&str, T)], name: &str) -> Option<T> {
    words.iter().find(|(word, _)| *word == name).map(|(_, value)| *value)
}

#[cfg(feature = "config")]
impl PageLayer {
    /// Takes a key of a file. False if it is none of a page.
    pub(super) fn read(&mut self, at: &Place, key: &str, node: &Node, findings: &mut Findings) -> bool {
        let switch = match key {
            "profile" => {
                self.profile =
                    given(at, findings.word(at, node, &PROFILE_NAMES, |name| named(&PROFILES, name)));
                return true;
            }
            "strategy" => {
                self.strategy =
                    given(at, findings.word(at, node, &STRATEGY_NAMES, |name| named(&STRATEGIES, name)));
                return true;
            }
            "resource_labels" => {
                let labels = findings.attributes(at, node).map(|keys| match keys {
                    ResourceAttributes::All => ResourceLabels::All,
                    ResourceAttributes::None => ResourceLabels::None,
                    ResourceAttributes::Only(keys) => ResourceLabels::Only(keys),
                });
                self.resource_labels = given(at, labels);
                return true;
            }
            "namespace" => {
                let text = findings.string(at, node, "\"shop\"");
                self.namespace = text.and_then(|text| findings.take(at, check_namespace(text)));
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
        *switch = given(at, findings.truth(at, node));
        true
    }
}

#[cfg(all(test, feature = "config"))]
mod tests {
    use super::super::Config;
    use super::*;

    fn options(prometheus: Prometheus, file: &str) -> PageOptions {
        let file = format!("[telemetry.exporters.prometheus]\n{file}");
        let config = Config::builder().environment(false).text("a.toml", &file);
        let config = config.exporter("prometheus", prometheus).build().unwrap();
        match config.exporter("prometheus") {
            Some(crate::config::ExporterConfig::Prometheus(settings)) => settings.page().clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_option_can_be_given_in_a_file() {
        let file = "strategy = 'NoUTF8EscapingWithSuffixes'\nnamespace = 'shop'\nunit_suffix = false\ntotal_suffix = true\n\
                    scope_labels = true\ntarget_info = true\nresource_labels = ['service.name']\n\
                    created = true\nexemplars = false";
        let expected = PageOptions::new()
            .strategy(Strategy::NoUtf8EscapingWithSuffixes)
            .namespace("shop")
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
    fn a_namespace_is_a_word() {
        for (namespace, message) in [
            ("", "is empty; write a word such as \"shop\", or leave it out"),
            ("1st", "\"1st\" cannot begin a name; write letters, digits and _, and no digit first"),
            ("my.shop", "\"my.shop\" cannot begin a name; write letters, digits and _, and no digit first"),
        ] {
            let page = Prometheus::default().namespace(namespace);
            let error = Config::builder().environment(false).exporter("p", page).build().unwrap_err();
            assert_eq!(error.to_string(), format!("telemetry.exporters.p.namespace: {message}"));
        }
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
