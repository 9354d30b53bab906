//! What a listener is told beside where it listens: whom it lets in, how it is encrypted, and its limits.

use std::time::Duration;

use super::auth;
use super::duration;
use super::error::{Checked, Findings};
use super::has;
use super::live_history::LiveHistory;
use super::place::{Given, Place, lay};
#[cfg(feature = "config")]
use super::prometheus::check_path;
use super::secret::Secret;
use super::server_tls::ServerTls;
use crate::scrape::Scrape;

/// Where a listener says that the program is alive, unless told otherwise; spelled as Prometheus does.
const LIVENESS: &str = "/-/healthy";
/// Where it says whether the program is ready.
const READINESS: &str = "/-/ready";

/// Where it is told to read the configuration again.
pub(crate) const RELOAD: &str = "/-/reload";

/// Where it says what that would come to. Not a query of the other: who does not know it would reload.
pub(crate) const PLAN: &str = "/-/reload/plan";

/// More requests at once would only wait for each other.
const MOST_IN_FLIGHT: usize = 1_000;

/// What code says about a listener.
#[derive(Debug, Clone, Default)]
pub(super) struct ListenerSettings {
    pub(super) bearer: Option<Checked<Secret>>,
    pub(super) tls: Option<ServerTls>,
    pub(super) any_path: Option<bool>,
    pub(super) health: Option<bool>,
    pub(super) liveness_path: Option<Checked<String>>,
    pub(super) readiness_path: Option<Checked<String>>,
    pub(super) reload: Option<bool>,
    pub(super) max_in_flight: Option<usize>,
    pub(super) timeout: Option<Duration>,
    pub(super) live: Option<bool>,
    pub(super) live_history: Option<LiveHistory>,
    pub(super) live_lines: Option<usize>,
}

impl ListenerSettings {
    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> ListenerLayer {
        let max_in_flight = self.max_in_flight.map(check_max_in_flight);
        let max_in_flight = max_in_flight.and_then(|most| findings.take(&place.child("max_in_flight"), most));
        let timeout = self.timeout.map(check_timeout);
        let timeout = timeout.and_then(|time| findings.take(&place.child("timeout"), time));
        let live_lines = self.live_lines.map(check_live_lines);
        let live_lines = live_lines.and_then(|most| findings.take(&place.child("live_lines"), most));
        let bearer = place.child("auth").child("bearer");
        let mut path =
            |key, path: Option<Checked<String>>| path.and_then(|path| findings.take(&place.child(key), path));
        let liveness_path = path("liveness_path", self.liveness_path);
        let readiness_path = path("readiness_path", self.readiness_path);
        ListenerLayer {
            bearer: self.bearer.and_then(|token| findings.take(&bearer, token)),
            tls: self.tls.map(|value| {
                let place = place.child("tls");
                Given { value: value.given_at(&place), place }
            }),
            any_path: self.any_path.map(|value| Given { value, place: place.child("any_path") }),
            health: self.health.map(|value| Given { value, place: place.child("health") }),
            liveness_path,
            readiness_path,
            reload: self.reload.map(|value| Given { value, place: place.child("reload") }),
            max_in_flight,
            timeout,
            live: self.live.map(|value| Given { value, place: place.child("live") }),
            live_history: self.live_history.map(|value| Given { value, place: place.child("live_history") }),
            live_lines,
        }
    }
}

/// What one source says about a listener.
#[derive(Debug, Default)]
pub(super) struct ListenerLayer {
    bearer: Option<Given<Secret>>,
    tls: Option<Given<ServerTls>>,
    any_path: Option<Given<bool>>,
    health: Option<Given<bool>>,
    liveness_path: Option<Given<String>>,
    readiness_path: Option<Given<String>>,
    reload: Option<Given<bool>>,
    max_in_flight: Option<Given<usize>>,
    timeout: Option<Given<Duration>>,
    live: Option<Given<bool>>,
    live_history: Option<Given<LiveHistory>>,
    live_lines: Option<Given<usize>>,
}

impl ListenerLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            bearer: lay(self.bearer, below.bearer),
            tls: lay(self.tls, below.tls),
            any_path: lay(self.any_path, below.any_path),
            health: lay(self.health, below.health),
            liveness_path: lay(self.liveness_path, below.liveness_path),
            readiness_path: lay(self.readiness_path, below.readiness_path),
            reload: lay(self.reload, below.reload),
            max_in_flight: lay(self.max_in_flight, below.max_in_flight),
            timeout: lay(self.timeout, below.timeout),
            live: lay(self.live, below.live),
            live_history: lay(self.live_history, below.live_history),
            live_lines: lay(self.live_lines, below.live_lines),
        }
    }

    /// The settings with the defaults where no source said anything. `path` is where the page is, as the place of the
    /// exporter says.
    pub(super) fn resolve(self, path: &str, place: &Place, findings: &mut Findings) -> ListenerConfig {
        if let Some(tls) = &self.tls
            && !has::TLS
        {
            findings.problem(
                &tls.place,
                "cannot be had, as this build has no TLS; enable the feature \"tls\" of metercast, or leave it out",
            );
        }
        if let Some(live) = self.live.as_ref().filter(|live| live.value && !has::LIVE) {
            findings.problem(
                &live.place,
                "cannot be had, as this build has no live page; enable the feature \"live\" of metercast, or leave it out",
            );
        }
        let any_path = findings.settle(&place.child("any_path"), self.any_path, false, bool::to_string);
        let has_health = self.health.as_ref().map_or(!any_path, |health| health.value);
        let paths = self::Paths {
            page: (!any_path).then_some(path),
            liveness: findings.settle(
                &place.child("liveness_path"),
                self.liveness_path,
                LIVENESS.to_owned(),
                String::clone,
            ),
            readiness: findings.settle(
                &place.child("readiness_path"),
                self.readiness_path,
                READINESS.to_owned(),
                String::clone,
            ),
        };
        if has_health {
            paths.check(place, findings);
        }
        let reload = findings.settle(&place.child("reload"), self.reload, false, bool::to_string);
        if reload && !any_path && [RELOAD, PLAN].contains(&path) {
            findings.problem(
                &place.child("path"),
                format!(
                    "{path:?} is where the listener is told to reload; choose another, or set reload = false"
                ),
            );
        }
        ListenerConfig {
            bearer: self
                .bearer
                .map(|bearer| findings.note_secret(&place.child("auth").child("bearer"), bearer)),
            tls: self.tls.map(|Given { value, place: given }| {
                let at = place.child("tls");
                for (key, file) in [("certificate", value.certificate()), ("key", value.key())] {
                    findings
                        .note(&at.child(key), Given::new(file, &given), |file| file.display().to_string());
                }
                value
            }),
            any_path,
            health: findings.settle(&place.child("health"), self.health, !any_path, bool::to_string),
            liveness_path: paths.liveness,
            readiness_path: paths.readiness,
            reload,
            max_in_flight: findings.settle(
                &place.child("max_in_flight"),
                self.max_in_flight,
                Scrape::MAX_IN_FLIGHT,
                usize::to_string,
            ),
            timeout: findings.settle(&place.child("timeout"), self.timeout, Scrape::TIMEOUT, |timeout| {
                duration::show(*timeout)
            }),
            live: findings.settle(&place.child("live"), self.live, has::LIVE, bool::to_string),
            live_history: findings.settle(
                &place.child("live_history"),
                self.live_history,
                LiveHistory::FirstUse,
                |history| history.name().to_owned(),
            ),
            live_lines: findings.settle(
                &place.child("live_lines"),
                self.live_lines,
                LIVE_LINES,
                usize::to_string,
            ),
        }
    }
}

/// Where what is on a listener that says how the program is.
struct Paths<'a> {
    /// `None`: everywhere else.
    page: Option<&'a str>,
    liveness: String,
    readiness: String,
}

impl Paths<'_> {
    /// Each has its own.
    fn check(&self, place: &Place, findings: &mut Findings) {
        let Paths { page, liveness, readiness } = self;
        if let Some(page) = page.filter(|page| page == liveness || page == readiness) {
            findings.problem(
                &place.child("path"),
                format!(
                    "{page:?} is where the listener says how it is; choose another, or set health = false"
                ),
            );
        }
        if liveness == readiness {
            findings.problem(
                &place.child("readiness_path"),
                format!("{readiness:?} is the liveness_path too; choose another for one of them"),
            );
        }
        for (key, path) in [("liveness_path", liveness), ("readiness_path", readiness)] {
            if [RELOAD, PLAN].contains(&&**path) {
                findings.problem(
                    &place.child(key),
                    format!("{path:?} is where a listener is told to reload; choose another"),
                );
            }
        }
    }
}

/// How a Prometheus exporter's listener behaves. `Debug` prints `***` for the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// The whole header's value.
    bearer: Option<Secret>,
    tls: Option<ServerTls>,
    any_path: bool,
    health: bool,
    liveness_path: String,
    readiness_path: String,
    reload: bool,
    max_in_flight: usize,
    timeout: Duration,
    live: bool,
    live_history: LiveHistory,
    live_lines: usize,
}

impl ListenerConfig {
    /// Whether a bearer token is asked for.
    pub fn has_bearer(&self) -> bool {
        self.bearer.is_some()
    }

    /// The value of the `authorization` header that lets in.
    #[cfg_attr(not(feature = "serve"), allow(dead_code))]
    pub(crate) fn bearer(&self) -> Option<&Secret> {
        self.bearer.as_ref()
    }

    /// The certificate that it shows; `None`: it is not encrypted.
    pub fn tls(&self) -> Option<&ServerTls> {
        self.tls.as_ref()
    }

    /// Whether the page is under every path.
    pub fn any_path(&self) -> bool {
        self.any_path
    }

    /// Whether it says how the program is, too.
    pub fn health(&self) -> bool {
        self.health
    }

    /// Where it says that the program is alive, if it does.
    pub fn liveness_path(&self) -> &str {
        &self.liveness_path
    }

    /// Where it says whether the program is ready, if it does.
    pub fn readiness_path(&self) -> &str {
        &self.readiness_path
    }

    /// Whether a POST to `/-/reload` reads the configuration again.
    pub fn reload(&self) -> bool {
        self.reload
    }

    /// How many scrapes may be under way at once.
    pub fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// How long a scrape may wait for its page.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether it has a page for people. Without the Cargo feature `live` there is none.
    pub fn live(&self) -> bool {
        self.live
    }

    /// When that begins to keep its history.
    pub fn live_history(&self) -> LiveHistory {
        self.live_history
    }

    /// How many lines of history there may be, each of 18,720 bytes.
    pub fn live_lines(&self) -> usize {
        self.live_lines
    }
}

/// The lines of history that there may be unless it is said: 5.6 MB.
const LIVE_LINES: usize = 300;

/// 187 MB.
const MOST_LIVE_LINES: usize = 10_000;

fn check_live_lines(most: usize) -> Checked<usize> {
    match most {
        0 => Err("0 would keep no history; write at least 1, or live = false".to_owned()),
        1..=MOST_LIVE_LINES => Ok(most),
        _ => Err(format!("{most} lines are {} MB; write at most {MOST_LIVE_LINES}", most / 53)),
    }
}

fn check_max_in_flight(most: usize) -> Checked<usize> {
    match most {
        0 => Err("0 would refuse every scrape; write at least 1".to_owned()),
        1..=MOST_IN_FLIGHT => Ok(most),
        _ => Err(format!("{most} pages at once may take a lot of memory; write at most {MOST_IN_FLIGHT}")),
    }
}

fn check_timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() {
        return Err("0s leaves no time to write the page; write at least 1ms, for example 10s".to_owned());
    }
    duration::bounded(timeout)
}

/// What code or a file gives as the token.
pub(super) fn check_bearer(token: &str) -> Checked<Secret> {
    auth::bearer(token)
}

#[cfg(feature = "config")]
mod file {
    use super::*;
    use crate::config::keys;
    use crate::config::pem_file::PemFile;
    use crate::config::place::given;
    use crate::config::tree::Node;

    impl ListenerLayer {
        /// Takes a key of a file. False if it is none of a listener.
        pub(in crate::config) fn take(
            &mut self,
            at: &Place,
            key: &str,
            node: &Node,
            findings: &mut Findings,
        ) -> bool {
            match key {
                "auth" => self.bearer = bearer(at, node, findings),
                "tls" => {
                    self.tls = given(at, tls(at, node, findings));
                }
                "any_path" => self.any_path = given(at, findings.truth(at, node)),
                "health" => self.health = given(at, findings.truth(at, node)),
                "liveness_path" => self.liveness_path = path(at, LIVENESS, node, findings),
                "readiness_path" => self.readiness_path = path(at, READINESS, node, findings),
                "max_in_flight" => {
                    let most = findings.count(at, node, "16");
                    self.max_in_flight = most.and_then(|most| findings.take(at, check_max_in_flight(most)));
                }
                "reload" => self.reload = given(at, findings.truth(at, node)),
                "timeout" => self.timeout = given(at, findings.time(at, node, check_timeout)),
                "live" => self.live = given(at, findings.truth(at, node)),
                "live_history" => {
                    let word = findings.word(at, node, &LiveHistory::NAMES, LiveHistory::named);
                    self.live_history = given(at, word);
                }
                "live_lines" => {
                    let most = findings.count(at, node, "300");
                    self.live_lines = most.and_then(|most| findings.take(at, check_live_lines(most)));
                }
                _ => return false,
            }
            true
        }
    }

    fn path(at: &Place, example: &str, node: &Node, findings: &mut Findings) -> Option<Given<String>> {
        let path = findings.string(at, node, &format!("{example:?}"))?;
        findings.take(at, check_path(path))
    }

    fn bearer(at: &Place, node: &Node, findings: &mut Findings) -> Option<Given<Secret>> {
        const TABLE: &str = "{ bearer = \"token\" }";
        let mut bearer = None;
        let entries = findings.table(at, node, TABLE)?;
        if entries.is_empty() {
            return findings.mistyped(at, TABLE, &node.value);
        }
        for (key, node) in entries {
            let place = at.child(key).of(node);
            if !findings.knows(&place, key, &[keys::SERVER_AUTH]) {
                continue;
            }
            let token = findings.string(&place, node, "\"token\"");
            bearer = token.and_then(|token| findings.take(&place, check_bearer(token)));
        }
        bearer
    }

    fn tls(at: &Place, node: &Node, findings: &mut Findings) -> Option<ServerTls> {
        let (mut files, mut has_unknown) = ([None, None], false);
        let example = "a table such as { certificate = \"/etc/tls/tls.crt\", key = \"/etc/tls/tls.key\" }";
        for (key, node) in findings.table(at, node, example)? {
            let place = at.child(key).of(node);
            match keys::SERVER_TLS.iter().position(|known| known.name == key) {
                Some(file) => {
                    let path = findings.string(&place, node, "\"/etc/tls/tls.crt\"")?;
                    files[file] = Some(PemFile::new(place.beside(path), &place));
                }
                None => {
                    has_unknown = !findings.knows(&place, key, &[keys::SERVER_TLS]);
                }
            }
        }
        for (key, file) in keys::SERVER_TLS.iter().zip(&files) {
            if file.is_none() && !has_unknown {
                findings.problem(&at.child(key.name), "is missing; TLS needs a certificate and its key");
            }
        }
        let [certificate, key] = files;
        Some(ServerTls::new(certificate?, key?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_a_listener_have_limits() {
        for most in [1, 16, 1_000] {
            assert_eq!(check_max_in_flight(most), Ok(most));
        }
        for most in [0, 1_001, usize::MAX] {
            assert!(check_max_in_flight(most).is_err(), "{most}");
        }
        for most in [1, 300, 10_000] {
            assert_eq!(check_live_lines(most), Ok(most));
        }
        assert_eq!(check_live_lines(53_000).unwrap_err(), "53000 lines are 1000 MB; write at most 10000");
        assert!(check_live_lines(0).is_err());
        assert!(check_timeout(Duration::from_millis(1)).is_ok());
        for timeout in [Duration::ZERO, Duration::MAX] {
            assert!(check_timeout(timeout).is_err(), "{timeout:?}");
        }
    }
}
