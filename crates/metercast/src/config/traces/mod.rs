//! Traces: which spans are kept, and where they are pushed to.
//!
//! What runs by it is in the crate `metercast-tracing`, with its Cargo feature `traces`; here is only what it is told.

mod layer;
mod sampler;

use std::fmt;
use std::time::Duration;

pub(super) use layer::{BATCH, LIMIT, LimitsLayer, QUEUE, TracesLayer, check_size};
pub use sampler::Sampler;
pub(super) use sampler::{Strategy, ratio};

use super::error::Findings;
use super::otlp::{Otlp, OtlpConfig, Protocol};
use super::place::{Given, Place};

/// How traces are kept and pushed, as code describes it. What it leaves open, the layers below decide; in the end every trace is kept
/// that its caller keeps or that begins here, spans of the level INFO and above, pushed every 5 seconds, 512 at once.
///
/// Without an endpoint it switches nothing on: it only says what holds once somebody names one.
///
/// ```
/// use metercast::config::{Config, Protocol, Sampler, Traces};
///
/// let traces = Traces::new().protocol(Protocol::HttpProtobuf).sampler(Sampler::ParentBasedTraceIdRatio(0.25));
/// let builder = Config::builder().default_traces(traces);
///
/// let config = builder.clone().variables([]).build()?;
/// assert!(config.traces().is_none());
///
/// let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "http://collector:4318".to_owned())];
/// let config = builder.without_exporter("otlp").variables(variables).build()?;
/// let traces = config.traces().unwrap();
/// assert_eq!(traces.to_string(), "to http://collector:4318/v1/traces every 5s, parentbased_traceidratio 0.25");
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Traces {
    enabled: Option<bool>,
    otlp: Otlp,
    sampler: Option<Sampler>,
    filter: Option<String>,
    max_queue_size: Option<usize>,
    max_batch_size: Option<usize>,
    limits: GivenLimits,
}

/// The limits of spans that somebody gives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct GivenLimits {
    attributes: Option<u32>,
    events: Option<u32>,
    links: Option<u32>,
    event_attributes: Option<u32>,
    link_attributes: Option<u32>,
    value_length: Option<u32>,
}

impl Traces {
    /// What is said of nothing, and so is as the layers below say.
    pub fn new() -> Traces {
        Traces::default()
    }

    /// Pushes to this URL, as [`Otlp::to`] does; `/v1/traces` is added to a base.
    pub fn to(endpoint: &str) -> Traces {
        Traces::from(Otlp::to(endpoint))
    }

    /// Whether there are traces at all. Unless it is said, there are if somebody says where to.
    pub fn enabled(mut self, enabled: bool) -> Traces {
        self.enabled = Some(enabled);
        self
    }

    /// What is spoken; protobuf over HTTP unless said.
    pub fn protocol(mut self, protocol: Protocol) -> Traces {
        self.otlp = self.otlp.protocol(protocol);
        self
    }

    /// The time from the start of one push to the start of the next, unless a batch is full before: 1 millisecond to a year, 5 seconds
    /// unless said.
    pub fn interval(mut self, interval: Duration) -> Traces {
        self.otlp = self.otlp.interval(interval);
        self
    }

    /// Which traces are kept.
    pub fn sampler(mut self, sampler: Sampler) -> Traces {
        self.sampler = Some(sampler);
        self
    }

    /// Which spans there are, and which events are on them: directives such as `info,hyper=off,shop::orders=debug`, by level and target.
    /// `info` unless said. It has nothing to do with what is logged.
    pub fn filter(mut self, directives: &str) -> Traces {
        self.filter = Some(directives.to_owned());
        self
    }

    /// How many spans may wait to be pushed, at least 1; more are dropped, and counted. 2048 unless said.
    pub fn max_queue_size(mut self, spans: usize) -> Traces {
        self.max_queue_size = Some(spans);
        self
    }

    /// How many spans are pushed at once, at least 1, and never more than may wait. 512 unless said.
    pub fn max_batch_size(mut self, spans: usize) -> Traces {
        self.max_batch_size = Some(spans);
        self
    }

    /// How many attributes, events and links a span may have; what comes after those is dropped and counted in the span. 128 each unless
    /// said.
    pub fn span_limits(mut self, attributes: u32, events: u32, links: u32) -> Traces {
        let (attributes, events, links) = (Some(attributes), Some(events), Some(links));
        self.limits = GivenLimits { attributes, events, links, ..self.limits };
        self
    }

    /// How long a text of a span's attribute may be, in characters; the rest is cut off. Any length unless said.
    pub fn max_value_length(mut self, characters: u32) -> Traces {
        self.limits.value_length = Some(characters);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> TracesLayer {
        fn at<T>(value: Option<T>, key: &str, place: &Place) -> Option<Given<T>> {
            value.map(|value| Given::new(value, &place.child(key)))
        }
        let mut otlp = self.otlp.into_layer(place, findings);
        layer::refuse_what_is_of_metrics(&mut otlp, findings);
        let (strategy, arg) = self.sampler.map(Sampler::parts).unzip();
        let arg = arg.flatten().and_then(|arg| findings.take(&place.child("sampler_arg"), ratio(arg)));
        let mut size = |size: Option<usize>, key| {
            size.and_then(|size| findings.take(&place.child(key), layer::check_size(size)))
        };
        let limits = self.limits;
        let limit = |value, key| at(value, key, &place.child("limits"));
        TracesLayer {
            enabled: at(self.enabled, "enabled", place),
            max_queue_size: size(self.max_queue_size, "max_queue_size"),
            max_batch_size: size(self.max_batch_size, "max_batch_size"),
            otlp,
            sampler: at(strategy, "sampler", place),
            sampler_arg: arg,
            filter: at(self.filter, "filter", place),
            limits: layer::LimitsLayer {
                attributes: limit(limits.attributes, "attributes"),
                events: limit(limits.events, "events"),
                links: limit(limits.links, "links"),
                event_attributes: limit(limits.event_attributes, "event_attributes"),
                link_attributes: limit(limits.link_attributes, "link_attributes"),
                value_length: limit(limits.value_length, "value_length"),
            },
        }
    }
}

/// Spans are pushed as this exporter pushes: where to, protocol, times, certificates, proxy and headers. What it says of metrics is an error.
impl From<Otlp> for Traces {
    fn from(otlp: Otlp) -> Traces {
        Traces { otlp, ..Traces::default() }
    }
}

/// How much a span may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// How many attributes.
    pub attributes: u32,
    /// How many events.
    pub events: u32,
    /// How many links.
    pub links: u32,
    /// How many attributes each event.
    pub event_attributes: u32,
    /// How many attributes each link.
    pub link_attributes: u32,
    /// How many characters a text that is a value; `None` is any number.
    pub value_length: Option<u32>,
}

/// What holds for traces, checked and complete. Prints as `to http://collector:4318/v1/traces every 5s, parentbased_always_on`.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    otlp: OtlpConfig,
    sampler: Sampler,
    filter: String,
    max_queue_size: usize,
    max_batch_size: usize,
    limits: SpanLimits,
}

impl TracesConfig {
    /// Where spans are pushed to, and how.
    pub fn otlp(&self) -> &OtlpConfig {
        &self.otlp
    }

    /// Which traces are kept.
    pub fn sampler(&self) -> Sampler {
        self.sampler
    }

    /// Which spans there are, as directives by level and target.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// How many spans may wait.
    pub fn max_queue_size(&self) -> usize {
        self.max_queue_size
    }

    /// How many spans are pushed at once.
    pub fn max_batch_size(&self) -> usize {
        self.max_batch_size
    }

    /// How much a span may have.
    pub fn limits(&self) -> SpanLimits {
        self.limits
    }
}

impl fmt::Display for TracesConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.otlp, self.sampler)
    }
}
