//! What an operator may choose about a page: how names are translated, and what stands there beside what was measured.

/// How a Prometheus exporter names and describes what it shows. The default is what OpenTelemetry and Prometheus agreed on.
///
/// ```
/// use metercast::{Log, PageOptions, PrometheusPage, ResourceLabels, Store, Strategy, f64_counter_with_unit};
///
/// let store = Store::new();
/// store.scope(|| f64_counter_with_unit!("worker.busy", "Time at work", "s", 1.5));
///
/// let options = PageOptions::new()
///     .strategy(Strategy::UnderscoreEscapingWithoutSuffixes)
///     .resource_labels(ResourceLabels::only(["service.name"]));
/// let resource = [("service.name".to_owned(), "orders".into())];
/// let page = PrometheusPage::with("own", options, &resource, Log::default());
/// assert_eq!(page.render(&store).lines().last(), Some(r#"worker_busy{service_name="orders"} 1.5"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct PageOptions {
    profile: Profile,
    strategy: Strategy,
    /// Empty: none.
    namespace: String,
    unit_suffix: Option<bool>,
    total_suffix: Option<bool>,
    scope_labels: bool,
    target_info: bool,
    resource_labels: ResourceLabels,
    created: bool,
    without_exemplars: bool,
}

/// Whose habits a page follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// OpenTelemetry's rules for Prometheus, with a [`Strategy`].
    #[default]
    Otel,
    /// Those of the crate `metrics-exporter-prometheus` 0.18: names as the program has them, each character that is not
    /// legal becoming `_`; no suffixes unless asked for; and in the text formats its spelling of numbers and a blank line
    /// behind each metric, so that its page and this one are the same lines. Two things differ: backslashes in labels are
    /// always escaped, since two labels would be one otherwise; and labels that meet do not make the page invalid.
    MetricsRs,
}

/// How names of OpenTelemetry become names of Prometheus, as both name it. What a format cannot hold after that is escaped
/// as the scraper asks for ([`Escaping`](crate::Escaping)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// `http.server.duration` in `s` is `http_server_duration_seconds`.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// It is `http_server_duration`.
    UnderscoreEscapingWithoutSuffixes,
    /// It is `http.server.duration_seconds`.
    NoUtf8EscapingWithSuffixes,
    /// It is `http.server.duration`. Metrics that differ only in unit or kind are told apart by nothing.
    NoTranslation,
}

/// Which attributes of the resource stand on every line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceLabels {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// Those with these keys; others of these keys are passed over.
    Only(Vec<String>),
}

impl ResourceLabels {
    /// The attributes with these keys.
    pub fn only<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> ResourceLabels {
        ResourceLabels::Only(keys.into_iter().map(Into::into).collect())
    }

    /// Whether the attribute with this key is one of them.
    pub(super) fn contain(&self, key: &str) -> bool {
        match self {
            ResourceLabels::None => false,
            ResourceLabels::All => true,
            ResourceLabels::Only(keys) => keys.iter().any(|only| only == key),
        }
    }
}

impl PageOptions {
    /// The defaults: OpenTelemetry's names with suffixes; no labels but those that were measured; exemplars where a format
    /// has them.
    pub fn new() -> PageOptions {
        PageOptions::default()
    }

    /// Whose habits to follow.
    pub fn profile(mut self, profile: Profile) -> PageOptions {
        self.profile = profile;
        self
    }

    /// How names are translated. [`Profile::MetricsRs`] has a way of its own, and takes no notice.
    pub fn strategy(mut self, strategy: Strategy) -> PageOptions {
        self.strategy = strategy;
        self
    }

    /// What stands in front of every name, and a `_` behind it: with `shop`, `orders.placed` is `shop_orders_placed_total`. Names that are
    /// complete for Prometheus, such as those of another library's registry, and `target_info` stay as they are. Empty unless it is said:
    /// nothing does.
    pub fn namespace(mut self, namespace: impl Into<String>) -> PageOptions {
        self.namespace = namespace.into();
        self
    }

    /// Whether names end with their unit. Unless it is said, the strategy decides.
    pub fn unit_suffix(mut self, suffix: bool) -> PageOptions {
        self.unit_suffix = Some(suffix);
        self
    }

    /// Whether the names of counters end with `_total`. Unless it is said, the strategy decides. OpenMetrics has no counters
    /// without it: they are of unknown type there.
    pub fn total_suffix(mut self, suffix: bool) -> PageOptions {
        self.total_suffix = Some(suffix);
        self
    }

    /// Whether every line says which library measured, with `otel_scope_name`, `otel_scope_version`, `otel_scope_schema_url`
    /// and, for each attribute of the scope, `otel_scope_` and its key. Not unless asked for: then what two scopes
    /// measure under one name stands together, and equal series are added up; of histograms the buckets that both have.
    /// Of equal gauges the first stays, which is said in the log.
    pub fn scope_labels(mut self, on: bool) -> PageOptions {
        self.scope_labels = on;
        self
    }

    /// Whether the page begins with `target_info`, which has all attributes of the resource. Not unless asked for.
    pub fn target_info(mut self, on: bool) -> PageOptions {
        self.target_info = on;
        self
    }

    /// Which attributes of the resource stand on every line. None unless asked for. A label that was measured wins over one
    /// of the same name.
    pub fn resource_labels(mut self, labels: ResourceLabels) -> PageOptions {
        self.resource_labels = labels;
        self
    }

    /// Whether a page says of each series when it began to count: OpenMetrics as `_created`, protobuf as `start_timestamp`. Not
    /// unless asked for: to a Prometheus that is not told to take these for timestamps (`created-timestamp-zero-ingestion`),
    /// each of OpenMetrics is one more series.
    pub fn created(mut self, on: bool) -> PageOptions {
        self.created = on;
        self
    }

    /// Whether exemplars are shown in formats that have them. They are unless it is said; a store has none unless the
    /// program takes some.
    pub fn exemplars(mut self, on: bool) -> PageOptions {
        self.without_exemplars = !on;
        self
    }

    /// The profile and the strategy.
    pub(crate) fn habits(&self) -> (Profile, Strategy) {
        (self.profile, self.strategy)
    }

    /// What stands in front of names; empty if nothing does.
    pub(crate) fn of_namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether names are those of the other exporter.
    pub(super) fn is_metrics_rs(&self) -> bool {
        self.profile == Profile::MetricsRs
    }

    /// Whether names become legal whatever the scraper understands.
    pub(super) fn has_legal_names(&self) -> bool {
        use Strategy::{UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes};
        self.is_metrics_rs()
            || matches!(self.strategy, UnderscoreEscapingWithSuffixes | UnderscoreEscapingWithoutSuffixes)
    }

    fn has_suffixes(&self) -> bool {
        use Strategy::{NoUtf8EscapingWithSuffixes, UnderscoreEscapingWithSuffixes};
        !self.is_metrics_rs()
            && matches!(self.strategy, UnderscoreEscapingWithSuffixes | NoUtf8EscapingWithSuffixes)
    }

    pub(crate) fn has_unit_suffix(&self) -> bool {
        self.unit_suffix.unwrap_or_else(|| self.has_suffixes())
    }

    pub(crate) fn has_total_suffix(&self) -> bool {
        self.total_suffix.unwrap_or_else(|| self.has_suffixes())
    }

    pub(crate) fn has_scope_labels(&self) -> bool {
        self.scope_labels
    }

    pub(crate) fn has_target_info(&self) -> bool {
        self.target_info
    }

    pub(crate) fn labels_of_resource(&self) -> &ResourceLabels {
        &self.resource_labels
    }

    /// Whether pages show the attribute of the resource that has this key.
    pub(crate) fn shows_resource(&self, key: &str) -> bool {
        self.target_info || self.resource_labels.contain(key)
    }

    pub(crate) fn has_created(&self) -> bool {
        self.created
    }

    pub(crate) fn has_exemplars(&self) -> bool {
        !self.without_exemplars
    }
}
