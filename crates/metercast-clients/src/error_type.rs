//! Errors of libraries as one of few short texts.

/// An error with a short name that is one of few, for `error.type` of the semantic conventions. Messages of servers, names of
/// columns and the like are never in it.
///
/// Errors of sqlx and redis have one, with the feature of their version.
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
