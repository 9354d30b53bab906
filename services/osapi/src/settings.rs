//! The configuration file, and the variables that win over it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::component::Error;

/// What can be said of the job server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) controller: ControllerSettings,
    pub(crate) agent: AgentSettings,
    pub(crate) nats: NatsSettings,
    pub(crate) job: JobSettings,
    pub(crate) telemetry: TelemetrySettings,
}

/// `controller`: the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ControllerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) metrics: MetricsSettings,
}

/// `agent`: a worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentSettings {
    /// Which of the agents it is.
    pub(crate) name: String,
    /// How many jobs it does at once.
    pub(crate) concurrency: usize,
    pub(crate) metrics: MetricsSettings,
}

/// `nats`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NatsSettings {
    pub(crate) server: ServerSettings,
}

/// `nats.server`: where it is, for all of us.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where it keeps what it stores.
    pub(crate) store_dir: PathBuf,
    pub(crate) metrics: MetricsSettings,
}

/// `job`: what all agents must agree on.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobSettings {
    /// How often a job is delivered until it has failed.
    pub(crate) max_deliver: u32,
    pub(crate) ack_wait_milliseconds: u64,
    /// How long `sleep` takes.
    pub(crate) sleep_milliseconds: u64,
    pub(crate) heartbeat_milliseconds: u64,
    /// How long an agent counts as connected after its last heartbeat.
    pub(crate) ttl_milliseconds: u64,
}

/// The metrics server of a component. What is not said is as `telemetry.metrics` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MetricsSettings {
    pub(crate) enabled: Option<bool>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
}

/// `telemetry`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetrySettings {
    pub(crate) metrics: AllMetricsSettings,
}

/// `telemetry.metrics`: all metrics servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AllMetricsSettings {
    pub(crate) enabled: bool,
    pub(crate) path: String,
    /// That of the controller, unless `controller.metrics.port` says another.
    pub(crate) port: Option<u16>,
    pub(crate) profile: Profile,
    pub(crate) on_error: OnError,
}

/// How metrics are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Those of HTTP as everywhere, ours with `osapi_` in front.
    #[default]
    Seed,
    /// All with `osapi_` in front, and with the scope that defines them.
    Osapi,
}

/// What comes of a metrics server that cannot start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    /// The component does not start.
    #[default]
    Fail,
    /// It runs without, and says so.
    Report,
}

impl Default for ControllerSettings {
    fn default() -> Self {
        ControllerSettings { host: "127.0.0.1".into(), port: 8080, metrics: MetricsSettings::default() }
    }
}

impl Default for AgentSettings {
    fn default() -> Self {
        AgentSettings { name: "agent".into(), concurrency: 4, metrics: MetricsSettings::default() }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        ServerSettings {
            host: "127.0.0.1".into(),
            port: 4222,
            store_dir: "jetstream".into(),
            metrics: MetricsSettings::default(),
        }
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        JobSettings {
            max_deliver: 5,
            ack_wait_milliseconds: 120_000,
            sleep_milliseconds: 3_000,
            heartbeat_milliseconds: 1_000,
            ttl_milliseconds: 3_000,
        }
    }
}

impl Default for AllMetricsSettings {
    fn default() -> Self {
        AllMetricsSettings {
            enabled: false,
            path: "/metrics".into(),
            port: None,
            profile: Profile::default(),
            on_error: OnError::default(),
        }
    }
}

impl JobSettings {
    pub(crate) fn ack_wait(&self) -> Duration {
        at_least(10, self.ack_wait_milliseconds)
    }

    pub(crate) fn sleep(&self) -> Duration {
        Duration::from_millis(self.sleep_milliseconds)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        at_least(10, self.heartbeat_milliseconds)
    }

    pub(crate) fn ttl(&self) -> Duration {
        // What NATS takes as the least age.
        at_least(100, self.ttl_milliseconds)
    }
}

/// A `0` is a mistake, not a wish for a busy loop.
fn at_least(least: u64, milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds.max(least))
}

impl ServerSettings {
    /// Where clients find it.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}:{}", self.host, self.port)
    }
}

impl Settings {
    /// Those of a file, if there is one, under those of the environment.
    pub(crate) fn load(file: Option<&Path>) -> Result<Settings, Error> {
        let mut settings = match file {
            Some(path) => read(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => Settings::default(),
        };
        settings.take_variables(|name| std::env::var(name).ok())?;
        Ok(settings)
    }

    /// Lays variables over what there is. Those that are empty are as if they were not there.
    fn take_variables(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let variables = Variables(variable);
        variables.take("OSAPI_CONTROLLER_HOST", &mut self.controller.host)?;
        variables.take("OSAPI_CONTROLLER_PORT", &mut self.controller.port)?;
        variables.take("OSAPI_AGENT_NAME", &mut self.agent.name)?;
        variables.take("OSAPI_NATS_SERVER_HOST", &mut self.nats.server.host)?;
        variables.take("OSAPI_NATS_SERVER_PORT", &mut self.nats.server.port)?;
        for (component, metrics) in [
            ("CONTROLLER", &mut self.controller.metrics),
            ("AGENT", &mut self.agent.metrics),
            ("NATS_SERVER", &mut self.nats.server.metrics),
        ] {
            variables.take_some(&format!("OSAPI_{component}_METRICS_ENABLED"), &mut metrics.enabled)?;
            variables.take_some(&format!("OSAPI_{component}_METRICS_HOST"), &mut metrics.host)?;
            variables.take_some(&format!("OSAPI_{component}_METRICS_PORT"), &mut metrics.port)?;
        }
        let all = &mut self.telemetry.metrics;
        variables.take("OSAPI_TELEMETRY_METRICS_ENABLED", &mut all.enabled)?;
        variables.take("OSAPI_TELEMETRY_METRICS_PATH", &mut all.path)?;
        variables.take_some("OSAPI_TELEMETRY_METRICS_PORT", &mut all.port)?;
        variables.take("OSAPI_TELEMETRY_METRICS_PROFILE", &mut all.profile)?;
        variables.take("OSAPI_TELEMETRY_METRICS_ON_ERROR", &mut all.on_error)
    }
}

fn read(path: &Path) -> Result<Settings, Error> {
    let text = std::fs::read_to_string(path)?;
    // A file of comments says nothing.
    let settings: Option<Settings> = serde_saphyr::from_str(&text)?;
    Ok(settings.unwrap_or_default())
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn take<T: Said>(&self, name: &str, into: &mut T) -> Result<(), String> {
        self.take_with(name, |value| *into = value)
    }

    fn take_with<T: Said>(&self, name: &str, take: impl FnOnce(T)) -> Result<(), String> {
        let Some(text) = (self.0)(name).filter(|text| !text.is_empty()) else { return Ok(()) };
        take(T::said(&text).ok_or_else(|| format!("{name}: {text:?} is not {}", T::EXPECTED))?);
        Ok(())
    }

    fn take_some<T: Said>(&self, name: &str, into: &mut Option<T>) -> Result<(), String> {
        let mut said = None;
        self.take_with(name, |value| said = Some(value))?;
        *into = said.or(into.take());
        Ok(())
    }
}

/// What a variable can say.
trait Said: Sized {
    const EXPECTED: &str;

    fn said(text: &str) -> Option<Self>;
}

impl Said for String {
    const EXPECTED: &str = "a text";

    fn said(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Said for u16 {
    const EXPECTED: &str = "a port";

    fn said(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Said for bool {
    const EXPECTED: &str = "true or false";

    fn said(text: &str) -> Option<Self> {
        text.to_ascii_lowercase().parse().ok()
    }
}

impl Said for Profile {
    const EXPECTED: &str = "seed or osapi";

    fn said(text: &str) -> Option<Self> {
        match text {
            "seed" => Some(Profile::Seed),
            "osapi" => Some(Profile::Osapi),
            _ => None,
        }
    }
}

impl Said for OnError {
    const EXPECTED: &str = "fail or report";

    fn said(text: &str) -> Option<Self> {
        match text {
            "fail" => Some(OnError::Fail),
            "report" => Some(OnError::Report),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_over_the_file_and_empty_ones_say_nothing() {
        let mut settings: Settings = serde_saphyr::from_str(
            "controller: { metrics: { enabled: true, port: 9000 } }\nagent: { metrics: { port: 9001 } }",
        )
        .unwrap();
        let said = |name: &str| {
            let value = match name {
                "OSAPI_CONTROLLER_METRICS_PORT" => "9100",
                "OSAPI_AGENT_METRICS_ENABLED" => "TRUE",
                "OSAPI_AGENT_METRICS_PORT" => "",
                "OSAPI_NATS_SERVER_METRICS_HOST" => "::1",
                "OSAPI_TELEMETRY_METRICS_PROFILE" => "osapi",
                _ => return None,
            };
            Some(value.to_owned())
        };
        settings.take_variables(said).unwrap();
        let Settings { controller, agent, nats, telemetry, .. } = settings;
        assert_eq!((controller.metrics.enabled, controller.metrics.port), (Some(true), Some(9100)));
        assert_eq!((agent.metrics.enabled, agent.metrics.port), (Some(true), Some(9001)));
        assert_eq!((nats.server.metrics.enabled, nats.server.metrics.host), (None, Some("::1".to_owned())));
        assert_eq!((telemetry.metrics.profile, telemetry.metrics.enabled), (Profile::Osapi, false));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_it() {
        let take = |name: &'static str, value: &'static str| {
            Settings::default().take_variables(|asked| (asked == name).then(|| value.to_owned()))
        };
        let error = take("OSAPI_AGENT_METRICS_PORT", "90000").unwrap_err();
        assert_eq!(error, "OSAPI_AGENT_METRICS_PORT: \"90000\" is not a port");
        let error = take("OSAPI_TELEMETRY_METRICS_PROFILE", "own").unwrap_err();
        assert_eq!(error, "OSAPI_TELEMETRY_METRICS_PROFILE: \"own\" is not seed or osapi");
        assert!(serde_saphyr::from_str::<Settings>("controler: {}").is_err());
    }

    #[test]
    fn the_file_that_says_everything_says_what_holds_without_it() {
        let said: Settings = serde_saphyr::from_str(include_str!("../osapi.yaml")).unwrap();
        assert_eq!(format!("{said:#?}"), format!("{:#?}", Settings::default()));
    }
}
