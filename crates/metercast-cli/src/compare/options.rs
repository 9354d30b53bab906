//! What `metercast compare` can be told on the command line.

use crate::fetch::Access;

use super::difference::Values;

/// Which pages, and what may differ.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
  metercast compare old:9102 new:9464 --names
  metercast compare before.txt after.txt --tolerance 1

Status 0 if the pages say the same; 1 if they differ, or one cannot be read; 2 for wrong options.")]
pub(crate) struct Options {
    /// The page as it was: a port, host:port, a URL or a file
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// The page as it is to be
    #[arg(value_name = "NEW")]
    pub(super) new: String,
    /// Let values differ by so many percent of the larger one
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, value_parser = percent)]
    tolerance: f64,
    /// Compare names, kinds, labels and bounds only, not values
    #[arg(long, conflicts_with = "tolerance")]
    names: bool,
    /// Print the differences as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

impl Options {
    /// How values are compared.
    pub(super) fn values(&self) -> Values {
        if self.names { Values::Ignored } else { Values::Within(self.tolerance / 100.0) }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "it is a number from 0 to 100".to_owned())
}
