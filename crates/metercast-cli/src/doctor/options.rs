//! What `metercast doctor` can be told on the command line.

use std::path::PathBuf;

/// Which configuration, and how far to go.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The file is the program's own, or one that its own includes; variables are those that the shell has. What a program says in its
code is not known here: a program can try its own configuration by `metercast::Trial`.

With --send each exporter is tried once. What pushes sends two metrics with its own token: the gauge metercast.doctor and the
counter metercast.doctor.tries, both 1; to a Pushgateway in a group of their own, which is deleted again. What listens has its
address for a moment.

  metercast doctor -c shop.toml
  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 metercast doctor --send

Status 0 only if all is well; warnings do not count.")]
pub(crate) struct Options {
    /// The file that the program reads, TOML or YAML; without it there are variables alone
    #[arg(short, long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Read variables of the application's own too, which begin with this and two underscores
    #[arg(long, value_name = "PREFIX")]
    pub(super) env_prefix: Option<String>,
    /// Try each exporter once
    #[arg(long)]
    pub(super) send: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}
