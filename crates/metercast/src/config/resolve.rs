//! Lays the sources over each other: which exporters there are, and what holds for each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::address::Address;
use super::env::Variables;
use super::error::Findings;
use super::exporter::{ExporterConfig, Kind};
use super::files::Files;
use super::gateway::Gateway;
use super::layer::{ExporterLayer, Layer, Settings};
use super::place::{Given, Place, lay};
use super::projection::ProjectionLayer;
use super::prometheus::PrometheusLayer;
use super::signal::Signal;
use super::sources::Source;
use super::traces::{TracesConfig, TracesLayer};
use super::{Config, ConfigBuilder, ConfigError, OnError, OnSigterm, duration, exemplars, process};
use crate::dynamic::Stages;
use crate::resource::Resource;
use metercast_core::{ExemplarFilter, Value};

/// How long the final flush may take, unless a source says otherwise.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The sources, lowest first. The environment comes as its variables, since what they mean for an exporter
/// depends on what the file says about it.
pub(super) struct Sources {
    pub(super) defaults: Layer,
    pub(super) file: Layer,
    pub(super) environment: Variables,
    /// Those that traces listen to.
    pub(super) of_traces: Variables,
    /// The variables of the application's own.
    pub(super) prefixed: Layer,
    pub(super) pinned: Layer,
    /// Exporters of the program's vendor, which nothing reaches but a switch in the file.
    pub(super) private: BTreeMap<String, ExporterLayer>,
    /// Exporters that the program does not want, whoever asks for them.
    pub(super) unwanted: BTreeSet<String>,
    /// What instruments can be defined for.
    pub(super) stages: Stages,
}

impl Sources {
    /// The configuration that holds. If it is disabled its problems are warnings: the way to switch telemetry
    /// off must not depend on the rest being right.
    pub(super) fn resolve(
        self,
        builder: Box<ConfigBuilder>,
        files: Files,
        mut findings: Findings,
    ) -> Result<Config, ConfigError> {
        let Self {
            mut defaults,
            mut file,
            environment,
            of_traces,
            mut prefixed,
            mut pinned,
            private,
            unwanted,
            stages,
        } = self;
        let disabled = environment.disabled(&mut findings);
        let enabled = lay(prefixed.enabled.take(), lay(disabled, file.enabled.take()));
        let enabled = lay(pinned.enabled.take(), enabled);
        let is_enabled = enabled.as_ref().is_none_or(|enabled| enabled.value);

        let mut resource = Resource::of_process(process::executable().as_deref(), process::instance_id());
        let layers = [
            &mut defaults.resource,
            &mut file.resource,
            &mut environment.resource(&mut findings),
            &mut prefixed.resource,
            &mut pinned.resource,
        ];
        let mut attributes = BTreeMap::new();
        for (key, value) in layers.into_iter().flat_map(std::mem::take) {
            let old = attributes.remove(&key);
            attributes.extend(lay(Some(value), old).map(|value| (key, value)));
        }

        let shutdown_timeout = lay(prefixed.shutdown_timeout.take(), file.shutdown_timeout.take());
        let shutdown_timeout = lay(pinned.shutdown_timeout.take(), shutdown_timeout);
        let on_sigterm = lay(prefixed.on_sigterm.take(), file.on_sigterm.take());
        let on_sigterm = lay(pinned.on_sigterm.take(), on_sigterm);
        let on_error = lay(prefixed.on_error.take(), file.on_error.take());
        let on_error = lay(pinned.on_error.take(), on_error);
        let self_metrics = lay(prefixed.self_metrics.take(), file.self_metrics.take());
        let self_metrics = lay(pinned.self_metrics.take(), self_metrics);
        let of_environment = environment.exemplars(&mut findings);
        let exemplars = lay(prefixed.exemplars.take(), lay(of_environment, file.exemplars.take()));
        let exemplars = lay(pinned.exemplars.take(), exemplars);
        let at = |key| Place::named("telemetry").child(key);
        let truth = bool::to_string;
        findings.settle(&at("enabled"), enabled, true, truth);
        let shutdown_timeout =
            findings.settle(&at("shutdown_timeout"), shutdown_timeout, SHUTDOWN_TIMEOUT, |timeout| {
                duration::show(*timeout)
            });
        let on_sigterm = findings.settle(&at("on_sigterm"), on_sigterm, OnSigterm::default(), |word| {
            OnSigterm::NAMES[*word as usize].to_owned()
        });
        let on_error = findings.settle(&at("on_error"), on_error, OnError::default(), |word| {
            OnError::NAMES[*word as usize].to_owned()
        });
        let self_metrics = findings.settle(&at("self_metrics"), self_metrics, true, truth);
        let filter = exemplars;
        let exemplars = findings
            .settle(&at("exemplars"), filter, ExemplarFilter::default(), |filter| exemplars::name(*filter));
        // Those of the process itself stand there as defaults.
        let own =
            resource.attributes().iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>();
        for (key, value) in own.into_iter().filter(|(key, _)| !attributes.contains_key(key)) {
            findings.note_as(&at("resource").child(&key), value.to_string(), Source::Default);
        }
        for (key, value) in attributes {
            let value = findings.note(&at("resource").child(&key), value, Value::to_string);
            resource.set(&key, value);
        }

        let traces = [&mut defaults, &mut file, &mut prefixed, &mut pinned]
            .map(|layer| std::mem::take(&mut layer.traces));
        let (traces, traces_problem) = traces_of(traces, &of_traces, is_enabled, &mut findings);

        let instruments = std::mem::take(&mut file.instruments).resolve(&stages, &mut findings);
        let names_of_private = private.keys().cloned().collect();
        let private = switched_on(private, [&mut file, &mut prefixed]);
        let exporters =
            exporters([defaults, file, prefixed, pinned], private, &environment, &unwanted, &mut findings);
        let Files { known: files, filled, .. } = files;
        let (warnings, sources) = match findings.finish(!is_enabled) {
            Ok(finished) => finished,
            Err(error) => return Err(error.in_files(files)),
        };
        Ok(Config {
            enabled: is_enabled,
            resource,
            exporters,
            private: names_of_private,
            shutdown_timeout,
            on_sigterm,
            on_error,
            self_metrics,
            exemplars,
            traces,
            traces_problem,
            instruments,
            warnings,
            sources,
            files,
            filled,
            builder,
        })
    }
}

/// What holds for traces, or why there are none although variables ask for some. What those say wrongly keeps no service from starting.
fn traces_of(
    [defaults, file, prefixed, pinned]: [TracesLayer; 4],
    environment: &Variables,
    is_enabled: bool,
    findings: &mut Findings,
) -> (Option<TracesConfig>, Option<String>) {
    let mut own = Findings::default();
    let is_off = environment.disabled(&mut own).is_some() || !is_enabled;
    let below = file.over(defaults);
    let of_environment = environment.traces(&below, &mut own);
    let layer = pinned.over(prefixed.over(of_environment.over(below)));
    // One that cannot be used asks for traces all the same.
    if !layer.is_on() && (layer.enabled.is_some() || !environment.names_endpoint(Signal::Traces)) {
        return (None, None);
    }
    let traces = layer.resolve(|endpoint, findings| environment.proxy(endpoint, findings), &mut own);
    let problem = own.only_of_standard_variables();
    findings.absorb(own, problem.is_some());
    if is_off { (None, None) } else { (traces.filter(|_| problem.is_none()), problem) }
}

/// The private exporters that the file does not switch off; what else it says of them has been refused.
fn switched_on(
    mut private: BTreeMap<String, ExporterLayer>,
    mut sources: [&mut Layer; 2],
) -> BTreeMap<String, ExporterLayer> {
    private.retain(|name, layer| {
        let [file, above] = &mut sources;
        let switch = |layer: &mut Layer| layer.exporters.remove(name)?.enabled;
        layer.enabled = lay(switch(above), switch(file));
        layer.enabled.as_ref().is_none_or(|enabled| enabled.value)
    });
    private
}

/// What each source says about one exporter.
#[derive(Default)]
struct Stack {
    default: Option<ExporterLayer>,
    file: Option<ExporterLayer>,
    prefixed: Option<ExporterLayer>,
    pinned: Option<ExporterLayer>,
    is_private: bool,
}

fn exporters(
    [defaults, file, prefixed, pinned]: [Layer; 4],
    private: BTreeMap<String, ExporterLayer>,
    environment: &Variables,
    unwanted: &BTreeSet<String>,
    findings: &mut Findings,
) -> BTreeMap<String, ExporterConfig> {
    let common = pinned.projection.over(prefixed.projection.over(file.projection.over(defaults.projection)));
    let is_everything = file.is_everything;
    let mut stacks = BTreeMap::<String, Stack>::new();
    for (name, layer) in defaults.exporters {
        stacks.entry(name).or_default().default = Some(layer);
    }
    for (name, layer) in file.exporters {
        stacks.entry(name).or_default().file = Some(layer);
    }
    for (name, layer) in prefixed.exporters {
        stacks.entry(name).or_default().prefixed = Some(layer);
    }
    for (name, layer) in pinned.exporters {
        stacks.entry(name).or_default().pinned = Some(layer);
    }

    let nobody_named_any = stacks.is_empty() && !is_everything;
    let wanted = environment.standard_exporters(findings);
    for kind in Kind::ALL {
        let stack = stacks.get(kind.name());
        if stack.is_some_and(Stack::is_named) {
            continue;
        }
        let exists = match (&wanted, kind) {
            // No variable names it.
            (_, Kind::Pushgateway | Kind::Custom) => stack.is_some(),
            (Some(wanted), _) => wanted.contains(&kind),
            (None, Kind::Prometheus) => stack.is_some() || nobody_named_any,
            (None, Kind::Otlp) => stack.is_some() || environment.names_endpoint(Signal::Metrics),
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
        let kind_source = stack.kind_source();
        let Some((settings, projection)) = stack.settings(&name, environment, findings) else { continue };
        let projection = if is_private { projection } else { projection.over(common.clone()) };
        findings.note_as(&place.child("type"), settings.kind().name().to_owned(), kind_source);
        let mut projection = projection.resolve(&place, findings);
        // What a user defines is none of the vendor's business.
        projection.filter.refuses_configured |= is_private;
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
                otlp.resolve(Signal::Metrics, projection, &place, proxy_of, findings)
                    .map(ExporterConfig::Otlp)
            }
            Settings::Pushgateway(pushgateway) => {
                let proxy_of = |gateway: &Gateway, findings: &mut _| match is_private {
                    true => None,
                    false => environment.proxy_to(gateway.is_https, &gateway.host, gateway.port, findings),
                };
                pushgateway.resolve(projection, &place, proxy_of, findings).map(ExporterConfig::Pushgateway)
            }
            Settings::Stdout(stdout) => {
                Some(ExporterConfig::Stdout(stdout.resolve(projection, &place, findings)))
            }
            Settings::Custom(custom) => {
                custom.resolve(projection, &place, findings).map(ExporterConfig::Custom)
            }
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
        let Self { default, file, prefixed, pinned, is_private } = self;
        let outside = [&file, &prefixed];
        for (n, source) in outside.iter().enumerate() {
            let Some(source) = source else { continue };
            let (found, place) = (source.kind(), &source.type_place);
            let found = found.name();
            if let Some(pinned) = pinned.as_ref().filter(|pinned| pinned.kind() != source.kind()) {
                let needed = pinned.kind().name();
                let message = format!(
                    "{found:?} contradicts the program, which makes this exporter {needed:?}; leave the type out"
                );
                findings.problem(place, message);
                return None;
            }
            if let Some(file) = outside[..n].iter().find_map(|file| file.as_ref())
                && file.kind() != source.kind()
            {
                let (other, needed) = (&file.type_place, file.kind().name());
                let message = format!(
                    "{found:?} contradicts {other}, which makes this exporter {needed:?}; keep one type"
                );
                findings.problem(place, message);
                return None;
            }
        }
        let switch = |layer: &Option<ExporterLayer>| layer.as_ref()?.enabled.clone();
        let place = Place::exporter(name);
        let at = place.child("enabled");
        // Only of a private one that is not switched off code has kept what the file says.
        let switched = lay(switch(&prefixed), switch(&file)).or_else(|| switch(&pinned));
        match switched {
            Some(off) if !off.value && pinned.is_none() => {
                findings.note(&at, off, bool::to_string);
                return None;
            }
            // A pinned exporter outlives that.
            Some(off) if !off.value => {
                findings.warn(&off.place, "false is ignored, as the program pins this exporter");
                let pins = Given::new(true, &place).over(Given::new(true, &off.place));
                findings.note(&at, pins, bool::to_string);
            }
            switched => _ = findings.settle(&at, switched, true, bool::to_string),
        }

        let sources = [&pinned, &prefixed, &file, &default];
        let kind =
            sources.iter().find_map(|layer| layer.as_ref().map(ExporterLayer::kind)).or(Kind::named(name))?;
        let is_standard = Kind::named(name).is_some() && file.is_none();
        let says_env = sources
            .iter()
            .rev()
            .filter_map(|layer| layer.as_ref()?.env.clone())
            .fold(None, |below, above| lay(Some(above), below));
        let says_env = says_env.filter(|_| !is_private);
        let reads_environment =
            findings.settle(&place.child("env"), says_env, is_standard && !is_private, bool::to_string);

        let said = |layer: Option<ExporterLayer>| {
            layer.map_or_else(
                || (Settings::silent(kind), ProjectionLayer::default()),
                |layer| (layer.settings, layer.projection),
            )
        };
        let [default, file, prefixed, pinned] = [default, file, prefixed, pinned].map(said);
        let projection = pinned.1.over(prefixed.1.over(file.1.over(default.1)));
        let mut settings = file.0.over(default.0);
        if reads_environment {
            findings.sources.shaped.insert(name.to_owned());
            settings = environment.settings(&settings, findings).over(settings);
        }
        Some((pinned.0.over(prefixed.0.over(settings)), projection))
    }

    /// Who says its type: the highest that says it expressly, as the program always does, or who first named it.
    fn kind_source(&self) -> Source {
        let place = |layer: &Option<ExporterLayer>| Some(layer.as_ref()?.type_place.clone());
        let says = |place: &Place| place.key().ends_with(".type") || place.key().ends_with("__TYPE");
        place(&self.pinned)
            .or(place(&self.prefixed).filter(says))
            .or(place(&self.file).filter(says))
            .or(place(&self.default))
            .or(place(&self.file))
            .or(place(&self.prefixed))
            .map_or(Source::Default, |place| place.source())
    }

    /// Whether somebody names it who is not overruled by the standard variables.
    fn is_named(&self) -> bool {
        self.file.is_some() || self.prefixed.is_some() || self.pinned.is_some()
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
    if findings.problems() > 0 {
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
