//! A part of the job server, on a thread of its own and in a store of its own.

use std::fmt;
use std::sync::Arc;
use std::thread;

use metercast_tower::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::settings::{MetricsSettings, Settings};
use crate::telemetry::Measured;
use crate::{agent, controller, nats_server};

/// What went wrong, in words.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// A part of the job server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Subcommand)]
pub(crate) enum Component {
    /// The API.
    Controller,
    /// A worker.
    Agent,
    /// NATS, as a program of its own that is watched.
    Nats,
}

impl Component {
    pub(crate) fn metrics(self, settings: &Settings) -> &MetricsSettings {
        match self {
            Component::Controller => &settings.controller.metrics,
            Component::Agent => &settings.agent.metrics,
            Component::Nats => &settings.nats.server.metrics,
        }
    }

    /// Runs until it is asked to end.
    fn run(self, settings: &Settings, asked: Ending) -> Result<(), Error> {
        // All of its tasks are on this thread, so they record into its store, and need not be told of it.
        let store = Store::new();
        store.scope(|| {
            let measured = Measured::start(self, settings, &store)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let done = runtime.block_on(async {
                let _process = measured.observe_process();
                match self {
                    Component::Controller => controller::run(settings, &measured, asked).await,
                    Component::Agent => agent::run(settings, &measured, asked).await,
                    Component::Nats => nats_server::run(settings, &measured, asked).await,
                }
            });
            measured.end();
            done
        })
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Component::Controller => "controller",
            Component::Agent => "agent",
            Component::Nats => "nats",
        })
    }
}

/// Whether everything is to end.
#[derive(Clone, Debug)]
pub(crate) struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Waits until it is.
    pub(crate) async fn asked(&self) {
        // Whoever asks is gone only when the process is.
        let _ = self.0.clone().wait_for(|asked| *asked).await;
    }
}

/// Runs these until SIGTERM or Ctrl-C, or until one of them fails, which ends the others.
pub(crate) fn run_all(components: &[Component], settings: &Settings) -> Result<(), Error> {
    let (ask, ending) = watch::channel(false);
    let ask = Arc::new(ask);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listened for before anybody knows that we are here.
    let (mut terminate, mut interrupt) = {
        let _context = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    thread::scope(|threads| {
        let running: Vec<_> = components
            .iter()
            .map(|component| {
                let (ending, ask) = (Ending(ending.clone()), Arc::clone(&ask));
                threads.spawn(move || {
                    let done =
                        component.run(settings, ending).map_err(|error| format!("{component}: {error}"));
                    ask.send_replace(true);
                    done
                })
            })
            .collect();
        let ending = Ending(ending);
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = ending.asked() => {}
            }
        });
        ask.send_replace(true);
        let faults: Vec<_> = running
            .into_iter()
            .filter_map(|thread| {
                thread.join().unwrap_or_else(|_| Err("a component panicked".to_owned())).err()
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
    })
}
