//! Asks an address for its metrics page, or a file for one, within bounds of time and size.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use ureq::http::{StatusCode, Uri};
use ureq::{Agent, Body, Timeout};

use crate::admin::Answer;
use crate::page::{Limits, Page};

/// Where pages are that nobody says otherwise of.
pub(crate) const ADDRESS: &str = "127.0.0.1:9464";

/// How long is waited for what stands beside a page: the page is what people look at.
const BESIDE: Duration = Duration::from_secs(1);

/// As much as a program has to say of itself.
const LONGEST_ANSWER: u64 = 16_000_000;

/// What is asked for: as a scraper does, but for protobuf.
const FORMATS: &str =
    "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// What is asked for where the format matters: that which everybody serves. OpenMetrics has other kinds of some metrics.
const TEXT: &str = "text/plain;version=0.0.4,*/*;q=0.1";

/// How long who reads a page may take beyond the limit to say itself why there is none.
const TO_SAY: Duration = Duration::from_millis(250);

/// How a page is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Access {
    /// Wait so many seconds for a page at most
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Send the token in this file, as `Authorization: Bearer`
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Keep so many series of a page at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_series: u32,
}

/// A length of time in seconds, which may have a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "it is a number of seconds from 0.1 to 3600".to_owned())
}

/// An address whose page is asked for, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    agent: Agent,
    url: String,
    /// The URL without what is nobody's business.
    shown: String,
    token: Option<String>,
    timeout: Duration,
    limits: Limits,
}

/// A page, and what it took to get it.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) page: Page,
    pub(crate) took: Duration,
}

/// A page's text, and where it is from.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// The place as it may be shown.
    pub(crate) shown: String,
    /// What it says that it is.
    pub(crate) kind: String,
}

/// Why there is no page, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NoPage {
    pub(crate) text: String,
    pub(crate) why: Why,
}

/// Why there is no page, for who tries other places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Why {
    /// It is not for everybody.
    Forbidden,
    /// The name of the host is not known.
    NoHost,
    /// Whatever the text says.
    Other,
}

impl From<NoPage> for String {
    fn from(NoPage { text, .. }: NoPage) -> String {
        text
    }
}

impl From<String> for NoPage {
    fn from(text: String) -> NoPage {
        NoPage { text, why: Why::Other }
    }
}

impl Access {
    /// How much of a page is kept.
    pub(crate) fn limits(&self) -> Limits {
        Limits { series: self.max_series as usize, ..Limits::default() }
    }

    fn token(&self) -> Result<Option<String>, String> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let token = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read the token in {}: {error}", file.display()))?;
        let token = token.trim();
        if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(format!("{} is no token: it has to be one word", file.display()));
        }
        Ok(Some(token.to_owned()))
    }
}

impl Source {
    /// The page at an address: `9464`, `host:9464` or a whole URL; `/metrics` is where pages are as a rule.
    pub(crate) fn new(address: &str, access: &Access) -> Result<Source, String> {
        let url = url(address)?;
        let uri: Uri = url.parse().map_err(|_| not_an_address(address))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| not_an_address(address))?;
        let mut config = Agent::config_builder()
            .timeout_global(Some(access.timeout))
            .http_status_as_error(false)
            .max_redirects(3)
            .user_agent(concat!("metercast/", env!("CARGO_PKG_VERSION")));
        if is_loopback(host) {
            // No proxy could reach what is on this machine.
            config = config.proxy(None);
        }
        Ok(Source {
            agent: config.build().new_agent(),
            shown: public(&url),
            url,
            token: access.token()?,
            timeout: access.timeout,
            limits: access.limits(),
        })
    }

    /// The URL as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// The whole URL, which may have what is nobody's business.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What is answered to another request than that for a page, whatever it is; nobody is followed elsewhere.
    pub(crate) fn ask(&self, method: &str) -> Result<Answer, String> {
        let request = ureq::http::Request::builder().method(method).uri(&self.url);
        let mut request = request.header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(()).map_err(|error| format!("cannot ask {}: {error}", self.shown))?;
        let request = self.agent.configure_request(request).max_redirects(0).build();
        let answer = self.agent.run(request).map_err(|error| self.failed(error))?;
        let status = answer.status().as_u16();
        if (300..400).contains(&status) {
            return Err(format!(
                "{} leads elsewhere (answers {status}); name the address where it leads",
                self.shown
            ));
        }
        let text = answer.into_body().into_with_config().limit(LONGEST_ANSWER).read_to_vec();
        let text = text.map_err(|error| self.failed(error))?;
        Ok(Answer { status, text: String::from_utf8_lossy(&text).into_owned() })
    }

    /// How much of a page is kept.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The page as it is now.
    ///
    /// # Errors
    ///
    /// Why there is none, and what to do about it.
    pub(crate) fn page(&self) -> Result<Fetched, NoPage> {
        self.page_in(FORMATS)
    }

    fn page_in(&self, formats: &str) -> Result<Fetched, NoPage> {
        let begun = Instant::now();
        let (body, kind) = self.open(formats)?;
        let page = Page::read(body.into_with_config().limit(u64::MAX).reader(), &self.limits);
        let page = page.map_err(|error| self.broken(error))?;
        refuse_foreign(&page, &self.shown, &kind)?;
        Ok(Fetched { page, took: begun.elapsed() })
    }

    fn text(&self) -> Result<(Vec<u8>, String), NoPage> {
        let (body, kind) = self.open(TEXT)?;
        let bytes = body.into_with_config().limit(self.limits.bytes).read_to_vec();
        Ok((bytes.map_err(|error| self.failed(error))?, kind))
    }

    /// JSON at another path of the same address; `None` if it has no such thing.
    pub(crate) fn json(&self, path: &str) -> Option<serde_json::Value> {
        let (scheme, rest) = self.url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let timeout = self.timeout.min(BESIDE);
        let request = self.agent.get(format!("{scheme}://{authority}{path}"));
        let mut request = request.config().timeout_global(Some(timeout)).build();
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = request.call().ok().filter(|answer| answer.status() == StatusCode::OK)?;
        let kind = answer.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        if !kind.starts_with("application/json") {
            return None;
        }
        let text = answer.into_body().into_with_config().limit(1_000_000).read_to_string().ok()?;
        serde_json::from_str(&text).ok()
    }

    fn open(&self, formats: &str) -> Result<(Body, String), NoPage> {
        let mut request = self.agent.get(&self.url).header(ACCEPT, formats);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = request.call().map_err(|error| self.failed(error))?;
        let (head, body) = answer.into_parts();
        if head.status != StatusCode::OK {
            return Err(self.refused(head.status));
        }
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        Ok((body, kind.unwrap_or("of no type").to_owned()))
    }

    fn refused(&self, status: StatusCode) -> NoPage {
        let mend = match status.as_u16() {
            401 | 403 if self.token.is_some() => "the token is not the one that it wants",
            401 | 403 => "it wants a token: --token-file FILE",
            404 | 405 => "name the path of the page, which is /metrics as a rule",
            429 | 503 => "too many ask for it, or it is starting",
            _ => "see what that program says of it",
        };
        let why = if matches!(status.as_u16(), 401 | 403) { Why::Forbidden } else { Why::Other };
        NoPage { text: format!("{} answers {status}; {mend}", self.shown), why }
    }

    fn broken(&self, error: io::Error) -> NoPage {
        match error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>()) {
            true => self.failed(ureq::Error::from(error)),
            false => format!("the page {} broke off: {error}", self.shown).into(),
        }
    }

    fn failed(&self, error: ureq::Error) -> NoPage {
        let (shown, timeout) = (&self.shown, self.timeout.as_secs_f64());
        let text = match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                format!(
                    "cannot reach {shown} within {timeout} s; is its address right, and no firewall between?"
                )
            }
            ureq::Error::Timeout(_) => {
                format!("no whole page from {shown} within {timeout} s; --timeout waits longer")
            }
            error if is_of_no_host(&error) => {
                let text = format!("there is no host of the name in {shown}");
                return NoPage { text, why: Why::NoHost };
            }
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                format!(
                    "cannot reach {shown}: connection refused; is the program running, and is this its metrics address?"
                )
            }
            ureq::Error::Io(error) => format!("cannot read {shown}: {error}"),
            ureq::Error::BodyExceedsLimit(limit) => {
                format!("the page {shown} is longer than {} MB", limit / 1_000_000)
            }
            ureq::Error::Protocol(error) => format!("{shown} does not speak HTTP: {error}"),
            error => format!("cannot read {shown}: {error}"),
        };
        text.into()
    }
}

/// The system's resolver says in words only that it knows no such name, and the library passes them on.
fn is_of_no_host(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound => true,
        ureq::Error::Io(error) => error.to_string().starts_with("failed to lookup address"),
        _ => false,
    }
}

/// Does what takes long with a page, and no longer than one waits for it: whatever is read, and however much there is to do with it.
pub(crate) fn within<T: Send + 'static>(
    access: &Access,
    place: &str,
    does: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // What is late ends with the process.
    thread::spawn(move || sender.send(does()));
    receiver.recv_timeout(access.timeout + TO_SAY).map_err(|_| {
        let timeout = access.timeout.as_secs_f64();
        let place = shown(place);
        format!("{place} is not read and looked at within {timeout} s; --timeout waits longer")
    })
}

/// The text of a page, at an address or in a file.
pub(crate) fn text(place: &str, access: &Access) -> Result<Text, String> {
    if let Some(path) = file(place) {
        let most = access.limits().bytes;
        let bytes = File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut io::Read::take(file, most + 1), &mut bytes).map(|_| bytes)
        });
        let bytes = bytes.map_err(|error| format!("cannot read {place}: {error}"))?;
        if bytes.len() as u64 > most {
            return Err(format!("the page {place} is longer than {} MB", most / 1_000_000));
        }
        return Ok(Text { bytes, shown: place.to_owned(), kind: "a file".to_owned() });
    }
    let source = Source::new(place, access)?;
    let (bytes, kind) = source.text().map_err(|trouble| nowhere(place, trouble))?;
    Ok(Text { bytes, shown: source.shown, kind })
}

/// The page at an address or in a file, with the name that it is shown by. Who serves several formats is asked for text 0.0.4.
pub(crate) fn page(place: &str, access: &Access) -> Result<(Page, String), String> {
    if let Some(path) = file(place) {
        let page = File::open(path).and_then(|file| Page::read(file, &access.limits()));
        let page = page.map_err(|error| format!("cannot read {place}: {error}"))?;
        refuse_foreign(&page, place, "a file")?;
        return Ok((page, place.to_owned()));
    }
    let source = Source::new(place, access)?;
    let fetched = source.page_in(TEXT).map_err(|trouble| nowhere(place, trouble))?;
    Ok((fetched.page, source.shown))
}

/// Why there is no page at a place that may have been meant for a file.
fn nowhere(place: &str, trouble: NoPage) -> String {
    match trouble.why {
        Why::NoHost if !place.contains("://") => {
            format!("there is neither a file nor a host of the name {place}")
        }
        _ => trouble.text,
    }
}

/// A place without what is nobody's business.
fn shown(place: &str) -> String {
    if file(place).is_some() { place.to_owned() } else { public(&url(place).unwrap_or_default()) }
}

/// A place is a file if it is there, or is written as one.
fn file(place: &str) -> Option<&Path> {
    let path = Path::new(place);
    (!place.contains("://") && (path.exists() || place.starts_with(['/', '.']))).then_some(path)
}

fn refuse_foreign(page: &Page, shown: &str, kind: &str) -> Result<(), String> {
    match page.first_fault {
        Some((line, fault)) if page.is_foreign() => Err(foreign(shown, kind, line, fault)),
        _ => Ok(()),
    }
}

/// That something is no metrics page at all, as its first line shows that none would have.
pub(crate) fn foreign(shown: &str, kind: &str, line: u64, fault: &str) -> String {
    format!("{shown} is no metrics page ({kind}): line {line} {fault}; name the path of the page")
}

fn url(address: &str) -> Result<String, String> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let with_host = match address {
        port if is_number(port) => format!("127.0.0.1:{port}"),
        port if port.starts_with(':') => format!("127.0.0.1{port}"),
        address => address.to_owned(),
    };
    let authority = with_host.split_once("://").map_or(&*with_host, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((_, port)) = authority.rsplit_once(':')
        && is_number(port)
        && !port.parse().is_ok_and(|port: u16| port > 0)
    {
        return Err(format!("{port} is no port: they are numbers from 1 to 65535"));
    }
    let url = match with_host.split_once("://") {
        Some(("http" | "https", _)) => with_host,
        Some(_) => {
            return Err(format!("{address} is no page that can be read: it begins with http:// or https://"));
        }
        None => format!("http://{with_host}"),
    };
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    Ok(if path.is_empty() { format!("{}/metrics", url.trim_end_matches('/')) } else { url })
}

/// A URL without who asks, and without what its query says, which may be a token.
fn public(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?***"),
        None => (rest, ""),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}{query}")
}

fn not_an_address(address: &str) -> String {
    format!("{address} is no address; write host:port or a URL, such as http://{ADDRESS}/metrics")
}

/// Whether a host, as it stands in a URL, is this machine's own.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access { timeout: Duration::from_secs(1), token_file: None, max_series: 10 }
    }

    #[test]
    fn an_address_may_be_short() {
        for (address, shown) in [
            ("9464", "http://127.0.0.1:9464/metrics"),
            (":9464", "http://127.0.0.1:9464/metrics"),
            ("localhost:1", "http://localhost:1/metrics"),
            ("http://[::1]:1/", "http://[::1]:1/metrics"),
            ("https://host/a/metrics?token=y", "https://host/a/metrics?***"),
            ("http://user:secret@host:1/m", "http://host:1/m"),
        ] {
            assert_eq!(Source::new(address, &access()).unwrap().shown(), shown, "{address}");
        }
        for address in ["", "http://", "a b", "http://:80/x"] {
            let said = Source::new(address, &access()).unwrap_err();
            assert!(said.contains("is no address; write host:port"), "{address}: {said}");
        }
        assert!(
            Source::new("ftp://host", &access()).unwrap_err().contains("it begins with http:// or https://")
        );
    }

    #[test]
    fn a_length_of_time_has_bounds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "4000", "1s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
