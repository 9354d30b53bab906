//! Every key of a file, once: what it takes, its default, an example, what it is for. The reader asks here whether a key is
//! known, and the schema for editors is made of it.

pub(super) mod exporters;
pub(super) mod instruments;
pub(super) mod traces;
pub(super) mod view;

pub(super) use exporters::{
    AUTH, BASIC, CLIENT_TLS, CUSTOM, EXPORTER, OTLP, PAGE, PROMETHEUS, PUSHGATEWAY, SERVER_AUTH, SERVER_TLS,
    STDOUT,
};
pub(super) use traces::{LIMITS, TRACES};
pub(super) use view::{EXPONENTIAL, VIEW};

use super::exemplars;
use super::exporter::Kind;
use super::{OnError, OnSigterm};

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// As it is written in TOML; empty if there is none, or if it depends.
    pub(super) default: &'static str,
    /// As it is written in TOML.
    pub(super) example: &'static str,
    pub(super) doc: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    Truth,
    Text,
    /// A URL, which prints without user, password and query.
    Url,
    /// A text that never prints.
    Secret,
    /// A whole number from the first to the second.
    Count(i64, i64),
    /// A number from 0 to 1.
    Fraction,
    /// A length of time.
    Time,
    Words(&'static [&'static str]),
    /// The name of a receiver that is known.
    Preset,
    Texts,
    /// One of the words, or a list of texts.
    WordsOrTexts(&'static [&'static str]),
    Numbers,
    /// Texts by their names.
    TextMap,
    /// Texts by their names, which never print.
    SecretMap,
    /// Attributes of the resource.
    Attributes,
    Table(&'static [Key]),
    /// A table with one of these keys.
    OneOf(&'static [Key]),
    TruthOrTable(&'static [Key]),
    /// A list of tables with the keys of a [`VIEW`].
    Views,
    /// Exporters by their names.
    Exporters,
    /// What the stages of the program decide: instruments by stage and name, and what they are made of.
    Instruments,
}

/// More than any program has.
pub(super) const MOST: i64 = i64::MAX;

const fn key(
    name: &'static str,
    takes: Takes,
    default: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, takes, default, example, doc }
}

const LIMIT: Key = key(
    "cardinality_limit",
    Takes::Count(1, MOST),
    "",
    "500",
    "The most series of each metric; what comes after that is added up in one.",
);

const BUCKETS: Key = key(
    "buckets",
    Takes::Numbers,
    "",
    "[0.1, 1, 10]",
    "Upper bounds of the buckets of histograms that declare none: finite and increasing.",
);

const VIEWS: Key = key(
    "views",
    Takes::Views,
    "[]",
    "[{ name = \"http.*\", drop_labels = [\"user.id\"] }]",
    "How metrics look. Views apply in their order; what several say of one thing, the last decides.",
);

/// The table `telemetry`.
pub(super) const TELEMETRY: &[Key] = &[
    key(
        "include",
        Takes::Texts,
        "[]",
        "[]",
        "Files that lie below this one, the later over the earlier: paths from this file's folder, `*` and `?` in the last part.",
    ),
    key("enabled", Takes::Truth, "true", "true", "`false`: nothing runs, and no new series are recorded."),
    key("shutdown_timeout", Takes::Time, "\"5s\"", "\"10s\"", "How long the final flush may take."),
    key("on_sigterm", Takes::Words(&OnSigterm::NAMES), "\"auto\"", "\"flush\"", "What happens on SIGTERM."),
    key(
        "on_error",
        Takes::Words(&OnError::NAMES),
        "\"fail\"",
        "\"degrade\"",
        "What happens if an exporter cannot start.",
    ),
    key(
        "self_metrics",
        Takes::Truth,
        "true",
        "false",
        "Whether what exporters measure of themselves is recorded.",
    ),
    key(
        "exemplars",
        Takes::Words(&exemplars::NAMES),
        "\"trace_based\"",
        "\"always_off\"",
        "Which measurements become exemplars.",
    ),
    key(
        "resource",
        Takes::Attributes,
        "",
        "{ \"service.name\" = \"orders\", replicas = 3 }",
        "Attributes of the process: strings, booleans, integers, floats.",
    ),
    VIEWS,
    BUCKETS,
    LIMIT,
    key(
        "traces",
        Takes::Table(TRACES),
        "",
        "{ endpoint = \"http://collector:4318\" }",
        "Traces, for metercast-tracing.",
    ),
    key("exporters", Takes::Exporters, "", "{ prometheus = {} }", "A table for each exporter."),
    key(
        "instruments",
        Takes::Instruments,
        "",
        "{}",
        "What is measured of requests: a table for each stage of the program, and in it one for each instrument.",
    ),
];

/// The keys that an exporter of this type has.
pub(super) fn of_kind(kind: Kind) -> &'static [&'static [Key]] {
    match kind {
        Kind::Prometheus => &[EXPORTER, PROMETHEUS, PAGE],
        Kind::Otlp => &[EXPORTER, OTLP],
        Kind::Pushgateway => &[EXPORTER, PUSHGATEWAY, PAGE],
        Kind::Stdout => &[EXPORTER, STDOUT],
        Kind::Custom => &[EXPORTER, CUSTOM],
    }
}

/// The key of that name.
pub(super) fn find<'k>(tables: &[&'k [Key]], name: &str) -> Option<&'k Key> {
    tables.iter().flat_map(|table| table.iter()).find(|key| key.name == name)
}

/// The names of these keys.
pub(super) fn names(tables: &[&'static [Key]]) -> Vec<&'static str> {
    tables.iter().flat_map(|table| table.iter()).map(|key| key.name).collect()
}
