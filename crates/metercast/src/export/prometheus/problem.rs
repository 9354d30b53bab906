//! What is wrong with names and labels on a page: said once, whatever formats the page is asked for in.

use std::collections::HashSet;

use super::claims::Owner;
use crate::view::Stream;

/// Something that was resolved, and that the program should put right.
#[derive(Debug)]
pub(super) struct Problem {
    /// What it is about, in any format.
    subject: String,
    text: String,
}

impl Problem {
    /// Two metrics have one name.
    pub(super) fn of_two(first: &Owner, second: &Owner, name: &str, what: &str) -> Problem {
        let whole = |owner: &Owner| match owner {
            Owner::Metric(stream) => stream.spelled(),
            Owner::Target => "target_info (of this exporter)".to_owned(),
        };
        let (one, two) = (whole(first), whole(second));
        Problem {
            subject: format!("{} {}", first.id(), second.id()),
            text: format!("metrics {one} and {two} are both {name} on the page; {what}: rename one"),
        }
    }

    /// Two views make streams of one metric, which have one name.
    pub(super) fn of_views(first: &Owner, second: &Owner, name: &str) -> Problem {
        let metric = match first {
            Owner::Metric(stream) => stream.spelled_as_declared(),
            Owner::Target => first.name(),
        };
        Problem {
            subject: format!("{} {}", first.id(), second.id()),
            text: format!(
                "two views of metric {metric} are both {name} on the page; what the second makes is left out: give one a name"
            ),
        }
    }

    /// Something about labels of a metric. `keys` are those that it is about.
    pub(super) fn of_labels(stream: &Stream, keys: &[&str], what: &str) -> Problem {
        let (labels, said) = match keys {
            [key] => ("label", format!("{key:?}")),
            keys => ("labels", keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(" and ")),
        };
        Problem {
            subject: format!("{} {said}", stream.id()),
            text: format!("{labels} {said} of metric {} {what}", stream.spelled()),
        }
    }
}

/// What was said already.
#[derive(Debug, Default)]
pub(super) struct Said(HashSet<String>);

/// More than a person reads; bounds the memory.
const REMEMBERED: usize = 256;

impl Said {
    /// The text, unless something was said of the same subject.
    pub(super) fn anew(&mut self, problem: Problem) -> Option<String> {
        (self.0.len() < REMEMBERED && self.0.insert(problem.subject)).then_some(problem.text)
    }
}
