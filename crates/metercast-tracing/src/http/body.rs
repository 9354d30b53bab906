//! The body of an answer, in the span of its request.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tracing::Span;

pin_project! {
    /// A body that keeps the span of its request open until it has ended or is dropped.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        inner: B,
        // Gone with the last frame.
        span: Option<Span>,
    }
}

impl<B> TracedBody<B> {
    pub(super) fn new(inner: B, span: Span) -> TracedBody<B> {
        TracedBody { inner, span: Some(span) }
    }
}

/// Empty, and in no span: some layers make bodies of their own.
impl<B: Default> Default for TracedBody<B> {
    fn default() -> TracedBody<B> {
        TracedBody { inner: B::default(), span: None }
    }
}

impl<B: Body> Body for TracedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = match this.span {
            Some(span) => {
                let frame = span.in_scope(|| this.inner.poll_frame(context));
                if let Poll::Ready(Some(Err(_))) = &frame {
                    span.record("error.type", "_OTHER");
                    span.record("otel.status_code", "ERROR");
                }
                frame
            }
            None => this.inner.poll_frame(context),
        };
        if let Poll::Ready(None | Some(Err(_))) = &frame {
            *this.span = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
