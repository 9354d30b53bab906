//! The wait for a response: it may end with one, with an error, or be dropped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::body::MeasuredBody;
use super::request::InProgress;

pin_project! {
    /// The response of an [`HttpServer`](super::HttpServer), to come.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        // Moves on into the body; dropped here if there is none to come. After `inner`, so that what the handler
        // drops is part of the request.
        progress: Option<InProgress>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, progress: Option<InProgress>) -> ResponseFuture<F> {
        ResponseFuture { inner, progress }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body,
{
    type Output = Result<Response<MeasuredBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(context));
        let mut progress = this.progress.take();
        Poll::Ready(match result {
            Ok(response) => {
                if let Some(progress) = &mut progress {
                    progress.answered(response.status());
                }
                Ok(response.map(|body| MeasuredBody::new(body, progress)))
            }
            Err(error) => {
                if let Some(progress) = &mut progress {
                    progress.failed("service");
                }
                Err(error)
            }
        })
    }
}
