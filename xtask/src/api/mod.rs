//! What each published library shows to others, held against the list beside it: a change of it is seen and judged before it goes out.

mod difference;
mod list;
mod release;

use std::path::PathBuf;

use crate::rustdoc;
use crate::workspace::{Package, Workspace};

use difference::Difference;
use list::List;

/// How the lists are written anew.
const WRITE: &str = "cargo xtask api --write";

/// Says what is other than the lists have it; each library whose list is not what its code says is a trouble.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    each(workspace, |package, is| {
        let was = match std::fs::read_to_string(place(package)) {
            Ok(text) => {
                List::parse(&text).map_err(|trouble| format!("{}: {trouble}", place(package).display()))?
            }
            Err(error) => {
                return Err(format!(
                    "{}: cannot be read: {error}; `{WRITE}` writes it",
                    place(package).display()
                ));
            }
        };
        let difference = Difference::between(&was, is);
        say(package, is, &difference);
        let Package { name, version, .. } = package;
        if !difference.is_empty() {
            return Err(format!(
                "{name}: api.txt is not what the code says: {difference}; `{WRITE}` writes it, and CHANGELOG.md tells users"
            ));
        }
        if was.version != *version {
            return Err(format!(
                "{name}: api.txt is of {}, and this is {version}; `{WRITE}` writes it",
                was.version
            ));
        }
        Ok(())
    })
}

/// Writes the lists anew, but those with a change that the version does not allow.
pub(crate) fn write(workspace: &Workspace) -> Vec<String> {
    let path = workspace.root().join("CHANGELOG.md");
    let released = match std::fs::read_to_string(&path) {
        Ok(text) => release::versions(&text),
        Err(error) => return vec![format!("{}: cannot be read: {error}", path.display())],
    };
    each(workspace, |package, is| {
        let path = place(package);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        // The first list has nothing to be held against.
        if !text.is_empty() {
            let was = List::parse(&text).map_err(|trouble| format!("{}: {trouble}", path.display()))?;
            let difference = Difference::between(&was, is);
            say(package, is, &difference);
            if difference.is_breaking() {
                release::allows_breaking(&package.version, &released)
                    .map_err(|trouble| format!("{}: {difference}, and {trouble}", package.name))?;
            }
        }
        // Rustdoc would describe a library anew if a file of it were touched.
        if text == is.to_string() {
            return Ok(());
        }
        println!("{}: written", path.display());
        std::fs::write(&path, is.to_string())
            .map_err(|error| format!("{}: cannot be written: {error}", path.display()))
    })
}

/// Has rustdoc describe the libraries, and gives each with its list.
fn each(workspace: &Workspace, look: impl Fn(&Package, &List) -> Result<(), String>) -> Vec<String> {
    if let Err(trouble) = rustdoc::describe(workspace) {
        return vec![trouble];
    }
    let one =
        |package: &Package| look(package, &List::of(package, &rustdoc::path(workspace, &package.name))?);
    workspace.libraries().filter_map(|package| one(package).err()).collect()
}

fn place(package: &Package) -> PathBuf {
    package.manifest.with_file_name("api.txt")
}

fn say(package: &Package, is: &List, difference: &Difference) {
    println!("{} {}: {} lines", package.name, package.version, is.lines.len());
    difference.lines().for_each(|line| println!("    {line}"));
}

#[cfg(test)]
mod tests;
