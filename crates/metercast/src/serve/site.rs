//! What stands where on a listener, and who may see it.

use std::hint::black_box;

use super::reload::{self, Reload, nothing_at, wants_json, wish};
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::Log;
use crate::config::{ListenerConfig, PrometheusConfig};
use crate::health::{Health, Readiness};
#[cfg(feature = "live")]
use crate::live::{self, Live};
use crate::scrape::{Scrape, ScrapeAnswer, ScrapeRequest};

/// What a listener serves.
pub(crate) struct Site {
    exporter: String,
    path: String,
    config: ListenerConfig,
    scrape: Scrape,
    calls: Calls,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// What of the program a listener asks.
#[derive(Clone, Default)]
pub(crate) struct Calls {
    /// `None`: nobody can reload here.
    pub(crate) reload: Option<Reload>,
    /// `None`: it is ready as soon as it listens.
    pub(crate) health: Option<Health>,
    /// `None`: there is no page for people.
    #[cfg(feature = "live")]
    pub(crate) live: Option<Live>,
}

/// A request, as far as it decides the answer.
pub(super) struct Asked<'a> {
    pub(super) path: &'a str,
    pub(super) authorization: Option<&'a [u8]>,
    pub(super) scrape: ScrapeRequest<'a>,
    #[cfg(feature = "live")]
    pub(super) client: live::Client<'a>,
}

impl Site {
    /// What `config` says is to be served. Reads the certificate if there is one.
    ///
    /// # Errors
    ///
    /// What is wrong with the certificate, to be put behind the name of the exporter.
    pub(crate) fn new(
        exporter: &str,
        config: &PrometheusConfig,
        scrape: Scrape,
        calls: Calls,
    ) -> Result<Site, String> {
        let listener = config.listener();
        Ok(Site {
            exporter: exporter.to_owned(),
            path: config.path().to_owned(),
            config: listener.clone(),
            scrape: scrape.max_in_flight(listener.max_in_flight()).timeout(listener.timeout()),
            calls: Calls {
                reload: calls.reload.filter(|_| listener.reload()),
                #[cfg(feature = "live")]
                live: calls.live.filter(|_| listener.live()),
                ..calls
            },
            #[cfg(feature = "tls")]
            tls: listener.tls().map(|files| Tls::start(files.clone())).transpose()?,
        })
    }

    pub(super) fn exporter(&self) -> &str {
        &self.exporter
    }

    pub(super) fn log(&self) -> &Log {
        self.scrape.log()
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.config.tls().is_some()
    }

    /// What the next connection is encrypted with.
    #[cfg(feature = "tls")]
    pub(super) fn acceptor(&self) -> Option<tokio_rustls::TlsAcceptor> {
        self.tls.as_ref().map(|tls| tls.acceptor(&self.exporter, self.log()))
    }

    #[cfg(all(test, feature = "tls"))]
    pub(super) fn tls(&self) -> &Tls {
        self.tls.as_ref().unwrap()
    }

    /// The answer of the page for people, if the request is for it.
    #[cfg(feature = "live")]
    pub(super) async fn live(&self, asked: &Asked<'_>) -> Option<live::Answer> {
        let live = self.calls.live.as_ref().filter(|_| live::has(asked.path))?;
        let config = &self.config;
        let health = [config.liveness_path(), config.readiness_path()];
        let is_taken = asked.path == self.path
            || (asked.path == "/" && config.any_path())
            || (config.health() && health.contains(&asked.path));
        if is_taken {
            return None;
        }
        let may = live::lets_in(&asked.client, asked.authorization, config.has_bearer(), |authorization| {
            self.lets_in(Some(authorization))
        });
        let ScrapeRequest { method, query, accept_encoding, .. } = asked.scrape;
        let answer = match may {
            Ok(()) => live.answer(method, asked.path, query, accept_encoding, &asked.client).await,
            Err(answer) => live::Answer::Whole(answer),
        };
        Some(match answer {
            live::Answer::Whole(answer) if method == "HEAD" => live::Answer::Whole(answer.without_body()),
            answer => answer,
        })
    }

    /// The answer to a request on a listener that was started again so many times.
    pub(super) async fn answer(&self, asked: &Asked<'_>, restarts: u32) -> ScrapeAnswer {
        let answer = match self.answer_without_page(asked, restarts) {
            Some(answer) => answer,
            None => match &self.calls.reload {
                Some(call) => match wish(asked.path) {
                    Some(wish) => {
                        let in_json = wants_json(asked.scrape.accept);
                        reload::answer(call, wish, asked.scrape.method, in_json).await
                    }
                    None => return self.scrape.answer(&asked.scrape).await,
                },
                None => return self.scrape.answer(&asked.scrape).await,
            },
        };
        if asked.scrape.method == "HEAD" { answer.without_body() } else { answer }
    }

    /// The answer, unless it is the page or a reload.
    fn answer_without_page(&self, asked: &Asked<'_>, restarts: u32) -> Option<ScrapeAnswer> {
        if self.config.health() {
            let is_ready = asked.path == self.config.readiness_path();
            if is_ready || asked.path == self.config.liveness_path() {
                return Some(self.health(asked, is_ready, restarts));
            }
        }
        if !self.lets_in(asked.authorization) {
            // Also where there is nothing: who is not let in learns no paths.
            let text =
                "the metrics are for who has the token; send it in the header Authorization: Bearer TOKEN\n";
            return Some(ScrapeAnswer::plain(401, text).with("www-authenticate", "Bearer"));
        }
        let is_reload = self.calls.reload.is_some() && wish(asked.path).is_some();
        if !is_reload && !self.config.any_path() && asked.path != self.path {
            let text = format!("there is nothing at {}; the metrics are at {}\n", asked.path, self.path);
            let answer = if wants_json(asked.scrape.accept) {
                ScrapeAnswer::json(404, nothing_at(asked.path, &text))
            } else {
                ScrapeAnswer::plain(404, text)
            };
            return Some(answer.with("x-content-type-options", "nosniff"));
        }
        None
    }

    /// Whether the program is ready, or else alive.
    fn health(&self, asked: &Asked<'_>, is_ready: bool, restarts: u32) -> ScrapeAnswer {
        if !matches!(asked.scrape.method, "GET" | "HEAD") {
            return ScrapeAnswer::plain(405, "this is read with GET\n").with("allow", "GET, HEAD");
        }
        let answer = match (is_ready, restarts) {
            (true, _) => {
                let readiness = self.calls.health.as_ref().map_or_else(Readiness::ready, Health::readiness);
                ScrapeAnswer::json(readiness.status(), readiness.json())
            }
            (false, 0) => ScrapeAnswer::json(200, "{\"status\":\"ok\"}\n"),
            // The log of the program says why.
            (false, n) => {
                ScrapeAnswer::json(200, format!("{{\"status\":\"ok\",\"listener_restarts\":{n}}}\n"))
            }
        };
        answer.with("cache-control", "no-store")
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
