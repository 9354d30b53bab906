//! What `metercast docs` can be told on the command line.

use std::path::PathBuf;

use crate::spelling::Spelling;

/// Which program, and what to make of it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The program is read, not run: it may be stripped, or built for another machine. A reference stands between two lines
of comment; --write and --check leave alone what stands around them.

  metercast docs --binary target/release/shop --crate shop --write docs/metrics.md
  metercast docs --binary target/release/shop --crate shop --check docs/metrics.md

Status 0 if all went well; 1 if the file differs, or something cannot be read or written; 2 for wrong options.")]
pub(crate) struct Options {
    /// The program or library whose metrics are documented
    #[arg(long, value_name = "PATH")]
    pub(super) binary: PathBuf,
    /// Print data for programs, one metric on each line, and not a reference to read
    #[arg(long)]
    pub(super) json: bool,
    /// Only metrics of this crate; may be given several times
    #[arg(long = "crate", value_name = "NAME")]
    pub(super) crates: Vec<String>,
    /// Print nothing; fail if FILE is not what would be written, and say which metrics were added, removed or changed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["write", "json"])]
    pub(super) check: Option<PathBuf>,
    /// Write the reference into FILE, not to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub(super) write: Option<PathBuf>,
    #[command(flatten)]
    pub(super) spelling: Spelling,
}
