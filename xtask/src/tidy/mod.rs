//! The habits of this repository that no other tool checks.

mod code;
mod files;
mod heads;
mod links;
mod machine;
mod manifests;
mod unsafe_code;

use crate::workspace::Workspace;

/// Checks every file of the repository; one entry for each thing to mend.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let files = match files::list(workspace.root()) {
        Ok(files) => files,
        Err(trouble) => return vec![trouble],
    };
    println!("{} text files", files.len());
    let mut troubles = Vec::new();
    for file in &files {
        troubles.extend(heads::check(file));
        troubles.extend(machine::check(file));
        troubles.extend(links::check(file, |path| workspace.root().join(path).exists()));
    }
    troubles.extend(unsafe_code::check(&files));
    for package in workspace.packages() {
        troubles.extend(manifests::check(package, workspace.root()));
    }
    troubles
}
