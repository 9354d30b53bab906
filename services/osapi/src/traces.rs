//! Which spans there are, and how they go on from one program to the next: over HTTP, and in the headers of NATS.

use async_nats::HeaderMap;
use axum::Router;
use metercast_tower::config::{Config, OnSigterm, Traces as Wanted};
use metercast_tracing::http::server_spans;
use metercast_tracing::propagation::{extract_nats, inject_nats_span};
use metercast_tracing::{Outcome, Traces};
use tracing::{Span, info_span};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
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
    if *traces.outcome() != Outcome::Off {
        // What becomes of them is said beside what components say; what other crates log is not.
        let said = fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time();
        let said = said.with_filter(Targets::new().with_target("metercast", LevelFilter::INFO));
        tracing_subscriber::registry().with(traces.layer()).with(said).init();
    }
    traces.report();
    Ok(traces)
}

/// The same routes with a span for each request, unless nobody would hear of it.
pub(crate) fn traced(router: Router) -> Router {
    if LevelFilter::current() == LevelFilter::OFF { router } else { router.layer(server_spans()) }
}

/// The publishing of a job, and the headers that tell of it, in lower case.
pub(crate) fn publishing(id: &str) -> (Span, HeaderMap) {
    let span = info_span!("job.publish", otel.kind = "producer", messaging.system = "nats", job_id = id);
    let mut headers = HeaderMap::new();
    inject_nats_span(&span, &mut headers);
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
    extract_nats(headers).parent_of(&span);
    span
}
