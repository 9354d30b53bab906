//! The keys of payjoin's mailroom.

use super::{Conversion, Mapping};

impl Mapping {
    /// The table `[telemetry]` of payjoin-mailroom's `config.toml`: an operator pushes to the one who aggregates.
    ///
    /// | their key | ours |
    /// | --- | --- |
    /// | `telemetry.endpoint` | `exporters.otlp.endpoint`, to which `/v1/metrics` is added |
    /// | `telemetry.auth_token` | the header `authorization` of that exporter, `Basic` and the token as it is |
    /// | `telemetry.operator_domain` | the attribute `operator.domain` of the resource |
    ///
    /// All three are required once there is the table; without it nothing is exported.
    pub fn payjoin() -> Mapping {
        Mapping::new()
            .key("telemetry.endpoint", "exporters.otlp.endpoint")
            .convert(
                "telemetry.auth_token",
                "exporters.otlp.headers.authorization",
                Conversion::Prefixed("Basic "),
            )
            .key("telemetry.operator_domain", "resource.operator.domain")
            .required("telemetry.endpoint")
            .required("telemetry.auth_token")
            .required("telemetry.operator_domain")
    }
}
