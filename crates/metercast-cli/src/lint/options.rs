//! What `metercast lint` can be told on the command line.

use metercast_tower::lint::prometheus;
use metercast_tower::view::Glob;

use crate::fetch::Access;

use super::own;

/// Which page, and what may be wrong with it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = help())]
pub(crate) struct Options {
    /// Where the page is: a port, host:port, a URL or a file
    #[arg(value_name = "URL|FILE")]
    pub(super) page: String,
    /// Let a rule be broken, by all metrics or by those whose name matches a pattern; may be given several times
    #[arg(long, value_name = "RULE[=PATTERN]", value_parser = Allow::read)]
    pub(super) allow: Vec<Allow>,
    /// Print what was found as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

/// A rule that may be broken, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Allow {
    rule: String,
    metrics: Option<Glob>,
}

impl Allow {
    fn read(text: &str) -> Result<Allow, String> {
        let (rule, metrics) = match text.split_once('=') {
            Some((rule, pattern)) => (rule, Some(Glob::new(pattern))),
            None => (text, None),
        };
        if !prometheus::RULES.iter().chain(&own::RULES).any(|known| *known == rule) {
            return Err(format!("there is no rule {rule:?}; the rules are {}", rules()));
        }
        Ok(Allow { rule: rule.to_owned(), metrics })
    }

    /// Whether a metric may break a rule.
    pub(super) fn lets(&self, rule: &str, metric: &str) -> bool {
        self.rule == rule && self.metrics.as_ref().is_none_or(|metrics| metrics.matches(metric))
    }
}

fn rules() -> String {
    [prometheus::RULES, &own::RULES].concat().join(", ")
}

fn help() -> String {
    format!(
        "\
Rules of promlint, which `promtool check metrics` applies:
  {}
Rules of ours:
  {}

  metercast lint 127.0.0.1:9464
  metercast lint page.txt --allow help --allow base-unit=legacy_*

Status 0 if nothing was found; 1 if something was, or the page cannot be read or is empty; 2 for wrong options.",
        prometheus::RULES.join(", "),
        own::RULES.join(", ")
    )
}
