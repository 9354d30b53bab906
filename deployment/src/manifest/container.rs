//! Whether a container has what its program knows, and nothing that is a secret.

use crate::kubernetes::{Container, Env, Pod, Probe};
use crate::manifest::{Manifest, Shipped};
use crate::sources::Sources;

/// What a name has in it whose value nobody should read in a manifest.
const SECRET: [&str; 6] = ["TOKEN", "PASSWORD", "SECRET", "HEADERS", "DATABASE_URL", "REDIS_URL"];

/// What a value has in it that is a secret, or leads to one.
const SECRET_VALUES: [&str; 3] = ["Bearer ", "Basic ", "@"];

pub(super) fn troubles(
    shipped: &Shipped,
    container: &Container,
    pod: &Pod,
    manifest: &Manifest,
    sources: &Sources,
) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut say = |trouble: Option<String>| troubles.extend(trouble);
    let name = shipped.service.name;
    if container.image.split(':').next().and_then(|image| image.rsplit('/').next()) != Some(name) {
        say(Some(format!("image: {} is not of {name}", container.image)));
    }
    for port in &container.ports {
        let number = port.container_port;
        say((!sources.has_port(number))
            .then(|| format!("port {} {number}: the service has no such default", port.name)));
    }
    for (which, probe) in
        [("livenessProbe", &container.liveness_probe), ("readinessProbe", &container.readiness_probe)]
    {
        say(of_probe(probe, container, sources).map(|trouble| format!("{which}: {trouble}")));
    }
    for env in container.env.iter().flatten() {
        say(of_variable(env, sources).map(|trouble| format!("env {}: {trouble}", env.name)));
    }
    let security = &container.security_context;
    let is_bound = !security.allow_privilege_escalation
        && security.read_only_root_filesystem
        && security.capabilities.drop == ["ALL"];
    say((!is_bound).then(|| "securityContext: it needs no more than an ordinary program".to_owned()));
    for (which, resources) in
        [("requests", &container.resources.requests), ("limits", &container.resources.limits)]
    {
        say((!resources.contains_key("memory")).then(|| format!("resources.{which}: no memory")));
    }
    troubles.extend(of_volumes(container, pod, manifest));
    troubles.extend(of_arguments(shipped, container));
    troubles
}

fn of_probe(probe: &Probe, container: &Container, sources: &Sources) -> Option<String> {
    let port = match (&probe.http_get, &probe.tcp_socket) {
        (Some(get), None) if !sources.has_path(&get.path) => {
            return Some(format!("the service has nothing at {}", get.path));
        }
        (Some(get), None) => &get.port,
        (None, Some(socket)) => &socket.port,
        _ => return Some("one of httpGet and tcpSocket".to_owned()),
    };
    let is_there = container.ports.iter().any(|named| named.name == *port);
    (!is_there).then(|| format!("the container has no port {port}"))
}

fn of_variable(env: &Env, sources: &Sources) -> Option<String> {
    if !sources.has_variable(&env.name) {
        return Some("the service reads no such variable".to_owned());
    }
    match (&env.value, &env.value_from) {
        (Some(value), None) => {
            let is_secret = SECRET.iter().any(|word| env.name.contains(word))
                || SECRET_VALUES.iter().any(|word| value.contains(word));
            is_secret.then(|| "a secret stands in the manifest; refer to it by secretKeyRef".to_owned())
        }
        (None, Some(from)) if from.secret_key_ref.is_some() != from.field_ref.is_some() => None,
        _ => Some("one value, or one place that it is from".to_owned()),
    }
}

fn of_volumes(container: &Container, pod: &Pod, manifest: &Manifest) -> Vec<String> {
    let mut troubles = Vec::new();
    let volumes: Vec<_> = pod.volumes.iter().flatten().collect();
    for mount in container.volume_mounts.iter().flatten() {
        if !volumes.iter().any(|volume| volume.name == mount.name) {
            troubles.push(format!("volumeMounts: there is no volume {}", mount.name));
        }
    }
    for volume in volumes {
        let has_map = |name: &str| manifest.config_maps.iter().any(|map| map.metadata.name() == name);
        let has_claim = |name: &String| manifest.claims.contains(name);
        let is_there = match volume {
            v if v.config_map.is_some() => v.config_map.iter().all(|map| has_map(&map.name)),
            v if v.persistent_volume_claim.is_some() => {
                v.persistent_volume_claim.iter().all(|claim| has_claim(&claim.claim_name))
            }
            v => v.secret.is_some() || v.empty_dir.is_some(),
        };
        if !is_there {
            troubles.push(format!("volumes: what {} refers to is not here", volume.name));
        }
    }
    troubles
}

/// A file that it is told to read is in the image or in a volume.
fn of_arguments(shipped: &Shipped, container: &Container) -> Option<String> {
    let arguments = container.args.as_deref().unwrap_or_default();
    let at = arguments.iter().position(|argument| argument == "--config")?;
    let Some(file) = arguments.get(at + 1) else { return Some("args: --config of what?".to_owned()) };
    let mounts = container.volume_mounts.iter().flatten();
    let is_there = mounts.into_iter().any(|mount| file.starts_with(&format!("{}/", mount.mount_path)))
        || shipped.dockerfile.contains(file);
    (!is_there).then(|| format!("args: {file} is neither in the image nor in a volume"))
}
