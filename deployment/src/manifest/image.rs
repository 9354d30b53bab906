//! Whether the image has the program that the manifest runs, and little else.

use std::collections::BTreeSet;

use crate::dockerfile::Dockerfile;
use crate::manifest::{Manifest, Shipped};
use crate::service::{read, root};

pub(super) fn troubles(shipped: &Shipped, manifest: &Manifest) -> Vec<String> {
    let file = match Dockerfile::read(&shipped.dockerfile) {
        Ok(file) => file,
        Err(error) => return vec![error],
    };
    let name = shipped.service.name;
    let mut troubles = Vec::new();
    let mut say =
        |is_wrong: bool, what: String| troubles.extend(is_wrong.then(|| format!("Dockerfile: {what}")));
    let [build, last] = &file.from[..] else {
        return vec!["Dockerfile: one stage that builds, and one that runs".to_owned()];
    };
    let workspace = read(&root().join("Cargo.toml"));
    let compiler = workspace.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    let compiler = compiler.unwrap_or_default();
    say(
        !build.starts_with(&format!("rust:{compiler}-")) || !build.ends_with(" AS build"),
        format!("FROM {build}: it is built by the promised compiler, {compiler}, in the stage `build`"),
    );
    say(!last.ends_with(":nonroot"), format!("FROM {last}: an image without a shell and without root"));
    let expected = format!("cargo build --release --locked --package {name}");
    say(file.run != [expected.clone()], format!("RUN {:?} is not {expected}", file.run));
    let program = format!("/{name}");
    say(file.entrypoint != [program.clone()], format!("ENTRYPOINT {:?} is not {program}", file.entrypoint));
    let (binary, rest) = match file.copy.split_first() {
        Some((binary, rest)) => (&**binary, rest),
        None => ("", &[][..]),
    };
    let expected = format!("--from=build /build/target/release/{name} {program}");
    say(binary != expected, format!("COPY {binary} is not {expected}"));
    for copied in rest {
        let from = copied.split(' ').next().unwrap_or_default();
        let is_configuration = from.starts_with(&format!("services/{name}/")) && root().join(from).is_file();
        say(!is_configuration, format!("COPY {from}: that is no file of the service"));
    }
    let users = manifest.deployments.iter().map(|deployment| {
        let user = deployment.spec.template.spec.security_context.run_as_user;
        format!("{user}:{user}")
    });
    let is_root = file.user.is_empty() || file.user.starts_with("0:");
    say(is_root, format!("USER {}: it needs no root", file.user));
    for user in users {
        say(file.user != user, format!("USER {} is {user} in the manifest", file.user));
    }
    let exposed: BTreeSet<u16> = file.expose.iter().copied().collect();
    say(exposed != manifest.ports(), format!("EXPOSE {exposed:?} is {:?} in the manifest", manifest.ports()));
    troubles
}
