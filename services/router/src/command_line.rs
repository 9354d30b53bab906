//! The command line.

use std::path::PathBuf;

/// A gateway in front of HTTP services: ANY /UPSTREAM/PATH goes to the upstream of that name.
///
/// What it measures, and who sees that, stands in the configuration; it is read again when it changes, on SIGHUP and on POST
/// /-/reload of the admin address.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct CommandLine {
    /// Configuration file, in YAML, or in TOML if it is called so.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Where the gateway listens.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:4000")]
    pub(crate) listen: String,
    /// Where /healthz, /readyz and /-/reload are.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8088")]
    pub(crate) admin: String,
}

impl CommandLine {
    /// That of this process.
    pub(crate) fn parse() -> CommandLine {
        clap::Parser::parse()
    }
}
