//! What was asked for on the command line.

use std::path::PathBuf;

use crate::groups::Group;
use crate::measure::Effort;

pub(crate) const HELP: &str = "\
cargo xtask bench [--quick] [--json FILE] [--results FILE] [GROUP...]

    --quick           fewer rounds and shorter runs; done within 3 minutes once built
    --json FILE       one line of JSON for each value
    --results FILE    the tables as Markdown, with machine and versions; for bench/RESULTS.md
    GROUP             floor, record, bridge, http, scrape, otlp, memory, stall, build; all of them if none is named

Times depend on the machine, ratios much less: `x` is the subject's value divided by metercast's.
";

/// What to run, how thoroughly, and where the values go.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    pub(crate) effort: Effort,
    pub(crate) groups: Vec<Group>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) results: Option<PathBuf>,
}

impl Arguments {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
        let mut found =
            Arguments { help: false, effort: Effort::FULL, groups: Vec::new(), json: None, results: None };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (&word[..], None),
            };
            let mut file = || {
                let file = value.clone().or_else(|| words.next());
                file.map(PathBuf::from).ok_or_else(|| format!("{name}: no file named; write {name} FILE"))
            };
            match name {
                "--help" | "-h" => found.help = true,
                "--quick" => found.effort = Effort::QUICK,
                "--json" => found.json = Some(file()?),
                "--results" => found.results = Some(file()?),
                _ => found.groups.push(Group::parse(&word)?),
            }
        }
        let asked = |group: &Group| found.groups.is_empty() || found.groups.contains(group);
        found.groups = Group::ALL.into_iter().filter(asked).collect();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_words_everything_runs() {
        let found = parse("").unwrap();
        assert_eq!(found.groups, Group::ALL);
        assert!(found.json.is_none() && found.results.is_none() && !found.help);
    }

    #[test]
    fn groups_run_in_their_own_order() {
        let found = parse("--quick scrape --json a.jsonl record --results=b.md").unwrap();
        assert_eq!(found.groups, [Group::Record, Group::Scrape]);
        assert_eq!(found.json.unwrap().to_str(), Some("a.jsonl"));
        assert_eq!(found.results.unwrap().to_str(), Some("b.md"));
    }

    #[test]
    fn what_is_not_known_is_answered_with_what_there_is() {
        assert!(parse("--fast").unwrap_err().contains("--quick, --json FILE"));
        assert!(
            parse("recrod")
                .unwrap_err()
                .ends_with("floor, record, bridge, http, scrape, otlp, memory, stall, build")
        );
        assert!(parse("--json").unwrap_err().contains("no file named"));
    }
}
