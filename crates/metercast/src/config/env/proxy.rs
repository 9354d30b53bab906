//! `HTTPS_PROXY` and its siblings, which are not OpenTelemetry's but everybody's.

use super::Variables;
use crate::config::endpoint::Endpoint;
use crate::config::error::Findings;
use crate::config::place::{Given, Place};
use crate::config::proxy::{Proxy, ProxyConfig, is_excepted, is_loopback};

/// All variables that are read here.
pub(super) const NAMES: [&str; 9] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    // Set by a web server for its CGI programs.
    "REQUEST_METHOD",
];

impl Variables {
    /// The proxy to this endpoint, if the variables name one. Of two spellings the lower-case one counts, as for curl.
    /// Loopback and Unix sockets are reached directly, whatever the variables say.
    pub(in crate::config) fn proxy(
        &self,
        endpoint: &Endpoint,
        findings: &mut Findings,
    ) -> Option<Given<Proxy>> {
        if endpoint.socket().is_some() {
            return None;
        }
        self.proxy_to(endpoint.is_https(), endpoint.host(), endpoint.port(), findings)
    }

    /// The same for a host.
    pub(in crate::config) fn proxy_to(
        &self,
        is_https: bool,
        host: &str,
        port: u16,
        findings: &mut Findings,
    ) -> Option<Given<Proxy>> {
        if is_loopback(host) {
            return None;
        }
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| self.named(name));
        let of_scheme = if is_https {
            first(["https_proxy", "HTTPS_PROXY"])
        } else if self.get("REQUEST_METHOD").is_some() {
            // In a CGI program HTTP_PROXY is the header `proxy` of whoever asks.
            self.named("http_proxy")
        } else {
            first(["http_proxy", "HTTP_PROXY"])
        };
        let (name, url) = of_scheme.or_else(|| first(["all_proxy", "ALL_PROXY"]))?;
        let excepted = first(["no_proxy", "NO_PROXY"]);
        if excepted.is_some_and(|(_, list)| is_excepted(list, host, port)) {
            return None;
        }
        let proxy = ProxyConfig::parse(url).map(Proxy::Through);
        let proxy =
            proxy.map_err(|message| format!("{message}, or except the receiver's host with NO_PROXY"));
        findings.take(&Place::variable(&name), proxy)
    }
}
