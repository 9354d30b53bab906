//! What `metercast grafana` can be told on the command line.

use crate::exported::Program;

/// Which program, and what the dashboard is called.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
The dashboard asks any Prometheus that is chosen in it. It has the golden signals first, then a row for each crate
and for each group of metrics that are made at run time; what is private stands on no page, and in no panel.

  metercast grafana --binary target/release/shop > dashboard.json
  metercast docs --binary target/release/shop --json > metrics.json
  metercast grafana --binary metrics.json --title shop > dashboard.json

Status 0 if all went well, 1 if the program cannot be read, 2 for wrong options.")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) program: Program,
    /// What the dashboard is called; without, as the program's file is. Dashboards of one title are one to Grafana
    #[arg(long, value_name = "TEXT")]
    pub(super) title: Option<String>,
}
