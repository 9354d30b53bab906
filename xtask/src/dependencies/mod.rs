//! What the published crates are built of: from where, under which licences, by which compilers, and, where a database of advisories is at hand,
//! with which known faults.

mod advisories;
mod graph;
mod licence;

use std::path::Path;

use crate::report::Outcome;
use crate::workspace::Workspace;

use graph::Dependency;
use licence::Expression;

/// Names a checkout of the RustSec advisory database, which is not fetched: this step asks no network.
const DATABASE: &str = "METERCAST_ADVISORIES";

/// The licences that whoever links a crate of ours may have to keep, each with why that can be asked of everybody. A licence
/// that the crate offers beside one of these does not matter.
const ALLOWED: &[(&str, &str)] = &[
    ("MIT", "ours too: the notice stays"),
    ("Apache-2.0", "ours too: the notice stays, patents are granted"),
    ("BSD-3-Clause", "the notice stays, the name is not used to advertise"),
    ("BSL-1.0", "the notice stays with the source, and need not come with a program"),
    ("ISC", "the notice stays"),
    ("Zlib", "changes are marked as such"),
    ("Unicode-3.0", "of tables of characters: the notice stays"),
    (
        "CDLA-Permissive-2.0",
        "of data, the certificates that browsers trust: the text of the licence stays with it",
    ),
];

/// What asks for a newer compiler than we promise, each with the feature that says so. What is built by default may not.
const NEWER: &[(&str, &str)] =
    &[("sqlx", "metercast-clients, feature sqlx_0_9"), ("sqlx-core", "metercast-clients, feature sqlx_0_9")];

/// How cargo writes that a crate is from a registry, and not from somebody's repository or folder.
const REGISTRY: &str = "registry+";

/// Checks everything that comes along with a published crate, with any features, on any platform.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let graph = match graph::read(workspace) {
        Ok(graph) => graph,
        Err(trouble) => return Outcome::of(vec![trouble]),
    };
    println!("{} crates come along with those that are published", graph.shipped.len());
    let allowed: Vec<_> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let mut troubles = of_sources(&graph.shipped);
    troubles.extend(of_licences(&graph.shipped, &allowed));
    match workspace.packages().iter().find(|package| package.published) {
        Some(package) => troubles.extend(of_compilers(&graph.shipped, &package.compiler, NEWER)),
        None => troubles.push("no member is published".to_owned()),
    }
    let Some(database) = std::env::var_os(DATABASE) else {
        println!(
            "skipped: known faults of {} crates, for want of a database: `git clone https://github.com/rustsec/advisory-db FOLDER`, then \
             `{DATABASE}=FOLDER cargo xtask test --only dependencies`",
            graph.all.len()
        );
        return Outcome { skipped: 1, ..Outcome::of(troubles) };
    };
    match advisories::check(Path::new(&database), &graph.all) {
        Ok(found) => troubles.extend(found),
        Err(trouble) => troubles.push(format!("{DATABASE}: {trouble}")),
    }
    Outcome::of(troubles)
}

fn of_sources(shipped: &[Dependency]) -> Vec<String> {
    let others = shipped.iter().filter(|crate_| !crate_.source.starts_with(REGISTRY));
    others
        .map(|Dependency { name, version, source, .. }| {
            format!("{name} {version} is from {source}, where no published crate may be from")
        })
        .collect()
}

fn of_licences(shipped: &[Dependency], allowed: &[&str]) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut expressions = Vec::new();
    for Dependency { name, version, licence, .. } in shipped {
        match Expression::parse(licence) {
            Ok(expression) if expression.holds(allowed) => expressions.push(expression),
            Ok(_) => troubles.push(format!(
                "{name} {version} is under {licence}, which is not allowed; {} says what is, and why",
                file!()
            )),
            Err(trouble) => troubles.push(format!("{name} {version}: its licence {licence:?} {trouble}")),
        }
    }
    for name in allowed {
        let others: Vec<_> = allowed.iter().copied().filter(|other| other != name).collect();
        if expressions.iter().all(|expression| expression.holds(&others)) {
            troubles.push(format!("{} allows {name}, which nothing needs", file!()));
        }
    }
    troubles
}

/// The lock file is one that the oldest compiler can build, which cargo sees to only when it chooses a version.
fn of_compilers(shipped: &[Dependency], promised: &str, newer: &[(&str, &str)]) -> Vec<String> {
    // Without the patch level, which some write and some do not.
    let number = |version: &str| -> Vec<u32> {
        version.split('.').take(2).filter_map(|part| part.parse().ok()).collect()
    };
    let (mut troubles, mut used) = (Vec::new(), Vec::new());
    for Dependency { name, version, compiler, .. } in shipped {
        if number(compiler) <= number(promised) {
            continue;
        }
        match newer.iter().find(|(row, _)| row == name) {
            Some((row, _)) => used.push(*row),
            None => troubles.push(format!(
                "{name} {version} wants Rust {compiler}, and we promise {promised}: take an older version, or raise \
                 rust-version in Cargo.toml, or say in {} which feature wants it",
                file!()
            )),
        }
    }
    let left = newer.iter().filter(|(row, _)| !used.contains(row));
    troubles.extend(left.map(|(row, _)| format!("{} names {row}, which wants no newer compiler", file!())));
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, licence: &str) -> Dependency {
        let (version, source) = ("1.0.0".to_owned(), format!("{REGISTRY}https://there"));
        let compiler = String::new();
        Dependency { name: name.to_owned(), version, licence: licence.to_owned(), source, compiler }
    }

    #[test]
    fn a_crate_that_wants_a_newer_compiler_than_we_promise_is_named() {
        let wants = |name: &str, compiler: &str| Dependency {
            compiler: compiler.to_owned(),
            ..dependency(name, "MIT")
        };
        let shipped = [wants("a", "1.89.0"), wants("b", "1.100.0"), wants("c", "1.94"), wants("d", "")];
        let found = of_compilers(&shipped, "1.89", &[("c", "a feature"), ("a", "another")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("b 1.0.0 wants Rust 1.100.0, and we promise 1.89: "), "{found:?}");
        assert_eq!(found[1], format!("{} names a, which wants no newer compiler", file!()));
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_named_with_its_crate() {
        let shipped = [dependency("a", "MIT OR GPL-3.0"), dependency("b", "GPL-3.0"), dependency("c", "")];
        let found = of_licences(&shipped, &["MIT"]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("b 1.0.0 is under GPL-3.0, which is not allowed"), "{found:?}");
        assert_eq!(found[1], "c 1.0.0: its licence \"\" names none");
    }

    #[test]
    fn a_licence_that_nothing_needs_is_no_longer_allowed() {
        let found = of_licences(&[dependency("a", "MIT OR Zlib"), dependency("b", "MIT")], &["MIT", "Zlib"]);
        assert_eq!(found, [format!("{} allows Zlib, which nothing needs", file!())]);
    }

    #[test]
    fn a_crate_from_elsewhere_is_named() {
        let mut other = dependency("a", "MIT");
        other.source = "git+https://example.com/a".to_owned();
        let found = of_sources(&[dependency("b", "MIT"), other]);
        assert_eq!(
            found,
            ["a 1.0.0 is from git+https://example.com/a, where no published crate may be from"]
        );
    }
}
