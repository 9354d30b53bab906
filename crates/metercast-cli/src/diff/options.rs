//! What `metercast diff` can be told on the command line.

use std::path::PathBuf;

/// Which programs, or their catalogues.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Each is the file of a program, which is read and not run, or what `metercast docs --json` printed of one.

  metercast diff shop-1.3.json target/release/shop --crate shop

Status 0 if nothing breaks those who read the metrics; 1 if something does, or cannot be read; 2 for wrong options.")]
pub(crate) struct Options {
    /// The program as it was, or its catalogue
    #[arg(value_name = "OLD")]
    pub(super) old: PathBuf,
    /// The program as it is to be, or its catalogue
    #[arg(value_name = "NEW")]
    pub(super) new: PathBuf,
    /// Only metrics of this crate; may be given several times
    #[arg(long = "crate", value_name = "NAME")]
    pub(super) crates: Vec<String>,
    /// Print the changes as JSON
    #[arg(long)]
    pub(super) json: bool,
}
