//! What `metercast docs` can be told on the command line.

use std::path::PathBuf;

use metercast_tower::{PageOptions, Profile, Strategy};

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
    /// How Prometheus pages spell the names, as the exporter's `strategy` says it: UnderscoreEscapingWithSuffixes,
    /// UnderscoreEscapingWithoutSuffixes, NoUTF8EscapingWithSuffixes or NoTranslation
    #[arg(long, value_name = "STRATEGY", value_parser = strategy, default_value = STRATEGIES[0].0)]
    strategy: Strategy,
    /// Whose habits the pages follow, as the exporter's `profile` says it: otel or metrics-rs
    #[arg(long, value_name = "PROFILE", value_parser = profile, default_value = "otel", conflicts_with = "strategy")]
    profile: Profile,
}

impl Options {
    /// How names are spelled.
    pub(super) fn page(&self) -> PageOptions {
        match self.profile {
            Profile::Otel => PageOptions::new().strategy(self.strategy),
            profile => PageOptions::new().profile(profile),
        }
    }
}

const STRATEGIES: [(&str, Strategy); 4] = [
    ("UnderscoreEscapingWithSuffixes", Strategy::UnderscoreEscapingWithSuffixes),
    ("UnderscoreEscapingWithoutSuffixes", Strategy::UnderscoreEscapingWithoutSuffixes),
    ("NoUTF8EscapingWithSuffixes", Strategy::NoUtf8EscapingWithSuffixes),
    ("NoTranslation", Strategy::NoTranslation),
];

fn strategy(text: &str) -> Result<Strategy, String> {
    let found = STRATEGIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found
        .map(|(_, strategy)| *strategy)
        .ok_or_else(|| format!("the strategies are {}", STRATEGIES.map(|(name, _)| name).join(", ")))
}

fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "otel" => Ok(Profile::Otel),
        "metrics-rs" => Ok(Profile::MetricsRs),
        _ => Err("the profiles are otel and metrics-rs".to_owned()),
    }
}
