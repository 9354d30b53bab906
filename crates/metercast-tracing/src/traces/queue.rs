//! Spans that have ended, until the thread takes them: never more than so many, and nobody waits to add one.

use std::cell::Cell;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::own::{Own, Sampled};
use super::shorten::shorten_span;

thread_local! {
    /// Whether this thread pushes spans. Those of its own, such as of the HTTP client, would never come to an end.
    static PUSHES: Cell<bool> = const { Cell::new(false) };
}

/// From now on spans of this thread are dropped.
pub(super) fn ignore_this_thread() {
    PUSHES.set(true);
}

/// The end of the queue where spans are added.
#[derive(Debug)]
pub(super) struct Queue {
    spans: Sender<SpanData>,
    /// How many characters a text may have.
    longest: Option<usize>,
    own: Own,
}

impl Queue {
    /// A queue for so many spans, whose texts are not longer than this, and where they come out.
    pub(super) fn new(capacity: usize, longest: Option<usize>, own: Own) -> (Queue, Receiver<SpanData>) {
        let (spans, taken) = channel(capacity);
        (Queue { spans, longest, own }, taken)
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, _: &Context) {
        self.own.live(sampled(span.span_context().is_sampled()), 1);
    }

    fn on_end(&self, mut span: SpanData) {
        let is_sampled = span.span_context.is_sampled();
        self.own.live(sampled(is_sampled), -1);
        if !is_sampled || PUSHES.get() {
            return;
        }
        if let Some(longest) = self.longest {
            // Before it waits, so that what waits has a bound.
            shorten_span(&mut span, longest);
        }
        // Before it is there, so that the number is never below that of those that are taken.
        self.own.queued(1);
        if let Err(refused) = self.spans.try_send(span) {
            self.own.queued(-1);
            let why = match refused {
                TrySendError::Full(_) => "queue_full",
                TrySendError::Closed(_) => "already_shutdown",
            };
            self.own.processed(1, Some(why));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        // Whoever wants that has `Traces::flush`, which has a limit of time.
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn sampled(is_sampled: bool) -> Sampled {
    if is_sampled { Sampled::RecordAndSample } else { Sampled::RecordOnly }
}
