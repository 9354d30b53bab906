//! The body of a response: the request lasts until it has been sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::request::InProgress;

pin_project! {
    /// The body of a measured response; the request ends when it ends or is dropped.
    #[derive(Debug)]
    pub struct MeasuredBody<B> {
        #[pin]
        inner: B,
        progress: Option<InProgress>,
    }
}

impl<B: Body> MeasuredBody<B> {
    pub(crate) fn new(inner: B, mut progress: Option<InProgress>) -> MeasuredBody<B> {
        // A server need not ask for a body that is empty, or for that of an answer to HEAD: until it asks, nothing is
        // cancelled by not asking.
        if let Some(progress) = &mut progress {
            progress.finished(true);
        }
        MeasuredBody { inner, progress }
    }
}

impl<B: Body> Body for MeasuredBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        if let Some(progress) = this.progress.as_mut() {
            progress.finished(false);
        }
        let frame = ready!(this.inner.as_mut().poll_frame(context));
        let ended = match &frame {
            None => true,
            Some(Err(_)) => {
                if let Some(progress) = this.progress.as_mut() {
                    progress.failed("body");
                }
                true
            }
            Some(Ok(_)) => this.inner.is_end_stream(),
        };
        if ended && let Some(mut progress) = this.progress.take() {
            progress.finished(true);
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
