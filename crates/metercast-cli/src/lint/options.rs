//! What `metercast lint` can be told on the command line.

use crate::fetch::Access;

/// Which page, and what may be wrong with it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The rules are those of `promtool check metrics`, and four of ours: invalid-line, identity-label, no-buckets, unbounded-label.

  metercast lint 127.0.0.1:9464
  metercast lint page.txt --allow help --allow base-unit=legacy_*

Status 0 if nothing was found; 1 if something was, or the page cannot be read; 2 for wrong options.")]
pub(crate) struct Options {
    /// Where the page is: a port, host:port, a URL or a file
    #[arg(value_name = "URL|FILE")]
    pub(super) page: String,
    /// Let a rule be broken, by all metrics or by those whose name matches a pattern; may be given several times
    #[arg(long, value_name = "RULE[=PATTERN]")]
    pub(super) allow: Vec<String>,
    /// Print what was found as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}
