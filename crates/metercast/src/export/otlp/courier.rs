//! Delivers messages that somebody else has encoded: the way of spans, which no store keeps, to a receiver.
//!
//! For `metercast-tracing`, and no part of what metercast promises. It is the client, the table of answers and the back-off of the push of
//! metrics; but as there is nothing to read anew, the same bytes are sent until they are taken, refused, or the time is up.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::answer::Accepted;
use super::error::{Cause, Failure, and};
use super::outcome::Outcome;
use super::retry::Retry;
use super::settings::Settings;
use super::transport::Transport;
use crate::config::{OtlpConfig, Signal};

/// Delivers to one receiver, one message after the other. It needs a Tokio runtime with I/O and time.
pub struct Courier {
    settings: Settings,
    transport: Transport,
    retry: Retry,
}

/// What became of a message.
#[derive(Debug)]
pub enum Delivery {
    /// The receiver has it, but for so many of its items.
    Done {
        /// How many items it did not take.
        rejected: u64,
        /// What it has to say about that, or a warning.
        says: Option<String>,
    },
    /// It takes no message that large.
    TooLarge(Undelivered),
    /// It does not have it, and will not get it.
    Lost(Undelivered),
}

/// Why a message is not delivered.
#[derive(Clone, Debug)]
pub struct Undelivered {
    url: Arc<str>,
    cause: Cause,
    items: u64,
}

impl Undelivered {
    /// The class of error for `error.type`: one of few.
    pub fn error_type(&self) -> &str {
        self.cause.error_type()
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = format!("push to {} failed: {}", self.url, self.cause);
        let spans = if self.items == 1 { "span is" } else { "spans are" };
        f.write_str(&and(&says, &format!("{} {spans} not delivered", self.items)))
    }
}

impl std::error::Error for Undelivered {}

impl Courier {
    /// One that is not connected yet.
    ///
    /// # Errors
    ///
    /// Certificates that cannot be read; a protocol that this build does not have.
    pub fn new(name: &str, config: &OtlpConfig) -> io::Result<Courier> {
        let settings = Settings::of(name, config);
        Ok(Courier {
            transport: Transport::new(&settings)?,
            retry: Retry::new(settings.backoff, settings.options.max_request_bytes),
            settings,
        })
    }

    /// `otel.component.type` in what is measured of it.
    pub fn component(&self) -> &'static str {
        Transport::component(&self.settings)
    }

    /// Where it delivers to, without secrets.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// The most bytes of a message.
    pub fn limit(&self) -> usize {
        self.settings.options.max_request_bytes
    }

    /// Delivers a message of so many items with all its attempts, for the exporter's timeout. `hurry` comes when somebody cannot wait any
    /// longer, with the moment until when it must be done.
    pub async fn deliver(
        &mut self,
        body: Vec<u8>,
        items: u64,
        mut hurry: impl AsyncFnMut() -> std::time::Instant,
    ) -> Delivery {
        let body = self.transport.pack(body, &self.settings);
        let mut limit = Limit::new(self.settings.timeout);
        let mut last = None;
        // The receiver may still want silence since the last message.
        let mut wait = self.retry.pause(true);
        loop {
            if let Some(at) = wait.filter(|at| *at > Instant::now())
                && !limit.waits_until(at, &mut hurry).await
            {
                let silence = Cause::Silence { left: at.saturating_duration_since(Instant::now()) };
                let why = last.unwrap_or(silence);
                return Delivery::Lost(self.undelivered(why, items));
            }
            let sent =
                limit.bounds(self.transport.send(body.clone(), items, &self.settings), &mut hurry).await;
            let failure = match sent {
                Some(Ok(Accepted { rejected, says, foreign, .. })) => {
                    self.retry.again(Outcome::Taken, None, Instant::now());
                    let says = says.or_else(|| foreign.then(|| NO_OTLP.to_owned()));
                    return Delivery::Done { rejected, says };
                }
                Some(Err(failure)) => failure,
                None => Failure::from(limit.cause(self.transport.connected())),
            };
            let outcome = failure.outcome();
            let undelivered = self.undelivered(failure.cause.clone(), items);
            match self.retry.again(outcome, failure.wait, Instant::now()) {
                Some(at) if !limit.is_over() => (wait, last) = (Some(at), Some(failure.cause)),
                _ if outcome == Outcome::TooLarge => return Delivery::TooLarge(undelivered),
                _ => return Delivery::Lost(undelivered),
            }
        }
    }

    fn undelivered(&self, cause: Cause, items: u64) -> Undelivered {
        Undelivered { url: self.settings.url.as_str().into(), cause, items }
    }
}

const NO_OTLP: &str = "what answers is perhaps no receiver of OTLP: its answer is none";

/// Until when a message may take.
struct Limit {
    timeout: Option<Duration>,
    timeout_at: Option<Instant>,
    end: Option<Instant>,
}

impl Limit {
    fn new(timeout: Option<Duration>) -> Limit {
        let timeout_at = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Limit { timeout, timeout_at, end: timeout_at }
    }

    fn shorten(&mut self, to: std::time::Instant) {
        self.end = self.end.into_iter().chain([Instant::from_std(to)]).min();
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    async fn reached(&self) {
        match self.end {
            Some(end) => sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// What comes of a future before the limit, which somebody may shorten.
    async fn bounds<T>(
        &mut self,
        future: impl Future<Output = T>,
        hurry: &mut impl AsyncFnMut() -> std::time::Instant,
    ) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                to = hurry() => self.shorten(to),
                () = self.reached() => return None,
            }
        }
    }

    /// Waits until a moment; `false`, and at once, if the limit is before that.
    async fn waits_until(
        &mut self,
        at: Instant,
        hurry: &mut impl AsyncFnMut() -> std::time::Instant,
    ) -> bool {
        let mut wait = std::pin::pin!(sleep_until(at));
        loop {
            if self.end.is_some_and(|end| end < at) {
                return false;
            }
            tokio::select! {
                biased;
                () = &mut wait => return true,
                to = hurry() => self.shorten(to),
            }
        }
    }

    fn cause(&self, connected: bool) -> Cause {
        match self.timeout {
            Some(within) if self.end == self.timeout_at => Cause::Timeout { within, connected },
            _ => Cause::Deadline { connected },
        }
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Signal {
    /// The `otel.component.type` of what pushes it over HTTP as protobuf, as JSON, and over gRPC.
    pub(super) fn components(self) -> [&'static str; 3] {
        match self {
            Signal::Metrics => {
                ["otlp_http_metric_exporter", "otlp_http_json_metric_exporter", "otlp_grpc_metric_exporter"]
            }
            Signal::Traces => {
                ["otlp_http_span_exporter", "otlp_http_json_span_exporter", "otlp_grpc_span_exporter"]
            }
        }
    }
}
