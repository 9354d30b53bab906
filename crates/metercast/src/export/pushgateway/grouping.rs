//! The grouping key of a push, as the path of its URL has it.

use std::fmt::Write;

use crate::config::{base64, check_job, check_label};

/// `/metrics/job/nightly/instance/a`. Values that a path cannot carry as they are, are written in base64, which every
/// Pushgateway since 0.9 reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grouping {
    path: String,
    labels: Vec<String>,
}

impl Grouping {
    /// The key of a job alone.
    pub(super) fn of(job: &str) -> Result<Grouping, String> {
        check_job(job)?;
        let mut grouping = Grouping { path: "/metrics".to_owned(), labels: Vec::new() };
        grouping.push("job", job);
        Ok(grouping)
    }

    /// Adds a label.
    pub(super) fn add(&mut self, label: &str, value: &str) -> Result<(), String> {
        check_label(label)?;
        if self.labels.iter().any(|known| known == label) {
            return Err(format!("{label:?} is a label of the group already; give it once"));
        }
        self.push(label, value);
        Ok(())
    }

    fn push(&mut self, label: &str, value: &str) {
        self.labels.push(label.to_owned());
        // A server takes a path apart at slashes and resolves its dots, whatever stands there percent-encoded.
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let is_plain = is_plain && !value.trim_matches('.').is_empty();
        let _ = if is_plain {
            write!(self.path, "/{label}/{value}")
        } else {
            // RFC 4648, section 5; of nothing at all the padding stays, so that there is something between the slashes.
            let coded = base64(value.as_bytes()).replace('+', "-").replace('/', "_");
            let coded = coded.trim_end_matches('=');
            write!(self.path, "/{label}@base64/{}", if coded.is_empty() { "=" } else { coded })
        };
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_values_travel_in_base64() {
        let cases = [
            ("plain-1.a_b~", "/metrics/job/plain-1.a_b~"),
            // The examples of the Pushgateway's own documentation.
            ("directory/cleaner", "/metrics/job@base64/ZGlyZWN0b3J5L2NsZWFuZXI"),
            ("Προμηθεύς", "/metrics/job@base64/zqDPgc6_zrzOt864zrXPjc-C"),
            ("a b", "/metrics/job@base64/YSBi"),
            ("..", "/metrics/job@base64/Li4"),
            ("%2F", "/metrics/job@base64/JTJG"),
        ];
        for (job, path) in cases {
            assert_eq!(Grouping::of(job).unwrap().path(), path);
        }
        let mut grouping = Grouping::of("titan").unwrap();
        grouping.add("first_name", "").unwrap();
        grouping.add("name", "a/b").unwrap();
        assert_eq!(grouping.path(), "/metrics/job/titan/first_name@base64/=/name@base64/YS9i");
    }

    #[test]
    fn what_cannot_be_a_group_is_refused() {
        assert!(Grouping::of("").unwrap_err().contains("no name"));
        let mut grouping = Grouping::of("a").unwrap();
        for label in ["", "1a", "a.b", "a/b", "a@base64", "ü", "__name__", "a b"] {
            assert!(grouping.add(label, "x").unwrap_err().contains("cannot be a label"), "{label:?}");
        }
        assert!(grouping.add("job", "x").unwrap_err().contains("already"));
        grouping.add("instance", "x").unwrap();
        assert!(grouping.add("instance", "y").is_err());
    }
}
