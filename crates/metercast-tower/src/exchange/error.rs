//! What kind of error a service failed with, in few words.

use std::any::{Any, type_name};
use std::error::Error;
use std::io;

/// What an application says of errors of one type.
pub(super) type ErrorRule = std::sync::Arc<dyn Fn(&dyn Any) -> Option<&'static str> + Send + Sync>;

/// The type of an error: what the application says, or that of an I/O error in it, or else the name of its Rust type.
pub(super) fn error_type<E: 'static>(rules: &[ErrorRule], error: &E) -> &'static str {
    let any: &dyn Any = error;
    let said = rules.iter().find_map(|rule| rule(any));
    said.or_else(|| inner(any).and_then(io_error_type)).unwrap_or_else(|| {
        let name = type_name::<E>();
        // Says nothing of what is in the box.
        if name.contains("dyn ") { "_OTHER" } else { name }
    })
}

/// The error as one, if it is of a type that stands for any.
fn inner(error: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    if let Some(error) = error.downcast_ref::<Box<dyn Error + Send>>() {
        return Some(&**error);
    }
    error.downcast_ref::<io::Error>().map(|error| error as _)
}

/// What kind of I/O error is at the bottom of an error, as `error.type` has it: `timeout`, `connection_refused` and so on;
/// `None` if there is none, or one of another kind. For [`HttpLayer::error_type`](super::HttpLayer::error_type).
///
/// ```
/// use std::io;
///
/// let error = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(metercast_tower::io_error_type(&error), Some("connection_refused"));
/// ```
pub fn io_error_type(error: &(dyn Error + 'static)) -> Option<&'static str> {
    // An error may be its own source by mistake.
    let mut next = Some(error);
    for _ in 0..32 {
        let error = next?;
        if let Some(kind) = error.downcast_ref::<io::Error>().and_then(|error| of_kind(error.kind())) {
            return Some(kind);
        }
        next = error.source();
    }
    None
}

fn of_kind(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::ConnectionRefused => "connection_refused",
        io::ErrorKind::ConnectionReset => "connection_reset",
        io::ErrorKind::ConnectionAborted => "connection_aborted",
        io::ErrorKind::NotConnected => "not_connected",
        io::ErrorKind::BrokenPipe => "broken_pipe",
        io::ErrorKind::UnexpectedEof => "unexpected_eof",
        io::ErrorKind::HostUnreachable => "host_unreachable",
        io::ErrorKind::NetworkUnreachable => "network_unreachable",
        _ => return None,
    })
}
