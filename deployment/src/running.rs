//! The container of a manifest as a running program: with its arguments, variables and files, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use conformance::http;
use conformance::program::{Folder, Program};

use crate::kubernetes::{self, Deployment, Env, Object, Probe, matches};
use crate::manifest::datadog;
use crate::service::Service;

/// What stands for every interface of a pod. A listener that stays on the usual loopback address is not reached from outside.
const REACHABLE: &str = "127.0.0.2";

/// A container, before it runs.
#[derive(Debug)]
pub struct Container {
    service: Service,
    deployment: Deployment,
    objects: Vec<Object>,
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

/// A container that runs; killed if the test ends before it does.
#[derive(Debug)]
pub struct Running {
    container: Container,
    program: Program,
}

/// What a running container is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// The names of its ports, each with what the program says before its address.
    pub ports: &'a [(&'a str, &'a str)],
    /// What goes along with every request, each with its end of line.
    pub headers: &'a str,
    /// Requests that give it something to count: port, method, path, body.
    pub requests: &'a [(&'a str, &'a str, &'a str, &'a str)],
    /// What other names on the page begin with than those of the reference.
    pub more: &'a [&'a str],
}

impl Container {
    /// That of a Deployment in the manifest of a service.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn of(service: &str, deployment: &str) -> Container {
        let service = Service::named(service);
        let objects = kubernetes::read(&service.text("kubernetes.yaml")).expect("a manifest");
        let found = objects.iter().find_map(|object| match object {
            Object::Deployment(found) if found.metadata.name() == deployment => Some(found.clone()),
            _ => None,
        });
        let deployment =
            found.unwrap_or_else(|| panic!("kubernetes.yaml: there is no Deployment {deployment}"));
        Container { service, deployment, objects, variables: BTreeMap::new(), files: BTreeMap::new() }
    }

    /// The same with this variable, in place of what the manifest says, or of a default that a test cannot have.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Container {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with what a Secret has as this file.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Container {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    /// Runs it, on free ports.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or the manifest refers to what nobody gave.
    pub fn start(self, program: &str) -> Running {
        let folder = Folder::new();
        let (container, inside) = (&self.deployment.spec.template.spec.containers[0], self.mounts(&folder));
        let mut command = Command::new(program);
        command.env_clear().current_dir(folder.path());
        command.args(container.args.iter().flatten().map(|argument| inside.put(argument)));
        for env in container.env.iter().flatten() {
            if !self.variables.contains_key(&env.name) {
                command.env(&env.name, inside.put(&value(env)));
            }
        }
        command.envs(&self.variables);
        let program = Program::spawn(command, folder).unwrap_or_else(|trouble| panic!("{trouble}"));
        Running { container: self, program }
    }

    /// Makes the volumes, and says where they are.
    fn mounts(&self, folder: &Folder) -> Inside {
        let pod = &self.deployment.spec.template.spec;
        let container = &pod.containers[0];
        let ports = container.ports.iter().map(|port| port.container_port).collect();
        let mut inside = Inside { ports, places: Vec::new() };
        for (number, mount) in container.volume_mounts.iter().flatten().enumerate() {
            let place = folder.path().join(format!("volume-{number}"));
            std::fs::create_dir(&place).expect("a new folder");
            inside.places.push((mount.mount_path.clone(), place.display().to_string()));
            let volume =
                pod.volumes.iter().flatten().find(|volume| volume.name == mount.name).expect("a volume");
            let mut files = BTreeMap::new();
            if let Some(named) = &volume.config_map {
                files.extend(self.config_map(&named.name));
            }
            for item in volume.secret.iter().flat_map(|secret| secret.items.iter().flatten()) {
                let path = format!("{}/{}", mount.mount_path, item.path);
                let text = self.files.get(&path).unwrap_or_else(|| panic!("nobody gave the Secret's {path}"));
                files.insert(item.path.clone(), text.clone());
            }
            for (name, text) in files {
                std::fs::write(place.join(name), inside.put(&text)).expect("a file in a new folder");
            }
        }
        inside
    }

    fn config_map(&self, name: &str) -> BTreeMap<String, String> {
        let found = self.objects.iter().find_map(|object| match object {
            Object::ConfigMap(map) if map.metadata.name() == name => Some(map.data.clone()),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("there is no ConfigMap {name}"))
    }

    /// The port and the path of the page, as a monitor has them.
    fn page(&self) -> Option<(&str, &str)> {
        let labels = self.deployment.spec.template.metadata.labels.as_ref();
        let services = self.objects.iter().filter_map(|object| match object {
            Object::Service(service) if matches(&service.spec.selector, labels) => Some(service),
            _ => None,
        });
        let labels: Vec<_> = services.map(|service| service.metadata.labels.as_ref()).collect();
        self.objects.iter().find_map(|object| match object {
            Object::ServiceMonitor(monitor) => {
                let is_ours = labels.iter().any(|of| matches(&monitor.spec.selector.match_labels, *of));
                let endpoint = monitor.spec.endpoints.first().filter(|_| is_ours)?;
                Some((&*endpoint.port, &*endpoint.path))
            }
            _ => None,
        })
    }
}

/// What is elsewhere in a test: addresses and folders.
struct Inside {
    ports: Vec<u16>,
    places: Vec<(String, String)>,
}

impl Inside {
    fn put(&self, text: &str) -> String {
        let mut text = text.replace("0.0.0.0", REACHABLE);
        for port in &self.ports {
            text = text.replace(&format!("{REACHABLE}:{port}"), &format!("{REACHABLE}:0"));
        }
        for (path, place) in &self.places {
            text = text.replace(path, place);
        }
        text
    }
}

/// What a variable has in the manifest, or in a pod.
fn value(env: &Env) -> String {
    match (&env.value, &env.value_from) {
        (Some(value), _) => value.clone(),
        (None, Some(from))
            if from.field_ref.as_ref().is_some_and(|field| field.field_path == "metadata.name") =>
        {
            "pod-1".to_owned()
        }
        _ => panic!("nobody gave what {} refers to", env.name),
    }
}

impl Running {
    /// Checks what the manifest promises to a cluster: its ports are reached from outside, its probes are answered, its page is where it
    /// says and has nothing that the reference has not, and it ends in time.
    ///
    /// # Panics
    ///
    /// If something is otherwise.
    pub fn holds(mut self, asked: &Asked<'_>) {
        let ports = asked.ports.iter();
        let addresses: BTreeMap<&str, String> = ports
            .map(|(port, before)| (*port, self.find(before, |said| address_after(said, before))))
            .collect();
        let Container { service, deployment, .. } = &self.container;
        let (pod, name) = (&deployment.spec.template.spec, deployment.metadata.name());
        let container = &pod.containers[0];
        let declared: BTreeSet<_> = container.ports.iter().map(|port| &*port.name).collect();
        assert_eq!(declared, addresses.keys().copied().collect(), "{name}");
        for (port, address) in &addresses {
            let is_reached = address.starts_with(REACHABLE);
            assert!(is_reached, "{name}: {port} listens on {address} alone; the manifest must say 0.0.0.0");
        }
        for probe in [&container.liveness_probe, &container.readiness_probe] {
            self.program.wait_for(&format!("{name}: {probe:?}"), || answers(probe, &addresses).then_some(()));
        }
        let headers = format!("Content-Type: application/json\r\n{}", asked.headers);
        let ask = |port: &str, method: &str, path: &str, body: &str| {
            let url = format!("http://{}{path}", addresses[port]);
            http::ask(&url, method, &headers, body.as_bytes()).expect("an answer")
        };
        for (port, method, path, body) in asked.requests {
            ask(port, method, path, body);
        }
        if let Some((port, path)) = self.container.page() {
            let (status, head, page) = ask(port, "GET", path, "");
            assert_eq!(status, 200, "{name}: {path}: {head}");
            let page = String::from_utf8(page).expect("UTF-8");
            let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
            let families: BTreeSet<_> = families.collect();
            assert!(!families.is_empty(), "{name}: {path} is empty");
            let reference = service.text("docs/metrics.md");
            for family in &families {
                let is_known = reference.contains(&format!("`{family}`"))
                    || asked.more.iter().any(|begin| family.starts_with(begin));
                assert!(is_known, "{name}: docs/metrics.md has no {family}");
            }
            for wanted in datadog(deployment) {
                let begin = wanted.trim_end_matches(".*");
                let is_there = families.iter().any(|family| family.starts_with(begin));
                assert!(is_there, "{name}: the annotation asks for {wanted}, of which there is nothing");
            }
        }
        let (status, took) = self.program.end().expect("it can be waited for");
        assert!(status.success(), "{name}: {status}: {}", self.program.said());
        let grace = Duration::from_secs(pod.termination_grace_period_seconds);
        assert!(took < grace, "{name}: {took:?}");
    }

    /// What is found in what the program says.
    fn find<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let found = self.program.look_for(what, |program| find(&(program.printed() + &program.said())));
        found.unwrap_or_else(|trouble| panic!("{}: {trouble}", self.container.deployment.metadata.name()))
    }
}

/// The `host:port` of the URL that stands after this.
fn address_after(said: &str, before: &str) -> Option<String> {
    let (_, rest) = said.split_once(&format!("{before}http://"))?;
    let end = rest.find(|c: char| c == '/' || c.is_whitespace())?;
    Some(rest[..end].to_owned())
}

fn answers(probe: &Probe, addresses: &BTreeMap<&str, String>) -> bool {
    if let Some(get) = &probe.http_get {
        let url = format!("http://{}{}", addresses[&*get.port], get.path);
        return http::ask(&url, "GET", "", b"").is_ok_and(|(status, ..)| status == 200);
    }
    let socket = probe.tcp_socket.as_ref().expect("one of httpGet and tcpSocket");
    std::net::TcpStream::connect(&addresses[&*socket.port]).is_ok()
}
