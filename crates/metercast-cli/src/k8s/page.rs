//! Where a program's page is, by its configuration.

use std::path::Path;
use std::time::Duration;

use metercast_tower::config::{Config, ExporterConfig, PrometheusConfig};

use crate::fetch::is_loopback;

/// The page, and what is beside it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) port: u16,
    pub(super) path: String,
    /// Whether whoever asks needs a token.
    pub(super) has_token: bool,
    /// Where the program says that it lives, and that it is ready; `None` if it does not there.
    pub(super) health: Option<(String, String)>,
    /// How long the program may take to hand over its last metrics.
    pub(super) ends_within: Duration,
    /// Variables that the file refers to and says no default for.
    pub(super) variables: Vec<String>,
}

/// No file of a configuration is longer.
const LONGEST: u64 = 4 << 20;

/// By the configuration of a file, or without one by the defaults.
///
/// # Errors
///
/// What is wrong with the file, or that nobody in a cluster could reach the page.
pub(super) fn of_file(file: Option<&Path>, wanted: Option<&str>) -> Result<Page, String> {
    let builder = Config::builder().service("k8s", "0").environment(false);
    let Some(file) = file else {
        let default = metercast_tower::config::Prometheus::default();
        let config = builder.exporter("prometheus", default).build().map_err(|error| error.to_string())?;
        let (_, page) = pages(&config).next().ok_or("the default has a page")?;
        return Page::of(page, &config, Vec::new());
    };
    let shown = file.display();
    let variables = references(file)?;
    // What is set in the cluster alone is something here, too; it is not shown.
    let given = variables.iter().map(|name| (name.clone(), "set-in-the-cluster".to_owned()));
    let given = given.chain(
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    );
    let config = builder.file(file).variables(given).build().map_err(|error| error.to_string())?;
    let found: Vec<(&str, &PrometheusConfig)> =
        pages(&config).filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)).collect();
    let names = || pages(&config).map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let (name, page) = match found[..] {
        [one] => one,
        [] if wanted.is_some() => {
            return Err(format!("{shown} has no exporter of this name with a page; it has {}", names()));
        }
        [] => {
            return Err(format!(
                "{shown} has no exporter with a page: nobody scrapes a program that only pushes, and it needs no Service"
            ));
        }
        _ => {
            return Err(format!(
                "{shown} has several exporters with a page; say by --exporter which: {}",
                names()
            ));
        }
    };
    let (host, _) = page.listen().rsplit_once(':').unwrap_or_default();
    if is_loopback(host) {
        return Err(format!(
            "{shown}: exporters.{name}.listen is {}, which nobody outside of its pod can reach; write for example \"0.0.0.0:9464\"",
            page.listen()
        ));
    }
    if page.listener().tls().is_some() {
        return Err(format!(
            "{shown}: exporters.{name}.tls: who scrapes needs the certificate's authority, which the file does not say; leave tls away \
             inside of the cluster, or write the manifest by hand"
        ));
    }
    Page::of(page, &config, variables).map_err(|trouble| format!("{shown}: exporters.{name}.{trouble}"))
}

/// The variables in `${env:NAME}`, each once.
fn references(file: &Path) -> Result<Vec<String>, String> {
    let mut text = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| std::io::Read::read_to_end(&mut std::io::Read::take(file, LONGEST), &mut text))
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let text = String::from_utf8_lossy(&text).replace("$$", "");
    let mut found = Vec::new();
    for part in text.split("${env:").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        if rest.starts_with('}') && !name.is_empty() && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

fn pages(config: &Config) -> impl Iterator<Item = (&str, &PrometheusConfig)> {
    config.exporters().filter_map(|(name, exporter)| match exporter {
        ExporterConfig::Prometheus(page) => Some((name, page)),
        _ => None,
    })
}

impl Page {
    fn of(page: &PrometheusConfig, config: &Config, variables: Vec<String>) -> Result<Page, String> {
        let port = page.listen().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let listener = page.listener();
        let paths = || (listener.liveness_path().to_owned(), listener.readiness_path().to_owned());
        Ok(Page {
            port: port.filter(|port| *port > 0).ok_or("listen: a port is needed that is always the same")?,
            path: page.path().to_owned(),
            has_token: listener.has_bearer(),
            health: listener.health().then(paths),
            ends_within: config.shutdown_timeout(),
            variables,
        })
    }
}
