//! Spans as a message of OTLP, in parts of a size.

use metercast::config::Protocol;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ScopeSpans;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;

/// What a message is written by.
pub(super) struct Writer {
    pub(super) resource: ResourceAttributesWithSchema,
    pub(super) protocol: Protocol,
}

/// Spans that go together.
pub(super) struct Message(ExportTraceServiceRequest);

impl Writer {
    pub(super) fn message(&self, spans: Vec<SpanData>) -> Message {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        Message(ExportTraceServiceRequest { resource_spans })
    }

    /// The bytes.
    ///
    /// # Errors
    ///
    /// This build does not write the protocol.
    pub(super) fn write(&self, message: &Message) -> Result<Vec<u8>, String> {
        match self.protocol {
            #[cfg(feature = "http-json")]
            Protocol::HttpJson => {
                serde_json::to_vec(&message.0).map_err(|error| format!("no JSON comes of it: {error}"))
            }
            _ => Ok(message.0.encode_to_vec()),
        }
    }
}

/// Refuses what this build does not write.
pub(super) fn check(protocol: Protocol) -> Result<(), &'static str> {
    match protocol {
        Protocol::HttpJson if !cfg!(feature = "http-json") => Err(
            "\"http/json\" needs JSON of spans, which this build does not have; enable the feature \"http-json\" of \
             metercast-tracing, or choose \"http/protobuf\"",
        ),
        _ => Ok(()),
    }
}

impl Message {
    /// How many spans it has.
    pub(super) fn spans(&self) -> usize {
        self.scopes().map(|scope| scope.spans.len()).sum()
    }

    fn scopes(&self) -> impl Iterator<Item = &ScopeSpans> {
        self.0.resource_spans.iter().flat_map(|resource| &resource.scope_spans)
    }

    /// Two of half as many spans; nothing of a single span.
    pub(super) fn halves(self) -> Option<[Message; 2]> {
        let mut left = self.spans() / 2;
        if left == 0 {
            return None;
        }
        let (mut first, mut second) = (self.0.clone(), self.0);
        for (first, second) in first.resource_spans.iter_mut().zip(&mut second.resource_spans) {
            for (first, second) in first.scope_spans.iter_mut().zip(&mut second.scope_spans) {
                let here = left.min(first.spans.len());
                first.spans.truncate(here);
                second.spans.drain(..here);
                left -= here;
            }
            first.scope_spans.retain(|scope| !scope.spans.is_empty());
            second.scope_spans.retain(|scope| !scope.spans.is_empty());
        }
        Some([Message(first), Message(second)])
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
    use opentelemetry::{InstrumentationScope, KeyValue};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    fn span(number: u64, scope: &'static str) -> SpanData {
        let ids = (TraceId::from(1), SpanId::from(number + 1));
        SpanData {
            span_context: SpanContext::new(ids.0, ids.1, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: format!("{number}").into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: vec![KeyValue::new("number", 12_345)],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder(scope).build(),
        }
    }

    fn writer() -> Writer {
        let resource = opentelemetry_sdk::Resource::builder_empty().with_service_name("x").build();
        Writer { resource: (&resource).into(), protocol: Protocol::HttpProtobuf }
    }

    fn names(message: &Message) -> Vec<String> {
        message.scopes().flat_map(|scope| &scope.spans).map(|span| span.name.clone()).collect()
    }

    #[test]
    fn halves_have_all_spans_once_with_their_scopes_and_the_resource() {
        let message =
            writer().message(vec![span(0, "a"), span(1, "b"), span(2, "a"), span(3, "b"), span(4, "b")]);
        let [first, second] = message.halves().unwrap();
        let mut all = [names(&first), names(&second)].concat();
        all.sort();
        assert_eq!((names(&first).len(), all), (2, ["0", "1", "2", "3", "4"].map(str::to_owned).to_vec()));
        for half in [&first, &second] {
            assert!(half.scopes().all(|scope| !scope.spans.is_empty()));
            assert_eq!(half.0.resource_spans[0].resource.as_ref().unwrap().attributes.len(), 1);
        }
        assert!(writer().message(vec![span(0, "a")]).halves().is_none());
    }
}
