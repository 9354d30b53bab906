//! Lays the sources over each other: which exporters there are, and what holds for each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::address::Address;
use super::env::Variables;
use super::error::{Findings, Place};
use super::exporter::{ExporterConfig, Kind};
use super::gateway::Gateway;
use super::layer::{ExporterLayer, Layer, Settings};
use super::projection::ProjectionLayer;
use super::prometheus::PrometheusLayer;
use super::{Config, ConfigBuilder, ConfigError, process};
use crate::resource::Resource;

/// How long the final flush may take, unless a source says otherwise.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The sources, lowest first. The environment comes as its variables, since what they mean for an exporter
/// depends on what the file says about it.
pub(super) struct Sources {
    pub(super) defaults: Layer,
    pub(super) file: Layer,
    pub(super) environment: Variables,
    pub(super) pinned: Layer,
    /// Exporters of the program's vendor, which nothing reaches but a switch in the file.
    pub(super) private: BTreeMap<String, ExporterLayer>,
    /// Exporters that the program does not want, whoever asks for them.
    pub(super) unwanted: BTreeSet<String>,
}

impl Sources {
    /// The configuration that holds. If it is disabled its problems are warnings: the way to switch telemetry
    /// off must not depend on the rest being right.
    pub(super) fn resolve(
        self,
        builder: Box<ConfigBuilder>,
        mut findings: Findings,
    ) -> Result<Config, ConfigError> {
        let Self { mut defaults, mut file, environment, mut pinned, private, unwanted } = self;
        let environment = environment.unless_declared(&mut findings);
        let disabled = environment.disabled(&mut findings).then_some(false);
        let enabled = pinned.enabled.or(disabled).or(file.enabled).unwrap_or(true);

        let mut resource = Resource::of_process(process::executable().as_deref(), process::instance_id());
        let layers = [
            &mut defaults.resource,
            &mut file.resource,
            &mut environment.resource(&mut findings),
            &mut pinned.resource,
        ];
        for (key, value) in layers.into_iter().flat_map(std::mem::take) {
            resource.set(&key, value);
        }

        let shutdown_timeout = pinned.shutdown_timeout.or(file.shutdown_timeout).unwrap_or(SHUTDOWN_TIMEOUT);
        let on_sigterm = pinned.on_sigterm.or(file.on_sigterm).unwrap_or_default();
        let on_error = pinned.on_error.or(file.on_error).unwrap_or_default();
        let self_metrics = pinned.self_metrics.or(file.self_metrics).unwrap_or(true);
        let of_environment = environment.exemplars(&mut findings);
        let exemplars = pinned.exemplars.or(of_environment).or(file.exemplars).unwrap_or_default();
        let names_of_private = private.keys().cloned().collect();
        let private = switched_on(private, &mut file);
        let exporters = exporters([defaults, file, pinned], private, &environment, &unwanted, &mut findings);
        let warnings = findings.finish(!enabled)?;
        Ok(Config {
            enabled,
            resource,
            exporters,
            private: names_of_private,
            shutdown_timeout,
            on_sigterm,
            on_error,
            self_metrics,
            exemplars,
            warnings,
            builder,
        })
    }
}

/// The private exporters that the file does not switch off; what else it says of them has been refused.
fn switched_on(
    mut private: BTreeMap<String, ExporterLayer>,
    file: &mut Layer,
) -> BTreeMap<String, ExporterLayer> {
    private.retain(|name, _| {
        let switch = file.exporters.remove(name).and_then(|file| file.enabled);
        switch.is_none_or(|enabled| enabled.value)
    });
    private
}

/// What each source says about one exporter.
#[derive(Default)]
struct Stack {
    default: Option<ExporterLayer>,
    file: Option<ExporterLayer>,
    pinned: Option<ExporterLayer>,
    is_private: bool,
}

fn exporters(
    [defaults, file, pinned]: [Layer; 3],
    private: BTreeMap<String, ExporterLayer>,
    environment: &Variables,
    unwanted: &BTreeSet<String>,
    findings: &mut Findings,
) -> BTreeMap<String, ExporterConfig> {
    let common = pinned.projection.over(file.projection.over(defaults.projection));
    let mut stacks = BTreeMap::<String, Stack>::new();
    for (name, layer) in defaults.exporters {
        stacks.entry(name).or_default().default = Some(layer);
    }
    for (name, layer) in file.exporters {
        stacks.entry(name).or_default().file = Some(layer);
    }
    for (name, layer) in pinned.exporters {
        stacks.entry(name).or_default().pinned = Some(layer);
    }

    let nobody_named_any = stacks.is_empty();
    let wanted = environment.standard_exporters(findings);
    for kind in Kind::ALL {
        let stack = stacks.get(kind.name());
        if stack.is_some_and(|stack| stack.file.is_some() || stack.pinned.is_some()) {
            continue;
        }
        let exists = match (&wanted, kind) {
            // No variable names it.
            (_, Kind::Pushgateway) => stack.is_some(),
            (Some(wanted), _) => wanted.contains(&kind),
            (None, Kind::Prometheus) => stack.is_some() || nobody_named_any,
            (None, Kind::Otlp) => stack.is_some() || environment.names_endpoint(),
            (None, Kind::Stdout) => stack.is_some(),
        };
        if exists {
            stacks.entry(kind.name().to_owned()).or_default();
        } else {
            stacks.remove(kind.name());
        }
    }

    for (name, layer) in private {
        stacks.insert(name, Stack { pinned: Some(layer), is_private: true, ..Stack::default() });
    }

    let mut exporters = BTreeMap::new();
    let mut listeners = Vec::new();
    for (name, stack) in stacks.into_iter().filter(|(name, _)| !unwanted.contains(name)) {
        let place = Place::exporter(&name);
        let is_private = stack.is_private;
        let Some((settings, projection)) = stack.settings(&name, environment, findings) else { continue };
        let projection = if is_private { projection } else { projection.over(common.clone()) }.resolve();
        let config = match settings {
            Settings::Prometheus(prometheus) => {
                listeners.push(Listener::of(&name, &prometheus));
                Some(ExporterConfig::Prometheus(prometheus.resolve(projection, &place, findings)))
            }
            Settings::Otlp(otlp) => {
                let proxy_of = |endpoint: &_, findings: &mut _| match is_private {
                    true => None,
                    false => environment.proxy(endpoint, findings),
                };
                otlp.resolve(projection, &place, proxy_of, findings).map(ExporterConfig::Otlp)
            }
            Settings::Pushgateway(pushgateway) => {
                let proxy_of = |gateway: &Gateway, findings: &mut _| match is_private {
                    true => None,
                    false => environment.proxy_to(gateway.is_https, &gateway.host, gateway.port, findings),
                };
                pushgateway.resolve(projection, &place, proxy_of, findings).map(ExporterConfig::Pushgateway)
            }
            Settings::Stdout(stdout) => Some(ExporterConfig::Stdout(stdout.resolve(projection))),
        };
        exporters.extend(config.map(|config| (name, config)));
    }
    check_listeners(&listeners, findings);
    exporters
}

impl Stack {
    /// All that is said about the exporter, or `None` if it is switched off.
    fn settings(
        self,
        name: &str,
        environment: &Variables,
        findings: &mut Findings,
    ) -> Option<(Settings, ProjectionLayer)> {
        let Self { default, file, pinned, is_private } = self;
        if let (Some(file), Some(pinned)) = (&file, &pinned)
            && file.kind() != pinned.kind()
        {
            let (found, needed) = (file.kind().name(), pinned.kind().name());
            findings.problem(
                &file.type_place,
                format!(
                    "{found:?} contradicts the program, which makes this exporter {needed:?}; leave the \
                     type out"
                ),
            );
            return None;
        }
        if let Some(enabled) =
            file.as_ref().and_then(|file| file.enabled.as_ref()).filter(|enabled| !enabled.value)
        {
            // Only a pinned exporter outlives that.
            pinned.as_ref()?;
            findings.warn(&enabled.place, "false is ignored, as the program pins this exporter");
        }

        let sources = [&pinned, &file, &default];
        let kind =
            sources.iter().find_map(|layer| layer.as_ref().map(ExporterLayer::kind)).or(Kind::named(name))?;
        let is_standard = Kind::named(name).is_some() && file.is_none();
        let reads_environment =
            !is_private && sources.iter().find_map(|layer| layer.as_ref()?.env).unwrap_or(is_standard);

        let said = |layer: Option<ExporterLayer>| {
            layer.map_or_else(
                || (Settings::silent(kind), ProjectionLayer::default()),
                |layer| (layer.settings, layer.projection),
            )
        };
        let (default, file, pinned) = (said(default), said(file), said(pinned));
        let projection = pinned.1.over(file.1.over(default.1));
        let mut settings = file.0.over(default.0);
        if reads_environment {
            settings = environment.settings(&settings, findings).over(settings);
        }
        Some((pinned.0.over(settings), projection))
    }
}

/// Where an exporter listens, and which source says so.
struct Listener {
    name: String,
    place: Place,
    address: Address,
}

impl Listener {
    fn of(name: &str, settings: &PrometheusLayer) -> Self {
        let place = match &settings.listen {
            Some(listen) => listen.place.clone(),
            None => Place::exporter(name).child("listen"),
        };
        Self { name: name.to_owned(), place, address: settings.address() }
    }
}

/// Notes each exporter that listens where another does.
fn check_listeners(listeners: &[Listener], findings: &mut Findings) {
    // In place of an address that could not be read there is the default, which nobody asked for.
    if findings.has_problems() {
        return;
    }
    for (n, second) in listeners.iter().enumerate() {
        let Some(first) = listeners[..n].iter().find(|first| first.address.is_same_listener(&second.address))
        else {
            continue;
        };
        let (address, name) = (&second.address, &first.name);
        let message = format!(
            "\"{address}\" is where the exporter {name:?} listens already; give each a port of its own"
        );
        findings.problem(&second.place, message);
    }
}
