//! What stands where on a listener, and who may see it.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::config::{HEALTHY, ListenerConfig, READY};
use crate::scrape::{Scrape, ScrapeAnswer, ScrapeRequest};

/// What a listener serves.
pub(super) struct Site {
    path: String,
    config: ListenerConfig,
    scrape: Scrape,
    pub(super) state: Arc<State>,
}

/// How the listener is.
#[derive(Default)]
pub(super) struct State {
    /// How often it had to be started again.
    pub(super) restarts: AtomicU32,
}

/// A request, as far as it decides the answer.
pub(super) struct Asked<'a> {
    pub(super) path: &'a str,
    pub(super) authorization: Option<&'a [u8]>,
    pub(super) scrape: ScrapeRequest<'a>,
}

impl Site {
    pub(super) fn new(path: &str, config: ListenerConfig, scrape: Scrape) -> Site {
        let scrape = scrape.max_in_flight(config.max_in_flight()).timeout(config.timeout());
        Site { path: path.to_owned(), config, scrape, state: Arc::default() }
    }

    pub(super) async fn answer(&self, asked: &Asked<'_>) -> ScrapeAnswer {
        let answer = match self.answer_without_page(asked) {
            Some(answer) => answer,
            None => return self.scrape.answer(&asked.scrape).await,
        };
        if asked.scrape.method == "HEAD" { answer.without_body() } else { answer }
    }

    /// The answer, unless it is the page.
    fn answer_without_page(&self, asked: &Asked<'_>) -> Option<ScrapeAnswer> {
        if self.config.health() && (asked.path == HEALTHY || asked.path == READY) {
            return Some(self.health(asked));
        }
        if !self.lets_in(asked.authorization) {
            // Also where there is nothing: who is not let in learns no paths.
            let text =
                "the metrics are for who has the token; send it in the header Authorization: Bearer TOKEN\n";
            return Some(ScrapeAnswer::plain(401, text).with("www-authenticate", "Bearer"));
        }
        if !self.config.any_path() && asked.path != self.path {
            let text = format!("there is nothing at {}; the metrics are at {}\n", asked.path, self.path);
            return Some(ScrapeAnswer::plain(404, text).with("x-content-type-options", "nosniff"));
        }
        None
    }

    fn lets_in(&self, authorization: Option<&[u8]>) -> bool {
        let Some(expected) = self.config.bearer() else { return true };
        let token = |header: &'_ [u8]| -> Option<usize> {
            let space = header.iter().position(|byte| *byte == b' ')?;
            let is_bearer = header[..space].eq_ignore_ascii_case(b"bearer");
            // RFC 9110, section 11.4: one space or more.
            let spaces = header[space..].iter().take_while(|byte| **byte == b' ').count();
            is_bearer.then_some(space + spaces)
        };
        let expected = expected.expose().as_bytes();
        match (authorization, token(expected)) {
            (Some(given), Some(of_expected)) => {
                token(given).is_some_and(|of_given| is_equal(&given[of_given..], &expected[of_expected..]))
            }
            _ => false,
        }
    }

    fn health(&self, asked: &Asked<'_>) -> ScrapeAnswer {
        if !matches!(asked.scrape.method, "GET" | "HEAD") {
            return ScrapeAnswer::plain(405, "this is read with GET\n").with("allow", "GET, HEAD");
        }
        if asked.path == READY {
            return ScrapeAnswer::plain(200, "metercast is ready\n");
        }
        let mut text = "metercast is healthy\n".to_owned();
        match self.state.restarts.load(Ordering::Relaxed) {
            0 => {}
            1 => text += "its listener had to be started again once; the log of the program says why\n",
            n => {
                let line = "its listener had to be started again";
                text += &format!("{line} {n} times; the log of the program says why\n");
            }
        }
        ScrapeAnswer::plain(200, text)
    }
}

/// Whether two secrets are equal. How long it takes depends on the length of what was given, and not on where they differ.
fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    let mut difference = u8::from(given.len() != expected.len());
    for (at, byte) in given.iter().enumerate() {
        difference = black_box(difference | (byte ^ expected.get(at).copied().unwrap_or(0)));
    }
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_equal_only_to_themselves() {
        for secret in ["", "a", "s3cret", "a longer secret, with spaces"] {
            assert!(is_equal(secret.as_bytes(), secret.as_bytes()));
            for other in ["b", "s3cre", "s3crets", "S3cret", "\0", "s3cret\0", " s3cret"] {
                assert!(!is_equal(other.as_bytes(), secret.as_bytes()), "{other:?} {secret:?}");
                assert!(!is_equal(secret.as_bytes(), other.as_bytes()), "{other:?} {secret:?}");
            }
        }
    }
}
