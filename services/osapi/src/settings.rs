//! The configuration file, and the variables that win over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::component::Error;
use crate::queue::is_key;

/// The variables that win over the file: `OSAPI_` and the path of a key, in capitals.
const VARIABLES: [&str; 26] = [
    "OSAPI_AGENT_CONCURRENCY",
    "OSAPI_AGENT_METRICS_ENABLED",
    "OSAPI_AGENT_METRICS_HOST",
    "OSAPI_AGENT_METRICS_PORT",
    "OSAPI_AGENT_NAME",
    "OSAPI_CONTROLLER_HOST",
    "OSAPI_CONTROLLER_METRICS_ENABLED",
    "OSAPI_CONTROLLER_METRICS_HOST",
    "OSAPI_CONTROLLER_METRICS_PORT",
    "OSAPI_CONTROLLER_PORT",
    "OSAPI_JOB_ACK_WAIT_MILLISECONDS",
    "OSAPI_JOB_HEARTBEAT_MILLISECONDS",
    "OSAPI_JOB_MAX_DELIVER",
    "OSAPI_JOB_SLEEP_MILLISECONDS",
    "OSAPI_JOB_TTL_MILLISECONDS",
    "OSAPI_NATS_SERVER_HOST",
    "OSAPI_NATS_SERVER_METRICS_ENABLED",
    "OSAPI_NATS_SERVER_METRICS_HOST",
    "OSAPI_NATS_SERVER_METRICS_PORT",
    "OSAPI_NATS_SERVER_PORT",
    "OSAPI_NATS_SERVER_STORE_DIR",
    "OSAPI_TELEMETRY_METRICS_ENABLED",
    "OSAPI_TELEMETRY_METRICS_ON_ERROR",
    "OSAPI_TELEMETRY_METRICS_PATH",
    "OSAPI_TELEMETRY_METRICS_PORT",
    "OSAPI_TELEMETRY_METRICS_PROFILE",
];

/// What can be said of the job server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) controller: ControllerSettings,
    pub(crate) agent: AgentSettings,
    pub(crate) nats: NatsSettings,
    pub(crate) job: JobSettings,
    pub(crate) telemetry: TelemetrySettings,
}

/// `controller`: the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ControllerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) metrics: MetricsSettings,
}

/// `agent`: a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentSettings {
    /// Which of the agents it is.
    pub(crate) name: String,
    /// How many jobs it does at once.
    pub(crate) concurrency: usize,
    pub(crate) metrics: MetricsSettings,
}

/// `nats`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NatsSettings {
    pub(crate) server: ServerSettings,
}

/// `nats.server`: where it is, for all of us.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where it keeps what it stores.
    pub(crate) store_dir: PathBuf,
    pub(crate) metrics: MetricsSettings,
}

/// `job`: what all agents must agree on.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MetricsSettings {
    pub(crate) enabled: Option<bool>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
}

/// `telemetry`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetrySettings {
    pub(crate) metrics: AllMetricsSettings,
}

/// `telemetry.metrics`: all metrics servers.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Those of HTTP as everywhere, ours with `osapi_` in front.
    #[default]
    Seed,
    /// All with `osapi_` in front, and with the scope that defines them.
    Osapi,
}

/// What comes of a metrics server that cannot start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Profile {
    /// The name of one of our metrics.
    pub(crate) fn name(self, name: &str) -> String {
        // The page puts the other half in front.
        if self == Profile::Osapi { name.to_owned() } else { format!("osapi.{name}") }
    }
}

// A `0` is a mistake, not a wish for a busy loop, or for jobs that never end.
impl JobSettings {
    pub(crate) fn max_deliver(&self) -> u32 {
        self.max_deliver.max(1)
    }

    pub(crate) fn ack_wait(&self) -> Duration {
        Duration::from_millis(self.ack_wait_milliseconds.max(10))
    }

    pub(crate) fn sleep(&self) -> Duration {
        Duration::from_millis(self.sleep_milliseconds)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_milliseconds.max(10))
    }

    /// At least what NATS takes as an age, and what lets one heartbeat be late.
    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_milliseconds.max(100)).max(self.heartbeat() * 2)
    }
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
        let settings = match file {
            Some(path) => read(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => Settings::default(),
        };
        let settings = settings.under(|name| std::env::var(name).ok())?;
        let name = &settings.agent.name;
        if !is_key(name) {
            let message = "is no name of an agent; write up to 64 letters, digits, - and _";
            return Err(format!("agent.name: {name:?} {message}").into());
        }
        Ok(settings)
    }

    /// Lays variables over these. Those that are empty are as if they were not there.
    fn under(self, variable: impl Fn(&str) -> Option<String>) -> Result<Settings, Error> {
        let mut all = serde_json::to_value(&self)?;
        let mut settings = self;
        let paths: BTreeMap<String, String> =
            leaves(&all).into_iter().map(|path| (variable_of(&path), path)).collect();
        for name in VARIABLES {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else { continue };
            let Some(path) = paths.get(name) else { continue };
            let Some(leaf) = all.pointer_mut(path) else { continue };
            // What looks like a number may be meant as a text.
            *leaf = serde_saphyr::from_str(&text).unwrap_or_default();
            settings = Settings::deserialize(&all).or_else(|error| {
                all.pointer_mut(path).into_iter().for_each(|leaf| *leaf = text.clone().into());
                Settings::deserialize(&all).map_err(|_| format!("{name}: {text:?}: {error}"))
            })?;
        }
        Ok(settings)
    }
}

fn variable_of(path: &str) -> String {
    format!("osapi{}", path.replace('/', "_")).to_uppercase()
}

/// The paths of all keys that have a value.
fn leaves(value: &Value) -> Vec<String> {
    let Value::Object(keys) = value else { return vec![String::new()] };
    let below = |(key, value)| leaves(value).into_iter().map(move |path| format!("/{key}{path}"));
    keys.iter().flat_map(below).collect()
}

fn read(path: &Path) -> Result<Settings, Error> {
    let text = std::fs::read_to_string(path)?;
    // A file of comments says nothing.
    let settings: Option<Settings> = serde_saphyr::from_str(&text)?;
    Ok(settings.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_win_over_the_file_and_empty_ones_say_nothing() {
        let settings: Settings = serde_saphyr::from_str(
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
                "OSAPI_AGENT_NAME" => "007",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let Settings { controller, agent, nats, telemetry, .. } = settings.under(said).unwrap();
        assert_eq!((controller.metrics.enabled, controller.metrics.port), (Some(true), Some(9100)));
        assert_eq!((agent.metrics.enabled, agent.metrics.port), (Some(true), Some(9001)));
        assert_eq!(agent.name, "007");
        assert_eq!((nats.server.metrics.enabled, nats.server.metrics.host), (None, Some("::1".to_owned())));
        assert_eq!((telemetry.metrics.profile, telemetry.metrics.enabled), (Profile::Osapi, false));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_it() {
        let refused = |name: &'static str, value: &'static str| {
            let said = Settings::default().under(|asked| (asked == name).then(|| value.to_owned()));
            said.unwrap_err().to_string()
        };
        for (name, value, expected) in [
            ("OSAPI_AGENT_METRICS_PORT", "90000", "integer `90000`, expected u16"),
            ("OSAPI_AGENT_METRICS_ENABLED", "perhaps", "string \"perhaps\", expected a boolean"),
            ("OSAPI_TELEMETRY_METRICS_PROFILE", "own", "unknown variant `own`, expected `seed` or `osapi`"),
        ] {
            let error = refused(name, value);
            assert!(
                error.starts_with(&format!("{name}: {value:?}: ")) && error.contains(expected),
                "{error}"
            );
        }
        assert!(serde_saphyr::from_str::<Settings>("controler: {}").is_err());
    }

    #[test]
    fn the_file_that_says_everything_says_what_holds_without_it() {
        let said: Settings = serde_saphyr::from_str(include_str!("../osapi.yaml")).unwrap();
        assert_eq!(format!("{said:#?}"), format!("{:#?}", Settings::default()));
    }

    #[test]
    fn every_key_has_a_variable() {
        let all = leaves(&serde_json::to_value(Settings::default()).unwrap());
        let mut names: Vec<_> = all.iter().map(|path| variable_of(path)).collect();
        names.sort();
        assert_eq!(names, VARIABLES);
    }
}
