//! Whether the exporters of a configuration would work: each is tried once, and nothing is started.

use std::fmt;
use std::time::Duration;

use metercast_core::{Instrument, InstrumentError, Kind, NumberType, Store, Value};

use crate::config::{Config, ExporterConfig, OtlpConfig, PrometheusConfig, PushgatewayConfig};
use crate::export::otlp::{Refused, Tried, try_once};
use crate::export::pushgateway::Pushgateway;
use crate::serve::try_to_listen;

/// What came of trying an exporter once. `Display` is one sentence: of a failure its cause and how to mend it, as the log of a program
/// would have them. No secret is in it.
///
/// What pushes by OTLP sends two metrics, a gauge `metercast.doctor` of 1 and a counter `metercast.doctor.tries` of 1, with its own
/// headers, resource, temporality and compression: an empty request would be taken by receivers that refuse what comes after it, and a gauge
/// alone does not show that a receiver wants another temporality. Views and filters are left aside. Of traces an empty request is sent. What
/// pushes to a Pushgateway puts the two into a group `metercast_doctor` of its own, and deletes it again. What listens binds its address for
/// a moment, and reads its certificate. There is one attempt, for as long as the exporter's timeout says, 10 seconds if
/// it is without limit, and a minute at most.
///
/// ```
/// use metercast::Trial;
/// use metercast::config::{Config, Otlp, Prometheus};
///
/// // Nobody is there.
/// let central = Otlp::to("http://127.0.0.1:1");
/// let page = Prometheus::listen("127.0.0.1:0");
/// let config = Config::builder().environment(false).exporter("central", central).exporter("page", page).build()?;
/// let trial = Trial::of(&config, "central").unwrap();
/// assert_eq!(
///     trial.to_string(),
///     "push to http://127.0.0.1:1/v1/metrics failed: connection refused; is a collector listening there?"
/// );
/// assert!(!trial.is_ok());
/// assert_eq!(trial.error_type(), Some("connect"));
/// assert!(Trial::of(&config, "page").unwrap().is_ok());
/// assert!(Trial::of(&config, "another").is_none());
/// # Ok::<(), metercast::config::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trial {
    says: String,
    error_type: Option<String>,
    took: Duration,
    ahead: Option<f64>,
}

impl Trial {
    /// Tries the exporter of this name, and blocks the thread until that is done. `None` if the configuration has no such exporter.
    pub fn of(config: &Config, name: &str) -> Option<Trial> {
        Some(match config.exporter(name)? {
            ExporterConfig::Otlp(otlp) => Trial::of_otlp(name, otlp, config),
            ExporterConfig::Pushgateway(gateway) => Trial::of_gateway(gateway),
            ExporterConfig::Prometheus(page) => Trial::of_page(config, name, page),
            ExporterConfig::Stdout(_) => Trial::ok("there is nothing to try: it prints"),
            ExporterConfig::Custom(_) => Trial::ok("there is nothing to try: it is the program's own"),
        })
    }

    /// Tries what pushes traces. `None` if the configuration has none.
    pub fn of_traces(config: &Config) -> Option<Trial> {
        Some(Trial::of_otlp("traces", config.traces()?.otlp(), config))
    }

    /// Whether all is well.
    pub fn is_ok(&self) -> bool {
        self.error_type.is_none()
    }

    /// The class of error, as `error.type` has it; `None` if all is well.
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// By how many seconds the clock of this machine is ahead of the receiver's, less than zero if it is behind; zero if they may be
    /// the same. `None` if the receiver does not say what time it is.
    pub fn seconds_ahead(&self) -> Option<f64> {
        self.ahead
    }

    fn ok(says: impl Into<String>) -> Trial {
        Trial { says: says.into(), error_type: None, took: Duration::ZERO, ahead: None }
    }

    fn failed(class: &str, says: impl Into<String>) -> Trial {
        Trial { error_type: Some(class.to_owned()), ..Trial::ok(says) }
    }

    fn of_otlp(name: &str, otlp: &OtlpConfig, config: &Config) -> Trial {
        let store = match sample() {
            Ok(store) => store,
            Err(error) => return Trial::failed("settings", error.to_string()),
        };
        let resource: Vec<(String, Value)> = otlp.resource().of(config.resource()).cloned().collect();
        let Tried { result, took, ahead } = try_once(name, otlp, &resource, &store);
        let url = otlp.endpoint();
        let trial = match result {
            Ok(0) => Trial::ok(format!("{url} takes an empty request")),
            Ok(points) => Trial::ok(format!("{url} takes {points} points")),
            Err(Refused { class, says }) => Trial::failed(&class, says),
        };
        Trial { took, ahead, ..trial }
    }

    fn of_gateway(config: &PushgatewayConfig) -> Trial {
        let started = std::time::Instant::now();
        let gateway = Pushgateway::to_try(config);
        let put = sample().map_err(|error| ("settings".to_owned(), error.to_string()));
        let tried = put.and_then(|store| {
            let put = gateway.put(&store).and_then(|()| gateway.delete());
            put.map_err(|error| (error.error_type(), error.to_string()))
        });
        let trial = match tried {
            Ok(()) => Trial::ok(format!("{} takes a group, and forgets it again", config.url())),
            Err((class, says)) => Trial::failed(&class, says),
        };
        Trial { took: started.elapsed(), ..trial }
    }

    fn of_page(config: &Config, name: &str, page: &PrometheusConfig) -> Trial {
        match try_to_listen(page, &config.mend_of_listen(name)) {
            Ok(()) => Trial::ok(format!("{} is free", page.listen())),
            Err(says) => Trial::failed("listen", says),
        }
    }
}

/// The metrics that are sent.
fn sample() -> Result<Store, InstrumentError> {
    let up = Instrument::builder(Kind::Gauge, NumberType::U64, "metercast.doctor")
        .description("1: sent by metercast doctor, to see whether the receiver takes it")
        .build()?;
    let tries = Instrument::builder(Kind::Counter, NumberType::U64, "metercast.doctor.tries")
        .unit("{try}")
        .description("Sent by metercast doctor, to see whether the receiver takes it")
        .build()?;
    let store = Store::new();
    store.scope(|| {
        up.set(1u64, []);
        tries.add(1u64, []);
    });
    Ok(store)
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}
