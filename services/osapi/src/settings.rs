//! The configuration file, and the variables that win over it. What neither says is as `osapi.yaml` beside the sources has it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::component::Error;
use crate::queue::is_key;

/// What holds unless it is said, which is also the example of a file.
const UNLESS_SAID: &str = include_str!("../osapi.yaml");

/// What variables begin with that win over the file; the path of a key follows, in capitals.
const PREFIX: &str = "OSAPI_";

/// What can be said of the job server. It is read over what holds unless it is said: the values of `default` are nobody's.
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ControllerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) metrics: MetricsSettings,
}

/// `agent`: a worker.
#[derive(Clone, Debug, Default, Deserialize)]
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where it keeps what it stores.
    pub(crate) store_dir: PathBuf,
    pub(crate) metrics: MetricsSettings,
}

/// `job`: what all agents must agree on.
#[derive(Clone, Debug, Default, Deserialize)]
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
#[derive(Clone, Debug, Default, Deserialize)]
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

impl Profile {
    /// What the names of our metrics begin with, before a dot.
    pub(crate) fn prefix(self) -> &'static str {
        // The page puts it in front of all.
        if self == Profile::Osapi { "" } else { "osapi" }
    }

    /// The name of one of our metrics.
    pub(crate) fn name(self, name: &str) -> String {
        [self.prefix(), name].join(".").trim_start_matches('.').to_owned()
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
        let said = match file {
            Some(path) => read(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => Value::Null,
        };
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let settings = Settings::of(said, std::env::vars_os().filter_map(text))?;
        let name = &settings.agent.name;
        if !is_key(name) {
            let message = "is no name of an agent; write up to 64 letters, digits, - and _";
            return Err(format!("agent.name: {name:?} {message}").into());
        }
        Ok(settings)
    }

    /// What a file says, under variables; those that are empty are as if they were not there.
    pub(crate) fn of(
        file: Value,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, Error> {
        let mut all: Value = serde_saphyr::from_str(UNLESS_SAID)?;
        let keys: BTreeMap<String, Vec<String>> =
            leaves(&all).into_iter().map(|path| (variable_of(&path), path)).collect();
        lay_over(&mut all, file);
        for (name, text) in variables {
            if !name.starts_with(PREFIX) || text.is_empty() {
                continue;
            }
            let path =
                keys.get(&name).ok_or_else(|| format!("{name}: there is no such key; see osapi.yaml"))?;
            let value = |value| path.iter().rev().fold(value, |value, key| json!({ key: value }));
            let read = |value| Settings::deserialize(&value).map(|_| value);
            // Read alone, so that an error is of this variable. What looks like a number may be meant as a text.
            let parsed = read(value(serde_saphyr::from_str(&text).unwrap_or_default()));
            let said = parsed.or_else(|error| {
                read(value(text.clone().into())).map_err(|_| format!("{name}: {text:?}: {error}"))
            })?;
            lay_over(&mut all, said);
        }
        Ok(Settings::deserialize(all)?)
    }
}

fn variable_of(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}

/// The paths of all keys that are no tables.
fn leaves(value: &Value) -> Vec<Vec<String>> {
    let Value::Object(keys) = value else { return vec![Vec::new()] };
    let below = |(key, value): (&String, _)| {
        let key = key.clone();
        leaves(value).into_iter().map(move |path| [vec![key.clone()], path].concat())
    };
    keys.iter().flat_map(below).collect()
}

fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            above.into_iter().for_each(|(key, value)| lay_over(&mut below[&key], value));
        }
        // What is empty says nothing.
        (_, Value::Null) => {}
        (below, above) => *below = above,
    }
}

/// What a file says, which is read twice: for an error with its line, and as it stands there.
fn read(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path)?;
    serde_saphyr::from_str::<Option<Settings>>(&text)?;
    Ok(serde_saphyr::from_str(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::of(serde_saphyr::from_str(file).unwrap(), variables)
    }

    #[test]
    fn variables_win_over_the_file_and_empty_ones_say_nothing() {
        let settings = of(
            "controller: { metrics: { enabled: true, port: 9000 } }\nagent: { metrics: { port: 9001 } }\njob:",
            &[
                ("OSAPI_CONTROLLER_METRICS_PORT", "9100"),
                ("OSAPI_AGENT_METRICS_ENABLED", "TRUE"),
                ("OSAPI_AGENT_METRICS_PORT", ""),
                ("OSAPI_NATS_SERVER_METRICS_HOST", "::1"),
                ("OSAPI_TELEMETRY_METRICS_PROFILE", "osapi"),
                ("OSAPI_AGENT_NAME", "007"),
                ("OTHERS", "?"),
            ],
        );
        let Settings { controller, agent, nats, job, telemetry } = settings.unwrap();
        assert_eq!((controller.metrics.enabled, controller.metrics.port), (Some(true), Some(9100)));
        assert_eq!((agent.metrics.enabled, agent.metrics.port), (Some(true), Some(9001)));
        assert_eq!((&*agent.name, agent.concurrency, job.max_deliver), ("007", 4, 5));
        assert_eq!((nats.server.metrics.enabled, nats.server.metrics.host), (None, Some("::1".to_owned())));
        assert_eq!((telemetry.metrics.profile, telemetry.metrics.enabled), (Profile::Osapi, false));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error_that_names_it() {
        for (name, value, expected) in [
            ("OSAPI_AGENT_METRICS_PORT", "90000", "integer `90000`, expected u16"),
            ("OSAPI_AGENT_METRICS_ENABLED", "perhaps", "string \"perhaps\", expected a boolean"),
            ("OSAPI_TELEMETRY_METRICS_PROFILE", "own", "unknown variant `own`, expected `seed` or `osapi`"),
        ] {
            let error = of("", &[(name, value)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{name}: {value:?}: ")) && error.contains(expected),
                "{error}"
            );
        }
        let error = of("", &[("OSAPI_AGNET_NAME", "a1")]).unwrap_err().to_string();
        assert!(error.starts_with("OSAPI_AGNET_NAME: there is no such key"), "{error}");
        assert!(serde_saphyr::from_str::<Settings>("controler: {}").is_err());
    }

    #[test]
    fn what_holds_unless_it_is_said_has_every_key_and_each_is_a_variable_of_the_readme() {
        let all: Value = serde_saphyr::from_str(UNLESS_SAID).unwrap();
        let has = |path: &[String]| path.iter().try_fold(&all, |table, key| table.get(key));
        // Every key that the program takes, as it says itself to who misspells one.
        let mut tables = vec![vec![]];
        while let Some(path) = tables.pop() {
            let wrong =
                path.iter().rev().fold(json!({ "?": 0 }), |value, key: &String| json!({ key: value }));
            let error = Settings::deserialize(wrong).unwrap_err().to_string();
            let (_, known) = error.split_once(", expected ").expect("a table");
            for key in known.split('`').skip(1).step_by(2) {
                let path = [path.clone(), vec![key.to_owned()]].concat();
                let value = has(&path).unwrap_or_else(|| panic!("osapi.yaml has no {path:?}"));
                if value.is_object() {
                    tables.push(path);
                }
            }
        }
        let readme = include_str!("../README.md");
        for path in leaves(&all) {
            let variable = variable_of(&path);
            assert!(readme.contains(&format!("`{variable}`")), "README.md: {variable} is not named");
        }
    }
}
