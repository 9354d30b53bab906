//! `metercast demo`: a real service under load, whose every request is measured once, scraped and pushed; and at the end
//! the proof that all three agree.
//!
//! ```text
//! load -> service -> metercast -> page     -> scrape   -> totals \
//!   \                        \--> exporter -> receiver -> totals  +-> table -> report
//!    \--> tally ----------------------------------------> truths /
//! ```

mod options;

mod load;
mod service;
mod telemetry;

mod client;
mod page;
mod receiver;
mod scrape;

mod tally;
mod totals;

mod report;
mod table;

mod console;
mod progress;
mod signals;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::terminal::Answer;

pub(crate) use options::Options;

use console::Console;
use load::Load;
use progress::{Progress, in_flight, queued};
use receiver::Receiver;
use report::Summary;
use scrape::scrape;
use service::Service;
use signals::Signals;
use table::Table;
use tally::SharedTally;
use telemetry::Exporters;

/// How long requests and orders in progress may take once the load is over.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the last push may take.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// Runs the demo. The status says whether everything was equal.
pub(crate) fn run(options: &Options) -> Answer {
    let console = Arc::new(Console::new(options.json));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a thread pool: {error}"))?;
    let result = runtime.block_on(serve(options, &console));
    // Whatever still waits, such as for the end of standard input, is not worth waiting for.
    runtime.shutdown_background();
    console.end_progress();
    result
}

/// Starts the service, and stops it whatever happens.
async fn serve(options: &Options, console: &Arc<Console>) -> Result<bool, String> {
    let mut signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let visitors = Arc::new(SharedTally::default());
    let mut service = Service::start(&options.listen, Arc::clone(&visitors)).await?;
    let result = Demo { options, console, visitors }.run(&mut service, &mut signals).await;
    service.stop().await;
    result
}

/// What is there from the start to the end.
struct Demo<'a> {
    options: &'a Options,
    console: &'a Arc<Console>,
    visitors: Arc<SharedTally>,
}

impl Demo<'_> {
    async fn run(self, service: &mut Service, signals: &mut Signals) -> Result<bool, String> {
        let receiver =
            Receiver::start().await.map_err(|error| format!("cannot start the OTLP receiver: {error}"))?;
        let exporters = Exporters::start(self.options, receiver.url(), self.console)?;
        self.announce(service, &exporters);

        let tally = Arc::new(SharedTally::default());
        let load = Load::start(service, self.options.rate, &tally);
        let counted = exporters.to_receiver.then_some(&receiver);
        Progress { console: self.console, tally: &tally, visitors: &self.visitors, receiver: counted }
            .show_until(self.options.seconds, signals)
            .await;

        let (table, flushed) = tokio::select! {
            compared = self.compare(load, service, &exporters, counted, &tally) => compared?,
            () = signals.next() => return Err("interrupted before anything was compared".to_owned()),
        };
        let equal = self.report(&table, &exporters, &receiver, &flushed, &tally);
        if self.options.hold {
            self.hold(&exporters.page, signals).await;
        }
        // An exporter that just failed to push is not given much time for one more attempt.
        let patience = if flushed.is_ok() { LAST_PUSH } else { Duration::from_millis(100) };
        let _ = tokio::task::block_in_place(|| exporters.telemetry.shutdown_within(patience));
        Ok(equal)
    }

    /// Where things are.
    fn announce(&self, service: &Service, exporters: &Exporters) {
        let Options { rate, seconds, .. } = *self.options;
        let rate = if rate == 0 {
            "as many requests as it can".to_owned()
        } else {
            format!("{} requests a second", report::number(f64::from(rate)))
        };
        let time = if seconds == 0 { "until Ctrl-C".to_owned() } else { format!("for {seconds} s") };
        self.console.say(&format!("orders   http://{}  takes {rate}, {time}", service.address()));
        if let Some(live) = exporters.telemetry.live_url() {
            self.console.say(&format!("live     {live}  shows all of it in a browser"));
        }
        self.console.say(&format!("metrics  {}", exporters.page));
        for url in &exporters.elsewhere {
            self.console.say(&format!("push     {url}"));
        }
        if exporters.to_receiver {
            self.console.say("push     to the receiver in this program, every second");
        }
    }

    /// Ends the load, waits until all it caused is over, scrapes and pushes a last time, and compares. Also returns
    /// whether the last push went well.
    async fn compare(
        &self,
        load: Load,
        service: &mut Service,
        exporters: &Exporters,
        receiver: Option<&Receiver>,
        tally: &SharedTally,
    ) -> Result<(Table, Result<(), String>), String> {
        load.stop().await;
        service.close_doors().await;
        let quiet = async {
            while in_flight() != 0 || queued() != 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // What is still in progress then is a difference in the table.
        let _ = tokio::time::timeout(PATIENCE, quiet).await;
        let scraped = scrape(&exporters.page).await?;
        let flushed = tokio::task::block_in_place(|| exporters.telemetry.flush(LAST_PUSH));
        let pushed = receiver.map(Receiver::totals);
        let mut truth = tally.lock().clone();
        truth.add(&self.visitors.lock());
        let table = Table::compare(&truth.truths(), &scraped, pushed.as_ref());
        Ok((table, flushed.map_err(|error| error.to_string())))
    }

    /// Prints what came out, and returns whether all of it is equal.
    fn report(
        &self,
        table: &Table,
        exporters: &Exporters,
        receiver: &Receiver,
        flushed: &Result<(), String>,
        tally: &SharedTally,
    ) -> bool {
        let (console, tally, visitors) = (self.console, tally.lock(), self.visitors.lock());
        if !self.options.json {
            report::print(table, console);
        }
        for url in &exporters.elsewhere {
            console.say(&format!("note: what {url} has received is not known here"));
        }
        if !exporters.to_receiver && exporters.elsewhere.is_empty() {
            console.say("note: nothing is pushed, as there is no exporter of the type otlp");
        }
        if let Err(error) = flushed {
            console.say(&format!("note: the last push failed: {error}"));
        }
        if visitors.requests() > 0 {
            let requests = report::number(visitors.requests() as f64);
            console.say(&format!("note: {requests} of the requests sent came from visitors"));
        }
        let refusals = receiver.refusals();
        for refusal in &refusals {
            console.say(&format!("the receiver refused a push: {refusal}"));
        }
        for reason in tally.reasons() {
            console.say(&format!("a request had no answer: {reason}"));
        }
        let equal = table.is_equal() && refusals.is_empty() && tally.reasons().is_empty();
        if !table.is_equal() {
            report::print_differences(table, console);
        }
        let ways = if exporters.to_receiver { "sent, scraped and received" } else { "sent and scraped" };
        let verdict = if equal {
            format!("equal: all {} values {ways}", table.cells.len())
        } else {
            "not equal".into()
        };
        console.say(&console.verdict(equal, &verdict));

        if self.options.json {
            if self.options.hold {
                report::print_truths(table, console);
            }
            let summary = Summary {
                requests_sent: tally.requests() + visitors.requests(),
                scraped: table.requests(|cell| cell.scraped).unwrap_or(0),
                pushed: table.requests(|cell| cell.pushed).filter(|_| exporters.to_receiver),
                equal,
            };
            console.result(&summary.to_json());
        }
        equal
    }

    /// Stays until a signal or the end of standard input.
    async fn hold(&self, page: &str, signals: &mut Signals) {
        self.console.say(&format!("holding: {page} stays until Ctrl-C or the end of standard input"));
        let (ended, end) = oneshot::channel();
        // A thread of its own: reading standard input cannot be cancelled.
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            while matches!(input.read(&mut [0; 1024]), Ok(1..)) {}
            let _ = ended.send(());
        });
        tokio::select! {
            _ = end => {}
            () = signals.next() => {}
        }
    }
}
