//! What the configuration file and the environment say: the service's own keys. What is said of telemetry otherwise, metercast reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::Error;

/// The settings. A variable `PJ_` and the key, in capitals, with two underscores for a dot, wins over the file; an empty one is as if
/// it were not there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file that they are from, for metercast.
    pub(crate) file: Option<PathBuf>,
    /// All variables, for metercast.
    pub(crate) variables: BTreeMap<String, String>,
    /// `listener`: where to listen.
    pub(crate) listener: String,
    /// `storage`: the folder of the mailboxes.
    pub(crate) storage: PathBuf,
    /// `timeout`: how long a reader waits for what is not there yet, in seconds.
    pub(crate) timeout: Duration,
    /// `tunnels`: how many tunnels may be open at once.
    pub(crate) tunnels: usize,
    /// `gateways`: who may be reached by a tunnel, each as `host:port`.
    pub(crate) gateways: Vec<String>,
    /// `tls.certificate` and `tls.key`, in PEM; without, connections are not encrypted.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// `panic`: whether `GET /panic` panics, for tests.
    pub(crate) panics: bool,
    /// `telemetry`: whether anything is pushed, and what.
    pub(crate) telemetry: Option<Pushed>,
}

/// What is pushed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pushed {
    /// `telemetry.profile`.
    pub(crate) profile: Profile,
    /// `telemetry.names`.
    pub(crate) names: Names,
    /// `telemetry.instance_id`: whether each start of the program has a name of its own, so that several nodes of an operator are not
    /// taken for one.
    pub(crate) has_instance_id: bool,
    /// `telemetry.at_least`: smaller figures of the profile `settled` do not leave.
    pub(crate) at_least: u64,
    /// `telemetry.round_to`: the others are rounded.
    pub(crate) round_to: u64,
}

/// Which metrics leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Those of the moment.
    #[default]
    Live,
    /// Figures of the last week that is over, and nothing else.
    Settled,
}

/// What three of them are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Names {
    /// What they count.
    #[default]
    Current,
    /// As they were called first.
    Seed,
}

/// The file. Keys that metercast reads are passed over here.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listener: Option<String>,
    storage: Option<PathBuf>,
    timeout: Option<u64>,
    tunnels: Option<usize>,
    gateways: Option<Vec<String>>,
    panic: Option<bool>,
    tls: Option<Tls>,
    telemetry: Option<Telemetry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Telemetry {
    profile: Option<Profile>,
    names: Option<Names>,
    instance_id: Option<bool>,
    at_least: Option<u64>,
    round_to: Option<u64>,
}

impl Settings {
    /// Reads the file, if there is one, and these variables.
    ///
    /// # Errors
    ///
    /// The file or the variable, and what is wrong there.
    pub fn read(file: Option<&Path>, variables: BTreeMap<String, String>) -> Result<Settings, Error> {
        let from_file = match file {
            None => File::default(),
            Some(path) => {
                let name = path.display();
                let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
                // The message of the error alone: the text around it may hold a token.
                toml::from_str(&text).map_err(|error| {
                    let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                    format!("{name}:{line}: {}", error.message())
                })?
            }
        };
        let given = Variables(&variables);
        let tls = from_file.tls.unwrap_or_default();
        let certificate = given.text("PJ_TLS__CERTIFICATE").map(PathBuf::from).or(tls.certificate);
        let key = given.text("PJ_TLS__KEY").map(PathBuf::from).or(tls.key);
        let tls = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("tls: a certificate goes with its key; give both, or neither".into()),
        };
        let is_pushed = from_file.telemetry.is_some() || given.any("PJ_TELEMETRY__");
        let telemetry = from_file.telemetry.unwrap_or_default();
        let pushed = Pushed {
            profile: given.word("PJ_TELEMETRY__PROFILE")?.or(telemetry.profile).unwrap_or_default(),
            names: given.word("PJ_TELEMETRY__NAMES")?.or(telemetry.names).unwrap_or_default(),
            has_instance_id: given
                .word("PJ_TELEMETRY__INSTANCE_ID")?
                .or(telemetry.instance_id)
                .unwrap_or(true),
            at_least: given.word("PJ_TELEMETRY__AT_LEAST")?.or(telemetry.at_least).unwrap_or(0),
            round_to: given.word("PJ_TELEMETRY__ROUND_TO")?.or(telemetry.round_to).unwrap_or(1),
        };
        let gateways = given.text("PJ_GATEWAYS").map(|list| list.split(',').map(str::to_owned).collect());
        Ok(Settings {
            file: file.map(Path::to_owned),
            listener: given
                .text("PJ_LISTENER")
                .or(from_file.listener)
                .unwrap_or_else(|| "[::]:8080".to_owned()),
            storage: given
                .text("PJ_STORAGE")
                .map(PathBuf::from)
                .or(from_file.storage)
                .unwrap_or("mailroom".into()),
            timeout: Duration::from_secs(given.word("PJ_TIMEOUT")?.or(from_file.timeout).unwrap_or(30)),
            tunnels: given.word("PJ_TUNNELS")?.or(from_file.tunnels).unwrap_or(1_024),
            gateways: gateways.or(from_file.gateways).unwrap_or_default(),
            tls,
            panics: given.word("PJ_PANIC")?.or(from_file.panic).unwrap_or(false),
            telemetry: is_pushed.then_some(pushed),
            variables,
        })
    }
}

struct Variables<'v>(&'v BTreeMap<String, String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    fn any(&self, prefix: &str) -> bool {
        self.0.iter().any(|(name, text)| name.starts_with(prefix) && !text.is_empty())
    }

    /// What a file would have without quotes, or with.
    fn word<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value = text.parse::<toml::Value>().unwrap_or(toml::Value::String(text));
        let read = value.try_into().map(Some);
        read.map_err(|error: toml::de::Error| format!("{name}: {}", error.message()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::read(
            None,
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn variables_say_what_a_file_would() {
        let settings = read(&[
            ("PJ_LISTENER", "127.0.0.1:1"),
            ("PJ_TUNNELS", "7"),
            ("PJ_TELEMETRY__PROFILE", "settled"),
            ("PJ_TELEMETRY__INSTANCE_ID", "false"),
            ("PJ_GATEWAYS", "a:1,b:2"),
        ])
        .unwrap();
        assert_eq!((&*settings.listener, settings.tunnels), ("127.0.0.1:1", 7));
        assert_eq!(settings.gateways, ["a:1", "b:2"]);
        let telemetry = settings.telemetry.unwrap();
        assert_eq!((telemetry.profile, telemetry.has_instance_id), (Profile::Settled, false));
        assert!(read(&[("PJ_TELEMETRY__ENDPOINT", "")]).unwrap().telemetry.is_none(), "empty is not there");
        let error = read(&[("PJ_TELEMETRY__PROFILE", "monthly")]).unwrap_err().to_string();
        assert!(error.starts_with("PJ_TELEMETRY__PROFILE: ") && error.contains("settled"), "{error}");
        assert!(read(&[("PJ_TLS__KEY", "k.pem")]).unwrap_err().to_string().contains("give both"));
    }
}
