//! Errors of libraries as one of few short texts.

/// An error with a short name that is one of few, for `error.type` of the semantic conventions. Messages of servers, names of
/// columns and the like are never in it.
///
/// Errors of sqlx, redis and the pools of deadpool and bb8 have one, with the feature of their version.
///
/// ```
/// use metercast_clients::ErrorType;
///
/// enum LedgerError { Closed, Io(std::io::Error) }
///
/// impl ErrorType for LedgerError {
///     fn error_type(&self) -> &'static str {
///         match self {
///             LedgerError::Closed => "closed",
///             LedgerError::Io(_) => "io",
///         }
///     }
/// }
///
/// assert_eq!(LedgerError::Closed.error_type(), "closed");
/// ```
pub trait ErrorType {
    /// The name.
    fn error_type(&self) -> &'static str;
}

/// What has no name of its own, as the conventions call it.
#[allow(dead_code, reason = "for the errors of libraries")]
pub(crate) const OTHER: &str = "_OTHER";

/// For each version of sqlx the same.
macro_rules! sqlx {
    ($feature:literal, $sqlx:ident) => {
        #[cfg(feature = $feature)]
        impl ErrorType for $sqlx::Error {
            fn error_type(&self) -> &'static str {
                use $sqlx::Error as E;
                use $sqlx::error::ErrorKind as K;
                match self {
                    E::Configuration(_) => "configuration",
                    E::InvalidArgument(_) => "invalid_argument",
                    E::Database(error) => match error.kind() {
                        K::UniqueViolation => "unique_violation",
                        K::ForeignKeyViolation => "foreign_key_violation",
                        K::NotNullViolation => "not_null_violation",
                        K::CheckViolation => "check_violation",
                        _ => "database",
                    },
                    E::Io(_) => "io",
                    E::Tls(_) => "tls",
                    E::Protocol(_) => "protocol",
                    E::RowNotFound => "row_not_found",
                    E::TypeNotFound { .. } => "type_not_found",
                    E::ColumnIndexOutOfBounds { .. } | E::ColumnNotFound(_) => "column_not_found",
                    E::ColumnDecode { .. } | E::Decode(_) => "decode",
                    E::Encode(_) => "encode",
                    E::AnyDriverError(_) => "driver",
                    E::PoolTimedOut => "pool_timeout",
                    E::PoolClosed => "pool_closed",
                    E::WorkerCrashed => "worker_crashed",
                    _ => OTHER,
                }
            }
        }
    };
}

sqlx!("sqlx_0_8", sqlx_0_8);
sqlx!("sqlx_0_9", sqlx_0_9);

/// For each version of deadpool the same.
macro_rules! deadpool {
    ($feature:literal, $deadpool:ident) => {
        #[cfg(feature = $feature)]
        impl<E: ErrorType> ErrorType for $deadpool::managed::PoolError<E> {
            fn error_type(&self) -> &'static str {
                use $deadpool::managed::{HookError, PoolError};
                match self {
                    PoolError::Timeout(_) => "pool_timeout",
                    PoolError::Backend(error) => error.error_type(),
                    PoolError::Closed => "pool_closed",
                    PoolError::NoRuntimeSpecified => "configuration",
                    PoolError::PostCreateHook(HookError::Backend(error)) => error.error_type(),
                    PoolError::PostCreateHook(_) => "hook",
                }
            }
        }
    };
}

deadpool!("deadpool_0_12", deadpool_0_12);
deadpool!("deadpool_0_13", deadpool_0_13);

/// For each version of bb8 the same.
macro_rules! bb8 {
    ($feature:literal, $bb8:ident) => {
        #[cfg(feature = $feature)]
        impl<E: ErrorType> ErrorType for $bb8::RunError<E> {
            fn error_type(&self) -> &'static str {
                match self {
                    $bb8::RunError::User(error) => error.error_type(),
                    $bb8::RunError::TimedOut => "pool_timeout",
                }
            }
        }
    };
}

bb8!("bb8_0_8", bb8_0_8);
bb8!("bb8_0_9", bb8_0_9);
