//! All five services under load while everything behind them comes and goes: what clients counted is what services say and what the
//! collector was told, memory stays, and nothing is left over.

#![forbid(unsafe_code)]
// A soak says how it went.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::page::Page;
use conformance::program::until;
use conformance::use_programs;
use load::{Agreement, Held, Load, Ports, Stage, Tally};

/// How long anything that is waited for may take.
const LIMIT: Duration = Duration::from_secs(60);

/// By so much, in KiB, a service may be larger at the end than after the first round of restarts, or by a tenth, if that is more.
const GROWTH: u64 = 8 << 10;

/// Turns of each client in a second.
const RATE: u32 = 20;

/// What became of so many jobs a queue that crashes may forget: those that end in a second.
const IN_A_MOMENT: usize = RATE as usize;

/// Who pushes to the collector.
const SENDERS: [&str; 4] = ["mailroom", "executor", "router", "vendor"];

#[test]
fn through_restarts_and_reloads_totals_agree_memory_stays_and_nothing_is_left_over() {
    let test = "through_restarts_and_reloads_totals_agree_memory_stays_and_nothing_is_left_over";
    for program in ["postgres", "redis-server", "nats-server", "prometheus"] {
        if !use_programs(test, program) {
            return;
        }
    }
    let seconds = if std::env::var_os("METERCAST_LONG").is_some() { 600 } else { 20 };
    let tally = Arc::<Tally>::default();
    let mut soak = Soak { stage: Stage::start(Ports::free(), &tally).unwrap(), tally, rounds: 0 };
    soak.wait_for_telemetry();
    let before = soak.rest();
    let load = Load::start(&soak.stage, &soak.tally, RATE);
    let begun = Instant::now();
    let mut warm = None;
    while warm.is_none() || begun.elapsed() < Duration::from_secs(seconds) {
        soak.round(&load);
        warm.get_or_insert_with(|| soak.held());
    }
    let (warm, end) = (warm.expect("a round"), soak.held());
    load.end().unwrap_or_else(|faults| panic!("{faults}"));

    soak.assert_pages();
    soak.assert_jobs();
    soak.assert_prometheus();
    soak.assert_nothing_left(&before);
    for (name, end) in &end {
        let warm = warm[name].resident;
        println!("soak: {name}: {warm} KiB after the first round, {} at the end", end.resident);
        let most = warm + GROWTH.max(warm / 10);
        assert!(
            end.resident <= most,
            "{name}: {} KiB at the end, and after the first round {warm}",
            end.resident
        );
    }
    soak.stage.answer_the_rest();
    for service in &mut soak.stage.services {
        let (status, took) = service.end().unwrap();
        assert!(status.success(), "{}: {status}: {:#?}", service.name(), service.said());
        assert!(took < Duration::from_secs(10), "{} takes {took:?} to end", service.name());
    }
    let all = Agreement::of_collector(&soak.stage, &soak.tally);
    assert_agree(&all);
    for (service, what, number) in soak.tally.each() {
        println!("soak: {service}: {number} {what}");
    }
    let (requests, rounds) = (soak.tally.all(), soak.rounds);
    println!("soak: {requests} requests in {:?}, {rounds} rounds of restarts and reloads", begun.elapsed());
}

struct Soak {
    stage: Stage,
    tally: Arc<Tally>,
    rounds: usize,
}

impl Soak {
    /// Waits until every page was scraped, and everybody has pushed who has something to push.
    fn wait_for_telemetry(&self) {
        until("a scrape of each page", || (self.stage.scraped() == (7, 7)).then_some(()));
        until("a push of each", || {
            let pushed = self.stage.collector.pushed();
            ["mailroom", "router", "vendor"].iter().all(|sender| pushed.requests(sender) > 0).then_some(())
        });
    }

    /// Everything behind the services goes and comes back, one after the other, while clients go on; in between, the router is told to
    /// reload. Each is waited for by what clients are told.
    fn round(&mut self, load: &Load) {
        self.rounds += 1;
        self.stage.redis.stop();
        self.wait_for_one_more(load, "relay", "item 502");
        self.stage.redis.start_again();
        self.wait_for_one_more(load, "relay", "item 200");

        self.reload();
        self.stage.postgres.stop();
        self.wait_for_one_more(load, "relay", "event 1 database");
        self.stage.postgres.start_again();
        self.wait_for_one_more(load, "relay", "event 1 stored");

        self.reload_wrongly();
        self.stage.nats.stop();
        self.wait_for_one_more(load, "osapi", "(unavailable)");
        self.stage.nats.start_again();
        self.wait_for_one_more(load, "osapi", "(job completed)");

        // It has taken deltas of the router, and the router does not know.
        let failures = self.failures_of_router();
        self.stage.collector.stop("router");
        until("a push that fails", || (self.failures_of_router() > failures).then_some(()));
        let before = SENDERS.map(|sender| self.stage.collector.pushed().requests(sender));
        self.stage.collector.start_again();
        until("a push of each to the collector that is back", || {
            let pushed = self.stage.collector.pushed();
            SENDERS.iter().zip(before).all(|(sender, before)| pushed.requests(sender) > before).then_some(())
        });
        for (service, what) in
            [("mailroom", "GET /health 200"), ("executor", "execution completed"), ("router", "answer 200")]
        {
            self.wait_for_one_more(load, service, what);
        }
        for service in &mut self.stage.services {
            assert!(service.runs(), "{} has ended: {:#?}", service.name(), service.said());
        }
    }

    /// Waits until clients are answered so once more.
    fn wait_for_one_more(&self, load: &Load, service: &'static str, what: &str) {
        let number = self.tally.get(service, what) + 1;
        let begun = Instant::now();
        // What a client saw that was not true is said when the load ends.
        while !load.is_broken() && !self.tally.reaches(service, what, number, Duration::from_secs(1)) {
            assert!(
                begun.elapsed() < LIMIT,
                "round {}: waited in vain for {service}: {what}; clients counted {:#?}",
                self.rounds,
                self.tally.each()
            );
        }
    }

    fn reload(&self) {
        self.stage
            .reload_router(self.rounds)
            .unwrap_or_else(|error| panic!("round {}: {error}", self.rounds));
        assert_eq!(self.last_reload(), Some(1.0));
    }

    /// A configuration that cannot be used changes nothing.
    fn reload_wrongly(&self) {
        let (status, text) = self.stage.reload_router_wrongly(self.rounds).unwrap();
        assert!(status == 422 && text.contains("nonsense"), "{status} {text}");
        assert_eq!(self.last_reload(), Some(0.0));
    }

    fn last_reload(&self) -> Option<f64> {
        self.router().sum("metercast_config_last_reload_successful", &[])
    }

    fn failures_of_router(&self) -> f64 {
        self.router().sum("metercast_exporter_failures_total", &[]).unwrap_or(0.0)
    }

    fn router(&self) -> Page {
        Page::get(&self.stage.addresses.router_page)
    }

    fn held(&self) -> BTreeMap<&'static str, Held> {
        self.stage.services.iter().map(|service| (service.name(), service.held())).collect()
    }

    /// What clients counted is on the pages, once those who went away are gone and the audit is written.
    fn assert_pages(&self) {
        let begun = Instant::now();
        let mut all = Agreement::of_pages(&self.stage, &self.tally);
        while !all.iter().all(Agreement::holds) && begun.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(50));
            all = Agreement::of_pages(&self.stage, &self.tally);
        }
        assert_agree(&all);
    }

    /// A job whose publishing was not acknowledged may be done all the same; and a queue that crashes may forget what came of jobs in its last
    /// moment, so that the agent does those again: between these stands what it counts. Its own numbers agree with each other exactly.
    fn assert_jobs(&self) {
        let page = Page::get(&self.stage.addresses.agent_page);
        let sum = |name: &str, labels: &[&str]| page.sum(name, labels).unwrap_or(0.0);
        let attempts = sum("osapi_jobs_attempts_total", &[]);
        assert_eq!(attempts, sum("osapi_job_duration_seconds_count", &[]), "each attempt took its time");
        let failed = sum("osapi_jobs_attempts_total", &["outcome=\"failed\""]);
        assert_eq!(failed, sum("osapi_jobs_failures_total", &[]), "each failure has its reason");
        let done = sum("osapi_jobs_completed_total", &[]);
        assert_eq!(done, sum("osapi_worker_jobs_processed_total", &[]), "there is one agent");
        let (taken, refused) =
            (self.tally.get("osapi", "POST 201") as f64, self.tally.get("osapi", "POST 503") as f64);
        let lost = sum("osapi_jobs_failures_total", &["reason=\"unacknowledged\""]);
        println!("soak: agent: {done} jobs done of {taken}; {refused} refused, {lost} ends not heard");
        assert!(
            done >= taken - lost,
            "{done} jobs are done, and {taken} were taken; {lost} ends were not heard"
        );
        let most = taken + refused + (IN_A_MOMENT * self.rounds) as f64;
        assert!(
            done <= most,
            "{done} jobs are done, and {taken} were taken; at most {most} is what {} crashes excuse",
            self.rounds
        );
    }

    /// Prometheus has what the pages have.
    fn assert_prometheus(&self) {
        let at = &self.stage.addresses;
        for (page, name) in [
            (&at.relay_page, "buzz_events_received_total"),
            (&at.executor_page, "executor_tool_calls"),
            (&at.controller_page, "osapi_jobs_created_total"),
            (&at.agent_page, "osapi_jobs_attempts_total"),
            (&at.router_page, "gateway_operations_total"),
            (&self.stage.own_page(), "load_clients_total"),
        ] {
            let expected = Page::get(page).sum(name, &[]);
            until(&format!("{name} {expected:?} at Prometheus"), || {
                let found = self.stage.prometheus.series(&format!("sum({name})"));
                (found.first().map(|(_, value)| *value) == expected).then_some(())
            });
        }
    }

    /// What services hold while nobody asks for anything. Pools keep connections, and say how many.
    fn rest(&self) -> BTreeMap<&'static str, Rest> {
        // First: whoever asks for a page is one more connection for a moment.
        let held = self.held().into_iter();
        let at = &self.stage.addresses;
        let pools = Page::get(&at.relay_page);
        let size = |name: &str| pools.sum(name, &[]).unwrap_or(0.0) as usize;
        let pooled = size("buzz_db_pool_size") + size("buzz_redis_pool_size");
        let tasks =
            |page: &str| Page::get(page).sum("tokio_runtime_alive_tasks", &[]).map(|tasks| tasks as usize);
        held.map(|(name, held)| {
            let (pooled, tasks) = match name {
                "relay" => (pooled, None),
                "controller" => (0, tasks(&at.controller_page)),
                "agent" => (0, tasks(&at.agent_page)),
                _ => (0, None),
            };
            let to_come = usize::from(["relay", "executor"].contains(&name));
            let sockets = held.sockets - pooled.min(held.sockets);
            (name, Rest { sockets, to_come, threads: held.threads, tasks })
        })
        .collect()
    }

    /// Sockets, threads and tasks are as they were before the load.
    fn assert_nothing_left(&self, before: &BTreeMap<&'static str, Rest>) {
        let begun = Instant::now();
        loop {
            let now = self.rest();
            let more: Vec<_> = now.iter().filter(|(name, now)| now.is_more_than(&before[*name])).collect();
            if more.is_empty() {
                println!("soak: at rest: {now:?}");
                return;
            }
            assert!(begun.elapsed() < LIMIT, "{more:?} and before the load {before:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What a service holds at rest.
#[derive(Clone, Debug)]
struct Rest {
    /// Those of pools left out.
    sockets: usize,
    /// Sockets that it has for good once it has something to tell the collector.
    to_come: usize,
    threads: Vec<String>,
    /// Of Tokio, where the page says so.
    tasks: Option<usize>,
}

impl Rest {
    fn is_more_than(&self, before: &Rest) -> bool {
        self.sockets > before.sockets + before.to_come
            || self.threads.len() > before.threads.len() + 1
            || self.tasks > before.tasks
    }
}

#[track_caller]
fn assert_agree(all: &[Agreement]) {
    let wrong: Vec<String> =
        all.iter().filter(|agreement| !agreement.holds()).map(|agreement| format!("\n{agreement}")).collect();
    assert!(wrong.is_empty(), "clients counted what is on the left:{}", wrong.concat());
}
