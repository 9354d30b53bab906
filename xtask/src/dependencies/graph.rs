//! Which crates come along with the published ones, as cargo resolves them.

use std::collections::{BTreeMap, BTreeSet};

use crate::cargo;
use crate::workspace::Workspace;
use serde_json::Value;

/// A crate of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) version: String,
    /// As its manifest says it; empty where it says nothing.
    pub(super) licence: String,
    pub(super) source: String,
    /// The oldest compiler that it promises; empty where it says nothing.
    pub(super) compiler: String,
}

/// What cargo resolved.
#[derive(Debug)]
pub(super) struct Graph {
    /// What whoever depends on a published crate builds, with some features, on some platform.
    pub(super) shipped: Vec<Dependency>,
    /// And what our tests and services are built of.
    pub(super) all: Vec<Dependency>,
}

/// Asks cargo, with all features on.
pub(super) fn read(workspace: &Workspace) -> Result<Graph, String> {
    let mut command =
        cargo::command(workspace, &["metadata", "--format-version", "1", "--all-features", "--locked"]);
    let line = cargo::line_of(&command);
    let output = command.output().map_err(|error| cargo::cannot_start(&line, &error))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    let published =
        |name: &str| workspace.packages().iter().any(|package| package.published && package.name == name);
    serde_json::from_slice::<Value>(&output.stdout)
        .map_err(|error| error.to_string())
        .and_then(|json| of(&json, published))
        .map_err(|trouble| format!("`{line}`: {trouble}"))
}

fn of(json: &Value, is_published: impl Fn(&str) -> bool) -> Result<Graph, String> {
    let packages = json.get("packages").and_then(Value::as_array).ok_or("no list `packages`")?;
    let nodes = json.get("resolve").and_then(|resolve| resolve.get("nodes")).and_then(Value::as_array);
    let nodes: BTreeMap<_, _> = nodes
        .ok_or("no list `resolve.nodes`")?
        .iter()
        .filter_map(|node| Some((node.get("id")?.as_str()?, node.get("deps")?.as_array()?)))
        .collect();
    let text =
        |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (mut others, mut waiting) = (BTreeMap::new(), Vec::new());
    for package in packages {
        let id = package.get("id").and_then(Value::as_str).ok_or("a package without `id`")?;
        let name = text(package, "name");
        match package.get("source").and_then(Value::as_str) {
            None if is_published(&name) => waiting.push(id),
            None => {}
            Some(source) => {
                let (version, licence) = (text(package, "version"), text(package, "license"));
                let compiler = text(package, "rust_version");
                others.insert(id, Dependency { name, version, licence, source: source.to_owned(), compiler });
            }
        }
    }
    let mut reached = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if reached.insert(id) {
            let below = nodes.get(id).into_iter().copied().flatten().filter(|edge| !is_for_tests(edge));
            waiting.extend(below.filter_map(|edge| edge.get("pkg")?.as_str()));
        }
    }
    let shipped = others.iter().filter(|(id, _)| reached.contains(*id)).map(|(_, crate_)| crate_.clone());
    let mut graph = Graph { shipped: shipped.collect(), all: others.into_values().collect() };
    graph.shipped.sort();
    graph.all.sort();
    Ok(graph)
}

fn is_for_tests(edge: &Value) -> bool {
    let kinds = edge.get("dep_kinds").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    !kinds.is_empty() && kinds.iter().all(|kind| kind.get("kind").and_then(Value::as_str) == Some("dev"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tests_and_unpublished_crates_need_is_not_shipped() {
        let edge = |to: &str, kind: &str| format!(r#"{{"pkg": "{to}", "dep_kinds": [{{"kind": {kind}}}]}}"#);
        let node = |id: &str, edges: &[String]| format!(r#"{{"id": "{id}", "deps": [{}]}}"#, edges.join(","));
        let package = |name: &str, source: &str| {
            format!(
                r#"{{"id": "{name}", "name": "{name}", "version": "1.0.0", "license": "MIT", "source": {source}}}"#
            )
        };
        let packages = ["a", "own"].map(|name| package(name, "null")).into_iter();
        let packages = packages.chain(["b", "c", "d", "e", "f"].map(|name| package(name, "\"there\"")));
        let text = format!(
            r#"{{"packages": [{}], "resolve": {{"nodes": [{}]}}}}"#,
            packages.collect::<Vec<_>>().join(","),
            [
                node("a", &[edge("b", "null"), edge("c", "\"dev\""), edge("d", "\"build\"")]),
                node("own", &[edge("e", "null")]),
                node("b", &[edge("f", "null"), edge("a", "null")]),
            ]
            .join(",")
        );
        let graph = of(&serde_json::from_str::<Value>(&text).unwrap(), |name| name == "a").unwrap();
        let names = |of: &[Dependency]| of.iter().map(|crate_| crate_.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&graph.shipped), ["b", "d", "f"]);
        assert_eq!(names(&graph.all), ["b", "c", "d", "e", "f"]);
    }
}
