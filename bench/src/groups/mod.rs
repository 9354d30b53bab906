//! What is measured, one file for each group.

mod bridge;
mod build;
mod filled;
mod floor;
mod http;
mod memory;
mod record;
mod stall;

use crate::measure::Effort;
use crate::report::Report;

pub(crate) use memory::in_child as memory_in_child;
pub(crate) use record::repeat as repeat_record;
pub(crate) use stall::in_child as stall_in_child;

/// One group of cases; its name is what the command line takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Floor,
    Record,
    Bridge,
    Http,
    Scrape,
    Otlp,
    Memory,
    Stall,
    Build,
}

impl Group {
    pub(crate) const ALL: [Group; 9] = [
        Group::Floor,
        Group::Record,
        Group::Bridge,
        Group::Http,
        Group::Scrape,
        Group::Otlp,
        Group::Memory,
        Group::Stall,
        Group::Build,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Floor => "floor",
            Group::Record => "record",
            Group::Bridge => "bridge",
            Group::Http => "http",
            Group::Scrape => "scrape",
            Group::Otlp => "otlp",
            Group::Memory => "memory",
            Group::Stall => "stall",
            Group::Build => "build",
        }
    }

    /// What the values of the group are, for the head of its table.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Group::Floor => "what the machine gives: no subject can be faster",
            Group::Record => "one recording, loop included: see `floor` for the loop alone",
            Group::Bridge => {
                "one recording by another library's API, into metercast and into its own back end"
            }
            Group::Http => "one request to an axum router in the process; `/added` is what measuring it adds",
            Group::Scrape => {
                "one page of text, everything on it; of each 100 series one changed since the last"
            }
            Group::Otlp => "one OTLP message in protobuf, collected and encoded",
            Group::Memory => "live heap plus resident bytes of mappings, for each series or instrument",
            Group::Stall => {
                "the worst of a thread that records, 1 in 1,000 a new series, while another scrapes 100,000"
            }
            Group::Build => {
                "a program with axum and tokio that also measures: crates in its tree, `cargo check` from nothing"
            }
        }
    }

    /// The group of that name, or an error that lists the names.
    pub(crate) fn parse(name: &str) -> Result<Group, String> {
        Group::ALL.into_iter().find(|group| group.name() == name).ok_or_else(|| {
            let names = Group::ALL.map(Group::name).join(", ");
            format!(
                "unknown argument \"{name}\"; there are --quick, --json FILE, --results FILE, and the groups {names}"
            )
        })
    }

    pub(crate) fn run(self, effort: &Effort, report: &mut Report) {
        match self {
            Group::Floor => floor::run(effort, report),
            Group::Record => record::run(effort, report),
            Group::Bridge => bridge::run(effort, report),
            Group::Http => http::run(effort, report),
            Group::Scrape => filled::run(filled::Output::Page, effort, report),
            Group::Otlp => filled::run(filled::Output::Message, effort, report),
            Group::Memory => memory::run(report),
            Group::Stall => stall::run(effort, report),
            Group::Build => build::run(effort, report),
        }
    }
}
