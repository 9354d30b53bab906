//! What `metercast reload` can be told on the command line.

use crate::admin::Access;
use crate::fetch::ADDRESS;

/// Which program, and how far to go.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The program reads its files and variables again, as on SIGHUP; where its page has `reload = true`. With --dry-run everything that
can fail is tried, new addresses and certificates too, and nothing changes.

  metercast reload --dry-run 127.0.0.1:9464
  metercast reload --token-file token https://shop.example:9464

Status 0 if the new configuration holds, or would; 1 if it is refused, which is said with file and line; 2 for wrong options.")]
pub(crate) struct Options {
    /// Where the program's page is: a port, host:port or a URL
    #[arg(value_name = "URL", default_value = ADDRESS)]
    pub(super) url: String,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}
