//! Errors of redis as one of few: the codes of the server that are known, which scripts can make up as they like.

use crate::error_type::{ErrorType, OTHER};

/// The codes by which a server's errors begin.
const CODES: [&str; 31] = [
    "ASK",
    "BUSY",
    "BUSYGROUP",
    "BUSYKEY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "DENIED",
    "ERR",
    "EXECABORT",
    "INPROG",
    "INVALIDOBJ",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOGROUP",
    "NOMASTERLINK",
    "NOPERM",
    "NOPROTO",
    "NOREPLICAS",
    "NOSCRIPT",
    "NOSUB",
    "NOTBUSY",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
    "UNKILLABLE",
    "WRONGPASS",
    "WRONGTYPE",
];

/// A server's code, if it is known.
pub(super) fn known(code: &str) -> &'static str {
    CODES.into_iter().find(|known| *known == code).unwrap_or(OTHER)
}

/// For each version the same, but for the names of its kinds.
macro_rules! errors {
    ($feature:literal, $redis:ident, $($kind:ident => $name:literal),+) => {
        #[cfg(feature = $feature)]
        impl ErrorType for $redis::RedisError {
            fn error_type(&self) -> &'static str {
                if self.is_timeout() {
                    return "timeout";
                }
                if let Some(code) = self.code() {
                    return known(code);
                }
                match self.kind() {
                    $($redis::ErrorKind::$kind => $name,)+
                    _ => OTHER,
                }
            }
        }
    };
}

errors!(
    "redis_0_32", redis_0_32,
    IoError => "io", ParseError => "parse", AuthenticationFailed => "authentication", TypeError => "type",
    InvalidClientConfig => "configuration", ClientError => "client"
);
errors!(
    "redis_1", redis_1,
    Io => "io", Parse => "parse", AuthenticationFailed => "authentication", UnexpectedReturnType => "type",
    InvalidClientConfig => "configuration", Client => "client"
);
