//! The keys of exporters.

use super::{BUCKETS, Key, LIMIT, Takes, VIEWS, key};
use crate::config::exporter::Kind;
use crate::config::live_history::LiveHistory;
use crate::config::otlp::{Compression, HistogramAggregation, Protocol, TemporalityPreference};
use crate::config::page;

const TYPES: [&str; 4] =
    [Kind::Prometheus.name(), Kind::Otlp.name(), Kind::Pushgateway.name(), Kind::Stdout.name()];
pub(in crate::config) const VISIBILITIES: [&str; 3] = ["public", "private", "both"];
pub(in crate::config) const ALL_OR_NONE: [&str; 2] = ["all", "none"];

/// What every exporter has.
pub(in crate::config) const EXPORTER: &[Key] = &[
    key(
        "type",
        Takes::Words(&TYPES),
        "",
        "\"otlp\"",
        "The type; may be left out if the exporter is named so, or if the program describes it.",
    ),
    key(
        "enabled",
        Takes::Truth,
        "true",
        "false",
        "`false`: this exporter does not run. No effect on one that the program pins.",
    ),
    key("env", Takes::Truth, "false", "true", "Whether the standard variables shape this exporter too."),
    key(
        "visibility",
        Takes::Words(&VISIBILITIES),
        "\"public\"",
        "\"both\"",
        "Which metrics it takes, by their visibility.",
    ),
    key(
        "include",
        Takes::Texts,
        "[]",
        "[\"http.*\"]",
        "Takes only metrics whose names match one of these patterns.",
    ),
    key(
        "exclude",
        Takes::Texts,
        "[]",
        "[\"debug.*\"]",
        "Takes no metrics whose names match one of these patterns.",
    ),
    key(
        "include_scopes",
        Takes::Texts,
        "[]",
        "[\"orders*\"]",
        "Takes only metrics of instrumentation scopes whose names match one of these patterns.",
    ),
    key(
        "exclude_scopes",
        Takes::Texts,
        "[]",
        "[\"hyper*\"]",
        "Takes no metrics of instrumentation scopes whose names match one of these patterns.",
    ),
    VIEWS,
    BUCKETS,
    LIMIT,
];

/// What one of the type `prometheus` has.
pub(in crate::config) const PROMETHEUS: &[Key] = &[
    key(
        "listen",
        Takes::Text,
        "\"127.0.0.1:9464\"",
        "\"0.0.0.0:9464\"",
        "`host:port`; port 0 is any free one.",
    ),
    key(
        "path",
        Takes::Text,
        "\"/metrics\"",
        "\"/internal/metrics\"",
        "Where the page is, with a slash in front.",
    ),
    key(
        "auth",
        Takes::OneOf(SERVER_AUTH),
        "",
        "{ bearer = \"${file:token}\" }",
        "Lets in only who has the token.",
    ),
    key("tls", Takes::Table(SERVER_TLS), "", "{ certificate = \"tls.crt\", key = \"tls.key\" }", "Encrypts."),
    key("any_path", Takes::Truth, "false", "true", "Whether the page is under every path."),
    key("health", Takes::Truth, "", "true", "Whether the listener says how the program is, to everybody."),
    key(
        "liveness_path",
        Takes::Text,
        "\"/-/healthy\"",
        "\"/health\"",
        "Where it says that the program is alive.",
    ),
    key(
        "readiness_path",
        Takes::Text,
        "\"/-/ready\"",
        "\"/health/ready\"",
        "Where it says whether the program is ready.",
    ),
    key("reload", Takes::Truth, "false", "true", "Whether `POST /-/reload` reads the configuration again."),
    key("max_in_flight", Takes::Count(1, 1_000), "16", "4", "How many scrapes may be under way at once."),
    key("timeout", Takes::Time, "\"10s\"", "\"5s\"", "How long a scrape may wait for its page."),
    key("live", Takes::Truth, "", "false", "Whether there is a page for people at `/`."),
    key(
        "live_history",
        Takes::Words(&LiveHistory::NAMES),
        "\"first_use\"",
        "\"always\"",
        "When that page begins to keep its history.",
    ),
    key(
        "live_lines",
        Takes::Count(1, 10_000),
        "300",
        "1000",
        "How many lines of history there may be, of 18,720 bytes each.",
    ),
];

/// What a page has, whoever gets it.
pub(in crate::config) const PAGE: &[Key] = &[
    key(
        "profile",
        Takes::Words(&page::PROFILE_NAMES),
        "\"otel\"",
        "\"metrics-rs\"",
        "Whose habits the page follows.",
    ),
    key(
        "strategy",
        Takes::Words(&page::STRATEGY_NAMES),
        "\"UnderscoreEscapingWithSuffixes\"",
        "\"NoTranslation\"",
        "How names are translated. Not beside the profile `\"metrics-rs\"`.",
    ),
    key("namespace", Takes::Text, "", "\"shop\"", "What stands in front of every name, and a `_` behind it."),
    key("unit_suffix", Takes::Truth, "", "false", "Whether names end with their unit."),
    key("total_suffix", Takes::Truth, "", "false", "Whether names of counters end with `_total`."),
    key("scope_labels", Takes::Truth, "false", "true", "Whether every line says which library measured."),
    key(
        "target_info",
        Takes::Truth,
        "false",
        "true",
        "Whether the page begins with the attributes of the resource.",
    ),
    key(
        "resource_labels",
        Takes::WordsOrTexts(&ALL_OR_NONE),
        "\"none\"",
        "[\"service.name\"]",
        "Which attributes of the resource stand on every line.",
    ),
    key(
        "created",
        Takes::Truth,
        "false",
        "true",
        "Whether OpenMetrics and protobuf say of each series when it began to count.",
    ),
    key("exemplars", Takes::Truth, "true", "false", "Whether exemplars are shown in formats that have them."),
];

/// What one of the type `otlp` has.
pub(in crate::config) const OTLP: &[Key] = &[
    key("preset", Takes::Preset, "", "\"mimir\"", "A known receiver, so that a URL and a key are enough."),
    key(
        "endpoint",
        Takes::Url,
        "\"http://localhost:4318\"",
        "\"http://collector:4318\"",
        "A URL, base or full, or a Unix socket, `unix:///run/otel.sock`.",
    ),
    key("protocol", Takes::Words(&Protocol::NAMES), "\"http/protobuf\"", "\"http/json\"", "What is spoken."),
    key(
        "insecure",
        Takes::Truth,
        "false",
        "true",
        "Whether a gRPC endpoint without a scheme is not encrypted.",
    ),
    key("interval", Takes::Time, "\"60s\"", "\"10s\"", "From one push to the next."),
    TIMEOUT,
    COMPRESSION,
    CLIENT_TLS_KEY,
    PROXY,
    key(
        "temporality",
        Takes::Words(&TemporalityPreference::NAMES),
        "\"cumulative\"",
        "\"delta\"",
        "Since when values count.",
    ),
    key(
        "histograms",
        Takes::Words(&HistogramAggregation::NAMES),
        "\"explicit\"",
        "\"exponential\"",
        "Which buckets histograms have that do not say so themselves.",
    ),
    MAX_REQUEST_SIZE,
    AUTH_KEY,
    key("dataset", Takes::Secret, "", "\"metrics\"", "The name of a dataset, for a preset that has such."),
    HEADERS,
    RESOURCE,
];

/// What one of the type `pushgateway` has beside a page.
pub(in crate::config) const PUSHGATEWAY: &[Key] = &[
    key("url", Takes::Url, "", "\"http://gateway:9091\"", "The URL of the gateway, without `/metrics/job`."),
    key("job", Takes::Text, "", "\"checkout\"", "The name of the program or the job."),
    key("grouping", Takes::TextMap, "", "{ instance = \"till-7\" }", "Labels of the group beside the job."),
    key("interval", Takes::Time, "\"60s\"", "\"10s\"", "From one push to the next."),
    key("timeout", Takes::Time, "\"10s\"", "\"5s\"", "For one push."),
    key("auth", Takes::OneOf(GATEWAY_AUTH), "", "{ bearer = \"${env:TOKEN:-none}\" }", "Who we are."),
    CLIENT_TLS_KEY,
    PROXY,
];

/// What one of the type `stdout` has.
pub(in crate::config) const STDOUT: &[Key] =
    &[key("interval", Takes::Time, "\"10s\"", "\"1s\"", "From one print to the next."), RESOURCE_ON_LINES];

/// What one that the program describes has.
pub(in crate::config) const CUSTOM: &[Key] =
    &[key("interval", Takes::Time, "\"60s\"", "\"10s\"", "From one export to the next."), RESOURCE];

// What every push over OTLP has, whatever it carries.
pub(super) const TIMEOUT: Key = key(
    "timeout",
    Takes::Time,
    "\"10s\"",
    "\"5s\"",
    "For one push with all its attempts; `\"0s\"` is no limit.",
);

pub(super) const COMPRESSION: Key = key(
    "compression",
    Takes::Words(&Compression::NAMES),
    "\"none\"",
    "\"gzip\"",
    "How the body is compressed.",
);

pub(super) const MAX_REQUEST_SIZE: Key = key(
    "max_request_size",
    Takes::Count(4_096, 67_108_864),
    "",
    "4194304",
    "The most bytes of a request, before it is compressed; what is more is sent in several.",
);

pub(super) const AUTH_KEY: Key =
    key("auth", Takes::OneOf(AUTH), "", "{ bearer = \"${file:token}\" }", "Who we are.");

pub(super) const HEADERS: Key =
    key("headers", Takes::SecretMap, "", "{ \"x-scope\" = \"a\" }", "Headers that each push carries.");

pub(super) const CLIENT_TLS_KEY: Key = key(
    "tls",
    Takes::Table(CLIENT_TLS),
    "",
    "{ ca = \"/etc/ssl/ca.pem\" }",
    "Whom an encrypted push trusts, and as whom it presents itself.",
);

pub(super) const PROXY: Key = key(
    "proxy",
    Takes::Url,
    "",
    "\"http://proxy:3128\"",
    "`\"http://user:password@host:port\"` or `\"none\"`; else as the environment says.",
);

pub(super) const RESOURCE: Key = key(
    "resource",
    Takes::WordsOrTexts(&ALL_OR_NONE),
    "\"all\"",
    "[\"service.name\"]",
    "Which attributes of the resource are sent along.",
);

const RESOURCE_ON_LINES: Key = key(
    "resource",
    Takes::WordsOrTexts(&ALL_OR_NONE),
    "\"none\"",
    "[\"service.name\"]",
    "Which attributes of the resource are printed on every line.",
);

/// The table `auth` of a push.
pub(in crate::config) const AUTH: &[Key] = &[
    key("bearer", Takes::Secret, "", "\"${env:TOKEN:-none}\"", "A token."),
    key(
        "basic",
        Takes::Table(BASIC),
        "",
        "{ user = \"name\", password = \"word\" }",
        "A user and a password.",
    ),
    key("token", Takes::Secret, "", "\"key\"", "A key that goes where the preset says."),
];

/// The table `auth` of a push to a gateway.
pub(in crate::config) const GATEWAY_AUTH: &[Key] = &[AUTH[0], AUTH[1]];

/// The table `basic` of `auth`.
pub(in crate::config) const BASIC: &[Key] = &[
    key("user", Takes::Text, "", "\"name\"", "The user, without a colon in the name."),
    key("password", Takes::Secret, "", "\"word\"", "The password."),
];

/// The table `tls` of a push.
pub(in crate::config) const CLIENT_TLS: &[Key] = &[
    key(
        "ca",
        Takes::Text,
        "",
        "\"/etc/ssl/ca.pem\"",
        "A PEM file with the certificates that are trusted, and no others.",
    ),
    key("client_certificate", Takes::Text, "", "\"me.pem\"", "A PEM file to show who we are."),
    key("client_key", Takes::Text, "", "\"me.key\"", "A PEM file with the private key to it."),
];

/// The table `auth` of a listener.
pub(in crate::config) const SERVER_AUTH: &[Key] =
    &[key("bearer", Takes::Secret, "", "\"${env:TOKEN:-none}\"", "The token that lets in.")];

/// The table `tls` of a listener.
pub(in crate::config) const SERVER_TLS: &[Key] = &[
    key(
        "certificate",
        Takes::Text,
        "",
        "\"tls.crt\"",
        "A PEM file with the certificate, read again when it changes.",
    ),
    key(
        "key",
        Takes::Text,
        "",
        "\"tls.key\"",
        "A PEM file with the private key to it, read again when it changes.",
    ),
];
