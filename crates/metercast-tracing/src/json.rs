//! Logs as lines of JSON that say which trace they belong to.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use opentelemetry::Context as OtelContext;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing_core::dispatcher::WeakDispatch;
use tracing_core::{Dispatch, Event, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::fmt::format::{Format, Json as Lines, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Logs as lines of JSON, as `tracing_subscriber::fmt` writes them, with `trace_id` and `span_id` in front where an event is in a span that is
/// traced, by [`Traces`](crate::Traces) or by code on the OpenTelemetry API (0.33).
///
/// The span is the one that the event names as its parent, or else the current one; of a span that the filter of traces leaves out, the
/// next one around it. An event's own fields of these names give way.
///
/// ```
/// use metercast::Config;
/// use metercast_tracing::{JsonLogs, Traces};
/// use tracing_subscriber::layer::{Layer, SubscriberExt};
/// use tracing_subscriber::filter::LevelFilter;
/// # use std::sync::{Arc, Mutex};
/// # #[derive(Clone, Default)]
/// # struct Buffer(Arc<Mutex<Vec<u8>>>);
/// # impl std::io::Write for Buffer {
/// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(bytes) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let buffer = Buffer::default();
/// # let writer = { let buffer = buffer.clone(); move || buffer.clone() };
///
/// let variables = [("OTEL_TRACES_EXPORTER".to_owned(), "otlp".to_owned())];
/// let traces = Traces::start(&Config::builder().variables(variables).build()?);
/// let logs = JsonLogs::new().with_writer(writer).layer().with_filter(LevelFilter::INFO);
/// let subscriber = tracing_subscriber::registry().with(traces.layer()).with(logs);
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!("order").in_scope(|| tracing::info!("accepted"));
/// });
/// let line = String::from_utf8(buffer.0.lock().unwrap().clone())?;
/// assert!(line.starts_with("{\"trace_id\":\""), "{line}");
/// # let _ = traces.shutdown_within(std::time::Duration::from_millis(100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a layer once `layer` is called"]
pub struct JsonLogs<W = fn() -> io::Stdout> {
    writer: W,
    format: Format<Lines>,
}

impl JsonLogs {
    /// To standard output, the fields of an event under `fields`, with the span that it is in and all around it. Events of every level, those of
    /// libraries among them, unless the layer is given a filter (`with_filter`).
    pub fn new() -> JsonLogs {
        JsonLogs { writer: io::stdout, format: Format::default().json() }
    }
}

impl Default for JsonLogs {
    fn default() -> JsonLogs {
        JsonLogs::new()
    }
}

impl<W> JsonLogs<W> {
    /// To somewhere else.
    pub fn with_writer<O>(self, writer: O) -> JsonLogs<O>
    where
        O: for<'writer> MakeWriter<'writer> + 'static,
    {
        JsonLogs { writer, format: self.format }
    }

    /// Whether the fields of an event stand beside its time and its level, and not under `fields`.
    pub fn flatten_event(self, flat: bool) -> JsonLogs<W> {
        JsonLogs { format: self.format.flatten_event(flat), ..self }
    }

    /// Whether there is the span that an event is in, `span`, and the list of all around it, `spans`.
    pub fn with_spans(self, span: bool, list: bool) -> JsonLogs<W> {
        JsonLogs { format: self.format.with_current_span(span).with_span_list(list), ..self }
    }

    /// As a layer.
    pub fn layer<S>(self) -> impl Layer<S> + Send + Sync + use<S, W>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
        W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
    {
        let known = Known::default();
        let format = WithIds { format: self.format, known: known.clone() };
        let lines = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(format)
            .with_writer(self.writer);
        known.and_then(lines)
    }
}

/// The subscriber that the layer is part of, once it is: who formats an event is not told.
#[derive(Clone, Debug, Default)]
struct Known(Arc<OnceLock<WeakDispatch>>);

impl<S: Subscriber> Layer<S> for Known {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.0.set(subscriber.downgrade());
    }
}

/// A format of lines of JSON, with the ids in front.
struct WithIds {
    format: Format<Lines>,
    known: Known,
}

impl WithIds {
    /// The span of the trace that an event is in.
    fn span_of(&self, event: &Event<'_>) -> Option<SpanContext> {
        let of =
            |context: &OtelContext| Some(context.span().span_context().clone()).filter(SpanContext::is_valid);
        if event.is_contextual() {
            return OtelContext::map_current(of);
        }
        let mut id = event.parent()?.clone();
        let dispatch = self.known.0.get()?.upgrade()?;
        loop {
            if let Some(span) = get_otel_context(&id, &dispatch).as_ref().and_then(of) {
                return Some(span);
            }
            // One that is not traced, perhaps in one that is.
            id = dispatch.downcast_ref::<Registry>()?.span(&id)?.parent()?.id();
        }
    }
}

impl<S, N> FormatEvent<S, N> for WithIds
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(span) = self.span_of(event) else {
            return self.format.format_event(context, writer, event);
        };
        let mut line = String::with_capacity(256);
        self.format.format_event(context, Writer::new(&mut line), event)?;
        write_with_ids(&mut writer, &line, &span)
    }
}

fn write_with_ids(writer: &mut dyn fmt::Write, line: &str, span: &SpanContext) -> fmt::Result {
    let (trace_id, span_id) = (span.trace_id(), span.span_id());
    let is_taken = line.contains("\"trace_id\":") || line.contains("\"span_id\":");
    let own;
    let mut rest = line;
    if is_taken && let Ok(serde_json::Value::Object(mut entries)) = serde_json::from_str(line) {
        // It may be further in, where it disturbs nobody.
        if entries.remove("trace_id").is_some() | entries.remove("span_id").is_some() {
            own = serde_json::Value::Object(entries).to_string() + "\n";
            rest = &own;
        }
    }
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let comma = if rest.starts_with('}') { "" } else { "," };
    write!(writer, "{{\"trace_id\":\"{trace_id}\",\"span_id\":\"{span_id}\"{comma}{rest}")
}
