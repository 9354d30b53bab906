//! What a request is answered with, for any transport.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::in_flight::{InFlight, Sending};
use super::{Inner, ScrapeParts};

/// The answer to a [`ScrapeRequest`](super::ScrapeRequest): a status, headers, and a body that is complete.
#[derive(Debug)]
pub struct ScrapeAnswer {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: ScrapeBody,
}

/// The body of a [`ScrapeAnswer`]. Drop it when it was sent or given up: its memory serves the next page then, and the
/// request counts as in flight no more.
pub struct ScrapeBody {
    bytes: Vec<u8>,
    /// Where the memory goes.
    lent_by: Option<Arc<Inner>>,
    in_flight: Option<InFlight>,
}

impl ScrapeAnswer {
    /// An answer of one sentence.
    pub(crate) fn plain(status: u16, text: impl Into<String>) -> ScrapeAnswer {
        Self::whole(status, "text/plain; charset=utf-8", text.into())
    }

    /// An answer of one value.
    #[cfg(feature = "serve")]
    pub(crate) fn json(status: u16, json: impl Into<String>) -> ScrapeAnswer {
        Self::whole(status, "application/json", json.into())
    }

    /// An answer of bytes.
    #[cfg(feature = "live")]
    pub(crate) fn bytes(content_type: &'static str, bytes: Vec<u8>) -> ScrapeAnswer {
        let length = bytes.len();
        let body = ScrapeBody { bytes, lent_by: None, in_flight: None };
        ScrapeAnswer { status: 200, headers: Vec::new(), body }
            .with("content-type", content_type)
            .with("content-length", length.to_string())
    }

    fn whole(status: u16, content_type: &'static str, text: String) -> ScrapeAnswer {
        let body = ScrapeBody { bytes: text.into_bytes(), lent_by: None, in_flight: None };
        let length = body.as_ref().len();
        ScrapeAnswer { status, headers: Vec::new(), body }
            .with("content-type", content_type)
            .with("content-length", length.to_string())
    }

    pub(super) fn page(bytes: Vec<u8>, lent_by: Option<Arc<Inner>>, in_flight: InFlight) -> ScrapeAnswer {
        let length = bytes.len();
        let body = ScrapeBody { bytes, lent_by, in_flight: Some(in_flight) };
        ScrapeAnswer { status: 200, headers: Vec::new(), body }.with("content-length", length.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> ScrapeAnswer {
        self.headers.push((name, value.into()));
        self
    }

    /// As HEAD is answered: the headers stay, which tell of the body that there would be.
    pub(crate) fn without_body(mut self) -> ScrapeAnswer {
        self.body = ScrapeBody { bytes: Vec::new(), lent_by: None, in_flight: None };
        self
    }

    /// Without a body if it goes to HEAD.
    pub(super) fn to(self, method: &str) -> ScrapeAnswer {
        if method == "HEAD" { self.without_body() } else { self }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Names in lower case and values. `content-length` is among them; where it tells more than the body has, the answer is
    /// one to HEAD.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.body.as_ref()
    }

    /// The body alone, to be sent.
    pub fn into_body(self) -> ScrapeBody {
        self.body
    }
}

impl ScrapeBody {
    /// To be sent by a server that waits for its clients without end: a client that stops reading loses the page if
    /// another needs its place, see [`Scrape::max_in_flight`](super::Scrape::max_in_flight).
    pub fn into_parts(self) -> ScrapeParts {
        let length = self.bytes.len();
        let scrape = self.in_flight.as_ref().map(InFlight::scrape);
        let sending = Arc::new(Sending::new(self));
        if let Some(scrape) = scrape {
            scrape.places.watch(&sending);
        }
        ScrapeParts::new(sending, length)
    }
}

impl AsRef<[u8]> for ScrapeBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for ScrapeBody {
    fn drop(&mut self) {
        if let Some(inner) = self.lent_by.take() {
            inner.give_back(std::mem::take(&mut self.bytes));
        }
        drop(self.in_flight.take());
    }
}

impl fmt::Debug for ScrapeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrapeBody").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
