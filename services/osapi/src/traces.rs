//! Which spans there are, and how they go on from one program to the next: over HTTP, and in the headers of NATS.

use async_nats::HeaderMap;
use axum::Router;
use axum::extract::MatchedPath;
use metercast_tower::config::{Config, OnSigterm, Traces as Wanted};
use metercast_tracing::http::server_spans;
use metercast_tracing::{Traces, propagation};
use tracing::level_filters::LevelFilter;
use tracing::{Span, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::component::Error;

/// Starts what the variables of OpenTelemetry ask for, for the process; without them nothing is traced, and there is no subscriber.
pub(crate) fn start() -> Result<Traces, Error> {
    let config = Config::builder()
        .environment_for_traces_alone()
        .default_traces(Wanted::new().filter("osapi=info,metercast_tracing=info"))
        .service("osapi", env!("CARGO_PKG_VERSION"))
        // Components end in their own time.
        .on_sigterm(OnSigterm::Flush)
        .build()?;
    let traces = Traces::start(&config);
    if traces.are_on() {
        tracing_subscriber::registry().with(traces.layer()).init();
    }
    traces.report();
    Ok(traces)
}

/// The same routes with a span for each request, unless nobody would hear of it.
pub(crate) fn traced(router: Router) -> Router {
    if LevelFilter::current() == LevelFilter::OFF {
        return router;
    }
    router.layer(
        server_spans().route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str)),
    )
}

/// The publishing of a job, and the headers that tell of it, in lower case.
pub(crate) fn publishing(id: &str) -> (Span, HeaderMap) {
    let span = info_span!("job.publish", otel.kind = "producer", messaging.system = "nats", job_id = id);
    let mut headers = HeaderMap::new();
    propagation::inject_span(&span, |name, value| headers.insert(name, value));
    (span, headers)
}

/// An attempt at a job that came with these headers.
pub(crate) fn processing(headers: Option<&HeaderMap>, worker: &str) -> Span {
    let span = info_span!(
        "job.process",
        otel.kind = "consumer",
        messaging.system = "nats",
        worker,
        job_id = tracing::field::Empty
    );
    let pairs = headers.into_iter().flat_map(HeaderMap::iter);
    let pairs = pairs.flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    propagation::extract(pairs).parent_of(&span);
    span
}
