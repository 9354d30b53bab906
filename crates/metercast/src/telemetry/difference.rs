//! What is different between two settings of an exporter, by the names that a file has for it.

use crate::config::{
    Config, CustomConfig, ExporterConfig, OtlpConfig, PrometheusConfig, PushgatewayConfig, StdoutConfig,
};

/// The keys that differ, in the order in which the documentation has them.
pub(super) fn of_exporter(old: &ExporterConfig, new: &ExporterConfig) -> Vec<&'static str> {
    let differs = match (old, new) {
        (ExporterConfig::Prometheus(old), ExporterConfig::Prometheus(new)) => prometheus(old, new),
        (ExporterConfig::Otlp(old), ExporterConfig::Otlp(new)) => otlp(old, new),
        (ExporterConfig::Pushgateway(old), ExporterConfig::Pushgateway(new)) => pushgateway(old, new),
        (ExporterConfig::Stdout(old), ExporterConfig::Stdout(new)) => stdout(old, new),
        (ExporterConfig::Custom(old), ExporterConfig::Custom(new)) => custom(old, new),
        _ => vec![("type", true)],
    };
    let known = named(differs);
    // Something that has no name here yet.
    if known.is_empty() && old != new { vec!["settings"] } else { known }
}

/// The keys that differ of what holds for all exporters.
pub(super) fn of_all(old: &Config, new: &Config) -> Vec<&'static str> {
    named(vec![
        ("enabled", old.is_enabled() != new.is_enabled()),
        ("shutdown_timeout", old.shutdown_timeout() != new.shutdown_timeout()),
        ("on_error", old.on_error() != new.on_error()),
        ("on_sigterm", old.on_sigterm() != new.on_sigterm()),
        ("self_metrics", old.self_metrics() != new.self_metrics()),
        ("exemplars", old.exemplars() != new.exemplars()),
        ("instruments", old.defined() != new.defined()),
    ])
}

fn named(differs: Vec<(&'static str, bool)>) -> Vec<&'static str> {
    differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

fn prometheus(old: &PrometheusConfig, new: &PrometheusConfig) -> Vec<(&'static str, bool)> {
    let (a, b) = (old.listener(), new.listener());
    vec![
        ("listen", old.listen() != new.listen()),
        ("path", old.path() != new.path() || a.any_path() != b.any_path()),
        ("auth", a.bearer() != b.bearer()),
        ("tls", a.tls() != b.tls()),
        ("health", a.health() != b.health()),
        ("liveness_path", a.liveness_path() != b.liveness_path()),
        ("readiness_path", a.readiness_path() != b.readiness_path()),
        ("reload", a.reload() != b.reload()),
        ("max_in_flight", a.max_in_flight() != b.max_in_flight()),
        ("timeout", a.timeout() != b.timeout()),
        ("live", a.live() != b.live()),
        ("live_history", a.live_history() != b.live_history()),
        ("live_lines", a.live_lines() != b.live_lines()),
        ("page", old.page() != new.page()),
        ("views", old.projection() != new.projection()),
    ]
}

fn otlp(old: &OtlpConfig, new: &OtlpConfig) -> Vec<(&'static str, bool)> {
    vec![
        ("preset", old.preset() != new.preset()),
        ("endpoint", old.endpoint() != new.endpoint()),
        ("protocol", old.protocol() != new.protocol()),
        ("interval", old.interval() != new.interval()),
        ("timeout", old.timeout() != new.timeout()),
        ("compression", old.compression() != new.compression()),
        ("tls", old.tls() != new.tls()),
        ("proxy", old.proxy() != new.proxy()),
        ("temporality", old.temporality() != new.temporality()),
        ("histograms", old.histograms() != new.histograms()),
        ("headers", old.headers() != new.headers()),
        ("resource", old.resource() != new.resource()),
        ("views", old.projection() != new.projection()),
    ]
}

fn pushgateway(old: &PushgatewayConfig, new: &PushgatewayConfig) -> Vec<(&'static str, bool)> {
    vec![
        ("url", old.gateway() != new.gateway()),
        ("job", old.job() != new.job()),
        ("grouping", !old.grouping().eq(new.grouping())),
        ("interval", old.interval() != new.interval()),
        ("timeout", old.timeout() != new.timeout()),
        ("auth", old.authorization() != new.authorization()),
        ("tls", old.tls() != new.tls()),
        ("proxy", old.proxy() != new.proxy()),
        ("page", old.page() != new.page()),
        ("views", old.projection() != new.projection()),
    ]
}

fn custom(old: &CustomConfig, new: &CustomConfig) -> Vec<(&'static str, bool)> {
    vec![
        ("interval", old.interval() != new.interval()),
        ("exporter", old.exporter() != new.exporter()),
        ("resource", old.resource() != new.resource()),
        ("views", old.projection() != new.projection()),
    ]
}

fn stdout(old: &StdoutConfig, new: &StdoutConfig) -> Vec<(&'static str, bool)> {
    vec![
        ("interval", old.interval() != new.interval()),
        ("writer", old.writer() != new.writer()),
        ("resource", old.resource() != new.resource()),
        ("views", old.projection() != new.projection()),
    ]
}
