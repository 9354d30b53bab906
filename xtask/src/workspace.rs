//! The workspace as cargo describes it: where it is and what its members are.

use std::path::{Path, PathBuf};

use crate::cargo;
use serde_json::Value;

/// Where the workspace is and what its members are.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

/// One member.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The oldest compiler that it promises.
    pub(crate) compiler: String,
    pub(crate) manifest: PathBuf,
    pub(crate) published: bool,
    /// Whether others can build on it, or only run it.
    pub(crate) is_library: bool,
    pub(crate) features: Vec<String>,
    /// Those of the features that are on unless somebody says otherwise.
    pub(crate) default_features: Vec<String>,
    /// `allowed-external` of `[package.metadata.metercast]`: foreign crates whose types may stand in public signatures.
    pub(crate) allowed_external: Vec<String>,
    /// What a registry shows of a crate, and this one does not say: keys of `[package]`.
    pub(crate) unsaid: Vec<&'static str>,
}

/// The keys of `[package]` that a registry shows.
const SHOWN: [&str; 7] =
    ["description", "license", "readme", "documentation", "categories", "keywords", "rust_version"];

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Workspace, String> {
        let mut command = cargo::bare();
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let line = cargo::line_of(&command);
        let output = command.output().map_err(|error| cargo::cannot_start(&line, &error))?;
        if !output.status.success() {
            return Err(format!("`{line}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end()));
        }
        serde_json::from_slice::<Value>(&output.stdout)
            .map_err(|error| error.to_string())
            .and_then(|json| Workspace::from_metadata(&json))
            .map_err(|trouble| format!("`{line}`: {trouble}"))
    }

    fn from_metadata(json: &Value) -> Result<Workspace, String> {
        let packages = json.get("packages").and_then(Value::as_array).ok_or("no list `packages`")?;
        Ok(Workspace {
            root: text(json, "workspace_root")?.into(),
            target: text(json, "target_directory")?.into(),
            packages: packages.iter().map(Package::from_metadata).collect::<Result<_, _>>()?,
        })
    }

    /// One without members, for tests of what is started in it.
    #[cfg(test)]
    pub(crate) fn at(root: &str, target: &str) -> Workspace {
        Workspace { root: root.into(), target: target.into(), packages: Vec::new() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The published ones that others build on.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published && package.is_library)
    }
}

impl Package {
    fn from_metadata(json: &Value) -> Result<Package, String> {
        let name = text(json, "name")?;
        let Some(Value::Object(features)) = json.get("features") else {
            return Err(format!("package {name}: no object `features`"));
        };
        let targets = json.get("targets").and_then(Value::as_array);
        let mut kinds = targets.into_iter().flatten().filter_map(|target| target.get("kind"));
        let own = json.get("metadata").and_then(|metadata| metadata.get("metercast"));
        let allowed_external = match own.and_then(|own| own.get("allowed-external")) {
            None => Vec::new(),
            Some(value) => names(value).ok_or_else(|| {
                format!("package {name}: metadata.metercast.allowed-external is not a list of crate names")
            })?,
        };
        Ok(Package {
            name,
            version: text(json, "version")?,
            compiler: json.get("rust_version").and_then(Value::as_str).unwrap_or_default().to_owned(),
            manifest: text(json, "manifest_path")?.into(),
            // `publish = false` arrives as an empty list of registries, no line at all as null.
            published: json.get("publish").and_then(Value::as_array).is_none_or(|to| !to.is_empty()),
            is_library: kinds.any(|kind| names(kind).is_some_and(|names| names.contains(&"lib".to_owned()))),
            features: features.keys().cloned().collect(),
            default_features: features.get("default").and_then(names).unwrap_or_default(),
            allowed_external,
            unsaid: SHOWN.into_iter().filter(|key| !says(json, key)).collect(),
        })
    }
}

/// Whether something stands under the key.
fn says(json: &Value, key: &str) -> bool {
    match json.get(key) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    }
}

fn text(json: &Value, key: &str) -> Result<String, String> {
    json.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("no text `{key}`"))
}

fn names(json: &Value) -> Option<Vec<String>> {
    json.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(packages: &str) -> Result<Workspace, String> {
        let text =
            format!(r#"{{"workspace_root": "/w", "target_directory": "/w/t", "packages": [{packages}]}}"#);
        Workspace::from_metadata(&serde_json::from_str::<Value>(&text).unwrap())
    }

    #[test]
    fn members_come_with_their_features_and_allowed_crates() {
        let found = workspace(
            r#"{"name": "a", "version": "1.0.0", "manifest_path": "/w/a/Cargo.toml", "publish": null, "features": {"x": [], "default": ["x"]},
                "targets": [{"kind": ["bin"]}, {"kind": ["lib"]}],
                "metadata": {"metercast": {"allowed-external": ["http"]}}},
               {"name": "b", "version": "1.0.0", "manifest_path": "/w/b/Cargo.toml", "publish": [], "features": {}, "metadata": null}"#,
        )
        .unwrap();
        assert_eq!((found.root(), found.target()), (Path::new("/w"), Path::new("/w/t")));
        let [a, b] = found.packages() else { panic!("{found:?}") };
        assert!(a.published && !b.published);
        assert!(a.is_library && !b.is_library);
        assert_eq!(
            (&*a.features, &*a.default_features),
            (&["default".to_owned(), "x".to_owned()][..], &["x".to_owned()][..])
        );
        assert_eq!(a.allowed_external, ["http"]);
        assert!(b.allowed_external.is_empty());
    }

    #[test]
    fn what_a_registry_would_not_know_is_named() {
        let found = workspace(
            r#"{"name": "a", "version": "1.0.0", "manifest_path": "/w/a/Cargo.toml", "features": {}, "description": "What a is.", "license": "MIT",
                "readme": null, "documentation": "", "categories": ["web"], "keywords": [], "rust_version": "1.89"}"#,
        )
        .unwrap();
        assert_eq!(found.packages()[0].unsaid, ["readme", "documentation", "keywords"]);
        assert_eq!(found.packages()[0].compiler, "1.89");
    }

    #[test]
    fn a_misspelled_allow_list_is_an_error() {
        let package = r#"{"name": "a", "version": "1.0.0", "manifest_path": "/w/a/Cargo.toml", "features": {},
                          "metadata": {"metercast": {"allowed-external": "http"}}}"#;
        assert!(workspace(package).unwrap_err().contains("package a: metadata.metercast.allowed-external"));
    }
}
