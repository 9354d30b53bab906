//! What `metercast top` can be told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::fetch::{ADDRESS, Access, seconds};

/// Which page, and how it is shown.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Any page in Prometheus' text format or OpenMetrics will do, of whatever program. Keys are listed by `?`.

  metercast top                            the page at 127.0.0.1:9464
  metercast top db1:9187 --interval 5      another program's
  metercast top --pid 4711                 wherever that process listens
  metercast top --once --json              the rates of one second, for programs
  metercast top --csv load.csv             what is seen, recorded

Colours are used on a terminal, unless NO_COLOR is set. Status 0 if all went well; 1 if the page cannot be read;
2 for wrong options.")]
pub(crate) struct Options {
    /// Where the page is: a port, host:port or a URL
    #[arg(value_name = "URL", default_value = ADDRESS)]
    pub(super) url: String,
    /// Look at the process of this number: the page is found among the addresses where it listens
    #[arg(long, value_name = "PID", conflicts_with = "url")]
    pub(super) pid: Option<u32>,
    /// Read the page every so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(super) interval: Duration,
    /// Print the figures of one interval, and end
    #[arg(long)]
    pub(super) once: bool,
    /// Print one line of JSON for each interval
    #[arg(long)]
    pub(super) json: bool,
    /// End after so many intervals
    #[arg(long, value_name = "N", conflicts_with = "once", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Show metrics only that have this in their name or a label
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) filter: String,
    /// What comes first
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub(super) sort: Sort,
    /// Record every series of every interval into FILE, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    #[command(flatten)]
    pub(super) access: Access,
}

/// The order of metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sort {
    /// The fastest first
    #[default]
    Rate,
    /// By name
    Name,
    /// Those with most series first
    Series,
    /// What changed last first
    Changed,
}

impl Sort {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Rate => "rate",
            Sort::Name => "name",
            Sort::Series => "series",
            Sort::Changed => "changed",
        }
    }

    /// The one after it.
    pub(super) fn next(self) -> Sort {
        match self {
            Sort::Rate => Sort::Name,
            Sort::Name => Sort::Series,
            Sort::Series => Sort::Changed,
            Sort::Changed => Sort::Rate,
        }
    }
}

impl Options {
    /// After how many intervals it ends.
    pub(super) fn intervals(&self) -> Option<u64> {
        if self.once { Some(1) } else { self.count }
    }
}
