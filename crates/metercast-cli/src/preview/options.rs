//! What `metercast preview` can be told on the command line.

use std::path::PathBuf;

use crate::admin::Access;
use crate::fetch::ADDRESS;

/// Which exporter of which program.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
A running program, which needs its live page for that, tells what has series now, and with which attributes. With --config and
--binary nothing runs: the catalogue in the program's file stands for its metrics, with the labels that are declared; labels that
the code makes up as it goes are not in it, nor is what the program says of its exporters in code.

  metercast preview central 127.0.0.1:9464
  metercast preview central -c shop.toml --binary target/release/shop

Status 0 if there is such an exporter; 1 if not, or it cannot be asked; 2 for wrong options.")]
pub(crate) struct Options {
    /// The name of the exporter
    #[arg(value_name = "EXPORTER")]
    pub(super) exporter: String,
    /// Where the program's page is: a port, host:port or a URL
    #[arg(value_name = "URL", default_value = ADDRESS)]
    pub(super) url: String,
    /// The configuration of a program that does not run
    #[arg(short, long, value_name = "FILE", requires = "binary", conflicts_with_all = ["url", "token_file", "timeout"])]
    pub(super) config: Option<PathBuf>,
    /// Its file, which is read and not run
    #[arg(long, value_name = "BIN", requires = "config")]
    pub(super) binary: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}
