//! The bodies: that of a response, with which the request ends, and that of a request, whose bytes are counted.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::profile::HttpExchange;
use super::progress::InProgress;

pin_project! {
    /// The body of a measured response; the request ends when it ends or is dropped.
    pub struct MeasuredBody<B, X: HttpExchange> {
        #[pin]
        inner: B,
        progress: Option<InProgress<X>>,
    }
}

impl<B: Body, X: HttpExchange> MeasuredBody<B, X> {
    pub(super) fn new(inner: B, progress: Option<InProgress<X>>) -> MeasuredBody<B, X> {
        MeasuredBody { inner, progress }
    }
}

impl<B: Body, X: HttpExchange> Body for MeasuredBody<B, X> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(progress) = this.progress.as_mut() else { return this.inner.poll_frame(context) };
        progress.asked();
        let frame = ready!(progress.polls(|| this.inner.as_mut().poll_frame(context)));
        let has_ended = match &frame {
            None => true,
            Some(Err(_)) => {
                if let Some(progress) = this.progress.take() {
                    progress.body_failed();
                }
                false
            }
            Some(Ok(frame)) => match (frame.data_ref(), frame.trailers_ref()) {
                (Some(data), _) => progress.data(data.remaining()) || this.inner.is_end_stream(),
                // Nothing follows trailers, and servers do not ask.
                (_, Some(trailers)) => {
                    progress.trailers(trailers);
                    true
                }
                _ => false,
            },
        };
        if has_ended && let Some(progress) = this.progress.take() {
            progress.body_ended();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default, X: HttpExchange> Default for MeasuredBody<B, X> {
    /// An empty body of no request, as clients of gRPC make one.
    fn default() -> MeasuredBody<B, X> {
        MeasuredBody { inner: B::default(), progress: None }
    }
}

impl<B: fmt::Debug, X: HttpExchange> fmt::Debug for MeasuredBody<B, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeasuredBody").field("inner", &self.inner).field("progress", &self.progress).finish()
    }
}

pin_project! {
    /// The body of a request whose bytes are counted as they pass; see
    /// [`HttpLayer::count_request_bodies`](super::HttpLayer::count_request_bodies).
    #[derive(Debug)]
    pub struct CountedBody<B> {
        #[pin]
        inner: B,
        bytes: Option<Arc<AtomicU64>>,
    }
}

impl<B> CountedBody<B> {
    pub(super) fn new(inner: B, bytes: Option<Arc<AtomicU64>>) -> CountedBody<B> {
        CountedBody { inner, bytes }
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        if let Some(bytes) = this.bytes
            && let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            bytes.fetch_add(data.remaining() as u64, Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
