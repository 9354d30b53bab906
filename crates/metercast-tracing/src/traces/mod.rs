//! Traces: spans of `tracing`, kept by the OpenTelemetry SDK and pushed by OTLP.
//!
//! ```text
//! tracing span -> layer (filter) -> SDK: sampler, limits -> queue -> thread: batches -> message -> metercast's push
//! ```

mod current;
mod error;
mod message;
mod own;
mod provider;
mod queue;
mod report;
mod shorten;
mod thread;

use std::fmt;
use std::time::{Duration, Instant};

use metercast::Config;
#[cfg(unix)]
use metercast::config::OnSigterm;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Subscriber, debug, info, warn};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

pub use current::current_span;
pub use error::TracesError;
use thread::Handle;

/// The traces of a program, as its [`Config`] says: the table `traces` of its file, the standard variables, its own code.
///
/// ```
/// use metercast::Config;
/// use metercast_tracing::Traces;
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let config = Config::builder().service("shop", "1.4.2").build()?;
///     let traces = Traces::start(&config);
///     tracing_subscriber::registry().with(traces.layer()).init(); // beside whatever else logs
///     traces.report();
///     tracing::info_span!("order", id = 7).in_scope(|| { /* work */ });
///     traces.shutdown()?;
///     Ok(())
/// }
/// ```
///
/// Without an endpoint there are none: no thread, no connection, and a layer that no span reaches. Whatever is wrong with them never keeps a
/// program from starting: the [outcome](Traces::outcome) says it, and [`report`](Traces::report) logs it once there is somebody to
/// log it to. Where the collector is away, spans wait in a queue of bounded length, and then are dropped and counted.
///
/// A reload of the configuration changes nothing about them: they are as they were at the start.
///
/// While there are traces, the store that was current at the start takes [exemplars](metercast::Store::take_exemplars) from the
/// [current span](current_span), if it is sampled; and it has, unless `self_metrics` is off, by the semantic conventions:
///
/// | metric | kind | what |
/// | --- | --- | --- |
/// | `otel.sdk.span.started` | counter | spans that began, by `otel.span.parent.origin` and `otel.span.sampling_result` |
/// | `otel.sdk.span.live` | up-down counter | spans that are recorded and have not ended |
/// | `otel.sdk.processor.span.queue.size`, `otel.sdk.processor.span.queue.capacity` | up-down counter | spans that wait, and how many may |
/// | `otel.sdk.processor.span.processed` | counter | spans handed to the exporter, or with `error.type` (`queue_full`, `already_shutdown`) dropped |
/// | `otel.sdk.exporter.span.inflight` | up-down counter | spans on their way |
/// | `otel.sdk.exporter.span.exported` | counter | spans that arrived, or with `error.type` did not |
/// | `otel.sdk.exporter.operation.duration` | histogram, s | pushes, failed ones with `error.type` |
///
/// On SIGTERM what there is is pushed at once, and then happens what [`OnSigterm`](metercast::config::OnSigterm) says, together with what else
/// metercast flushes then.
///
/// Dropped without a shutdown, it pushes what there is within the `shutdown_timeout` of the configuration, and logs what was not delivered.
#[must_use = "spans are pushed as long as it lives"]
pub struct Traces {
    outcome: Outcome,
    running: Option<Running>,
    shutdown_timeout: Duration,
}

/// What became of setting traces up. Prints as a line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// They are pushed: where to, how, and which are kept.
    On(String),
    /// They are pushed, but not all of the configuration can be used: that, and what is wrong.
    Odd(String, String),
    /// Nobody asks for them.
    Off,
    /// There are none, although somebody asks for them: why.
    Failed(String),
}

struct Running {
    provider: SdkTracerProvider,
    filter: Targets,
    handle: Handle,
    #[cfg(unix)]
    _on_sigterm: Option<metercast::Signals>,
}

impl Traces {
    /// Starts what the configuration asks for. This cannot fail; see [`outcome`](Traces::outcome).
    ///
    /// Nothing is connected to before there are spans to push.
    pub fn start(config: &Config) -> Traces {
        let (outcome, running) = match (config.traces_problem(), config.traces()) {
            _ if !config.is_enabled() => (Outcome::Off, None),
            (Some(problem), _) => (Outcome::Failed(problem.to_owned()), None),
            (None, None) => (Outcome::Off, None),
            (None, Some(traces)) => {
                let (filter, odd) = filter(traces.filter());
                match provider::start(config, traces) {
                    Ok((provider, handle)) => {
                        metercast::Store::current().take_exemplars(current_span);
                        #[cfg(unix)]
                        let (_on_sigterm, odd) = match on_sigterm(config, handle.asker()) {
                            Ok(listens) => (listens, odd),
                            Err(error) => {
                                let deaf = format!("SIGTERM does not flush them: {error}");
                                (None, Some(odd.map_or(deaf.clone(), |odd| format!("{odd}; {deaf}"))))
                            }
                        };
                        let says = format!("traces: push {traces}");
                        let outcome = match odd {
                            Some(odd) => Outcome::Odd(says, odd),
                            None => Outcome::On(says),
                        };
                        let running = Running {
                            provider,
                            filter,
                            handle,
                            #[cfg(unix)]
                            _on_sigterm,
                        };
                        (outcome, Some(running))
                    }
                    Err(error) => (Outcome::Failed(format!("traces: {error}")), None),
                }
            }
        };
        Traces { outcome, running, shutdown_timeout: config.shutdown_timeout() }
    }

    /// What became of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether spans are pushed.
    pub fn are_on(&self) -> bool {
        self.running.is_some()
    }

    /// Logs the outcome in a line, to be called once there is a subscriber: that there are traces as information, that they could not be set
    /// up as a warning, that nobody asks for them for debugging.
    pub fn report(&self) {
        match &self.outcome {
            Outcome::On(says) => info!(target: "metercast", "{says}"),
            Outcome::Odd(..) | Outcome::Failed(_) => warn!(target: "metercast", "{}", self.outcome),
            Outcome::Off => debug!(target: "metercast", "{}", self.outcome),
        }
    }

    /// The layer that traces spans, for any subscriber that has a registry below. It has the filter of the configuration, which does not
    /// decide what other layers see, nor they what is traced.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.running.as_ref().map(|running| {
            let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"));
            let scope = scope.with_version(env!("CARGO_PKG_VERSION")).build();
            OpenTelemetryLayer::new(running.provider.tracer_with_scope(scope))
                .with_tracked_inactivity(false)
                .with_threads(false)
                .with_filter(running.filter.clone())
        })
    }

    /// Makes spans of code on the OpenTelemetry API (0.33) part of these traces, and lets it propagate them: sets the tracer provider and the
    /// propagators of the process. Without traces it does nothing.
    pub fn install(&self) {
        if let Some(running) = &self.running {
            opentelemetry::global::set_tracer_provider(running.provider.clone());
            let both = opentelemetry::propagation::TextMapCompositePropagator::new(vec![
                Box::new(TraceContextPropagator::new()),
                Box::new(BaggagePropagator::new()),
            ]);
            opentelemetry::global::set_text_map_propagator(both);
        }
    }

    /// Pushes the spans that have ended, and waits for it at most so long. Blocks, also inside of a Tokio runtime, whose other threads go on.
    ///
    /// # Errors
    ///
    /// Why not all of them were delivered, which the log then does not say. Those that still wait are pushed later.
    pub fn flush(&self, timeout: Duration) -> Result<(), TracesError> {
        self.running.as_ref().map_or(Ok(()), |running| running.handle.asker().flush(deadline(timeout)))
    }

    /// Pushes the spans that have ended a last time, and ends the thread, within the `shutdown_timeout` of the configuration. What ends later
    /// is dropped and counted.
    ///
    /// # Errors
    ///
    /// Why not all of them were delivered, which the log then does not say; they are lost.
    pub fn shutdown(self) -> Result<(), TracesError> {
        let timeout = self.shutdown_timeout;
        self.shutdown_within(timeout)
    }

    /// The same within another time.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Traces::shutdown).
    pub fn shutdown_within(mut self, timeout: Duration) -> Result<(), TracesError> {
        self.stop(timeout)
    }

    fn stop(&mut self, timeout: Duration) -> Result<(), TracesError> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let result = running.handle.shutdown(deadline(timeout));
        // Nothing waits any more: it only lets nobody begin spans.
        let _ = running.provider.shutdown_with_timeout(Duration::ZERO);
        result
    }
}

/// Lets the process flush these spans on SIGTERM, unless the configuration wants it left alone.
#[cfg(unix)]
fn on_sigterm(config: &Config, asker: &thread::Asker) -> std::io::Result<Option<metercast::Signals>> {
    if config.on_sigterm() == OnSigterm::Ignore {
        return Ok(None);
    }
    metercast::Signals::prepare()?;
    let (asker, timeout) = (asker.clone(), config.shutdown_timeout());
    let flush = move || {
        if let Some(Err(error)) = asker.flush_unless_over(deadline(timeout)) {
            warn!(target: "metercast", "{error}");
        }
    };
    Ok(Some(metercast::Signals::start(
        config.on_sigterm(),
        flush,
        |line| warn!(target: "metercast", "{line}"),
    )))
}

/// The directives, or all of the level INFO and what is wrong with them.
fn filter(directives: &str) -> (Targets, Option<String>) {
    match directives.parse() {
        Ok(filter) => (filter, None),
        Err(error) => {
            let odd = format!(
                "the filter {directives:?} is none ({error}), so it is info; write for example info,hyper=off"
            );
            (Targets::new().with_default(LevelFilter::INFO), Some(odd))
        }
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    // A year is as good as for ever, and does not overflow the clock.
    now + timeout.min(Duration::from_secs(365 * 24 * 60 * 60))
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.stop(self.shutdown_timeout) {
            warn!(target: "metercast", "{error}");
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::On(says) => f.write_str(says),
            Outcome::Odd(says, odd) => write!(f, "{says}; {odd}"),
            Outcome::Off => f.write_str("traces: none, as nobody says where to push them"),
            Outcome::Failed(why) => write!(f, "there are no traces: {why}"),
        }
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_that_are_none_are_said_and_the_default_holds() {
        let (good, odd) = filter("warn,shop=debug");
        assert_eq!((good.default_level(), odd), (Some(LevelFilter::WARN), None));
        let (bad, odd) = filter("shop=loud");
        assert_eq!(bad.default_level(), Some(LevelFilter::INFO));
        assert!(odd.unwrap().starts_with("the filter \"shop=loud\" is none"));
    }
}
