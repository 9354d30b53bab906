//! The keys of instruments.

use super::{Key, Takes, key};
use crate::dynamic::TimeUnit;

pub(in crate::config) const KINDS: [&str; 4] = ["counter", "up_down_counter", "gauge", "histogram"];
pub(in crate::config) const VALUES: [&str; 5] =
    ["unit", "duration", "event_unit", "event_duration", "field_unit"];
pub(in crate::config) const LEVELS: [&str; 3] = ["none", "required", "recommended"];
/// The units that a duration is converted to.
pub(in crate::config) const TIMES: [&str; 4] = TimeUnit::NAMES;

/// What holds for the instruments of all stages.
pub(in crate::config) const COMMON: &[Key] = &[key(
    "default_requirement_level",
    Takes::Words(&LEVELS),
    "\"required\"",
    "\"recommended\"",
    "Which attributes standard instruments have unless it is said: none, those that are required, or those that are recommended too.",
)];

/// An instrument that the program does not know.
pub(in crate::config) const INSTRUMENT: &[Key] = &[
    key("type", Takes::Words(&KINDS), "", "\"counter\"", "What its values mean."),
    key("value", Takes::Instruments, "", "\"unit\"", "What it measures."),
    key(
        "unit",
        Takes::Text,
        "\"\"",
        "\"ms\"",
        "Its unit, in UCUM; a duration is converted to s, ms, us or ns.",
    ),
    key("description", Takes::Text, "\"\"", "\"Calls of the catalogue\"", "What it measures, in words."),
    ATTRIBUTES,
    CONDITION,
];

/// An instrument that a stage knows by name.
pub(in crate::config) const STANDARD: &[Key] = &[ATTRIBUTES, CONDITION];

const ATTRIBUTES: Key = key(
    "attributes",
    Takes::Instruments,
    "",
    "",
    "Its labels: a selector or, where they are known, true or false for each.",
);

const CONDITION: Key = key("condition", Takes::Instruments, "", "", "What must hold for it to record.");
