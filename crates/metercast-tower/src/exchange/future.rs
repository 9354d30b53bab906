//! The wait for a response: it may end with one, with an error, or be dropped.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::MeasuredBody;
use super::profile::HttpExchange;
use super::progress::InProgress;

pin_project! {
    /// The response of an [`HttpService`](super::HttpService), to come.
    pub struct ResponseFuture<F, X: HttpExchange> {
        #[pin]
        inner: F,
        // Moves on into the body; dropped here if there is none to come. After `inner`, so that what the handler
        // drops is part of the request.
        progress: Option<InProgress<X>>,
    }
}

impl<F, X: HttpExchange> ResponseFuture<F, X> {
    pub(super) fn new(inner: F, progress: Option<InProgress<X>>) -> ResponseFuture<F, X> {
        ResponseFuture { inner, progress }
    }
}

impl<F, R, E, X> Future for ResponseFuture<F, X>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
    X: HttpExchange,
{
    type Output = Result<Response<MeasuredBody<R, X>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let poll = || this.inner.poll(context);
        let result = ready!(match this.progress {
            Some(progress) => progress.polls(poll),
            None => poll(),
        });
        let progress = this.progress.take();
        Poll::Ready(match result {
            Ok(response) => {
                let progress = progress.and_then(|progress| progress.answered(&response));
                Ok(response.map(|body| MeasuredBody::new(body, progress)))
            }
            Err(error) => {
                if let Some(progress) = progress {
                    progress.failed(&error);
                }
                Err(error)
            }
        })
    }
}

impl<F, X: HttpExchange> fmt::Debug for ResponseFuture<F, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("progress", &self.progress).finish_non_exhaustive()
    }
}
