//! What `metercast alerts` can be told on the command line.

use std::path::PathBuf;

use crate::exported::Program;

/// Which program, and what is too much of it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Always: that the program is gone or restarts again and again, that its metrics do not arrive, are too many or are not
kept, that a new configuration was refused; that requests fail or are slow, where it answers any. Labels have
`severity`: `page` or `ticket`.

Objectives are in a file of sloth, version prometheus/v1, in YAML. Each comes to recordings for all its windows and
two alerts, which fire when its error budget burns too fast over a long window and a short one.

  metercast alerts --binary target/release/shop --job shop > rules.yaml && promtool check rules rules.yaml
  metercast alerts --binary target/release/shop --slo objectives.yaml > rules.yaml

Status 0 if all went well, 1 if something cannot be read, or objectives ask for what the program does not have; 2 for
wrong options.")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) program: Program,
    /// The job under which Prometheus scrapes it; may be given several times. Without, it is called as the program's file
    #[arg(long = "job", value_name = "NAME")]
    pub(super) jobs: Vec<String>,
    #[command(flatten)]
    pub(super) limits: Limits,
    /// Objectives of the program
    #[arg(long, value_name = "FILE")]
    pub(super) slo: Option<PathBuf>,
    /// A metric of others that objectives may ask for; may be given several times
    #[arg(long = "allow", value_name = "METRIC", requires = "slo")]
    pub(super) allowed: Vec<String>,
}

/// What requests may come to.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Limits {
    /// So much of the requests may fail, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub(super) errors: f64,
    /// So long may one request in 100 take at least, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub(super) slow: f64,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..100.0).contains(number));
    number.ok_or_else(|| "a number from 0 to 100 is needed".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "a number above 0 is needed".to_owned())
}
