//! What a service must not have, since the crates do: a serializer, an exporter, a middleware, a guard, a sampler, a loop that tries again.
//! It is told from the text, so what stands all the same is in a list, with its reason.

use crate::sources::{Sources, code};

/// What stands although it is told by a sign of machinery.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The file, from `services`.
    pub file: &'static str,
    /// What stands there.
    pub what: &'static str,
    /// How often.
    pub times: usize,
    /// Why.
    pub why: &'static str,
}

/// What it is told by.
const SIGNS: [(&str, &[&str]); 6] = [
    ("serializer", &["# TYPE", "# HELP", "# EOF", "version=0.0.4", "prost::", "opentelemetry_proto"]),
    (
        "exporter",
        &["opentelemetry_otlp", "opentelemetry_sdk", "prometheus_client", "CustomExporter", "v1/metrics"],
    ),
    ("middleware", &["Layer<", "Layer for", "Service for", "from_fn(", "from_fn_with_state("]),
    ("guard", &["Drop for"]),
    ("sampler", &["interval(", "interval_at("]),
    ("loop that tries again", &["sleep(", "sleep_until("]),
];

/// All of it.
pub const STANDING: &[Standing] = &[
    Standing {
        file: "executor/src/main.rs",
        what: "sleep(",
        times: 1,
        why: "requests that take too long to end are cut off",
    },
    Standing {
        file: "osapi/src/controller.rs",
        what: "sleep(",
        times: 1,
        why: "requests that take too long to end are cut off",
    },
    Standing {
        file: "osapi/src/heartbeat.rs",
        what: "interval(",
        times: 1,
        why: "the agent's sign of life to others, which is no sample",
    },
    Standing {
        file: "osapi/src/work.rs",
        what: "interval_at(",
        times: 1,
        why: "NATS is told that a job goes on",
    },
    Standing {
        file: "osapi/src/work.rs",
        what: "sleep(",
        times: 1,
        why: "the job `sleep` does nothing else",
    },
    Standing {
        file: "relay/src/connection.rs",
        what: "sleep(",
        times: 1,
        why: "a client has so long to say who he is",
    },
    Standing { file: "relay/src/serve.rs", what: "sleep(", times: 1, why: "the time of grace" },
    Standing {
        file: "router/src/connections.rs",
        what: "Drop for",
        times: 1,
        why: "who ends waits until no connection is open; what is measured is a guard of metercast inside",
    },
    Standing {
        file: "router/src/pipeline.rs",
        what: "Drop for",
        times: 1,
        why: "a series whose label has the hash of a file ends with the configuration; metercast's guard has no such end",
    },
];

/// What a service has of it: the file, what stands there, and how often.
pub fn machinery(sources: &Sources) -> Vec<(String, &'static str, usize)> {
    let mut found = Vec::new();
    for (file, text) in sources.files() {
        for sign in SIGNS.iter().flat_map(|(_, signs)| *signs) {
            let times = code(text).map(|line| count(line, sign)).sum();
            if times > 0 {
                found.push((file.to_owned(), *sign, times));
            }
        }
    }
    found
}

/// How often a sign stands in a line as a word: neither in a longer one, nor as the name of a method.
fn count(line: &str, sign: &str) -> usize {
    let is_apart = |before: &str| {
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        !is_word && !before.ends_with("fn ")
    };
    line.match_indices(sign).filter(|(at, _)| is_apart(&line[..*at])).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sign_is_seen_where_it_stands_alone() {
        for (line, sign, times) in [
            ("impl Drop for Guard {", "Drop for", 1),
            ("impl<S> Layer<S> for Measure {", "Layer<", 1),
            ("    let mut ticks = tokio::time::interval(EVERY);", "interval(", 1),
            ("let check = health.check(\"nats\").interval(CHECKED);", "interval(", 0),
            ("pub(crate) fn interval(&self) -> Duration {", "interval(", 0),
            ("fn requests(&self) -> HttpLayer<Configured> {", "Layer<", 0),
            ("tokio::time::sleep(AGAIN).await; sleep(AGAIN).await;", "sleep(", 2),
            ("format!(\"# TYPE {name} counter\")", "# TYPE", 1),
        ] {
            assert_eq!(count(line, sign), times, "{line}");
        }
    }
}
