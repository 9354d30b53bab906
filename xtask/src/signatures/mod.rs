//! No type of a foreign crate in a public signature, unless the crate's manifest allows it.
//!
//! A foreign type in a signature ties our major version to the foreign one: when it moves on, so must we, and all
//! who use us. The tools that check this want a nightly compiler; what rustdoc says about a crate as JSON is enough.

mod locked;
mod surface;

use crate::rustdoc::{self, module_name};
use crate::workspace::{Package, Workspace};
use locked::Locked;
use surface::{Foreign, Surface};

/// The crates that applications and libraries build on. Adapters carry foreign types; that is what they are for.
const CHECKED: [&str; 2] = ["metercast-core", "metercast"];

/// Reads the public surface of each checked crate and holds it against its allow-list.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let locked = match rustdoc::describe(workspace).and_then(|()| Locked::read(workspace.root())) {
        Ok(locked) => locked,
        Err(trouble) => return vec![trouble],
    };
    CHECKED
        .into_iter()
        .flat_map(|name| {
            check_one(workspace, &locked, name).unwrap_or_else(|trouble| vec![format!("{name}: {trouble}")])
        })
        .collect()
}

fn check_one(workspace: &Workspace, locked: &Locked, name: &str) -> Result<Vec<String>, String> {
    let package = workspace.packages().iter().find(|package| package.name == name);
    let package =
        package.ok_or("is no member of the workspace; correct CHECKED in xtask/src/signatures/mod.rs")?;
    let json = rustdoc::read(&rustdoc::path(workspace, name))?;
    let own: Vec<_> = workspace.packages().iter().map(|package| module_name(&package.name)).collect();
    let surface = Surface::read(&json, &own)?;
    println!("{name}: {} public items, {} foreign types", surface.items, surface.foreign.len());
    Ok(judge(package, &surface.foreign, locked))
}

fn judge(package: &Package, foreign: &[Foreign], locked: &Locked) -> Vec<String> {
    let name = &package.name;
    let allowed: Vec<_> = package.allowed_external.iter().map(|allowed| module_name(allowed)).collect();
    let mut troubles: Vec<_> = foreign
        .iter()
        .filter(|found| !allowed.contains(&found.from))
        .map(|Foreign { item, path, from }| {
            format!(
                "{name}: {item} shows {path}; take a closure or a type of our own, move it to an adapter crate, or, if \
                 {from} is 1.0 or later, add it to allowed-external under [package.metadata.metercast]"
            )
        })
        .collect();
    for row in &allowed {
        if !foreign.iter().any(|found| &found.from == row) {
            troubles.push(format!(
                "{name}: allowed-external names {row}, which no public signature shows; remove it"
            ));
        }
        for version in locked.versions_of(row).filter(|version| version.starts_with("0.")) {
            troubles.push(format!(
                "{name}: allowed-external names {row} {version}; a crate before 1.0 stays out of public signatures"
            ));
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge_with(allowed: &[&str], shown: &[(&str, &str)]) -> Vec<String> {
        let package = Package {
            name: "metercast".to_owned(),
            allowed_external: allowed.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        };
        let foreign: Vec<_> = shown
            .iter()
            .map(|(path, from)| Foreign {
                item: "metercast::start".to_owned(),
                path: (*path).to_owned(),
                from: (*from).to_owned(),
            })
            .collect();
        let locked = Locked::parse(
            "name = \"http-body\"\nversion = \"1.1.0\"\nname = \"hyper-util\"\nversion = \"0.1.21\"\n",
        );
        judge(&package, &foreign, &locked)
    }

    #[test]
    fn a_foreign_type_is_named_with_the_item_that_shows_it() {
        let found = judge_with(&[], &[("http_body::Body", "http_body")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("metercast: metercast::start shows http_body::Body; "), "{found:?}");
    }

    #[test]
    fn an_allowed_crate_is_fine_whatever_its_hyphens() {
        assert_eq!(judge_with(&["http-body"], &[("http_body::Body", "http_body")]), Vec::<String>::new());
    }

    #[test]
    fn a_crate_before_1_0_cannot_be_allowed() {
        let found = judge_with(&["hyper-util"], &[("hyper_util::Thing", "hyper_util")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("names hyper_util 0.1.21; a crate before 1.0"), "{found:?}");
    }

    #[test]
    fn what_is_allowed_must_be_shown() {
        let found = judge_with(&["http-body"], &[]);
        assert!(found[0].contains("which no public signature shows; remove it"), "{found:?}");
    }
}
