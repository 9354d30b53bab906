//! Attempts, waits and totals against a receiver that a script plays, on a clock that the test turns.

mod changes;
mod faults;
mod totals;
mod turns;
mod waits;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use metercast_core::{Store, metrics};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use prost::Message as _;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use super::super::answer::Accepted;
use super::super::error::{Cause, Failure};
use super::super::options::OtlpOptions;
use super::super::retry::Backoff;
use super::super::transport::Transport;
use super::*;
use crate::config::{Compression, Protocol};
use crate::log::Log;

metrics! {
    static ORDERS: Counter<u64> = "orders.placed";
}

/// A receiver that answers what it was told to; then it takes everything.
pub(in super::super) struct Script {
    answers: VecDeque<Play>,
    sent: Arc<Mutex<Vec<Sent>>>,
    is_sent: Arc<Notify>,
    began: Instant,
    /// Where it is.
    to: String,
}

/// What the receiver does with a request.
struct Play {
    /// How long it thinks.
    after: Duration,
    answer: Result<Accepted, Failure>,
    /// Whether it takes what it was sent, whatever it answers.
    takes: bool,
}

/// What the receiver saw.
#[derive(Clone)]
struct Sent {
    at: Duration,
    body: Bytes,
    is_taken: bool,
    to: String,
}

impl Script {
    /// Takes a request, and answers it.
    pub(in super::super) async fn send(&mut self, body: Bytes) -> Result<Accepted, Failure> {
        let play = self.answers.pop_front();
        let is_taken = play.as_ref().is_none_or(|play| play.takes);
        self.sent.lock().unwrap().push(Sent {
            at: self.began.elapsed(),
            body,
            is_taken,
            to: self.to.clone(),
        });
        self.is_sent.notify_one();
        match play {
            Some(play) => {
                sleep(play.after).await;
                play.answer
            }
            None => Ok(Accepted::default()),
        }
    }
}

fn answers(cause: Cause) -> Play {
    Play { after: Duration::ZERO, answer: Err(cause.into()), takes: false }
}

fn status(status: u16) -> Play {
    answers(Cause::Status { status: StatusCode::from_u16(status).unwrap(), says: None, mend: None })
}

impl Play {
    fn waiting(mut self, wait: Duration) -> Play {
        if let Err(failure) = &mut self.answer {
            failure.wait = Some(wait);
        }
        self
    }

    fn taken(self) -> Play {
        Play { takes: true, ..self }
    }
}

fn taken() -> Play {
    Play { after: Duration::ZERO, answer: Ok(Accepted::default()), takes: true }
}

fn hangs() -> Play {
    Play { after: Duration::from_secs(1 << 30), ..taken() }
}

impl Sent {
    fn decoded(&self) -> ExportMetricsServiceRequest {
        ExportMetricsServiceRequest::decode(&self.body[..]).unwrap()
    }

    /// The sum of the points of a counter.
    fn orders(&self) -> i64 {
        let request = self.decoded();
        let metrics = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        let orders = metrics.flat_map(|scope| &scope.metrics).filter(|metric| metric.name == "orders.placed");
        orders
            .flat_map(|metric| match &metric.data {
                Some(Data::Sum(sum)) => sum.data_points.iter(),
                _ => panic!("it is a counter"),
            })
            .map(|point| match point.value {
                Some(Number::AsInt(value)) => value,
                _ => panic!("it counts whole numbers"),
            })
            .sum()
    }
}

/// The exporter at work.
struct Stage {
    store: Store,
    commands: UnboundedSender<Command>,
    sent: Arc<Mutex<Vec<Sent>>>,
    is_sent: Arc<Notify>,
    lines: Arc<Mutex<Vec<String>>>,
    began: Instant,
}

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings {
        signal: crate::config::Signal::Metrics,
        name: "central".into(),
        url: "http://collector/v1/metrics".into(),
        host: "collector".into(),
        port: 4318,
        authority: "collector:4318".into(),
        path: "/v1/metrics".into(),
        headers: vec![],
        socket: None,
        tls: None,
        proxy: None,
        receiver: None,
        protocol: Protocol::HttpProtobuf,
        options: OtlpOptions::default(),
        projection: Arc::default(),
        compression: Compression::None,
        interval: 60 * SECOND,
        timeout: Some(10 * SECOND),
        backoff: Backoff::default(),
    }
}

/// Lets an exporter work against the script while the test runs.
async fn play(settings: Settings, script: impl IntoIterator<Item = Play>, test: impl AsyncFnOnce(&Stage)) {
    play_in(Store::new(), settings, script, test).await;
}

/// The same in this store, by its clock.
async fn play_in(
    store: Store,
    settings: Settings,
    script: impl IntoIterator<Item = Play>,
    test: impl AsyncFnOnce(&Stage),
) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push(format!("{level}: {line}"))
    });
    let (commands, received) = unbounded_channel();
    let (sent, is_sent, began) = (Arc::default(), Arc::default(), Instant::now());
    let stage = Stage { store: store.clone(), commands, sent, is_sent, lines, began };
    let script = stage.script(&settings, script);
    let interval = settings.interval;
    // Its own metrics would be points that no test speaks of.
    let reader = Reader::new(store.clone(), log);
    reader.measure(false);
    let mut exporter = Exporter::new(settings, &reader, &[]).unwrap().by(script);
    exporter.begin();
    let worker =
        Worker { exporter, pace: Pace::of(&stage.store), interval, commands: Commands::new(received) };
    let test = async {
        test(&stage).await;
        drop(stage);
    };
    // However the test leaves it, the exporter ends when its handle is dropped.
    let ended = timeout(1000 * 3600 * SECOND, async { tokio::join!(worker.run(), test) });
    ended.await.expect("it ends");
}

impl Stage {
    fn order(&self) {
        self.store.scope(|| ORDERS.add(1));
    }

    /// A receiver where these settings lead to, that answers so.
    fn script(&self, settings: &Settings, answers: impl IntoIterator<Item = Play>) -> Transport {
        Transport::Script(Script {
            answers: answers.into_iter().collect(),
            sent: Arc::clone(&self.sent),
            is_sent: Arc::clone(&self.is_sent),
            began: self.began,
            to: settings.url.clone(),
        })
    }

    /// Goes on with other settings, whose receiver answers so.
    fn change(&self, settings: Settings, script: impl IntoIterator<Item = Play>, within: Duration) {
        let transport = self.script(&settings, script);
        let change = Box::new(Change { settings, transport, resource: vec![] });
        let deadline = (Instant::now() + within).into_std();
        self.commands.send(Command::Change(change, deadline)).ok().unwrap();
    }

    async fn ask(&self, within: Duration, last: bool) -> Result<(), ExportError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let deadline = (Instant::now() + within).into_std();
        self.commands.send(Command::Push(Ask { deadline, last, answer })).ok().unwrap();
        loop {
            match answered.try_recv() {
                Ok(result) => return result,
                Err(mpsc::TryRecvError::Empty) => sleep(SECOND / 20).await,
                Err(mpsc::TryRecvError::Disconnected) => panic!("the exporter has died"),
            }
        }
    }

    async fn flush(&self, within: Duration) -> Result<(), ExportError> {
        self.ask(within, false).await
    }

    async fn shutdown(&self, within: Duration) -> Result<(), ExportError> {
        self.ask(within, true).await
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Waits until so many requests were sent.
    async fn until(&self, requests: usize) -> Vec<Sent> {
        while self.sent.lock().unwrap().len() < requests {
            self.is_sent.notified().await;
        }
        self.sent()
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// The time from each request to the next.
fn gaps(sent: &[Sent]) -> Vec<Duration> {
    sent.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}
