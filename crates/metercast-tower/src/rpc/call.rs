//! One call: its method, its deadline, and what is known of its status.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode};
use metercast::labels;

use super::status::{GrpcStatus, Side};
use crate::bounded::{Index, Names, OTHER};
use crate::exchange::{HttpEnd, HttpOutcome, RequestHead, ResponseHead};

labels! {
    /// `rpc.system.name`.
    pub(crate) enum RpcSystem { Grpc }
}

/// So many methods are told apart that nobody listed.
const MOST: usize = 200;

/// The methods that are told apart, as `package.Service/Method`.
#[derive(Debug)]
pub(crate) struct RpcMethods {
    names: Names,
    grows: bool,
}

impl RpcMethods {
    /// These and no others.
    pub(crate) fn only(list: impl IntoIterator<Item = impl AsRef<str>>) -> RpcMethods {
        let list: Vec<_> = list.into_iter().collect();
        let names = Names::up_to(list.len());
        for method in &list {
            let _ = names.find_or_add(method.as_ref().trim_start_matches('/'), None);
        }
        RpcMethods { names, grows: false }
    }
}

impl Default for RpcMethods {
    /// The first that turn out to be methods.
    fn default() -> RpcMethods {
        RpcMethods { names: Names::up_to(MOST), grows: true }
    }
}

/// A call in progress.
#[derive(Debug)]
pub(crate) struct Call {
    side: Side,
    method: Method,
    deadline: Option<Duration>,
    said: Option<GrpcStatus>,
    http: StatusCode,
}

#[derive(Debug)]
enum Method {
    Known(Index),
    /// A path that may be one.
    Candidate(PathAndQuery),
    Other,
}

/// What is recorded of a call.
pub(crate) struct Ended<'a> {
    pub(crate) method: &'a str,
    pub(crate) status: GrpcStatus,
    pub(crate) error: Option<&'a str>,
}

impl Call {
    /// That of a request, if it is one of gRPC.
    pub(crate) fn of(request: &RequestHead<'_>, methods: &RpcMethods, side: Side) -> Option<Call> {
        if !is_grpc(request.headers().get(CONTENT_TYPE)?.as_bytes()) {
            return None;
        }
        let name = request.path().strip_prefix('/').unwrap_or_default();
        let method = match methods.names.find(name, None) {
            Some(index) => Method::Known(index),
            None if !methods.grows || !is_method(name) => Method::Other,
            // A client knows what it calls; what a server is asked for may not be there.
            None if side == Side::Client => {
                methods.names.find_or_add(name, None).map_or(Method::Other, Method::Known)
            }
            None => request.uri().path_and_query().cloned().map_or(Method::Other, Method::Candidate),
        };
        let deadline = request.header("grpc-timeout").and_then(timeout);
        Some(Call { side, method, deadline, said: None, http: StatusCode::OK })
    }

    pub(crate) fn answered(&mut self, response: &ResponseHead<'_>) {
        self.http = response.status();
        self.said = GrpcStatus::said(response.headers());
    }

    pub(crate) fn trailers(&mut self, trailers: &HeaderMap) {
        self.said = GrpcStatus::said(trailers).or(self.said);
    }

    pub(crate) fn ended<'a>(&mut self, end: &HttpEnd<'a>, methods: &'a RpcMethods) -> Ended<'a> {
        if let Method::Candidate(path) = &self.method
            && self.said.is_some_and(GrpcStatus::is_of_a_method)
            && let Some(index) = methods.names.find_or_add(path.path().trim_start_matches('/'), None)
        {
            self.method = Method::Known(index);
        }
        let method = match self.method {
            Method::Known(index) => methods.names.text(index),
            _ => OTHER,
        };
        let status = self.status(end);
        let failure = match end.outcome() {
            _ if self.said.is_some() || status == GrpcStatus::DeadlineExceeded => None,
            HttpOutcome::Cancelled => None,
            outcome => outcome.error_type(),
        };
        let error = failure.or_else(|| status.is_error(self.side).then_some(status.as_str()));
        Ended { method, status, error }
    }

    /// What was said, or what clients make of it that nothing was.
    fn status(&self, end: &HttpEnd<'_>) -> GrpcStatus {
        let is_late = || self.deadline.is_some_and(|deadline| end.took() >= deadline);
        if let Some(said) = self.said {
            return said;
        }
        match end.outcome() {
            HttpOutcome::Completed => GrpcStatus::of_http(self.http).unwrap_or({
                if end.read_to_its_end() { GrpcStatus::Unknown } else { GrpcStatus::Cancelled }
            }),
            _ if is_late() => GrpcStatus::DeadlineExceeded,
            HttpOutcome::Cancelled => GrpcStatus::Cancelled,
            _ => GrpcStatus::Unknown,
        }
    }
}

/// `application/grpc` and what it is with a format. In gRPC-Web, a media type of its own, the status is in the body.
fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    content_type.len() >= GRPC.len()
        && content_type[..GRPC.len()].eq_ignore_ascii_case(GRPC)
        && matches!(content_type.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
}

/// Whether a path without its first slash is `Service/Method`.
fn is_method(name: &str) -> bool {
    let is_of_names = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
    };
    name.split_once('/').is_some_and(|(service, method)| is_of_names(service) && is_of_names(method))
}

/// gRPC over HTTP/2, "Timeout": at most 8 digits and a unit.
fn timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_media_type_of_grpc_is_grpc() {
        for grpc in ["application/grpc", "application/grpc+proto", "Application/gRPC;charset=utf-8"] {
            assert!(is_grpc(grpc.as_bytes()), "{grpc}");
        }
        for other in ["application/grpc-web", "application/grpcx", "application/json", ""] {
            assert!(!is_grpc(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn timeouts_are_those_of_the_specification() {
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for wrong in ["", "m", "1", "123456789S", "-1S", "1x", "1ä"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_path_is_a_method_only_if_it_is_spelled_as_one() {
        assert!(is_method("shop.v1.Orders/Place"));
        for other in ["", "Orders", "/Place", "Orders/", "a/b/c", "a b/c", "ä/c", "a/%00"] {
            assert!(!is_method(other), "{other}");
        }
    }
}
