//! Where measurements go: to who aggregates operators, if the operator says so.

use std::time::Duration;

use metercast_periods::{Periods, Settled, UniqueCount, Window};
use metercast_tower::config::{Config, Conversion, Mapping, OnSigterm, Otlp, ResourceAttributes};
use metercast_tower::view::{Filter, View};
use metercast_tower::{Observation, Store, Telemetry};

use crate::Error;
use crate::metrics::{
    ENTRIES_WEEKLY, REQUESTS_WEEKLY, SHED_WEEKLY, STARTED_WEEKLY, UNIQUE_IDS, UNIQUE_IDS_WEEKLY,
};
use crate::settings::{Names, Profile, Pushed, Settings};

/// How long the final push may take.
const FLUSH: Duration = Duration::from_secs(2);

/// The file of counts over periods, in the folder of the storage.
const PERIODS: &str = "periods";

/// What is measured, until the program ends.
#[derive(Debug)]
pub struct Measuring {
    /// Without it nobody would ever see what was measured.
    pushing: Option<Pushing>,
}

#[derive(Debug)]
struct Pushing {
    telemetry: Telemetry,
    periods: Periods,
    ids: UniqueCount,
    _shown: Vec<Observation>,
}

impl Measuring {
    /// Begins to measure in this store; pushes if the settings say so.
    ///
    /// # Errors
    ///
    /// What is wrong with the settings, or with the file of counts.
    pub fn start(settings: &Settings, store: &Store) -> Result<Measuring, Error> {
        let pushing = settings.telemetry.map(|pushed| Pushing::start(settings, pushed, store)).transpose()?;
        Ok(Measuring { pushing })
    }

    /// The mailboxes that are seen; `None` if nobody counts them.
    pub(crate) fn ids(&self) -> Option<UniqueCount> {
        self.pushing.as_ref().map(|pushing| pushing.ids.clone())
    }

    /// Pushes a last time.
    ///
    /// # Errors
    ///
    /// What could not be delivered, or kept.
    pub fn shutdown(self) -> Result<(), Error> {
        let Some(Pushing { telemetry, periods, .. }) = self.pushing else { return Ok(()) };
        let (kept, delivered) = (periods.flush(), telemetry.shutdown());
        match (kept, delivered) {
            (Err(kept), Err(delivered)) => Err(format!("{kept}; {delivered}").into()),
            (kept, delivered) => {
                kept?;
                Ok(delivered?)
            }
        }
    }
}

impl Pushing {
    fn start(settings: &Settings, pushed: Pushed, store: &Store) -> Result<Pushing, Error> {
        let config = configure(settings, pushed)?;
        std::fs::create_dir_all(&settings.storage).map_err(|error| settings.of_storage(&error))?;
        let periods = Periods::builder().store(store.clone()).state(settings.storage.join(PERIODS)).open()?;
        let ids = periods.unique("short_ids");
        let _shown = store.scope(|| show(&periods, &ids, pushed));
        let telemetry = Telemetry::builder(config).store(store.clone()).start()?;
        Ok(Pushing { telemetry, periods, ids, _shown })
    }
}

/// Shows what the profile has. Weeks are counted in either, so that an operator who changes it loses none.
fn show(periods: &Periods, ids: &UniqueCount, pushed: Pushed) -> Vec<Observation> {
    let careful = |settled: Settled| settled.at_least(pushed.at_least).round_to(pushed.round_to);
    let weekly = |counter, gauge| (careful(periods.settled(counter, Window::Week)), gauge);
    let figures = [
        weekly("http_requests_total", &REQUESTS_WEEKLY),
        weekly("http_requests_started_total", &STARTED_WEEKLY),
        weekly("db_entries_total", &ENTRIES_WEEKLY),
        weekly("bootstrap_tunnel_shed_total", &SHED_WEEKLY),
        (careful(ids.settled(Window::Week)), &UNIQUE_IDS_WEEKLY),
    ];
    match pushed.profile {
        Profile::Live => vec![ids.observe(&UNIQUE_IDS)],
        Profile::Settled => figures.into_iter().map(|(figure, gauge)| figure.observe(gauge)).collect(),
    }
}

/// The table `[telemetry]` as its operators know it, and a few keys more.
fn mapping() -> Mapping {
    let ours = ["profile", "names", "instance_id", "at_least", "round_to"];
    let mapping = Mapping::payjoin()
        .convert("telemetry.interval_secs", "exporters.otlp.interval", Conversion::Duration)
        .key("telemetry.ca_file", "exporters.otlp.tls.ca");
    ours.iter().fold(mapping, |mapping, key| mapping.passed_over(&format!("telemetry.{key}")))
}

fn configure(settings: &Settings, pushed: Pushed) -> Result<Config, Error> {
    // An operator has said all in the file and in PJ_ variables; attributes and headers for other programs are none of who aggregates.
    let is_ours = |name: &str| {
        let own = ["PROFILE", "NAMES", "INSTANCE_ID", "AT_LEAST", "ROUND_TO"];
        !name.starts_with("OTEL_") && !own.iter().any(|key| name == format!("PJ_TELEMETRY__{key}"))
    };
    let variables = settings.variables.iter().filter(|(name, _)| is_ours(name));
    let mut config = Config::builder()
        .service("payjoin-mailroom", env!("CARGO_PKG_VERSION"))
        .variables(variables.map(|(name, value)| (name.clone(), value.clone())))
        .env_prefix("PJ_TELEMETRY")
        .mapping(mapping())
        .on_sigterm(OnSigterm::Ignore)
        .shutdown_timeout(FLUSH)
        .exporter("otlp", exporter(pushed));
    if let Some(file) = &settings.file {
        config = config.file(file);
    }
    Ok(config.build()?)
}

/// What leaves, and with which attributes of the resource: these, and no others.
fn exporter(pushed: Pushed) -> Otlp {
    let mut attributes = vec!["service.name", "operator.domain"];
    if pushed.instance_id && pushed.profile == Profile::Live {
        attributes.push("service.instance.id");
    }
    let mut exporter = Otlp::default().resource(ResourceAttributes::only(attributes));
    if pushed.names == Names::Seed {
        for (current, seed) in [
            ("http_requests_total", "http_request_total"),
            ("http_requests_started_total", "total_connections"),
            ("http_requests_in_flight", "active_connections"),
        ] {
            exporter = exporter.view(View::of(current).rename(seed));
        }
    }
    if pushed.profile == Profile::Live {
        return exporter;
    }
    let settled = Filter::new()
        .include("http_requests_weekly")
        .include("http_requests_started_weekly")
        .include("db_entries_weekly")
        .include("bootstrap_tunnel_sheds_weekly")
        .include("unique_short_ids_weekly");
    exporter.filter(settled)
}
