//! `metercast top`: a metrics page as it changes, in a terminal; ours or anybody's.
//!
//! ```text
//! address -> fetch -> page -> history -> view -> screen
//!                                  \------------> JSON, CSV, lines
//! ```

mod listening;
mod options;

mod figure;
mod golden;
mod health;
mod history;
mod quantile;
mod track;

mod plain;
mod rows;
mod screen;
mod view;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ratatui::crossterm::event::{self, Event, KeyEventKind};
use serde_json::Value as Json;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::Signals;

use crate::fetch::{Fetched, Source};
use crate::terminal::{self, Answer};

pub(crate) use options::Options;
use plain::Csv;
use view::{Asked, View};

/// How soon a key is answered to.
const TICK: Duration = Duration::from_millis(50);

/// Shows the page until there is a reason to end.
pub(crate) fn run(options: &Options) -> Answer {
    let source = match options.pid {
        Some(pid) => listening::source(pid, &options.access)?,
        None => Source::new(&options.url, &options.access)?,
    };
    let is_for_people = !options.once && !options.json;
    if is_for_people && !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        return Err(
            "there is no terminal to draw on; --once prints the figures of one interval, --json those of \
                    each as a line of JSON"
                .to_owned(),
        );
    }
    let csv = options.csv.as_deref().map(Csv::create).transpose()?;
    // no-color.org: set to anything but nothing.
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let view = View {
        url: source.shown().to_owned(),
        every: options.interval.as_secs_f64(),
        filter: options.filter.clone(),
        sort: options.sort,
        colours: !no_colour,
        ..View::default()
    };
    let began = Instant::now();
    let readings = read(source.clone(), options.interval);
    let session = Session { readings, source, view, csv, options, began };
    if is_for_people { session.draw() } else { session.print() }?;
    Ok(true)
}

/// One reading of the page, and what is known beside it.
struct Reading {
    fetched: Result<Fetched, String>,
    /// What metercast says of its exporters, if that is who serves the page.
    live: Option<Json>,
    at: Instant,
    time: f64,
}

/// Reads the page at each interval, on a thread that ends with who listens; so nothing waits for an address that never answers.
fn read(source: Source, interval: Duration) -> Receiver<Reading> {
    let (sender, receiver): (SyncSender<Reading>, _) = mpsc::sync_channel(0);
    thread::spawn(move || {
        let mut next = Instant::now();
        loop {
            let fetched = source.page().map_err(String::from);
            let (at, time) = (Instant::now(), since_1970());
            let is_ours = fetched.as_ref().is_ok_and(|fetched| {
                fetched.page.families.iter().any(|family| family.name.starts_with("metercast"))
            });
            let live = if is_ours { source.json("/live/api/health") } else { None };
            if sender.send(Reading { fetched, live, at, time }).is_err() {
                return;
            }
            next = (next + interval).max(Instant::now());
            thread::sleep(next - Instant::now());
        }
    });
    receiver
}

struct Session<'a> {
    readings: Receiver<Reading>,
    source: Source,
    view: View,
    csv: Option<Csv>,
    options: &'a Options,
    began: Instant,
}

impl Session<'_> {
    /// Draws until a key or the number of intervals ends it.
    fn draw(mut self) -> Result<(), String> {
        let ended = ended();
        let mut terminal = ratatui::init();
        let drawn = loop {
            if let Err(error) = terminal.draw(|frame| screen::draw(frame, &mut self.view)) {
                break Err(format!("cannot draw: {error}"));
            }
            match self.wait(&ended) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(trouble) => break Err(trouble),
            }
        };
        restore();
        drawn
    }

    /// Waits for a key or a page; whether to go on.
    fn wait(&mut self, ended: &dyn Fn() -> bool) -> Result<bool, String> {
        loop {
            if let Ok(reading) = self.readings.try_recv() {
                if let Err(trouble) = self.take(reading)? {
                    self.view.newest().error = Some(trouble);
                }
                return Ok(!self.is_enough());
            }
            let cannot = |error| format!("cannot read the keyboard: {error}");
            if event::poll(TICK).map_err(cannot)? {
                match event::read().map_err(cannot)? {
                    Event::Key(key) if key.kind == KeyEventKind::Release => {}
                    Event::Key(key) => return Ok(self.view.key(key) != Asked::Quit),
                    _ => return Ok(true),
                }
            }
            if ended() {
                return Ok(false);
            }
        }
    }

    /// Prints each interval.
    fn print(mut self) -> Result<(), String> {
        loop {
            let reading = self.readings.recv().map_err(|_| "nothing reads the page any more".to_owned())?;
            self.take(reading)??;
            if self.view.shown.history.readings() < 2 {
                continue;
            }
            let is_read = if self.options.json {
                terminal::data(format!("{}\n", plain::json(&self.view)))
            } else {
                terminal::print(&plain::text(&self.view))
            };
            if !is_read? || self.is_enough() {
                return Ok(());
            }
        }
    }

    /// Takes a reading. The inner error is the page's, which may come back; the outer one is ours.
    fn take(&mut self, reading: Reading) -> Result<Result<(), String>, String> {
        let fetched = match reading.fetched {
            Ok(fetched) => fetched,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let troubles = fetched.page.troubles(self.source.limits());
        let at = reading.at.duration_since(self.began).as_secs_f64();
        let shown = self.view.newest();
        shown.time = reading.time;
        shown.take(&fetched, troubles, reading.live.as_ref(), at);
        if let Some(csv) = &mut self.csv
            && shown.history.readings() > 1
        {
            csv.record(&shown.history, &self.options.filter, reading.time)
                .map_err(|error| format!("cannot record by --csv: {error}"))?;
        }
        Ok(Ok(()))
    }

    fn is_enough(&mut self) -> bool {
        let intervals = self.view.newest().history.readings().saturating_sub(1);
        self.options.intervals().is_some_and(|most| intervals >= most)
    }
}

/// Puts the terminal right, unless it is gone: then nobody could be told either.
fn restore() {
    let _ = ratatui::try_restore();
}

/// How long there is to end in order once the process was told to.
#[cfg(unix)]
const IN_ORDER: Duration = Duration::from_secs(1);

/// Whether the process was told to end, so that the terminal is put right before it does. It ends in any case: whoever waits for a key of a
/// terminal that is gone never hears of it, and would try for ever.
#[cfg(unix)]
fn ended() -> impl Fn() -> bool {
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    // Where that cannot be asked for, the process ends at once.
    if let Ok(mut signals) = Signals::new([SIGTERM, SIGHUP]) {
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                tell.store(true, Ordering::Relaxed);
                thread::sleep(IN_ORDER);
                restore();
                std::process::exit(1);
            }
        });
    }
    move || told.load(Ordering::Relaxed)
}

#[cfg(not(unix))]
fn ended() -> impl Fn() -> bool {
    || false
}

fn since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
