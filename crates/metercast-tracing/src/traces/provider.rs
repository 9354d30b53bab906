//! The SDK as the configuration wants it: its sampler, its limits, and our queue behind it.

use std::io;

use metercast::config::{Sampler as Kept, SpanLimits as Limits, TracesConfig};
use metercast::{Config, Courier, Store, Value};
use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, SpanLimits,
};

use super::message::{self, Writer};
use super::own::{Origin, Own, Sampled};
use super::queue::Queue;
use super::shorten;
use super::thread::{Handle, Plan};

/// Starts the thread, and makes what hands spans to it.
pub(super) fn start(config: &Config, traces: &TracesConfig) -> io::Result<(SdkTracerProvider, Handle)> {
    let otlp = traces.otlp();
    message::check(otlp.protocol()).map_err(io::Error::other)?;
    let courier = Courier::new("traces", otlp)?;
    let store = config.self_metrics().then(Store::current);
    let own = Own::new(store, courier.component(), traces.max_queue_size());
    let attributes = otlp.resource().of(config.resource());
    let attributes = attributes.map(|(key, value)| KeyValue::new(key.clone(), of_ours(value)));
    let resource = Resource::builder_empty().with_attributes(attributes).build();
    let writer = Writer { resource: (&resource).into(), protocol: otlp.protocol() };
    let longest = shorten::longest(traces.limits());
    let (queue, spans) = Queue::new(traces.max_queue_size(), longest, own.clone());
    let plan = Plan { batch: traces.max_batch_size(), interval: otlp.interval(), writer, own: own.clone() };
    let handle = Handle::start(courier, plan, spans)?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(Counted { sampler: sampler(traces.sampler()), own })
        .with_span_limits(limits(traces.limits()))
        .with_span_processor(queue)
        .build();
    Ok((provider, handle))
}

fn of_ours(value: &Value) -> opentelemetry::Value {
    match value {
        Value::String(text) => text.to_string().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::I64(number) => (*number).into(),
        // OTLP has no larger whole numbers.
        Value::U64(number) => number.to_string().into(),
        Value::F64(number) => (*number).into(),
        other => other.to_string().into(),
    }
}

fn sampler(kept: Kept) -> Sampler {
    let by_parent = |root: Sampler| Sampler::ParentBased(Box::new(root));
    match kept {
        Kept::AlwaysOn => Sampler::AlwaysOn,
        Kept::AlwaysOff => Sampler::AlwaysOff,
        Kept::TraceIdRatio(ratio) => Sampler::TraceIdRatioBased(ratio),
        Kept::ParentBasedAlwaysOff => by_parent(Sampler::AlwaysOff),
        Kept::ParentBasedTraceIdRatio(ratio) => by_parent(Sampler::TraceIdRatioBased(ratio)),
        // The default, also of what is not known here yet.
        _ => by_parent(Sampler::AlwaysOn),
    }
}

fn limits(limits: Limits) -> SpanLimits {
    SpanLimits {
        max_events_per_span: limits.events,
        max_attributes_per_span: limits.attributes,
        max_links_per_span: limits.links,
        max_attributes_per_event: limits.event_attributes,
        max_attributes_per_link: limits.link_attributes,
    }
}

/// A sampler whose decisions are counted.
#[derive(Clone, Debug)]
struct Counted {
    sampler: Sampler,
    own: Own,
}

impl ShouldSample for Counted {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let result = self.sampler.should_sample(parent, trace_id, name, kind, attributes, links);
        let origin = match parent.filter(|parent| parent.span().span_context().is_valid()) {
            None => Origin::None,
            Some(parent) if parent.span().span_context().is_remote() => Origin::Remote,
            Some(_) => Origin::Local,
        };
        let sampled = match result.decision {
            SamplingDecision::Drop => Sampled::Drop,
            SamplingDecision::RecordOnly => Sampled::RecordOnly,
            SamplingDecision::RecordAndSample => Sampled::RecordAndSample,
        };
        self.own.started(origin, sampled);
        result
    }
}
