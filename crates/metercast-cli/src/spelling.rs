//! How Prometheus pages spell the names of a program's metrics, as its exporter is told to.

use metercast_tower::{PageOptions, Profile, Strategy};

/// The options of an exporter that decide about names.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Spelling {
    /// How Prometheus pages spell the names, as the exporter's `strategy` says it: UnderscoreEscapingWithSuffixes, which is the default,
    /// UnderscoreEscapingWithoutSuffixes, NoUTF8EscapingWithSuffixes or NoTranslation
    #[arg(long, value_name = "STRATEGY", value_parser = strategy)]
    strategy: Option<Strategy>,
    /// Whose habits the pages follow, as the exporter's `profile` says it: otel, which is the default, or metrics-rs
    #[arg(long, value_name = "PROFILE", value_parser = profile, conflicts_with = "strategy")]
    profile: Option<Profile>,
}

impl Spelling {
    /// As the exporter has them.
    pub(crate) fn page(&self) -> PageOptions {
        let options = PageOptions::new();
        match (self.strategy, self.profile) {
            (Some(strategy), _) => options.strategy(strategy),
            (None, Some(profile)) => options.profile(profile),
            (None, None) => options,
        }
    }

    /// Whether anything was said.
    pub(crate) fn is_given(&self) -> bool {
        self.strategy.is_some() || self.profile.is_some()
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
