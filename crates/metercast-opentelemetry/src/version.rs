//! The versions of the OpenTelemetry API whose features are on.

/// One of them.
pub(crate) struct Version {
    /// Such as `0.33`.
    pub(crate) number: &'static str,
    /// Makes ours its global provider, unless there is one of somebody else's; whether it is ours then.
    pub(crate) install: fn() -> bool,
    /// The sampled span that is current on this thread.
    #[cfg(feature = "trace")]
    pub(crate) current_span: fn() -> Option<metercast_core::SpanContext>,
}

/// The newest first.
pub(crate) const ALL: &[Version] = &[
    #[cfg(feature = "v0_33")]
    crate::v0_33::VERSION,
    #[cfg(feature = "v0_32")]
    crate::v0_32::VERSION,
    #[cfg(feature = "v0_31")]
    crate::v0_31::VERSION,
    #[cfg(feature = "v0_30")]
    crate::v0_30::VERSION,
    #[cfg(feature = "v0_29")]
    crate::v0_29::VERSION,
];
