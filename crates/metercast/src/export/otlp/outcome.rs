//! What an attempt came to for the request, whatever the protocol said: the one table of answers.
//!
//! It is the one of OTLP (specification of the protocol, "Failures"), which says which answers may be followed by another
//! attempt, and adds what that leaves open: whether the receiver may have taken what it was sent. What it certainly did not
//! take stays in the store and goes with the next request. What it may have taken is sent again byte by byte, so that it is
//! at most the same batch that arrives twice.
//!
//! | HTTP | gRPC | another attempt | may have been taken |
//! | --- | --- | --- | --- |
//! | success | OK | never, also after a partial success | yes, it was |
//! | an answer of more than 4 MiB | the same | never | yes; what was sent is not sent again |
//! | no connection, no address | the same | after a wait | no |
//! | a connection that broke before every byte had left | the same | after a wait | no |
//! | a connection that broke later, no answer in time | the same | after a wait | yes |
//! | 429 | RESOURCE_EXHAUSTED with RetryInfo, ABORTED, OUT_OF_RANGE | after a wait | no |
//! | 503 with Retry-After | UNAVAILABLE with RetryInfo | after a wait | no: only who has refused it asks for that |
//! | 503 without | UNAVAILABLE without | after a wait | yes: a proxy says so too when it loses the receiver half-way |
//! | 502, 504 | CANCELLED, DEADLINE_EXCEEDED, DATA_LOSS | after a wait | yes: a gateway does not know what is behind it |
//! | something that is not HTTP | | with the next push | yes |
//! | 400 | INVALID_ARGUMENT | once, at once; then it is dropped | no |
//! | 413 | what says that the message is too large | at once, in smaller requests | no |
//! | everything else | everything else | with the next push | no |
//!
//! The last row has 500 and INTERNAL in it. OTLP forbids to send such a request again, which is the receiver's word that it
//! did not take it and would not. To drop the data, as most exporters do, would lose counts over a collector that is
//! configured wrongly; to send the same bytes would be the retry that is forbidden, and might be refused for ever. So
//! what was in it stays in the store, and the next push, which would come anyway, has it together with what came since.

use super::error::{Cause, Code, Failure};

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A success, perhaps without some of the points.
    Taken,
    /// A success whose answer cannot be read: never to be sent again.
    Unread,
    /// Certainly not taken; another attempt may succeed.
    Busy,
    /// Certainly not taken, as not every byte left; another attempt may succeed.
    Unsent,
    /// Perhaps taken, as no answer came from whoever takes it; another attempt may succeed.
    Unknown,
    /// Perhaps taken, and whoever answers is overloaded, however small the request; another attempt may succeed.
    Overloaded,
    /// Perhaps taken; what answers does not understand OTLP, and will not in a moment.
    Garbled,
    /// The receiver cannot make sense of the data.
    Malformed,
    /// More bytes than the receiver takes.
    TooLarge,
    /// Not taken, as far as the protocol goes, and will not be until somebody mends something.
    Denied,
}

#[cfg(test)]
impl Outcome {
    /// Whether the receiver may have what it was sent, although it did not say so.
    pub(super) fn is_in_doubt(self) -> bool {
        matches!(self, Outcome::Unknown | Outcome::Overloaded | Outcome::Garbled)
    }
}

impl Failure {
    /// What it means for the request.
    pub(super) fn outcome(&self) -> Outcome {
        let overloaded = if self.wait.is_some() { Outcome::Busy } else { Outcome::Overloaded };
        match &self.cause {
            Cause::Resolve(_) | Cause::Connect(_) | Cause::Silence { .. } => Outcome::Busy,
            Cause::Timeout { connected: false, .. } | Cause::Deadline { connected: false } => Outcome::Busy,
            Cause::Closed | Cause::Lost(_) | Cause::Timeout { .. } | Cause::Deadline { .. } => {
                Outcome::Unknown
            }
            Cause::Proxy { is_lasting: false, .. } => Outcome::Busy,
            Cause::Protocol(..) => Outcome::Garbled,
            Cause::AnswerTooLarge { .. } => Outcome::Unread,
            Cause::Status { status, .. } => match status.as_u16() {
                429 => Outcome::Busy,
                503 => overloaded,
                502 | 504 => Outcome::Unknown,
                400 => Outcome::Malformed,
                413 => Outcome::TooLarge,
                _ => Outcome::Denied,
            },
            Cause::Grpc { too_large: true, .. } => Outcome::TooLarge,
            Cause::Grpc { code, may_retry, .. } => match *code {
                Code::CANCELLED | Code::DEADLINE_EXCEEDED | Code::DATA_LOSS => Outcome::Unknown,
                Code::UNAVAILABLE => overloaded,
                Code::ABORTED | Code::OUT_OF_RANGE => Outcome::Busy,
                Code::RESOURCE_EXHAUSTED if *may_retry => Outcome::Busy,
                Code::INVALID_ARGUMENT => Outcome::Malformed,
                _ => Outcome::Denied,
            },
            _ => Outcome::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_otlp_names_is_tried_again_and_a_wait_tells_a_refusal_from_an_unknown_fate() {
        let waits = [(None, Outcome::Overloaded), (Some(Duration::ZERO), Outcome::Busy)];
        for (wait, overloaded) in waits {
            for code in 400..600 {
                let expected = match code {
                    429 => Outcome::Busy,
                    503 => overloaded,
                    502 | 504 => Outcome::Unknown,
                    400 => Outcome::Malformed,
                    413 => Outcome::TooLarge,
                    _ => Outcome::Denied,
                };
                let cause =
                    Cause::Status { status: StatusCode::from_u16(code).unwrap(), says: None, mend: None };
                assert_eq!(Failure { cause, wait }.outcome(), expected, "{code}");
            }
            for code in 0..=17 {
                for too_large in [false, true] {
                    let may_retry = wait.is_some();
                    let expected = match code {
                        _ if too_large => Outcome::TooLarge,
                        1 | 4 | 15 => Outcome::Unknown,
                        14 => overloaded,
                        10 | 11 => Outcome::Busy,
                        8 if may_retry => Outcome::Busy,
                        3 => Outcome::Malformed,
                        _ => Outcome::Denied,
                    };
                    let cause =
                        Cause::Grpc { code: Code(code), says: None, too_large, may_retry, mend: None };
                    assert_eq!(Failure { cause, wait }.outcome(), expected, "{code}");
                }
            }
        }
    }
}
