//! What the sources of a service say: which variables, paths and ports there are, and how many lines it takes.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::service::{Service, read, root};

/// The sources of a service, and those of metercast that read configuration.
#[derive(Debug)]
pub struct Sources {
    /// The service's own files by their paths from `services`.
    files: Vec<(String, String)>,
    /// The library's: what it reads for the service.
    library: String,
    /// The files beside the sources that the program has in it, such as that of what holds unless it is said.
    included: String,
}

impl Sources {
    /// Those of a service.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    pub fn of(service: Service) -> Sources {
        let from = root().join("services");
        let name = |path: PathBuf| path.strip_prefix(&from).expect("inside").display().to_string();
        let files = list(&service.path("src")).into_iter();
        let files: Vec<(String, String)> =
            files.map(|path| (name(path.clone()), without_tests(&read(&path)))).collect();
        let included = files.iter().flat_map(|(_, text)| text.split("include_str!(\"../").skip(1));
        let included = included.filter_map(|rest| rest.split('"').next());
        let included = included.map(|file| service.text(file)).collect();
        let library = ["crates/metercast/src/config", "crates/metercast-tracing/src"];
        let library = library.iter().flat_map(|folder| list(&root().join(folder)));
        // A test names variables that nobody reads.
        let library = library.filter(|path| !path.components().any(|part| part.as_os_str() == "tests"));
        Sources { files, library: library.map(|path| without_tests(&read(&path))).collect(), included }
    }

    /// The service's files, without their tests.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (&**path, &**text))
    }

    /// How many lines it takes: without comments, tests and what is empty.
    pub fn lines(&self) -> usize {
        self.files().flat_map(|(_, text)| code(text)).count()
    }

    /// Whether this variable is read: by its name, by a name with a gap for a part of it, as a key of the file or a field of what is read
    /// from variables with this prefix, or by metercast.
    pub fn has_variable(&self, name: &str) -> bool {
        let own: String = self.files().map(|(_, text)| text).collect();
        for text in [&own, &self.library] {
            if variables(text).iter().any(|known| fits(known, name, text)) {
                return true;
            }
        }
        // Of a service that reads all variables that begin with `PJ_`, `PJ_TLS__KEY` is the field `key` of the field `tls`. Another has a
        // file with all keys in it.
        let is_field = |key: &str| own.contains(&format!("{key}: ")) || own.contains(&format!("{key:?}"));
        let fields = name.split_once('_').filter(|(prefix, _)| own.contains(&format!("\"{prefix}_\"")));
        let is_known = |key: &str| {
            key.to_lowercase().split("__").all(is_field)
                || keys(&self.included).iter().any(|known| known == key)
        };
        if fields.is_some_and(|(_, key)| is_known(key)) {
            return true;
        }
        // `PJ_TELEMETRY__AUTH_TOKEN` says `telemetry.auth_token`.
        let key = name.split_once('_').map(|(_, key)| key.to_lowercase().replace("__", "."));
        let has = |key: &str| own.contains(&format!("{key:?}")) || self.library.contains(&format!("{key:?}"));
        name.contains("__") && key.is_some_and(|key| has(&key))
    }

    /// The variables that the service asks for and that are none of these.
    pub(crate) fn variables_but(&self, named: &[String]) -> Vec<String> {
        let own: String = self.files().map(|(_, text)| text).collect();
        let mut missing: Vec<String> = asked_for(&own).map(str::to_owned).collect();
        missing.retain(|known| !named.iter().any(|name| fits(known, name, &own)));
        missing
    }

    /// Whether something is served at this path: by the service, or by metercast for it.
    pub fn has_path(&self, path: &str) -> bool {
        let (quoted, bare) = (format!("{path:?}"), format!(": {path}\n"));
        self.files().any(|(_, text)| text.contains(&quoted))
            || self.library.contains(&quoted)
            || self.included.contains(&bare)
    }

    /// Whether this is the port of something unless another is said.
    pub fn has_port(&self, port: u16) -> bool {
        let own = self.files().map(|(_, text)| text);
        own.chain([&*self.library, &*self.included]).any(|text| {
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == port.to_string())
        })
    }

    /// So many seconds it may take to end: all constants that say how long something may take then.
    pub fn seconds_to_end(&self) -> u64 {
        let constants = ["DRAIN", "AUDIT", "FLUSH", "PATIENCE"];
        let seconds = |line: &str| {
            let (name, rest) = line.trim().strip_prefix("const ")?.split_once(": Duration = ")?;
            let seconds = rest.strip_prefix("Duration::from_secs(")?.split(')').next()?;
            constants.contains(&name).then(|| seconds.parse::<u64>().ok()).flatten()
        };
        self.files().flat_map(|(_, text)| text.lines()).filter_map(seconds).sum()
    }
}

/// The lines that say something to the compiler.
pub(crate) fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with("//")
    })
}

/// A variable has an underscore: words that are shouted have none.
pub(crate) fn is_variable(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.contains('_') && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(is_part)
}

/// The paths of all keys of a file in YAML that are no tables, as a variable has them.
fn keys(file: &str) -> Vec<String> {
    fn below(value: &Value, path: &str, keys: &mut Vec<String>) {
        match value {
            Value::Object(table) => {
                table.iter().for_each(|(key, value)| below(value, &format!("{path}_{key}"), keys));
            }
            _ => keys.push(path.trim_start_matches('_').to_uppercase()),
        }
    }
    let mut keys = Vec::new();
    // What is no YAML has none.
    below(&serde_saphyr::from_str(file).unwrap_or_default(), "", &mut keys);
    keys
}

fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// The literals with which a function is asked for a variable.
fn asked_for(text: &str) -> impl Iterator<Item = &str> {
    let mut before = "";
    let lines = code(text).flat_map(move |line| {
        let (last, parts) = (std::mem::replace(&mut before, line), line.split('"').collect::<Vec<_>>());
        let ahead = |at: usize| if parts[at].trim().is_empty() { last.trim_end() } else { parts[at] };
        let literals = (1..parts.len()).step_by(2).filter(|at| is_call(ahead(at - 1))).map(|at| parts[at]);
        literals.collect::<Vec<_>>()
    });
    // `OTEL_` is what variables begin with.
    lines.filter(|literal| is_name(literal) && !literal.ends_with('_'))
}

/// Whether what stands ahead of a literal asks for something: neither a macro, unless it makes a name, nor a pair.
fn is_call(ahead: &str) -> bool {
    let function = ahead.strip_suffix("&format!(").and_then(|outer| outer.strip_suffix('('));
    let Some(function) = function.or_else(|| ahead.strip_suffix('(')) else { return false };
    function.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !function.ends_with("env_prefix")
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    // Comments may have quotes that nothing closes.
    code(text).flat_map(|line| line.split('"').skip(1).step_by(2))
}

fn variables(text: &str) -> Vec<String> {
    literals(text).filter(|literal| is_name(literal)).map(str::to_owned).collect()
}

/// Whether it is a variable without what is put in.
fn is_name(literal: &str) -> bool {
    is_variable(&literal.split(['{', '}']).step_by(2).collect::<String>())
}

/// Whether a variable is meant by what the text has of it: what is put in for `{part}` is a literal there, too.
fn fits(known: &str, name: &str, text: &str) -> bool {
    let Some((begin, rest)) = known.split_once('{') else { return known == name };
    let (Some(after), Some((_, rest))) = (name.strip_prefix(begin), rest.split_once('}')) else {
        return false;
    };
    (1..=after.len()).any(|end| {
        let (put_in, after) = after.split_at(end);
        text.contains(&format!("{put_in:?}")) && fits(rest, after, text)
    })
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(list(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
