//! metercast in the demo: what it is configured to, and where its pushes go.

use std::sync::Arc;
use std::time::Duration;

use metercast_tower::config::{Compression, Config, ExporterConfig, OnSigterm, Otlp, Prometheus};
use metercast_tower::log::{Level, Log};
use metercast_tower::{StartError, Telemetry};

use super::console::Console;
use super::options::Options;

/// Exporters at work.
#[derive(Debug)]
pub(crate) struct Exporters {
    pub(crate) telemetry: Telemetry,
    /// The page of the first Prometheus exporter.
    pub(crate) page: String,
    /// Where pushes go, the receiver that is built in left out.
    pub(crate) elsewhere: Vec<String>,
    /// Whether some go to the receiver that is built in.
    pub(crate) to_receiver: bool,
}

/// Short enough to watch; a service would push every minute.
const INTERVAL: Duration = Duration::from_secs(1);

impl Exporters {
    /// Starts what options, file and environment ask for; unless they say otherwise the standard page, and a push to
    /// `receiver`.
    pub(crate) fn start(
        options: &Options,
        receiver: &str,
        console: &Arc<Console>,
    ) -> Result<Exporters, String> {
        let config = configure(options, receiver).map_err(|error| StartError::from(error).to_string())?;
        if !config.is_enabled() {
            return Err("telemetry is disabled, so there is nothing to compare; unset OTEL_SDK_DISABLED, or enable it \
                        in the file"
                .to_owned());
        }
        let pushes: Vec<String> = config
            .exporters()
            .filter_map(|(_, exporter)| match exporter {
                ExporterConfig::Otlp(otlp) => Some(otlp.endpoint().to_string()),
                _ => None,
            })
            .collect();
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            pushes.into_iter().partition(|url| url.starts_with(receiver));
        let telemetry = Telemetry::builder(config).log(log(console)).start().map_err(|error| {
            format!(
                "{error}\nfor the demo, --admin HOST:PORT is telemetry.exporters.prometheus.listen, and --otlp URL is \
                 telemetry.exporters.otlp.endpoint"
            )
        })?;
        let page = telemetry.scrape_url().ok_or(
            "there is no exporter of the type prometheus, so there is no page to compare; keep one in the file, and \
             \"prometheus\" in OTEL_METRICS_EXPORTER",
        )?;
        Ok(Exporters { telemetry, page, elsewhere, to_receiver: !here.is_empty() })
    }
}

fn configure(options: &Options, receiver: &str) -> Result<Config, metercast_tower::config::ConfigError> {
    // What the demo brings are defaults: file and environment win. What the command line says is pinned.
    let push = Otlp::to(receiver).interval(INTERVAL).compression(Compression::Gzip);
    let mut config = Config::builder()
        .service("orders", env!("CARGO_PKG_VERSION"))
        .default_exporter("prometheus", Prometheus::default())
        .default_exporter("otlp", push)
        .on_sigterm(OnSigterm::Ignore);
    if let Some(admin) = &options.admin {
        config = config.exporter("prometheus", Prometheus::listen(admin));
    }
    if let Some(url) = &options.otlp {
        config = config.exporter("otlp", Otlp::to(url));
    }
    if let Some(file) = &options.config {
        config = config.file(file);
    }
    config.build()
}

/// The demo says itself where things are.
fn log(console: &Arc<Console>) -> Log {
    let console = Arc::clone(console);
    Log::to(move |level, line| match level {
        Level::Debug | Level::Info => {}
        level => console.trouble(&format!("metercast: {level}: {line}")),
    })
}
