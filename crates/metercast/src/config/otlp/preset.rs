//! What the receivers of known vendors want: a path, a protocol, a temporality, a header.

use super::{Compression, Protocol, TemporalityPreference};
use crate::config::error::Checked;
use crate::config::headers::Headers;
use crate::config::secret::Secret;
use crate::config::url::{Target, Url};

/// A receiver that is known, so that a URL and a key are enough. It lies below all that is said, and what it cannot do is
/// an error that says so.
///
/// | preset | in a file | endpoint | path in front of `/v1/metrics` | spoken | values | key |
/// | --- | --- | --- | --- | --- | --- | --- |
/// | Grafana Cloud | `"grafana-cloud"` | of the stack | `/otlp` | HTTP | cumulative | basic: the stack's number and a token |
/// | Grafana Mimir | `"mimir"` | `http://localhost:8080` | `/otlp` | HTTP | cumulative | any; the tenant is the header `x-scope-orgid` |
/// | Prometheus 3 | `"prometheus"` | `http://localhost:9090` | `/api/v1/otlp` | HTTP | cumulative | any |
/// | VictoriaMetrics | `"victoriametrics"` | `http://localhost:8428` | `/opentelemetry` | HTTP, protobuf | cumulative | any |
/// | Datadog | `"datadog"` | `https://otlp.datadoghq.com` | | HTTP | delta | token, as `dd-api-key` |
/// | Axiom | `"axiom"` | `https://us-east-1.aws.edge.axiom.co`, that of the US | | HTTP, protobuf | cumulative, or as said | token, as `Bearer`; and a dataset |
/// | Dynatrace | `"dynatrace"` | of the environment | `/api/v2/otlp` | HTTP, protobuf | delta | token, as `Api-Token` |
/// | New Relic | `"new-relic"` | `https://otlp.nr-data.net` | | HTTP, gRPC | delta, or as said | token, as `api-key` |
/// | Honeycomb | `"honeycomb"` | `https://api.honeycomb.io` | | HTTP, gRPC | cumulative, or as said | token, as `x-honeycomb-team`; perhaps a dataset |
///
/// All compress with gzip unless told otherwise.
///
/// ```
/// use metercast::config::{Config, Otlp, Preset};
///
/// let prometheus = Otlp::to("http://prometheus:9090").preset(Preset::Prometheus);
/// let config = Config::builder().environment(false).exporter("main", prometheus).build()?;
/// assert_eq!(
///     config.exporter("main").unwrap().to_string(),
///     "otlp to http://prometheus:9090/api/v1/otlp/v1/metrics every 60s"
/// );
///
/// let datadog = Otlp::to("http://localhost:1").preset(Preset::Datadog).token("key");
/// let cumulative = datadog.temporality(metercast::config::TemporalityPreference::Cumulative);
/// let error = Config::builder().environment(false).exporter("main", cumulative).build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "telemetry.exporters.main.temporality: \"cumulative\" is nothing that datadog takes; \
///      write \"delta\" or leave it out"
/// );
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Grafana Cloud's OTLP gateway. Its documentation: "Send data to the Grafana Cloud OTLP endpoint" and "OTLP format
    /// considerations": HTTP only, basic authentication, stored as Prometheus stores it.
    GrafanaCloud,
    /// Grafana Mimir: "Configure the OpenTelemetry Collector to write metrics into Mimir"
    /// (`grafana.com/docs/mimir/latest/configure/configure-otel-collector`), which has `/otlp` for the exporter of the
    /// collector that adds `/v1/metrics`. It answers 400 to deltas, unless an experimental limit allows them
    /// (`-distributor.otel-native-delta-ingestion`); it undoes gzip and zstd, and reads JSON.
    Mimir,
    /// Prometheus 3 with `--web.enable-otlp-receiver`: "Using Prometheus as your OpenTelemetry backend". Deltas are dropped
    /// unless an experimental feature is switched on.
    Prometheus,
    /// VictoriaMetrics: "OpenTelemetry" (`docs.victoriametrics.com/victoriametrics/integrations/opentelemetry`). It takes
    /// protobuf only, packed by gzip or not (newer versions undo zstd too). It answers 200 to deltas and leaves them out, of which its own log has a line.
    VictoriaMetrics,
    /// Datadog's own intake, not its agent, which is reached without a preset: "Datadog OTLP Metrics Intake Endpoint". It
    /// answers with an error to what is cumulative, and takes 500 KB, or 5 MB that were compressed.
    Datadog,
    /// Axiom: "Send OpenTelemetry data to Axiom" (`axiom.co/docs/send-data/opentelemetry`) and "Metrics"
    /// (`axiom.co/docs/query-data/metrics`). Metrics have a header for the dataset that is not that of logs and traces, and
    /// are read as protobuf only. The endpoint is that of the region: for an organization in the EU write
    /// `https://eu-central-1.aws.edge.axiom.co`. Exponential histograms are not kept there. Which temporality it prefers is
    /// not documented.
    Axiom,
    /// Dynatrace: "OpenTelemetry metrics ingest API" and "Send metrics via OTLP exporter": binary protobuf, deltas.
    Dynatrace,
    /// New Relic: "New Relic OTLP endpoint". Deltas are recommended; 1 MB at most.
    NewRelic,
    /// Honeycomb: "Send Application Metrics to Honeycomb" and "Using the Honeycomb OpenTelemetry Endpoint".
    Honeycomb,
}

/// How a key is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Not at all, or as whoever stands in front of the receiver wants it.
    Any,
    /// As basic authentication.
    Basic,
    /// Behind this word in the header `authorization`.
    Scheme(&'static str),
    /// As a header of this name.
    Header(&'static str),
}

/// What a receiver wants.
struct Wants {
    name: &'static str,
    endpoint: Option<&'static str>,
    /// What is in front of `/v1/metrics`.
    path: &'static str,
    protocols: &'static [Protocol],
    /// What is sent unless it is said, and whether nothing else is taken.
    temporality: (TemporalityPreference, bool),
    key: Key,
    /// The header for a dataset, and whether it must be there.
    dataset: Option<(&'static str, bool)>,
}

const HTTP: &[Protocol] = &[Protocol::HttpProtobuf, Protocol::HttpJson];
const PROTOBUF: &[Protocol] = &[Protocol::HttpProtobuf];
const ALL: &[Protocol] = &[Protocol::HttpProtobuf, Protocol::HttpJson, Protocol::Grpc];

impl Preset {
    #[cfg(feature = "config")]
    const ALL: [Self; 9] = [
        Self::GrafanaCloud,
        Self::Mimir,
        Self::Prometheus,
        Self::VictoriaMetrics,
        Self::Datadog,
        Self::Axiom,
        Self::Dynatrace,
        Self::NewRelic,
        Self::Honeycomb,
    ];

    #[cfg(feature = "config")]
    pub(in crate::config) fn names() -> [&'static str; 9] {
        Self::ALL.map(Self::name)
    }

    /// The preset of that name.
    #[cfg(feature = "config")]
    pub(in crate::config) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// The name, as a file gives it.
    pub(in crate::config) fn name(self) -> &'static str {
        self.wants().name
    }

    fn wants(self) -> Wants {
        use TemporalityPreference::{Cumulative, Delta};
        match self {
            Self::GrafanaCloud => Wants {
                name: "grafana-cloud",
                endpoint: None,
                path: "/otlp",
                protocols: HTTP,
                temporality: (Cumulative, true),
                key: Key::Basic,
                dataset: None,
            },
            Self::Mimir => Wants {
                name: "mimir",
                endpoint: Some("http://localhost:8080"),
                path: "/otlp",
                protocols: HTTP,
                temporality: (Cumulative, true),
                key: Key::Any,
                dataset: None,
            },
            Self::Prometheus => Wants {
                name: "prometheus",
                endpoint: Some("http://localhost:9090"),
                path: "/api/v1/otlp",
                protocols: HTTP,
                temporality: (Cumulative, true),
                key: Key::Any,
                dataset: None,
            },
            Self::VictoriaMetrics => Wants {
                name: "victoriametrics",
                endpoint: Some("http://localhost:8428"),
                path: "/opentelemetry",
                protocols: PROTOBUF,
                temporality: (Cumulative, true),
                key: Key::Any,
                dataset: None,
            },
            Self::Datadog => Wants {
                name: "datadog",
                endpoint: Some("https://otlp.datadoghq.com"),
                path: "",
                protocols: HTTP,
                temporality: (Delta, true),
                key: Key::Header("dd-api-key"),
                dataset: None,
            },
            Self::Axiom => Wants {
                name: "axiom",
                endpoint: Some("https://us-east-1.aws.edge.axiom.co"),
                path: "",
                protocols: PROTOBUF,
                temporality: (Cumulative, false),
                key: Key::Scheme("Bearer"),
                dataset: Some(("x-axiom-metrics-dataset", true)),
            },
            Self::Dynatrace => Wants {
                name: "dynatrace",
                endpoint: None,
                path: "/api/v2/otlp",
                protocols: PROTOBUF,
                temporality: (Delta, true),
                key: Key::Scheme("Api-Token"),
                dataset: None,
            },
            Self::NewRelic => Wants {
                name: "new-relic",
                endpoint: Some("https://otlp.nr-data.net"),
                path: "",
                protocols: ALL,
                temporality: (Delta, false),
                key: Key::Header("api-key"),
                dataset: None,
            },
            Self::Honeycomb => Wants {
                name: "honeycomb",
                endpoint: Some("https://api.honeycomb.io"),
                path: "",
                protocols: ALL,
                temporality: (Cumulative, false),
                key: Key::Header("x-honeycomb-team"),
                dataset: Some(("x-honeycomb-dataset", false)),
            },
        }
    }

    /// Where to push unless it is said.
    pub(super) fn endpoint(self) -> Checked<&'static str> {
        let Wants { name, endpoint, path, .. } = self.wants();
        endpoint.ok_or_else(|| {
            format!("is missing; every account of {name} has its own, such as https://HOST{path}")
        })
    }

    /// The URL with the receiver's path, which it may have already.
    pub(super) fn complete(self, mut url: Url) -> Checked<Url> {
        let Wants { name, path, .. } = self.wants();
        let given = url.path.trim_end_matches('/');
        let base = given.strip_suffix("/v1/metrics").unwrap_or(given);
        if base.ends_with(path) {
            return Ok(url);
        }
        if !given.is_empty() {
            return Err(format!(
                "has the path {given:?}, where {name} has {path:?}; write that, or leave the path out"
            ));
        }
        // Exact or not: there is no path to take as it is.
        url.is_exact = false;
        url.path = match &url.target {
            Target::Host { .. } => path.to_owned(),
            // What has no path there is complete.
            Target::Socket(_) => format!("{path}/v1/metrics"),
        };
        Ok(url)
    }

    /// Refuses a protocol that the receiver does not speak.
    pub(super) fn check_protocol(self, protocol: Protocol) -> Checked<()> {
        let Wants { name, protocols, .. } = self.wants();
        if protocols.contains(&protocol) {
            return Ok(());
        }
        Err(self.refusal(protocol.name(), name, "http/protobuf"))
    }

    /// What is sent unless it is said.
    pub(super) fn temporality(self) -> TemporalityPreference {
        self.wants().temporality.0
    }

    /// Refuses values that the receiver does not understand.
    pub(super) fn check_temporality(self, temporality: TemporalityPreference) -> Checked<()> {
        let Wants { name, temporality: (wanted, is_required), .. } = self.wants();
        if !is_required || temporality == wanted {
            return Ok(());
        }
        Err(self.refusal(temporality.name(), name, wanted.name()))
    }

    /// Refuses a compression that the receiver does not undo.
    pub(super) fn check_compression(self, compression: Compression) -> Checked<()> {
        if self == Self::Prometheus && compression == Compression::Zstd {
            return Err(self.refusal("zstd", self.name(), "gzip"));
        }
        Ok(())
    }

    fn refusal(self, found: &str, name: &str, wanted: &str) -> String {
        format!("{found:?} is nothing that {name} takes; write {wanted:?} or leave it out")
    }

    /// The most bytes of a request, before it is compressed.
    pub(super) fn request_limit(self, compression: Compression) -> Option<usize> {
        match (self, compression) {
            (Self::Datadog, Compression::None) => Some(500_000),
            (Self::Datadog, _) => Some(5_000_000),
            (Self::NewRelic, _) => Some(1_000_000),
            _ => None,
        }
    }

    /// The header that carries a token.
    pub(super) fn authorize(self, token: &Secret) -> Checked<(&'static str, Secret)> {
        match self.wants().key {
            Key::Header(header) => Ok((header, token.clone())),
            Key::Scheme(scheme) => Ok(("authorization", Secret::new(format!("{scheme} {}", token.expose())))),
            Key::Basic => Err(self.wants_key()),
            Key::Any => Err(format!(
                "is nothing that {} has a header for; write {{ bearer = \"token\" }} or {{ basic = {{ user = \"name\", \
                 password = \"word\" }} }}, as whoever stands in front of it wants it",
                self.name()
            )),
        }
    }

    /// Refuses headers without a key, or with one in the wrong place.
    pub(super) fn check_key(self, headers: &Headers) -> Checked<()> {
        let authorization = headers.get("authorization").map(Secret::expose);
        let begins = |scheme: &str| {
            authorization.is_some_and(|value| {
                value.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case(scheme))
            })
        };
        let is_right = match self.wants().key {
            Key::Any => true,
            Key::Basic => begins("Basic"),
            Key::Scheme(scheme) => begins(scheme),
            Key::Header(header) => authorization.is_none() && headers.contains(header),
        };
        if is_right { Ok(()) } else { Err(self.wants_key()) }
    }

    fn wants_key(self) -> String {
        let Wants { name, key, .. } = self.wants();
        let how = match key {
            Key::Basic => {
                "the number of the stack and a token; write { basic = { user = \"123456\", password = \"token\" } }".into()
            }
            Key::Header(header) => format!("a key in the header {header:?}; write {{ token = \"key\" }}"),
            Key::Scheme(scheme) => format!("a token behind {scheme:?}; write {{ token = \"token\" }}"),
            Key::Any => String::new(),
        };
        format!("is not what {name} asks for: {how}")
    }

    /// The header that names a dataset.
    pub(super) fn dataset(self) -> Checked<&'static str> {
        let Wants { name, dataset, .. } = self.wants();
        dataset.map(|(header, _)| header).ok_or_else(|| format!("is nothing that {name} has; leave it out"))
    }

    /// Refuses headers without a dataset where there must be one.
    pub(super) fn check_dataset(self, headers: &Headers) -> Checked<()> {
        match self.wants() {
            Wants { name, dataset: Some((header, true)), .. } if !headers.contains(header) => {
                Err(format!("is missing; {name} asks for the name of a dataset for metrics"))
            }
            _ => Ok(()),
        }
    }
}
