//! What one source says about traces, and what holds in the end.

use super::{Sampler, SpanLimits, Strategy, TracesConfig};
use crate::config::endpoint::Endpoint;
use crate::config::error::{Checked, Findings};
use crate::config::otlp::OtlpLayer;
use crate::config::place::{Given, Place, lay};
use crate::config::proxy::Proxy;
use crate::config::signal::Signal;
use crate::view::Projection;

/// What one source says about traces.
#[derive(Debug, Default)]
pub(in crate::config) struct TracesLayer {
    pub(in crate::config) enabled: Option<Given<bool>>,
    /// Where spans are pushed to, and how.
    pub(in crate::config) otlp: OtlpLayer,
    pub(in crate::config) sampler: Option<Given<Strategy>>,
    pub(in crate::config) sampler_arg: Option<Given<f64>>,
    pub(in crate::config) filter: Option<Given<String>>,
    pub(in crate::config) max_queue_size: Option<Given<usize>>,
    pub(in crate::config) max_batch_size: Option<Given<usize>>,
    pub(in crate::config) limits: LimitsLayer,
}

/// What one source says about the limits of spans.
#[derive(Debug, Default)]
pub(in crate::config) struct LimitsLayer {
    pub(in crate::config) attributes: Option<Given<u32>>,
    pub(in crate::config) events: Option<Given<u32>>,
    pub(in crate::config) links: Option<Given<u32>>,
    pub(in crate::config) event_attributes: Option<Given<u32>>,
    pub(in crate::config) link_attributes: Option<Given<u32>>,
    pub(in crate::config) value_length: Option<Given<u32>>,
}

pub(in crate::config) const QUEUE: usize = 2_048;
pub(in crate::config) const BATCH: usize = 512;
const FILTER: &str = "info";
pub(in crate::config) const LIMIT: u32 = 128;

/// More spans than this would not be a queue any more, but a leak.
const MOST: usize = 1_000_000;

/// How many spans may wait, or go at once.
pub(in crate::config) fn check_size(size: usize) -> Checked<usize> {
    if (1..=MOST).contains(&size) {
        return Ok(size);
    }
    Err(format!("{size} is not a number of spans; write 1 to {MOST}"))
}

/// Of an exporter of metrics only what has to do with how it pushes can be said of traces.
pub(super) fn refuse_what_is_of_metrics(otlp: &mut OtlpLayer, findings: &mut Findings) {
    let places = [
        otlp.preset.take().map(|given| given.place),
        otlp.dataset.take().map(|given| given.place),
        otlp.token.take().map(|given| given.place),
        otlp.temporality.take().map(|given| given.place),
        otlp.histograms.take().map(|given| given.place),
    ];
    for place in places.into_iter().flatten() {
        findings.problem(&place, "is for metrics, and not for traces; leave it out");
    }
}

impl TracesLayer {
    /// This, and where it is silent what `below` says.
    pub(in crate::config) fn over(self, below: TracesLayer) -> TracesLayer {
        TracesLayer {
            enabled: lay(self.enabled, below.enabled),
            otlp: self.otlp.over(below.otlp),
            sampler: lay(self.sampler, below.sampler),
            sampler_arg: lay(self.sampler_arg, below.sampler_arg),
            filter: lay(self.filter, below.filter),
            max_queue_size: lay(self.max_queue_size, below.max_queue_size),
            max_batch_size: lay(self.max_batch_size, below.max_batch_size),
            limits: LimitsLayer {
                attributes: lay(self.limits.attributes, below.limits.attributes),
                events: lay(self.limits.events, below.limits.events),
                links: lay(self.limits.links, below.limits.links),
                event_attributes: lay(self.limits.event_attributes, below.limits.event_attributes),
                link_attributes: lay(self.limits.link_attributes, below.limits.link_attributes),
                value_length: lay(self.limits.value_length, below.limits.value_length),
            },
        }
    }

    /// Whether there are traces: somebody says so, or where to.
    pub(in crate::config) fn is_on(&self) -> bool {
        self.enabled.as_ref().map_or(self.otlp.endpoint.is_some(), |enabled| enabled.value)
    }

    /// What holds, or nothing if there are no traces. `proxy_of` says which proxy the surroundings want.
    pub(in crate::config) fn resolve(
        self,
        proxy_of: impl FnOnce(&Endpoint, &mut Findings) -> Option<Given<Proxy>>,
        findings: &mut Findings,
    ) -> Option<TracesConfig> {
        let place = Place::named("telemetry.traces");
        let at = |key| place.child(key);
        let is_on = self.is_on();
        if !is_on {
            findings.settle_if(&at("enabled"), self.enabled, bool::to_string);
            return None;
        }
        findings.settle(&at("enabled"), self.enabled, true, bool::to_string);
        let otlp = self.otlp.resolve(Signal::Traces, Projection::default(), &place, proxy_of, findings);
        let strategy =
            findings.settle(&at("sampler"), self.sampler, Strategy::default(), |name| name.name().to_owned());
        let arg = self.sampler_arg;
        if let Some(arg) = arg.as_ref().filter(|_| !strategy.takes_ratio()) {
            findings
                .warn(&arg.place, format_args!("has no effect: the sampler {} takes none", strategy.name()));
        }
        let arg = match strategy.takes_ratio() {
            true => findings.settle(&at("sampler_arg"), arg, 1.0, f64::to_string),
            false => 1.0,
        };
        let sampler: Sampler = strategy.with(arg);
        let filter = findings.settle(&at("filter"), self.filter, FILTER.to_owned(), String::clone);
        let queue = findings.settle(&at("max_queue_size"), self.max_queue_size, QUEUE, usize::to_string);
        let batch = self.max_batch_size;
        if let Some(given) = batch.as_ref().filter(|batch| batch.value > queue) {
            findings.warn(
                &given.place,
                format_args!(
                    "{} spans are more than the {queue} that may wait; that many go at once",
                    given.value
                ),
            );
        }
        let batch =
            findings.settle(&at("max_batch_size"), batch, BATCH.min(queue), usize::to_string).min(queue);
        let limits = at("limits");
        let mut limit = |given: Option<Given<u32>>, key| {
            findings.settle(&limits.child(key), given, LIMIT, u32::to_string)
        };
        let of = self.limits;
        let span_limits = SpanLimits {
            attributes: limit(of.attributes, "attributes"),
            events: limit(of.events, "events"),
            links: limit(of.links, "links"),
            event_attributes: limit(of.event_attributes, "event_attributes"),
            link_attributes: limit(of.link_attributes, "link_attributes"),
            value_length: findings.settle_if(&limits.child("value_length"), of.value_length, u32::to_string),
        };
        Some(TracesConfig {
            otlp: otlp?,
            sampler,
            filter,
            max_queue_size: queue,
            max_batch_size: batch,
            limits: span_limits,
        })
    }
}
