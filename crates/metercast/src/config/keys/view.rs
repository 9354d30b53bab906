//! The keys of a view.

use super::{Key, LIMIT, Takes, key};

/// The kinds of metrics, as a file names them.
pub(in crate::config) const KINDS: [&str; 5] =
    ["counter", "up_down_counter", "gauge", "histogram", "summary"];
pub(in crate::config) const VISIBILITIES: [&str; 2] = ["public", "private"];
pub(in crate::config) const AGGREGATIONS: [&str; 2] = ["default", "drop"];
pub(in crate::config) const GAUGES: [&str; 4] = ["newest", "sum", "min", "max"];

/// A table of `views`: which metrics, and what becomes of them.
pub(in crate::config) const VIEW: &[Key] = &[
    key("name", Takes::Text, "\"*\"", "\"http.*\"", "Selects metrics by their name, with `*` and `?`."),
    key("kind", Takes::Words(&KINDS), "", "\"histogram\"", "Selects metrics of this kind."),
    key("observable", Takes::Truth, "", "true", "Selects metrics by whether callbacks say their values."),
    key("unit_is", Takes::Text, "", "\"s\"", "Selects metrics that declare this unit; empty: none."),
    key(
        "scope",
        Takes::Text,
        "",
        "\"orders*\"",
        "Selects metrics by their instrumentation scope, with `*` and `?`.",
    ),
    key("scope_version", Takes::Text, "", "\"1.4.2\"", "Selects metrics by the version of their scope."),
    key("visibility", Takes::Words(&VISIBILITIES), "", "\"public\"", "Selects metrics of this visibility."),
    key(
        "rename",
        Takes::Text,
        "",
        "\"http_latency\"",
        "Another name for the metric; `name` is its whole name then.",
    ),
    key(
        "alias",
        Takes::Text,
        "",
        "\"http_latency\"",
        "A second name, under which the metric is shown once more, as this view has it.",
    ),
    key("description", Takes::Text, "", "\"Time to answer\"", "Another description."),
    key("unit", Takes::Text, "", "\"ms\"", "Another unit, in UCUM; values are converted."),
    key(
        "keep_labels",
        Takes::Texts,
        "",
        "[\"http.*\"]",
        "Keeps the labels whose keys match one of these patterns.",
    ),
    key(
        "drop_labels",
        Takes::Texts,
        "",
        "[\"user.*\"]",
        "Drops the labels whose keys match one of these patterns.",
    ),
    key(
        "rename_labels",
        Takes::TextMap,
        "",
        "{ \"http.route\" = \"route\" }",
        "Other keys for labels. After labels were kept and dropped.",
    ),
    key(
        "exemplar_labels",
        Takes::Truth,
        "false",
        "true",
        "Whether the labels that this view takes from series stay with their exemplars.",
    ),
    key(
        "buckets",
        Takes::Numbers,
        "",
        "[0.1, 1, 10]",
        "Upper bounds of the buckets of a histogram: finite and increasing.",
    ),
    key(
        "exponential",
        Takes::TruthOrTable(EXPONENTIAL),
        "",
        "true",
        "Buckets of a histogram that follow the values.",
    ),
    key(
        "aggregation",
        Takes::Words(&AGGREGATIONS),
        "",
        "\"drop\"",
        "`\"drop\"` leaves the metric out; `\"default\"` undoes what an earlier view says of buckets or dropping.",
    ),
    key(
        "gauges",
        Takes::Words(&GAUGES),
        "\"newest\"",
        "\"sum\"",
        "What stands for several gauges whose labels become equal.",
    ),
    LIMIT,
];

/// The table `exponential` of a view.
pub(in crate::config) const EXPONENTIAL: &[Key] = &[
    key("max_size", Takes::Count(2, 160), "160", "80", "The most buckets on each side of zero."),
    key("max_scale", Takes::Count(-10, 20), "20", "10", "The highest scale."),
];
