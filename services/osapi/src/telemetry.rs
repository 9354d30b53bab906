//! What a component has to be measured with: its metrics server, its health, its jobs.

use std::net::SocketAddr;

use metercast_jobs::{JobMetrics, Jobs};
use metercast_process::{Observe, Observed, ProcessNames, build_info};
use metercast_tower::config::{Config, OnError as OnStartError, OnSigterm, Prometheus};
use metercast_tower::view::View;
use metercast_tower::{Health, Store, Telemetry};

use crate::component::{Component, Error};
use crate::settings::{OnError, Profile, Settings};

/// What is measured of a component.
pub(crate) struct Measured {
    telemetry: Option<Telemetry>,
    health: Health,
    component: Component,
    profile: Profile,
    is_enabled: bool,
}

impl Measured {
    /// Starts the metrics server of a component, over its store, which is the current one. Its port is taken when this returns. If
    /// it is not enabled there is none, and its store is switched off.
    pub(crate) fn start(component: Component, settings: &Settings, store: &Store) -> Result<Measured, Error> {
        let (own, all) = (component.metrics(settings), &settings.telemetry.metrics);
        let (is_enabled, profile) = (own.enabled.unwrap_or(all.enabled), all.profile);
        store.set_enabled(is_enabled);
        let health = Health::new();
        if !is_enabled {
            return Ok(Measured { telemetry: None, health, component, profile, is_enabled });
        }
        let host = own.host.as_deref().unwrap_or("127.0.0.1");
        let port = own.port.unwrap_or(match component {
            Component::Controller => all.port.unwrap_or(9090),
            Component::Agent => 9091,
            Component::Nats => 9092,
        });
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let page = page(component, profile, Prometheus::listen(&format!("{host}:{port}")).path(&all.path));
        let config = Config::builder()
            .service("osapi", env!("CARGO_PKG_VERSION"))
            .resource_attribute("osapi.component", component.to_string())
            // They would be those of all components of a process.
            .environment(false)
            .exporter("prometheus", page)
            // What exporters do is nobody's concern on a page that is a contract.
            .self_metrics(false)
            .on_sigterm(OnSigterm::Ignore)
            .on_error(match all.on_error {
                OnError::Fail => OnStartError::Fail,
                OnError::Report => OnStartError::Degrade,
            })
            .build()?;
        let builder = Telemetry::builder(config).store(store.clone()).health(health.clone());
        let telemetry = builder.start().map_err(|error| format!("metrics: {error}"))?;
        Ok(Measured { telemetry: Some(telemetry), health, component, profile, is_enabled })
    }

    /// Whether anything is measured.
    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// What is measured.
    pub(crate) fn component(&self) -> Component {
        self.component
    }

    /// Where the metrics server is, if there is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.telemetry.as_ref()?.scrape_address()
    }

    /// Whether it can do its work.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// The name of one of our metrics.
    pub(crate) fn name(&self, name: &str) -> String {
        self.profile.name(name)
    }

    /// The process and the runtime that is current, as long as what is returned is there.
    pub(crate) fn observe_process(&self) -> Option<Observed> {
        self.is_enabled.then(|| {
            Observe::new()
                .names(ProcessNames::Prometheus)
                .runtime(&self.component.to_string())
                .build_info(build_info!())
                // A panic is one of the process: its other components would count it too.
                .without_panics()
                .start()
        })
    }

    /// The jobs: to the controller those that are made, to agents what becomes of them.
    pub(crate) fn jobs(&self) -> Result<Jobs, Error> {
        let metrics = match self.component {
            Component::Agent => JobMetrics::prefixed(self.profile.prefix()).without_created(),
            _ => JobMetrics::new().created(&self.name("jobs.created")),
        };
        Ok(metrics.buckets(&JOB_BUCKETS).build()?)
    }

    /// Ends the metrics server, after what is asked of it now.
    pub(crate) fn end(self) {
        if let Some(telemetry) = self.telemetry
            && let Err(error) = telemetry.shutdown()
        {
            eprintln!("osapi: {error}");
        }
    }
}

/// In seconds.
const JOB_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What a page looks like, and what it says beside metrics.
fn page(component: Component, profile: Profile, page: Prometheus) -> Prometheus {
    let page = page.liveness_path("/health").readiness_path("/health/ready");
    let page = match profile {
        Profile::Seed => page
            .view(View::of("component.up").rename("osapi.component.up"))
            .view(View::of("subsystem.up").rename("osapi.subsystem.up")),
        Profile::Osapi => page.namespace("osapi").scope_labels(true).target_info(true),
    };
    // What attempts were called before how jobs end was told apart from them.
    let processed = View::of(profile.name("jobs.attempts")).alias(profile.name("jobs.processed"));
    match component {
        Component::Agent => page.view(processed.rename_label("outcome", "status")),
        _ => page,
    }
}
