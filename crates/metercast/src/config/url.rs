//! A URL of a receiver as it was given: only with the protocol it is known what it stands for.

use std::ops::Range;
use std::path::PathBuf;

use super::address::{self, Bracketed};
use super::error::Checked;
use super::secret::Secret;

/// A URL that is known to be one.
#[derive(Debug, Clone)]
pub(super) struct Url {
    pub(super) target: Target,
    /// Empty, or with a slash in front.
    pub(super) path: String,
    pub(super) query: Option<Secret>,
    /// Whether it is used as it is, as `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` wants it. Else it is a base, or complete.
    pub(super) is_exact: bool,
}

/// What is connected to.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A host; an IPv6 address without brackets. Without a scheme, which only gRPC can do without.
    Host { scheme: Option<Scheme>, host: String, port: Option<u16> },
    /// A Unix socket.
    Socket(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Url {
    /// Reads a base URL, or the complete one.
    pub(super) fn base(text: &str) -> Checked<Self> {
        Self::parse(text)
    }

    /// Reads a URL to be used as it is.
    pub(super) fn exact(text: &str) -> Checked<Self> {
        Ok(Self { is_exact: true, ..Self::parse(text)? })
    }

    fn parse(text: &str) -> Checked<Self> {
        if text.is_empty() {
            return Err("is empty; write a URL such as http://localhost:4318".to_owned());
        }
        let shown = redacted(text);
        if let Some(rest) = text.strip_prefix("unix:") {
            return Self::socket(rest, &shown);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        let scheme = match scheme {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => Some(Scheme::Http),
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => Some(Scheme::Https),
            Some(_) => {
                return Err(format!(
                    "{shown:?} begins neither with http:// nor with https://; write one of them"
                ));
            }
            None => {
                let plain = shown == text && !text.contains(char::is_whitespace);
                let host = text.split('/').next().unwrap_or_default();
                if !plain || address::split(host).is_err() {
                    let rest = if plain { text.trim_start_matches('/') } else { "localhost:4318" };
                    return Err(schemeless(&shown, rest));
                }
                None
            }
        };
        if rest.contains('#') {
            return Err(format!("{shown:?} has a fragment (#), which is never sent; leave it out"));
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        // Not only before the first slash: a password that was pasted in may have one.
        if rest.contains('@') {
            return Err(format!(
                "{shown:?} has a user or a password in it, which would end up in logs; leave them out and \
                 give \
                 them as basic auth or as an authorization header (an @ in a path is written %40)"
            ));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = address::split(authority)
            .map_err(|malformed| format!("{shown:?} {}", malformed.mend("http://localhost:4318")))?;
        if port == Some(0) {
            return Err(format!(
                "{shown:?} has the port 0, which cannot be reached; write for example :4318"
            ));
        }
        check_characters(path.chars().chain(query.unwrap_or_default().chars()), &shown)?;
        Ok(Self {
            target: Target::Host { scheme, host, port },
            path: path.to_owned(),
            query: query.map(Secret::new),
            is_exact: false,
        })
    }

    /// `///run/otel.sock` or `/run/otel.sock`, and perhaps `:/path` behind it.
    fn socket(rest: &str, shown: &str) -> Checked<Self> {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (socket, path) = match rest.split_once(":/") {
            Some((socket, path)) => (socket, format!("/{path}")),
            None => (rest, String::new()),
        };
        if !socket.starts_with('/') || socket.ends_with('/') {
            return Err(format!(
                "{shown:?} has no absolute path of a socket; write for example unix:///run/otel.sock"
            ));
        }
        check_characters(path.chars(), shown)?;
        Ok(Self { target: Target::Socket(socket.into()), path, query: None, is_exact: false })
    }

    /// What to say of it where a scheme is needed and there is none.
    pub(super) fn needs_scheme(&self) -> String {
        let Target::Host { host, port, .. } = &self.target else { return String::new() };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{}{port}{}", Bracketed(host), self.path);
        schemeless(&text, &text)
    }
}

fn schemeless(shown: &str, rest: &str) -> String {
    format!("{shown:?} has no scheme; write http://{rest} or https://{rest}")
}

fn check_characters(mut characters: impl Iterator<Item = char>, shown: &str) -> Checked<()> {
    if characters.all(is_url_character) {
        return Ok(());
    }
    Err(format!("{shown:?} has a character that a URL cannot have; write it percent-encoded, a space as %20"))
}

/// Whether a character may stand in a path or a query as it is (RFC 3986, sections 3.3 and 3.4).
pub(super) fn is_url_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c)
}

/// The scheme, if there is one, and what is behind its `://`. A password may have `://` in it too.
pub(super) fn split_scheme(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(is_scheme_character) => (Some(scheme), rest),
        _ => (None, text),
    }
}

/// Whether a character may stand in a scheme (RFC 3986, section 3.1).
fn is_scheme_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-.".contains(c)
}

/// A URL for messages: without anything before an `@` or behind a `?`, whether or not the rest can be read.
pub(super) fn redacted(text: &str) -> String {
    let [user, _, query] = private(text);
    // Only an `@` can be behind the user, even if there is none.
    let has_user = text[user.end..].starts_with('@');
    let has_query = query.start > 0 && text[..query.start].ends_with('?');
    format!(
        "{}{}{}{}",
        &text[..user.start],
        if has_user { "***" } else { "" },
        &text[user.end..query.start],
        if has_query { "***" } else { "" }
    )
}

/// Where user and password, the path without the first slash, and the query are in a URL; where there is none, nothing is.
///
/// The last `@` counts, as a password may have slashes in it.
pub(super) fn private(text: &str) -> [Range<usize>; 3] {
    let (_, behind) = split_scheme(text);
    let start = text.len() - behind.len();
    let user_end = behind.rfind('@').map_or(start, |at| start + at);
    let query = text[user_end..].find('?').map_or(text.len(), |at| user_end + at);
    let path = text[user_end..query].find('/').map_or(query, |at| user_end + at + 1);
    [start..user_end, path..query, (query + 1).min(text.len())..text.len()]
}
