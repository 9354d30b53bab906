//! What the configuration file and the environment say: the service's own keys. What is said of telemetry otherwise, metercast reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use crate::Error;

/// The settings. A variable `PJ_` and the key, in capitals, with two underscores for a dot, wins over the file; an empty one is as if
/// it were not there.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct Settings {
    /// Where to listen.
    pub(crate) listener: String,
    /// The folder of the mailboxes.
    pub(crate) storage: PathBuf,
    /// How long a reader waits for what is not there yet, in seconds.
    pub(crate) timeout: u64,
    /// How many tunnels may be open at once.
    pub(crate) tunnels: usize,
    /// Who may be reached by a tunnel, each as `host:port`.
    #[serde(deserialize_with = "list")]
    pub(crate) gateways: Vec<String>,
    /// Whether `GET /panic` panics, for tests.
    #[serde(rename = "panic")]
    pub(crate) panics: bool,
    tls: Tls,
    /// Whether anything is pushed, and what.
    pub(crate) telemetry: Option<Pushed>,
    /// The file that they are from, for metercast.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// All variables, for metercast.
    #[serde(skip)]
    pub(crate) variables: BTreeMap<String, String>,
}

/// In PEM; without, connections are not encrypted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct Tls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// What is pushed. Keys of the table that metercast reads are passed over here.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, expecting = "a table")]
pub(crate) struct Pushed {
    pub(crate) profile: Profile,
    pub(crate) names: Names,
    /// Whether each start of the program has a name of its own, so that several nodes of an operator are not taken for one.
    pub(crate) instance_id: bool,
    /// Smaller figures of the profile `settled` do not leave.
    pub(crate) at_least: u64,
    /// The others are rounded.
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

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            listener: "[::]:8080".to_owned(),
            storage: "mailroom".into(),
            timeout: 30,
            tunnels: 1_024,
            gateways: Vec::new(),
            panics: false,
            tls: Tls::default(),
            telemetry: None,
            file: None,
            variables: BTreeMap::new(),
        }
    }
}

impl Default for Pushed {
    fn default() -> Pushed {
        Pushed { profile: Profile::Live, names: Names::Current, instance_id: true, at_least: 0, round_to: 1 }
    }
}

impl Settings {
    /// Reads the file, if there is one, and these variables.
    ///
    /// # Errors
    ///
    /// The file or the variable, and what is wrong there.
    pub fn read(file: Option<&Path>, variables: BTreeMap<String, String>) -> Result<Settings, Error> {
        let mut said = file.map(read_file).transpose()?.unwrap_or_default();
        for (name, text) in variables.iter().filter(|(_, text)| !text.is_empty()) {
            if let Some(keys) = name.strip_prefix("PJ_") {
                let variable = read_variable(&keys.to_ascii_lowercase(), text);
                lay_over(&mut said, variable.map_err(|error| format!("{name}: {}", error.message()))?);
            }
        }
        let read: Settings = said.try_into()?;
        if read.tls.certificate.is_some() != read.tls.key.is_some() {
            return Err("tls: a certificate goes with its key; give both, or neither".into());
        }
        Ok(Settings { file: file.map(Path::to_owned), variables, ..read })
    }

    /// Why the storage cannot be used, and the mend.
    pub(crate) fn of_storage(&self, error: &std::io::Error) -> String {
        format!("storage {}: {error}; choose another by PJ_STORAGE", self.storage.display())
    }

    /// The files of the certificate and its key.
    pub(crate) fn certificate(&self) -> Option<(&Path, &Path)> {
        self.tls.certificate.as_deref().zip(self.tls.key.as_deref())
    }
}

fn read_file(path: &Path) -> Result<Table, Error> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    // The message of the error alone: the text around it may hold a token.
    let read = toml::from_str::<Settings>(&text).and_then(|_| toml::from_str(&text));
    Ok(read.map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        format!("{name}:{line}: {}", error.message())
    })?)
}

/// What a file would have that says the same: text that needs no quotes here, unless it is a number, a word or a list there.
fn read_variable(keys: &str, text: &str) -> Result<Table, toml::de::Error> {
    let table = |value: Value| {
        let mut keys = keys.rsplit("__");
        let last = Table::from_iter([(keys.next().unwrap_or_default().to_owned(), value)]);
        let table = keys.fold(last, |inner, key| Table::from_iter([(key.to_owned(), Value::Table(inner))]));
        // Read alone, so that an error is of this variable.
        table.clone().try_into::<Settings>().map(|_| table)
    };
    match text.parse::<Value>() {
        Ok(value) => table(value).or_else(|error| table(Value::from(text)).map_err(|_| error)),
        Err(_) => table(Value::from(text)),
    }
}

fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

/// A list, or a text with commas.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a list of texts, or a text with commas")]
    enum List {
        Texts(Vec<String>),
        Commas(String),
    }
    Ok(match List::deserialize(deserializer)? {
        List::Texts(texts) => texts,
        List::Commas(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
    })
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
            ("PJ_STORAGE", "2024"),
            ("PJ_TELEMETRY__PROFILE", "settled"),
            ("PJ_TELEMETRY__INSTANCE_ID", "false"),
            ("PJ_TELEMETRY__AUTH_TOKEN", "1"),
            ("PJ_GATEWAYS", "a:1,b:2"),
        ])
        .unwrap();
        assert_eq!((&*settings.listener, settings.tunnels), ("127.0.0.1:1", 7));
        assert_eq!(settings.storage, Path::new("2024"));
        assert_eq!(settings.gateways, ["a:1", "b:2"]);
        assert_eq!(read(&[("PJ_GATEWAYS", "['a:1']")]).unwrap().gateways, ["a:1"]);
        let telemetry = settings.telemetry.unwrap();
        assert_eq!((telemetry.profile, telemetry.instance_id), (Profile::Settled, false));
        assert!(read(&[("PJ_TELEMETRY__ENDPOINT", "")]).unwrap().telemetry.is_none(), "empty is not there");
    }

    #[test]
    fn a_variable_that_cannot_be_meant_is_named() {
        for (name, text, why) in [
            ("PJ_TELEMETRY__PROFILE", "monthly", "settled"),
            ("PJ_TUNNELS", "-1", "-1"),
            ("PJ_TUNNELS", "many", "many"),
            ("PJ_LISTNER", "127.0.0.1:1", "listener"),
            ("PJ_TLS__CERTIFICAT", "c.pem", "certificate"),
            ("PJ_TELEMETRY", "on", "a table"),
        ] {
            let error = read(&[(name, text)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name}: ")) && error.contains(why), "{error}");
        }
        assert!(read(&[("PJ_TLS__KEY", "k.pem")]).unwrap_err().to_string().contains("give both"));
    }
}
