//! The status of a call: from headers, trailers, or how its response ended.

use http::{HeaderMap, StatusCode};
use metercast::labels;

labels! {
    /// `rpc.response.status_code`.
    pub(crate) enum GrpcStatus {
        Ok = "OK", Cancelled = "CANCELLED", Unknown = "UNKNOWN", InvalidArgument = "INVALID_ARGUMENT",
        DeadlineExceeded = "DEADLINE_EXCEEDED", NotFound = "NOT_FOUND", AlreadyExists = "ALREADY_EXISTS",
        PermissionDenied = "PERMISSION_DENIED", ResourceExhausted = "RESOURCE_EXHAUSTED",
        FailedPrecondition = "FAILED_PRECONDITION", Aborted = "ABORTED", OutOfRange = "OUT_OF_RANGE",
        Unimplemented = "UNIMPLEMENTED", Internal = "INTERNAL", Unavailable = "UNAVAILABLE", DataLoss = "DATA_LOSS",
        Unauthenticated = "UNAUTHENTICATED",
    }
}

/// Whose errors are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl GrpcStatus {
    /// What headers or trailers say, if they do.
    pub(super) fn said(headers: &HeaderMap) -> Option<GrpcStatus> {
        let value = headers.get("grpc-status")?;
        let number = value.to_str().ok().and_then(|number| number.parse::<usize>().ok());
        // The enum is in the order of the numbers. gRPC over HTTP/2, "Status": what is no known number is UNKNOWN.
        Some(number.and_then(|number| GrpcStatus::ALL.get(number).copied()).unwrap_or(GrpcStatus::Unknown))
    }

    /// What clients make of a response that is none of gRPC: "HTTP to gRPC Status Code Mapping".
    pub(super) fn of_http(status: StatusCode) -> Option<GrpcStatus> {
        Some(match status.as_u16() {
            200 => return None,
            400 => GrpcStatus::Internal,
            401 => GrpcStatus::Unauthenticated,
            403 => GrpcStatus::PermissionDenied,
            404 => GrpcStatus::Unimplemented,
            429 | 502 | 503 | 504 => GrpcStatus::Unavailable,
            _ => GrpcStatus::Unknown,
        })
    }

    /// Semantic conventions, "gRPC Status": to a client all but OK are errors, to a server those that are its own fault.
    pub(crate) fn is_error(self, side: Side) -> bool {
        match side {
            Side::Client => self != GrpcStatus::Ok,
            Side::Server => matches!(
                self,
                GrpcStatus::Unknown
                    | GrpcStatus::DeadlineExceeded
                    | GrpcStatus::Unimplemented
                    | GrpcStatus::Internal
                    | GrpcStatus::Unavailable
                    | GrpcStatus::DataLoss
            ),
        }
    }

    /// Whether only a method that exists is answered so: not one that something refused which had not looked for it yet.
    pub(super) fn is_of_a_method(self) -> bool {
        !matches!(
            self,
            GrpcStatus::Unimplemented
                | GrpcStatus::Unauthenticated
                | GrpcStatus::PermissionDenied
                | GrpcStatus::ResourceExhausted
                | GrpcStatus::Unavailable
                | GrpcStatus::Cancelled
                | GrpcStatus::DeadlineExceeded
        )
    }
}
