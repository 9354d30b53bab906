//! What an exporter comes to: where it goes, what it speaks, whom it trusts; and what comes of trying it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use metercast_tower::Trial;
use metercast_tower::config::{
    Config, ExporterConfig, OtlpConfig, PrometheusConfig, ProxyConfig, PushgatewayConfig, TlsConfig,
};
use serde_json::{Value, json};

use super::finding::{Finding, lines};
use super::{certificate, holder};
use crate::fetch::{Access, Source, is_loopback};

/// All that there is to say about an exporter.
pub(super) struct Examined {
    pub(super) name: String,
    /// What it is, in a line.
    summary: String,
    pub(super) findings: Vec<Finding>,
}

/// By so many seconds clocks may differ. Receivers of samples refuse what is minutes away, and signatures and tokens are no better.
const SKEW: f64 = 60.0;

/// Looks at an exporter, and tries it if it is to be sent.
pub(super) fn examine(config: &Config, name: &str, exporter: &ExporterConfig, send: bool) -> Examined {
    let key = format!("telemetry.exporters.{name}");
    let mut findings = match exporter {
        ExporterConfig::Otlp(otlp) => of_otlp(config, &key, otlp),
        ExporterConfig::Pushgateway(gateway) => of_gateway(gateway),
        ExporterConfig::Prometheus(page) => of_page(page),
        // They go nowhere.
        _ => Vec::new(),
    };
    if let Some(trial) = send.then(|| Trial::of(config, name)).flatten() {
        match exporter {
            ExporterConfig::Prometheus(page) if trial.error_type() == Some("listen") => {
                findings.push(taken(page, &trial));
            }
            _ => findings.extend(tried(&trial)),
        }
    }
    Examined { name: name.to_owned(), summary: exporter.to_string(), findings }
}

/// The same for what pushes traces.
pub(super) fn examine_traces(config: &Config, send: bool) -> Option<Examined> {
    let otlp = config.traces()?.otlp();
    let mut findings = of_otlp(config, "telemetry.traces", otlp);
    if let Some(trial) = send.then(|| Trial::of_traces(config)).flatten() {
        findings.extend(tried(&trial));
    }
    Some(Examined { name: "traces".to_owned(), summary: format!("otlp {otlp}"), findings })
}

fn of_otlp(config: &Config, key: &str, otlp: &OtlpConfig) -> Vec<Finding> {
    let setting = |last: &str| config.sources().get(&format!("{key}.{last}"));
    let endpoint = setting("endpoint");
    let remark = endpoint.and_then(|endpoint| endpoint.remark());
    let source = endpoint.map(|endpoint| endpoint.source().to_string());
    let mut url = otlp.endpoint().to_string();
    let beside: Vec<String> =
        source.into_iter().chain(remark.map(str::to_owned)).filter(|word| !word.is_empty()).collect();
    if !beside.is_empty() {
        url.push_str(&format!(" ({})", beside.join("; ")));
    }
    let value = |last: &str| setting(last).map_or("none", |setting| setting.value());
    let mut findings = vec![Finding::is("url", url)];
    findings.extend(setting("preset").map(|preset| Finding::is("preset", preset.value())));
    findings
        .push(Finding::is("sends", format!("{}, compression {}", value("protocol"), value("compression"))));
    findings.extend(setting("temporality").map(|_| {
        Finding::is("temporality", format!("{}, histograms {}", value("temporality"), value("histograms")))
    }));
    findings.push(Finding::is("headers", headers(config, key)));
    findings.extend(connection(otlp.proxy(), otlp.endpoint().is_https().then(|| otlp.tls())));
    findings
}

/// The names of the headers, and what proves who pushes.
fn headers(config: &Config, key: &str) -> String {
    let of = |table: &str| {
        let prefix = format!("{key}.{table}.");
        config
            .sources()
            .settings()
            .iter()
            .filter_map(|setting| {
                setting.key().strip_prefix(&prefix).map(|name| name.trim_matches('"').to_owned())
            })
            .collect::<Vec<_>>()
    };
    let mut names: Vec<String> = of("auth").iter().map(|kind| format!("auth by {kind}")).collect();
    names.extend(of("headers"));
    names.extend(config.sources().get(&format!("{key}.dataset")).map(|_| "the dataset".to_owned()));
    if names.is_empty() { "none beside its own".to_owned() } else { names.join(", ") }
}

fn of_gateway(gateway: &PushgatewayConfig) -> Vec<Finding> {
    let grouping = gateway.grouping().map(|(label, value)| format!(", {label}={value:?}"));
    let mut findings = vec![
        Finding::is("url", gateway.url()),
        Finding::is("group", format!("job={:?}{}", gateway.job(), grouping.collect::<String>())),
    ];
    findings.extend(connection(gateway.proxy(), gateway.url().starts_with("https").then(|| gateway.tls())));
    findings
}

/// How a connection is made.
fn connection(proxy: Option<&ProxyConfig>, tls: Option<&TlsConfig>) -> Vec<Finding> {
    let now = SystemTime::now();
    let proxy = proxy.map_or_else(|| "none".to_owned(), ToString::to_string);
    let mut findings = vec![Finding::is("proxy", proxy)];
    let Some(tls) = tls else {
        findings.push(Finding::is("encryption", "none"));
        return findings;
    };
    match tls.ca() {
        Some(ca) => findings.extend(certificate::look("trusts", ca, now)),
        None => {
            let count = webpki_roots::TLS_SERVER_ROOTS.len();
            findings.push(Finding::is(
                "trusts",
                format!("the {count} CAs that browsers trust, built in; none of the system"),
            ));
        }
    }
    match tls.client_certificate() {
        Some(certificate) => findings.extend(certificate::look("shows", certificate, now)),
        None => findings.push(Finding::is("shows", "no certificate")),
    }
    findings
}

fn of_page(page: &PrometheusConfig) -> Vec<Finding> {
    let listener = page.listener();
    let scheme = if listener.tls().is_some() { "https" } else { "http" };
    let host = page.listen().rsplit_once(':').map_or("", |(host, _)| host);
    let whom = match (listener.has_bearer(), is_loopback(host)) {
        (true, _) => "who has the token",
        (false, true) => "programs on this machine",
        (false, false) => "everybody who reaches the address, as it has no token (auth)",
    };
    let mut findings = vec![
        Finding::is("url", format!("{scheme}://{}{}", page.listen(), page.path())),
        Finding::is("read by", whom),
    ];
    if let Some(tls) = listener.tls() {
        findings.extend(certificate::look("shows", tls.certificate(), SystemTime::now()));
    }
    findings
}

/// What came of trying to push.
fn tried(trial: &Trial) -> Vec<Finding> {
    let took = trial.took();
    let time =
        if took > Duration::ZERO { format!(", in {} ms", took.as_millis().max(1)) } else { String::new() };
    let mut findings = vec![match trial.is_ok() {
        true => Finding::is("tried", format!("{trial}{time}")),
        false => Finding::fails("tried", trial.to_string()).of_class(trial.error_type()),
    }];
    findings.extend(trial.seconds_ahead().map(|ahead| {
        let by = format!("{:.0} s {}", ahead.abs(), if ahead > 0.0 { "ahead of" } else { "behind" });
        match ahead.abs() {
            least if least < 1.0 => Finding::is("clock", "as the receiver's"),
            some if some <= SKEW => Finding::is("clock", format!("{by} the receiver's")),
            _ => Finding::fails(
                "clock",
                format!("{by} the receiver's; set one of them right, or what is pushed may be refused as too old or too new"),
            ),
        }
    }));
    findings
}

/// What is to be said of an address that somebody else has. That may be the program itself, which is well.
fn taken(page: &PrometheusConfig, trial: &Trial) -> Finding {
    let Some(holder) = holder::of(page.listen()) else { return Finding::fails("tried", trial.to_string()) };
    if is_healthy(page) {
        return Finding::is(
            "tried",
            format!("{holder} listens there and says that it is well: the program runs already"),
        );
    }
    Finding::fails("tried", format!("{trial}; {holder} has it")).of_class(trial.error_type())
}

/// Whether who listens there answers as this listener would be asked whether it lives.
fn is_healthy(page: &PrometheusConfig) -> bool {
    let listener = page.listener();
    let Some(address) = reachable(page.listen()).filter(|_| listener.health()) else { return false };
    let scheme = if listener.tls().is_some() { "https" } else { "http" };
    let access = Access { timeout: Duration::from_secs(2), token_file: None, max_series: 1 };
    let source = Source::new(&format!("{scheme}://{address}/"), &access);
    source.is_ok_and(|source| {
        source.json(listener.liveness_path()).is_some_and(|health| health["status"] == "ok")
    })
}

/// Where a listener is reached from this machine.
fn reachable(listen: &str) -> Option<SocketAddr> {
    let mut address = std::net::ToSocketAddrs::to_socket_addrs(listen).ok()?.next()?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Some(address)
}

impl Examined {
    pub(super) fn is_well(&self) -> bool {
        !self.findings.iter().any(Finding::has_failed)
    }

    pub(super) fn text(&self) -> String {
        format!("{}: {}\n{}", self.name, self.summary, lines(&self.findings))
    }

    pub(super) fn json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(Finding::json).collect();
        json!({ "name": self.name, "summary": self.summary, "ok": self.is_well(), "findings": findings })
    }
}
