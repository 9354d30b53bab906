//! All five services with everything around them: PostgreSQL, Redis, NATS, a collector, what they call, and a Prometheus.

use std::fmt::Write;
use std::process::Command;
use std::sync::Arc;

use conformance::collector::Collector;
use conformance::http;
use conformance::oracle::prometheus::Prometheus;
use conformance::page::Page;
use conformance::program::{Folder, until};
use conformance::servers::{Nats, Postgres, Redis};

use crate::page::{OwnPage, serve_mailroom};
use crate::ports::Ports;
use crate::service::Service;
use crate::tally::Tally;
use crate::upstream::Upstream;

/// Everything, until it is dropped.
#[derive(Debug)]
pub struct Stage {
    /// What scrapes all pages, each second.
    pub prometheus: Prometheus,
    /// How many those are.
    pages: usize,
    /// The services, the job server as a controller and an agent.
    pub services: Vec<Service>,
    /// Where they are.
    pub addresses: Addresses,
    /// What is behind the relay.
    pub postgres: Postgres,
    /// What is behind the relay, too.
    pub redis: Redis,
    /// What is behind the job server.
    pub nats: Nats,
    /// What mailroom, executor and router push to.
    pub collector: Collector,
    pub(crate) upstream: Upstream,
    router: RouterFile,
    own: OwnPage,
}

/// URLs of services and of their pages.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    /// The mailroom.
    pub mailroom: String,
    /// What it has pushed, as a page; it has none of its own.
    pub mailroom_page: String,
    /// The relay, for clients.
    pub relay: String,
    /// Its page.
    pub relay_page: String,
    /// The executor.
    pub executor: String,
    /// Its page.
    pub executor_page: String,
    /// The API of the job server.
    pub controller: String,
    /// The page of its controller.
    pub controller_page: String,
    /// The page of its agent.
    pub agent_page: String,
    /// The router, for clients.
    pub router: String,
    /// Where it is told to reload.
    pub router_admin: String,
    /// Its page.
    pub router_page: String,
}

/// What the configuration of the router is made of.
#[derive(Debug)]
struct RouterFile {
    path: String,
    upstream: String,
    collector: String,
    page: String,
}

impl Stage {
    /// Starts everything, and waits until it is there. What clients counted is shown to Prometheus, too.
    ///
    /// # Errors
    ///
    /// What a service says that does not start.
    ///
    /// # Panics
    ///
    /// If a program of others cannot be started: `cargo xtask test --only services` installs what is missing.
    pub fn start(ports: Ports, tally: &Arc<Tally>) -> Result<Stage, String> {
        let (postgres, redis, nats) = (Postgres::start(), Redis::start(), Nats::start());
        let (collector, upstream) = (Collector::start(), Upstream::start());
        let mut addresses = Addresses::default();
        let mut services = vec![
            start_mailroom(ports, &collector, &upstream, &mut addresses)?,
            start_relay(ports, &collector, [postgres.url(), redis.url()], &mut addresses)?,
            start_executor(ports, &collector, &upstream, &mut addresses)?,
        ];
        services.extend(start_job_server(ports, &nats, &mut addresses)?);
        let (router, file) = start_router(ports, &collector, &upstream, &mut addresses)?;
        services.push(router);
        let own = OwnPage::serve(ports, tally, &collector)?;
        addresses.mailroom_page = serve_mailroom(&collector);
        let pages = [
            ("mailroom", &addresses.mailroom_page),
            ("relay", &addresses.relay_page),
            ("executor", &addresses.executor_page),
            ("controller", &addresses.controller_page),
            ("agent", &addresses.agent_page),
            ("router", &addresses.router_page),
            ("load", &own.url()),
        ]
        .map(|(job, url)| (job.to_owned(), url.clone()));
        let prometheus = Prometheus::of_jobs(&ports.fixed("Prometheus"), &pages);
        let stage = Stage {
            prometheus,
            pages: pages.len(),
            services,
            addresses,
            postgres,
            redis,
            nats,
            collector,
            upstream,
            router: file,
            own,
        };
        let controller = &stage.addresses.controller_page;
        until("the job server and its agent", || {
            let page = Page::get(controller);
            let is_up = page.sum("osapi_component_up", &[]) == Some(1.0);
            (is_up && page.sum("osapi_workers_connected", &[]) == Some(1.0)).then_some(())
        });
        Ok(stage)
    }

    /// The page of the load itself.
    pub fn own_page(&self) -> String {
        self.own.url()
    }

    /// How many pages Prometheus could scrape the last time, and how many there are.
    pub fn scraped(&self) -> (usize, usize) {
        let up = self.prometheus.series("up");
        (up.iter().filter(|(_, value)| *value == 1.0).count(), self.pages)
    }

    /// Has the router read its configuration again, which is another one each round: by POST, or by SIGHUP in every other one. Another token
    /// for the collector, one more instrument or one less, answers that are kept or not.
    ///
    /// # Errors
    ///
    /// What the router says against it.
    pub fn reload_router(&self, round: usize) -> Result<(), String> {
        let before = pipelines(&self.addresses.router_page);
        self.router.write(round);
        if round.is_multiple_of(2) {
            let (status, text) = self.ask_for_reload()?;
            if status != 200 {
                return Err(format!("the router does not reload: {status} {text}"));
            }
        } else {
            self.service("router").signal("HUP");
        }
        until("the new pipeline of the router, alone", || {
            let now = pipelines(&self.addresses.router_page);
            (now.len() == 1 && now != before).then_some(())
        });
        Ok(())
    }

    /// Has it read one that is wrong: the status and the text of what it says.
    ///
    /// # Errors
    ///
    /// If it says nothing.
    pub fn reload_router_wrongly(&self, round: usize) -> Result<(u16, String), String> {
        self.router.write_text(&format!("{}nonsense: 1\n", self.router.text(round)));
        let said = self.ask_for_reload();
        self.router.write(round);
        said
    }

    fn ask_for_reload(&self) -> Result<(u16, String), String> {
        let url = format!("{}/-/reload", self.addresses.router_admin);
        let (status, _, body) =
            http::ask(&url, "POST", "", b"").map_err(|error| format!("POST {url}: {error}"))?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Answers the calls that were never to be answered, once nobody waits for that any more.
    pub fn answer_the_rest(&self) {
        self.upstream.end();
    }

    /// The service of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn service(&self, name: &str) -> &Service {
        self.services.iter().find(|service| service.name() == name).expect("one of the services")
    }
}

/// The series that say which configurations requests are served by.
fn pipelines(page: &str) -> Vec<String> {
    let page = Page::get(page);
    page.lines("gateway_pipelines{").into_iter().map(str::to_owned).collect()
}

fn start_mailroom(
    ports: Ports,
    collector: &Collector,
    upstream: &Upstream,
    addresses: &mut Addresses,
) -> Result<Service, String> {
    let folder = Folder::new();
    let text = format!(
        "listener = '{}'\nstorage = '{}'\ntunnels = 1\ngateways = ['{}']\n[telemetry]\nendpoint = '{}/mailroom/v1/metrics'\n\
         auth_token = 'token'\noperator_domain = 'example.org'\ninterval_secs = 1\n",
        ports.of("the mailroom"),
        folder.path().join("storage").display(),
        upstream.gateway,
        collector.url(),
    );
    let mut command = Service::command("mailroom")?;
    command.args(["--config", &folder.write("mailroom.toml", &text)]);
    let mailroom = Service::start("mailroom", command, folder)?;
    addresses.mailroom = mailroom.word_after("mailroom:")?;
    Ok(mailroom)
}

fn start_relay(
    ports: Ports,
    collector: &Collector,
    [database, redis]: [String; 2],
    addresses: &mut Addresses,
) -> Result<Service, String> {
    let mut command = Service::command("relay")?;
    command.env("BUZZ_HOST", "127.0.0.1").env("BUZZ_SHUTDOWN_GRACE_SECS", "0");
    for (variable, what) in [
        ("BUZZ_PORT", "the relay"),
        ("BUZZ_HEALTH_PORT", "the relay's health"),
        ("BUZZ_METRICS_PORT", "the relay's page"),
    ] {
        let address = ports.of(what);
        command.env(variable, address.rsplit_once(':').expect("a port").1);
    }
    command.env("DATABASE_URL", database).env("REDIS_URL", redis);
    command.env("BUZZ_MEDIA_PER_MINUTE", "1000000").env("BUZZ_POOL_METRICS_INTERVAL_SECS", "1");
    // One trace in ten: what is shown is that a collector that comes and goes costs nobody anything.
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    command.env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio").env("OTEL_TRACES_SAMPLER_ARG", "0.1");
    let relay = Service::start("relay", command, Folder::new())?;
    addresses.relay = relay.word_after("relay:")?;
    addresses.relay_page = relay.word_after("metrics")?;
    Ok(relay)
}

fn start_executor(
    ports: Ports,
    collector: &Collector,
    upstream: &Upstream,
    addresses: &mut Addresses,
) -> Result<Service, String> {
    let mut command = Service::command("executor")?;
    command.args(["--listen", &ports.of("the executor"), "--upstream", &format!("{}/", upstream.url)]);
    command.env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", format!("{}/executor/v1/metrics", collector.url()));
    command
        .env("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "1000");
    let executor = Service::start("executor", command, Folder::new())?;
    addresses.executor = executor.word_after("executor:")?;
    addresses.executor_page = format!("{}/api/metrics", addresses.executor);
    Ok(executor)
}

fn start_job_server(ports: Ports, nats: &Nats, addresses: &mut Addresses) -> Result<[Service; 2], String> {
    let port = |what: &str| ports.of(what).rsplit_once(':').expect("a port").1.to_owned();
    let url = nats.url();
    let (host, nats_port) = url.trim_start_matches("nats://").rsplit_once(':').expect("a port");
    let mut text = String::new();
    let _ = write!(
        text,
        "nats: {{ server: {{ host: {host}, port: {nats_port} }} }}\n\
         controller: {{ port: {}, metrics: {{ port: {} }} }}\n\
         agent: {{ metrics: {{ port: {} }} }}\n\
         job: {{ ack_wait_milliseconds: 5000, heartbeat_milliseconds: 250, ttl_milliseconds: 2000 }}\n\
         telemetry: {{ metrics: {{ enabled: true }} }}\n",
        port("the controller"),
        port("the controller's page"),
        port("the agent's page"),
    );
    let start = |component: &'static str| {
        let folder = Folder::new();
        let mut command = Service::command("osapi")?;
        command.args(["--config", &folder.write("osapi.yaml", &text), component]);
        Service::start(component, command, folder)
    };
    let (controller, agent) = (start("controller")?, start("agent")?);
    addresses.controller = controller.word_after("api")?;
    addresses.controller_page = format!("{}/metrics", controller.word_after("metrics")?);
    addresses.agent_page = format!("{}/metrics", agent.word_after("metrics")?);
    Ok([controller, agent])
}

fn start_router(
    ports: Ports,
    collector: &Collector,
    upstream: &Upstream,
    addresses: &mut Addresses,
) -> Result<(Service, RouterFile), String> {
    let folder = Folder::new();
    let file = RouterFile {
        path: folder.path().join("router.yaml").display().to_string(),
        upstream: upstream.url.clone(),
        collector: collector.url(),
        page: ports.fixed("the router's page"),
    };
    file.write(0);
    let mut command: Command = Service::command("router")?;
    command.args(["--listen", &ports.of("the router"), "--admin", &ports.of("the router's admin address")]);
    command.args(["--config", &file.path]);
    let router = Service::start("router", command, folder)?;
    addresses.router = router.word_after("router:")?;
    addresses.router_admin = router.word_after("admin")?;
    addresses.router_page = format!("http://{}/metrics", file.page);
    Ok((router, file))
}

impl RouterFile {
    fn write(&self, round: usize) {
        self.write_text(&self.text(round));
    }

    fn write_text(&self, text: &str) {
        std::fs::write(&self.path, text).expect("a file in a folder of ours");
    }

    /// The configuration of a round.
    fn text(&self, round: usize) -> String {
        let RouterFile { upstream, collector, page, .. } = self;
        let is_cached = round % 2 == 1;
        let more = if round % 3 == 1 {
            "        acme.more: {value: unit, type: counter, unit: \"{request}\", description: All requests again}\n"
        } else {
            ""
        };
        format!(
            "upstreams: {{accounts: \"{upstream}\", products: \"{upstream}\"}}
cache: {{products: {is_cached}}}
private: {{endpoint: \"{collector}/vendor/v1/metrics\", interval: 1s}}
telemetry:
  exporters:
    metrics:
      common:
        service_name: router
      prometheus: {{enabled: true, listen: \"{page}\", path: /metrics}}
      otlp:
        enabled: true
        endpoint: \"{collector}/router/v1/metrics\"
        protocol: http
        temporality: delta
        http: {{headers: {{authorization: \"Bearer round-{round}\"}}}}
        batch_processor: {{scheduled_delay: 1s, max_export_timeout: 5s}}
  instrumentation:
    instruments:
      default_requirement_level: required
      router:
        http.server.request.duration: true
        http.server.active_requests: true
        http.server.request.body.size: true
        http.server.response.body.size: true
        acme.requests: {{value: unit, type: counter, unit: \"{{request}}\", description: All requests}}
{more}      subgraph:
        http.client.request.duration: {{attributes: {{subgraph.name: true}}}}
        http.client.active_requests: true
        http.client.request.body.size: true
        http.client.response.body.size: true
"
        )
    }
}
