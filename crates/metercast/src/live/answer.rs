//! What is answered to a request for the page or its data.

use std::borrow::Cow;

use super::access::{self, Client};
use super::events::Viewing;
use super::{Live, api, page};
use crate::scrape::ScrapeAnswer;

/// What a request is answered with.
pub(crate) enum Answer {
    Whole(ScrapeAnswer),
    /// Events, until the viewer leaves.
    Events(Viewing),
}

/// Whether the path is the live page's. At `/` it is only if nothing else is there.
pub(crate) fn has(path: &str) -> bool {
    path == "/" || path == "/live" || path.starts_with("/live/")
}

/// Whether who asks may look: with the token, or, where there is none, on this machine.
pub(crate) fn lets_in(
    client: &Client<'_>,
    authorization: Option<&[u8]>,
    has_token: bool,
    is_token: impl Fn(&[u8]) -> bool,
) -> Result<(), ScrapeAnswer> {
    if !has_token {
        return if client.is_at_home() {
            Ok(())
        } else {
            let text = "the live page without a token is for programs on this machine, at http://localhost or a loopback address; \
                        for others set auth = { bearer = \"token\" } in the table of this exporter\n";
            Err(ScrapeAnswer::plain(403, text))
        };
    }
    let by_browser = authorization.and_then(access::password);
    let by_browser = by_browser.map(|password| [b"Bearer ", &*password].concat());
    if by_browser.as_deref().or(authorization).is_some_and(is_token) {
        return Ok(());
    }
    let text = "the live page is for who has the token: as the password (the name is of no account), or in the header \
                Authorization: Bearer TOKEN\n";
    // A browser asks its user for what it knows.
    Err(ScrapeAnswer::plain(401, text)
        .with("www-authenticate", "Basic realm=\"metercast\", charset=\"UTF-8\""))
}

impl Live {
    /// The answer to a request for a path that is the page's.
    pub(crate) async fn answer(
        &self,
        method: &str,
        path: &str,
        query: Option<&str>,
        accept_encoding: Option<&str>,
        client: &Client<'_>,
    ) -> Answer {
        if !matches!(method, "GET" | "HEAD") {
            let text = "the live page changes nothing; it is read with GET\n";
            return Answer::Whole(ScrapeAnswer::plain(405, text).with("allow", "GET, HEAD"));
        }
        if path == "/" || path == "/live" || path == "/live/" {
            return Answer::Whole(page::answer(accept_encoding));
        }
        if path == "/live/events" {
            if method == "HEAD" {
                return Answer::Whole(plain(200, "event-stream\n"));
            }
            let last = client.last_event.and_then(|id| id.parse().ok());
            return match self.working(move |live| live.view(last)).await {
                Ok(Ok(viewing)) => Answer::Events(viewing),
                Ok(Err(answer)) | Err(answer) => Answer::Whole(answer),
            };
        }
        let Some(asked) = api::Asked::of(path, query) else {
            let text = format!(
                "there is nothing at {path}; the page is at /live, its data at /live/api/metrics, /live/api/health, \
                 /live/api/cardinality, /live/api/unrecorded, /live/api/config, /live/api/exporters/NAME/preview and /live/events\n"
            );
            return Answer::Whole(plain(404, text));
        };
        let answer = self.working(move |live| asked.answer(live)).await.unwrap_or_else(|busy| busy);
        Answer::Whole(answer.with("cache-control", "no-store").with("x-content-type-options", "nosniff"))
    }

    /// Works something out on a thread for blocking work, one after the other.
    async fn working<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Live) -> R + Send + 'static,
    ) -> Result<R, ScrapeAnswer> {
        let busy = |text: &'static str| plain(503, text).with("retry-after", "1");
        let Ok(_waits) = self.0.waiting.try_acquire() else {
            return Err(busy("the live page has too many requests under way; try again later\n"));
        };
        let Ok(_turn) = self.0.turn.acquire().await else {
            return Err(busy("the server is stopping\n"));
        };
        let live = self.clone();
        let worked = tokio::task::spawn_blocking(move || work(&live)).await;
        worked.map_err(|error| match error.is_panic() {
            true => plain(500, "this could not be worked out; the log of the program says why\n"),
            false => busy("the server is stopping\n"),
        })
    }
}

fn plain(status: u16, text: impl Into<Cow<'static, str>>) -> ScrapeAnswer {
    ScrapeAnswer::plain(status, text.into()).with("x-content-type-options", "nosniff")
}
