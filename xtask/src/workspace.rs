//! The workspace as cargo describes it: where it is and what its members are.

use std::path::{Path, PathBuf};

use crate::cargo;
use crate::json::Json;

/// Where the workspace is and what its members are.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

/// One member.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The oldest compiler that it promises.
    pub(crate) compiler: String,
    pub(crate) manifest: PathBuf,
    pub(crate) published: bool,
    pub(crate) features: Vec<String>,
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
        let text = String::from_utf8_lossy(&output.stdout);
        Json::parse(&text)
            .and_then(|json| Workspace::from_metadata(&json))
            .map_err(|trouble| format!("`{line}`: {trouble}"))
    }

    fn from_metadata(json: &Json) -> Result<Workspace, String> {
        let packages = json.get("packages").and_then(Json::list).ok_or("no list `packages`")?;
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
}

impl Package {
    fn from_metadata(json: &Json) -> Result<Package, String> {
        let name = text(json, "name")?;
        let features = match json.get("features") {
            Some(Json::Object(features)) => features.keys().cloned().collect(),
            _ => return Err(format!("package {name}: no object `features`")),
        };
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
            compiler: json.get("rust_version").and_then(Json::text).unwrap_or_default().to_owned(),
            manifest: text(json, "manifest_path")?.into(),
            // `publish = false` arrives as an empty list of registries, no line at all as null.
            published: json.get("publish").and_then(Json::list).is_none_or(|to| !to.is_empty()),
            features,
            allowed_external,
            unsaid: SHOWN.into_iter().filter(|key| !says(json, key)).collect(),
        })
    }
}

/// Whether something stands under the key.
fn says(json: &Json, key: &str) -> bool {
    match json.get(key) {
        Some(Json::Text(text)) => !text.is_empty(),
        Some(Json::List(list)) => !list.is_empty(),
        _ => false,
    }
}

fn text(json: &Json, key: &str) -> Result<String, String> {
    json.get(key).and_then(Json::text).map(str::to_owned).ok_or_else(|| format!("no text `{key}`"))
}

fn names(json: &Json) -> Option<Vec<String>> {
    json.list()?.iter().map(|name| name.text().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(packages: &str) -> Result<Workspace, String> {
        let text =
            format!(r#"{{"workspace_root": "/w", "target_directory": "/w/t", "packages": [{packages}]}}"#);
        Workspace::from_metadata(&Json::parse(&text).unwrap())
    }

    #[test]
    fn members_come_with_their_features_and_allowed_crates() {
        let found = workspace(
            r#"{"name": "a", "version": "1.0.0", "manifest_path": "/w/a/Cargo.toml", "publish": null, "features": {"x": [], "default": ["x"]},
                "metadata": {"metercast": {"allowed-external": ["http"]}}},
               {"name": "b", "version": "1.0.0", "manifest_path": "/w/b/Cargo.toml", "publish": [], "features": {}, "metadata": null}"#,
        )
        .unwrap();
        assert_eq!((found.root(), found.target()), (Path::new("/w"), Path::new("/w/t")));
        let [a, b] = found.packages() else { panic!("{found:?}") };
        assert!(a.published && !b.published);
        assert_eq!(a.features, ["default", "x"]);
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
