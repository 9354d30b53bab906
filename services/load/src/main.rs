//! `cargo xtask services`: all five services under load with one Prometheus, until Ctrl-C, SIGTERM or the end of a time.

#![forbid(unsafe_code)]
// A program talks to its terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use conformance::program::keep_apart;
use load::{Agreement, Load, Ports, Stage, Tally};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How often progress is shown where it is a line each time, not one that changes.
const PLAIN: u64 = 5;

/// How long pages may take to have everything that clients did.
const SETTLE: Duration = Duration::from_secs(20);

/// Starts the five services with PostgreSQL, Redis, NATS, a collector and one Prometheus, and clients of all of them.
///
/// Everything listens on loopback. At the end, clients and services compare what they counted.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask services")]
struct CommandLine {
    /// End by itself after so many seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Listen on the ports from this one on, Prometheus first, instead of on free ones.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Turns of each of the 12 clients in a second.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
}

fn main() -> ExitCode {
    match run(&CommandLine::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("services: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all numbers agreed at the end.
fn run(command_line: &CommandLine) -> Result<bool, String> {
    // Listened for before anything is started; what is started is ended by us, not by the terminal.
    let asked_to_end = signals()?;
    keep_apart();
    let ports = command_line.port.map_or_else(|| Ok(Ports::free()), Ports::from)?;
    println!("services: PostgreSQL, Redis, NATS, a collector, five services and Prometheus are started");
    let tally = Arc::<Tally>::default();
    let mut stage = Stage::start(ports, &tally)?;
    show(&stage, command_line.seconds);
    let load = Load::start(&stage, &tally, command_line.rate);
    watch(&stage, &load, &tally, &asked_to_end, command_line.seconds);
    println!("services: clients stop");
    let ended = load.end();
    let mut all = settled(&stage, &tally);
    for service in &mut stage.services {
        let ended = service.end().map_err(|error| format!("{}: {error}", service.name()))?;
        println!("services: {} has ended, {}", service.name(), ended.0);
    }
    all.extend(Agreement::of_collector(&stage, &tally));
    ended?;
    let wrong: Vec<&Agreement> = all.iter().filter(|agreement| !agreement.holds()).collect();
    for agreement in &wrong {
        println!("{agreement}");
    }
    println!(
        "services: {} requests; {} of {} numbers are the same to clients, services and collector",
        tally.all(),
        all.len() - wrong.len(),
        all.len(),
    );
    Ok(wrong.is_empty())
}

/// Something comes when somebody asks to end.
fn signals() -> Result<Receiver<()>, String> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|error| format!("signals: {error}"))?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for _ in signals.forever() {
            // Whoever listens has ended if that fails.
            let _ = send.send(());
        }
    });
    Ok(receive)
}

/// Says where everything is, what there is to see, and how it ends.
fn show(stage: &Stage, seconds: Option<u64>) {
    let at = &stage.addresses;
    let end = seconds.map_or_else(
        || "Ctrl-C ends it, and compares what clients and services counted.".to_owned(),
        |seconds| {
            format!(
                "It ends after {seconds} s, or on Ctrl-C, and compares what clients and services counted."
            )
        },
    );
    let prometheus = stage.prometheus.url();
    let own = stage.own_page();
    println!(
        "
  mailroom    {}  it pushes to the collector; what that has of it is at {}
  relay       {}  page {}
  executor    {}  page {}
  controller  {}  page {}
  agent       page {}  it does the jobs of the controller
  router      {}  page {}
  load        page {own}  what the clients counted, and what the collector was told
  collector   {}  executor and router push to it, too
  Prometheus  {prometheus}  it scrapes every page each second

Look at
  {prometheus}/targets
      every page is scraped
  {prometheus}/graph?g0.expr=sum(gateway_operations_total)&g1.expr=sum(load_clients_total%7Bservice%3D%22router%22%2Cwhat%3D~%22answer.*%22%7D)
      what the router counts, and below it what its clients do: the same line
  {prometheus}/graph?g0.expr=sum(rate(load_clients_total%5B30s%5D))by(service)
      the load
  {prometheus}/graph?g0.expr=%7Bjob%3D%22mailroom%22%7D
      what the mailroom has pushed

{end}
",
        at.mailroom,
        at.mailroom_page,
        at.relay,
        at.relay_page,
        at.executor,
        at.executor_page,
        at.controller,
        at.controller_page,
        at.agent_page,
        at.router,
        at.router_page,
        stage.collector.url(),
    );
}

/// Shows progress until it is time to end, or something is wrong.
fn watch(stage: &Stage, load: &Load, tally: &Tally, asked_to_end: &Receiver<()>, seconds: Option<u64>) {
    let (begun, redraws) = (Instant::now(), std::io::stdout().is_terminal());
    for second in 1.. {
        let next = Duration::from_secs(second).saturating_sub(begun.elapsed());
        if asked_to_end.recv_timeout(next) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        let (up, pages) = stage.scraped();
        let done = tally.all();
        let line = format!("{second:>4} s: {done} requests done, {up} of {pages} pages in Prometheus");
        if redraws {
            print!("\r\x1b[2K{line}");
            // Whoever reads may have gone.
            let _ = std::io::stdout().flush();
        } else if second == 1 || second % PLAIN == 0 {
            println!("{line}");
        }
        if load.is_broken() || seconds.is_some_and(|seconds| second >= seconds) {
            break;
        }
    }
    if redraws {
        println!();
    }
}

/// What clients counted beside what pages say, once those are the same, or time is up.
fn settled(stage: &Stage, tally: &Tally) -> Vec<Agreement> {
    let begun = Instant::now();
    loop {
        let all = Agreement::of_pages(stage, tally);
        if all.iter().all(Agreement::holds) || begun.elapsed() > SETTLE {
            return all;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
