//! Where a Pushgateway is, and what a group may be.

use std::fmt;

use super::address::Bracketed;
use super::error::Checked;
use super::has;
use super::place::Place;
use super::url::{Scheme, Target, Url, redacted};

/// Where a Pushgateway is. Prints as the URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) is_https: bool,
    /// An IPv6 address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What stands before `/metrics/job`: empty, or with a slash in front.
    pub(crate) path: String,
    /// Whether something was filled into the path, which is not shown then.
    hides_path: bool,
}

impl Gateway {
    /// Reads the URL that a Pushgateway has without `/metrics`.
    pub(crate) fn parse(text: &str) -> Checked<Gateway> {
        let url = Url::base(text)?;
        let (scheme, host, port) = match &url.target {
            Target::Host { scheme: Some(scheme), host, port } => (*scheme, host.clone(), *port),
            Target::Host { scheme: None, .. } => return Err(url.needs_scheme()),
            Target::Socket(_) => {
                let text = redacted(text);
                return Err(format!("{text:?} is a Unix socket; write the http:// URL of the Pushgateway"));
            }
        };
        if url.query.is_some() {
            return Err("has a query (not shown), which no Pushgateway takes; leave it out".to_owned());
        }
        let is_https = scheme == Scheme::Https;
        if is_https && !has::TLS {
            return Err(format!(
                "{text:?} needs TLS, which this build does not have; enable the feature \"tls\" of metercast"
            ));
        }
        let port = port.unwrap_or(if is_https { 443 } else { 80 });
        Ok(Gateway {
            is_https,
            host,
            port,
            path: url.path.trim_end_matches('/').to_owned(),
            hides_path: false,
        })
    }

    /// This, given there: a path that holds something that was filled in is not shown.
    pub(super) fn given_at(self, place: &Place) -> Gateway {
        let hides_path = place.has_filled(&self.path);
        Gateway { hides_path, ..self }
    }

    /// Host and port as a `Host` header has them: the scheme's own port is left out.
    pub(crate) fn authority(&self) -> String {
        let host = Bracketed(&self.host);
        let default = if self.is_https { 443 } else { 80 };
        if self.port == default { host.to_string() } else { format!("{host}:{}", self.port) }
    }
}

/// Checks the name of a job.
pub(crate) fn check_job(job: &str) -> Checked<String> {
    if job.is_empty() {
        return Err("the job has no name, and a Pushgateway wants one".to_owned());
    }
    Ok(job.to_owned())
}

/// Checks a label of a group beside the job.
pub(crate) fn check_label(label: &str) -> Checked<()> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = label.starts_with(is_first) && label.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if !is_name || label.starts_with("__") {
        return Err(format!(
            "{label:?} cannot be a label of the group; use letters, digits and _, and no digit or __ in front"
        ));
    }
    if label == "job" {
        return Err("\"job\" is a label of the group already; give it once".to_owned());
    }
    Ok(())
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        let path = if self.hides_path { "/***" } else { &self.path };
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_printed_back() {
        for (text, shown, path) in [
            ("http://gateway:9091", "http://gateway:9091", ""),
            ("http://gateway:9091/", "http://gateway:9091", ""),
            ("http://[::1]:80/push/gateway/", "http://[::1]/push/gateway", "/push/gateway"),
        ] {
            let gateway = Gateway::parse(text).unwrap();
            assert_eq!((gateway.to_string().as_str(), gateway.path.as_str()), (shown, path));
        }
        for (text, message) in [
            (
                "gateway:9091",
                "\"gateway:9091\" has no scheme; write http://gateway:9091 or https://gateway:9091",
            ),
            ("unix:///a", "\"unix:///a\" is a Unix socket; write the http:// URL of the Pushgateway"),
            ("http://g?s3cret", "has a query (not shown), which no Pushgateway takes; leave it out"),
        ] {
            assert_eq!(Gateway::parse(text).unwrap_err(), message);
        }
        assert!(!Gateway::parse("http://user:s3cret@g").unwrap_err().contains("s3cret"));
    }
}
