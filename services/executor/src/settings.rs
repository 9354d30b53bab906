//! The command line.

use std::path::PathBuf;

/// Runs tools for callers, and shows what they did at GET /api/metrics.
///
/// Without tenants it is open to whoever reaches it, which is meant for one's own machine. A configuration file makes it a
/// service for tenants, each with a token: `[executor.tenants]`, `NAME = "TOKEN"`. The table `[telemetry]` of the same file, and
/// OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and its siblings, say where metrics are pushed to.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Settings {
    /// Configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4788")]
    pub(crate) listen: String,
    /// The tools: each call is a POST to this URL.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4789/")]
    pub(crate) upstream: String,
}

impl Settings {
    /// The command line of this process.
    pub(crate) fn parse() -> Settings {
        clap::Parser::parse()
    }
}
