//! The body of an answer: all of it at once, or what is told as it comes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

/// The body of an answer.
pub(super) enum Body {
    Whole(Full<Bytes>),
    /// What a viewer of the live page is told. The connection is busy meanwhile.
    #[cfg(feature = "live")]
    Events {
        viewing: crate::live::Viewing,
        /// The listener is about to close.
        closed: Pin<Box<dyn Future<Output = ()> + Send>>,
        _busy: super::places::Busy,
    },
}

impl Body {
    /// Whether it ends only with the listener, or when its reader leaves.
    pub(super) fn is_endless(&self) -> bool {
        !matches!(self, Body::Whole(_))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Body::Whole(body) => Pin::new(body).poll_frame(context),
            #[cfg(feature = "live")]
            Body::Events { viewing, closed, .. } => {
                if closed.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                viewing.poll_next(context).map(|text| text.map(|text| Ok(Frame::data(text))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(body) => body.is_end_stream(),
            #[cfg(feature = "live")]
            Body::Events { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(body) => body.size_hint(),
            #[cfg(feature = "live")]
            Body::Events { .. } => SizeHint::default(),
        }
    }
}
