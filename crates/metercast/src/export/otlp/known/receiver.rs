//! Whom a push goes to, as far as its address or its preset says so.

use crate::config::{OtlpConfig, Preset};

/// A receiver whose answers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    Axiom,
    CloudWatch,
    Datadog,
    Dynatrace,
    Elastic,
    GrafanaCloud,
    Honeycomb,
    Mimir,
    NewRelic,
    Prometheus,
    VictoriaMetrics,
}

/// The domains of those who are reached by the internet.
const DOMAINS: [(&str, Receiver); 14] = [
    ("amazonaws.com", Receiver::CloudWatch),
    ("axiom.co", Receiver::Axiom),
    ("datadoghq.com", Receiver::Datadog),
    ("datadoghq.eu", Receiver::Datadog),
    ("ddog-gov.com", Receiver::Datadog),
    ("dynatrace.com", Receiver::Dynatrace),
    ("dynatracelabs.com", Receiver::Dynatrace),
    ("elastic-cloud.com", Receiver::Elastic),
    ("elastic.cloud", Receiver::Elastic),
    ("es.io", Receiver::Elastic),
    ("grafana.net", Receiver::GrafanaCloud),
    ("honeycomb.io", Receiver::Honeycomb),
    ("nr-data.net", Receiver::NewRelic),
    ("newrelic.com", Receiver::NewRelic),
];

impl Receiver {
    /// Who that is; `None` if it may be anybody.
    pub(crate) fn of(config: &OtlpConfig) -> Option<Receiver> {
        if let Some(preset) = config.preset() {
            return Some(match preset {
                Preset::Axiom => Receiver::Axiom,
                Preset::Datadog => Receiver::Datadog,
                Preset::Dynatrace => Receiver::Dynatrace,
                Preset::GrafanaCloud => Receiver::GrafanaCloud,
                Preset::Honeycomb => Receiver::Honeycomb,
                Preset::Mimir => Receiver::Mimir,
                Preset::NewRelic => Receiver::NewRelic,
                Preset::Prometheus => Receiver::Prometheus,
                Preset::VictoriaMetrics => Receiver::VictoriaMetrics,
            });
        }
        let host = config.endpoint().host().to_ascii_lowercase();
        let is_in = |domain: &str| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let by_host = DOMAINS.iter().find(|(domain, _)| is_in(domain)).map(|(_, receiver)| *receiver);
        // Where Prometheus takes OTLP, and nobody else.
        by_host
            .or_else(|| config.endpoint().path().starts_with("/api/v1/otlp/").then_some(Receiver::Prometheus))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ExporterConfig, Otlp};

    fn of(otlp: Otlp) -> Option<Receiver> {
        let config = Config::builder().environment(false).exporter("one", otlp).build().unwrap();
        let Some(ExporterConfig::Otlp(otlp)) = config.exporter("one") else { unreachable!() };
        Receiver::of(otlp)
    }

    #[test]
    fn a_receiver_is_known_by_its_preset_or_by_its_address() {
        let cases = [
            ("http://otlp-gateway-prod-eu-west-0.grafana.net/otlp", Some(Receiver::GrafanaCloud)),
            ("http://OTLP.Datadoghq.EU", Some(Receiver::Datadog)),
            ("http://honeycomb.io", Some(Receiver::Honeycomb)),
            ("http://monitoring.us-east-2.amazonaws.com", Some(Receiver::CloudWatch)),
            ("http://notgrafana.net", None),
            ("http://grafana.net.example.com", None),
            ("http://prometheus:9090/api/v1/otlp", Some(Receiver::Prometheus)),
            ("http://collector:4318", None),
        ];
        for (url, receiver) in cases {
            assert_eq!(of(Otlp::to(url)), receiver, "{url}");
        }
        assert_eq!(of(Otlp::to("http://proxy").preset(Preset::Mimir)), Some(Receiver::Mimir));
    }
}
