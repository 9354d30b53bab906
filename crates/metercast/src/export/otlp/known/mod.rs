//! What known receivers mean by an answer, and how to mend it: the one place for the log, the live page and whoever tries an exporter.
//!
//! A rule knows an answer by its status, by what it says, and by who says it. The first that fits counts; where none does, the status
//! alone says what to do ([`Cause`](super::error::Cause)).

mod receiver;
mod table;

use hyper::StatusCode;

use super::error::Code;
use super::settings::Settings;
pub(crate) use receiver::Receiver;
use table::{AUTH, NO_AUTH, RULES};

/// How an answer refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// By a status of HTTP.
    Http(StatusCode),
    /// By a status of gRPC.
    #[cfg_attr(not(feature = "grpc"), allow(dead_code, reason = "nobody speaks it"))]
    Grpc(Code),
    /// It takes the request, and not its points.
    Points,
}

/// What an answer means.
struct Rule {
    /// Whose answer it is; empty if anybody's.
    of: &'static [Receiver],
    /// How it refuses; empty if anyhow.
    by: &'static [By],
    /// One of these is in what it says, in lower case; empty if it may say anything.
    says: &'static [&'static str],
    /// How to mend it.
    mend: &'static str,
}

/// How a rule has a refusal.
#[derive(Clone, Copy)]
enum By {
    Http(u16),
    Grpc(Code),
    Points,
}

/// As much of what an answer says is looked at.
const HEARD: usize = 8 << 10;

/// What is known of an answer to a push with these settings: how to mend what it refuses.
pub(super) fn mend(settings: &Settings, refusal: Refusal, says: &str) -> Option<&'static str> {
    let is_nobody = || settings.headers.is_empty() && AUTH.iter().any(|by| by.is(refusal));
    known(settings.receiver, refusal, says).or_else(|| is_nobody().then_some(NO_AUTH))
}

fn known(receiver: Option<Receiver>, refusal: Refusal, says: &str) -> Option<&'static str> {
    let end = (0..=HEARD.min(says.len())).rev().find(|end| says.is_char_boundary(*end)).unwrap_or(0);
    let says = says[..end].to_lowercase();
    RULES.iter().find(|rule| rule.fits(receiver, refusal, &says)).map(|rule| rule.mend)
}

impl Rule {
    fn fits(&self, receiver: Option<Receiver>, refusal: Refusal, says: &str) -> bool {
        let is_from = self.of.is_empty() || receiver.is_some_and(|receiver| self.of.contains(&receiver));
        let is_by = self.by.is_empty() || self.by.iter().any(|by| by.is(refusal));
        let is_said = self.says.is_empty() || self.says.iter().any(|part| says.contains(part));
        is_from && is_by && is_said
    }
}

impl By {
    fn is(self, refusal: Refusal) -> bool {
        match (self, refusal) {
            (By::Http(code), Refusal::Http(status)) => status.as_u16() == code,
            (By::Grpc(code), Refusal::Grpc(status)) => status == code,
            (By::Points, Refusal::Points) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(code: u16) -> Refusal {
        Refusal::Http(StatusCode::from_u16(code).unwrap())
    }

    #[test]
    fn what_a_receiver_says_counts_before_who_it_is() {
        let datadog = Some(Receiver::Datadog);
        let of_key = known(datadog, http(403), "").unwrap();
        assert!(of_key.contains("API key"), "{of_key}");
        let of_port = known(datadog, http(400), "Client sent an HTTP request to an HTTPS server.").unwrap();
        assert!(of_port.contains("https://"), "{of_port}");
        assert_eq!(known(None, http(403), ""), None, "of somebody who is not known the status says enough");
        assert_eq!(known(datadog, http(500), "NO ORG ID"), None);
    }

    #[test]
    fn a_long_answer_is_looked_at_up_to_a_bound_and_never_within_a_character() {
        let late = format!("{}no org id", "ü".repeat(1 << 20));
        assert_eq!(known(None, http(401), &late), None);
        let early = format!("NO ORG ID{}", "ü".repeat(1 << 20));
        assert!(known(None, http(401), &early).unwrap().contains("x-scope-orgid"));
    }

    /// The answers are given to `metercast doctor` by its own tests.
    #[test]
    fn each_rule_has_an_answer_that_it_explains() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/doctor");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let texts: Vec<_> =
            files.map(|path| std::fs::read_to_string(path).unwrap().replace('\\', "")).collect();
        for mend in RULES.iter().map(|rule| rule.mend).chain([NO_AUTH]) {
            assert!(texts.iter().any(|text| text.contains(mend)), "no answer leads to {mend:?}");
        }
    }

    #[test]
    fn no_rule_stands_behind_one_that_always_fits_before_it() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(!rule.of.is_empty() || !rule.says.is_empty(), "{}: fits everybody", rule.mend);
            assert!(rule.says.iter().all(|part| *part == part.to_lowercase()), "{}", rule.mend);
            let refusals: Vec<Refusal> = match rule.by {
                [] => vec![http(500)],
                by => by
                    .iter()
                    .map(|by| match *by {
                        By::Http(code) => http(code),
                        By::Grpc(code) => Refusal::Grpc(code),
                        By::Points => Refusal::Points,
                    })
                    .collect(),
            };
            let receiver = rule.of.first().copied();
            let says = rule.says.first().copied().unwrap_or_default();
            for refusal in refusals {
                let first = RULES.iter().position(|rule| rule.fits(receiver, refusal, says));
                assert_eq!(first, Some(at), "{}", rule.mend);
            }
        }
    }
}
