//! A response that is being made, in its span.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use tracing::Span;

use super::{Side, TracedBody, record_status};

pin_project! {
    /// The future of a response whose request has a span.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        span: Span,
        side: Side,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, span: Span, side: Side) -> ResponseFuture<F> {
        ResponseFuture { inner, span, side }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<TracedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _in_span = this.span.enter();
        match ready!(this.inner.poll(context)) {
            Ok(response) => {
                record_status(this.span, response.status(), *this.side);
                let span = this.span.clone();
                Poll::Ready(Ok(response.map(|body| TracedBody::new(body, span))))
            }
            Err(error) => {
                this.span.record("error.type", "_OTHER");
                this.span.record("otel.status_code", "ERROR");
                Poll::Ready(Err(error))
            }
        }
    }
}
