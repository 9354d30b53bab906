//! The keys of traces.

use super::exporters::{
    AUTH_KEY, CLIENT_TLS_KEY, COMPRESSION, HEADERS, MAX_REQUEST_SIZE, PROXY, RESOURCE, TIMEOUT,
};
use super::{Key, Takes, key};
use crate::config::otlp::Protocol;
use crate::config::traces::Strategy;

/// The most spans that may wait.
const MOST: i64 = 1_000_000;
/// The most that a span may have of anything.
const MANY: i64 = u32::MAX as i64;

/// The table `traces`.
pub(in crate::config) const TRACES: &[Key] = &[
    key(
        "enabled",
        Takes::Truth,
        "",
        "false",
        "Whether there are traces. Without it there are if there is an endpoint.",
    ),
    key(
        "endpoint",
        Takes::Url,
        "",
        "\"http://collector:4318\"",
        "Where spans are pushed to: a URL, base or full, or a Unix socket, `unix:///run/otel.sock`.",
    ),
    key("protocol", Takes::Words(&Protocol::NAMES), "\"http/protobuf\"", "\"http/json\"", "What is spoken."),
    key(
        "insecure",
        Takes::Truth,
        "false",
        "true",
        "Whether a gRPC endpoint without a scheme is not encrypted.",
    ),
    key(
        "sampler",
        Takes::Words(&Strategy::NAMES),
        "\"parentbased_always_on\"",
        "\"parentbased_traceidratio\"",
        "Which traces are kept.",
    ),
    key("sampler_arg", Takes::Fraction, "", "0.1", "The part that is kept, for samplers by ratio."),
    key(
        "filter",
        Takes::Text,
        "\"info\"",
        "\"info,hyper=off,shop::orders=debug\"",
        "Which spans there are, by level and target; not which events are logged.",
    ),
    key(
        "max_queue_size",
        Takes::Count(1, MOST),
        "2048",
        "8192",
        "How many spans may wait; more are dropped.",
    ),
    key("max_batch_size", Takes::Count(1, MOST), "512", "1024", "How many spans are pushed at once."),
    key(
        "limits",
        Takes::Table(LIMITS),
        "",
        "{ attributes = 64, value_length = 256 }",
        "How much a span may have.",
    ),
    key(
        "interval",
        Takes::Time,
        "\"5s\"",
        "\"1s\"",
        "From one push to the next, unless a batch is full before.",
    ),
    TIMEOUT,
    COMPRESSION,
    CLIENT_TLS_KEY,
    PROXY,
    MAX_REQUEST_SIZE,
    AUTH_KEY,
    HEADERS,
    RESOURCE,
];

/// The table `limits`.
pub(in crate::config) const LIMITS: &[Key] = &[
    key("attributes", Takes::Count(0, MANY), "128", "64", "How many attributes a span may have."),
    key("events", Takes::Count(0, MANY), "128", "64", "How many events."),
    key("links", Takes::Count(0, MANY), "128", "64", "How many links."),
    key("event_attributes", Takes::Count(0, MANY), "128", "64", "How many attributes each event."),
    key("link_attributes", Takes::Count(0, MANY), "128", "64", "How many attributes each link."),
    key(
        "value_length",
        Takes::Count(0, MANY),
        "",
        "256",
        "How many characters a text; what is more is cut off.",
    ),
];
