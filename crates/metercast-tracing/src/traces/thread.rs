//! The thread that pushes spans: when a batch is full, when its time has come, when somebody asks, and a last time.

use std::io;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use metercast::{Courier, Delivery};
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep_until;

use super::error::TracesError;
use super::message::{Message, Writer};
use super::own::Own;
use super::queue;
use super::report::Report;

/// The handle of the thread, which has a small Tokio runtime of its own.
pub(super) struct Handle {
    asker: Asker,
    thread: JoinHandle<()>,
    /// Disconnected when the thread is about to end.
    ended: mpsc::Receiver<()>,
}

/// Asks the thread for a push.
#[derive(Clone)]
pub(super) struct Asker {
    commands: UnboundedSender<Ask>,
    /// The process that has the thread. A fork has none of it, and does nothing.
    process: u32,
}

/// What is pushed, and when.
pub(super) struct Plan {
    pub(super) batch: usize,
    pub(super) interval: Duration,
    pub(super) writer: Writer,
    pub(super) own: Own,
}

/// Asks that what there is be pushed now.
struct Ask {
    deadline: Instant,
    /// Whether the thread ends then.
    last: bool,
    answer: SyncSender<Result<(), TracesError>>,
}

/// How long the thread may take to say what became of it.
const SAYING: Duration = Duration::from_millis(50);

impl Handle {
    /// # Errors
    ///
    /// The system gives no thread or no event queue.
    pub(super) fn start(courier: Courier, plan: Plan, spans: Receiver<SpanData>) -> io::Result<Handle> {
        let (commands, received) = unbounded_channel();
        let (end, ended) = mpsc::channel();
        let (start, started) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("metercast-traces".to_owned()).spawn(move || {
            // Dropped last, also when something panics.
            let _end: mpsc::Sender<()> = end;
            queue::ignore_this_thread();
            // Built here, since a runtime must not be dropped inside another one.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                // One name at a time is looked up.
                .max_blocking_threads(1)
                .on_thread_start(queue::ignore_this_thread)
                .build();
            match runtime {
                Ok(runtime) => {
                    let _ = start.send(Ok(()));
                    let inbox = Inbox { received, waiting: Vec::new(), served: Vec::new(), is_closed: false };
                    let mut worker = Worker { courier, plan, spans, report: Report::default() };
                    runtime.block_on(worker.work(inbox));
                    worker.plan.own.end();
                    // A name that is being looked up cannot be interrupted, and is not worth waiting for.
                    runtime.shutdown_background();
                }
                Err(error) => drop(start.send(Err(error))),
            }
        })?;
        started.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended at once")))?;
        Ok(Handle { asker: Asker { commands, process: process::id() }, thread, ended })
    }

    pub(super) fn asker(&self) -> &Asker {
        &self.asker
    }

    pub(super) fn shutdown(self, deadline: Instant) -> Result<(), TracesError> {
        if self.asker.is_forked() {
            // Waking the thread would reach into the parent.
            std::mem::forget(self);
            return Ok(());
        }
        let result = self.asker.ask(deadline, true).unwrap_or_else(|| Err(stopped()));
        let left = deadline.saturating_duration_since(Instant::now());
        if self.ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
            // What its thread says by a panic, standard error has already.
            let _ = self.thread.join();
        }
        result
    }
}

impl Asker {
    pub(super) fn flush(&self, deadline: Instant) -> Result<(), TracesError> {
        self.flush_unless_over(deadline).unwrap_or_else(|| Err(stopped()))
    }

    /// The same; `None` if the thread is at its end, where it pushes for the last time by itself.
    pub(super) fn flush_unless_over(&self, deadline: Instant) -> Option<Result<(), TracesError>> {
        if self.is_forked() { Some(Ok(())) } else { self.ask(deadline, false) }
    }

    /// The answer; `None` if there is nobody to answer any more.
    fn ask(&self, deadline: Instant, last: bool) -> Option<Result<(), TracesError>> {
        let (answer, answered) = mpsc::sync_channel(1);
        // A little earlier for the thread, so that what it has to say comes in time.
        let left = deadline.saturating_duration_since(Instant::now());
        let ask = Ask { deadline: deadline - (left / 20).min(SAYING), last, answer };
        self.commands.send(ask).ok()?;
        match answered.recv_timeout(left) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                let says =
                    "the push did not end before the deadline; give it more time, or check the collector";
                Some(Err(TracesError::new(says.to_owned(), 0)))
            }
        }
    }

    fn is_forked(&self) -> bool {
        self.process != process::id()
    }
}

fn stopped() -> TracesError {
    TracesError::new("the push was stopped".to_owned(), 0)
}

/// What is asked, as it comes.
struct Inbox {
    received: UnboundedReceiver<Ask>,
    waiting: Vec<Ask>,
    /// Those that what is pushed now is for.
    served: Vec<Ask>,
    /// Whether nobody can ask any more.
    is_closed: bool,
}

impl Inbox {
    /// Waits for the next who asks.
    async fn next(&mut self) {
        if self.is_closed {
            return std::future::pending().await;
        }
        match self.received.recv().await {
            Some(ask) => self.waiting.push(ask),
            None => self.is_closed = true,
        }
    }

    /// Whether somebody is going to hear what became of the push, so that the log need not.
    fn is_heard(&self) -> bool {
        !self.waiting.is_empty() || !self.served.is_empty()
    }

    /// Until when the last push must be done, if somebody has asked for it.
    fn last(&self) -> Option<Instant> {
        self.waiting.iter().filter(|ask| ask.last).map(|ask| ask.deadline).min()
    }

    /// Waits until somebody is in a hurry: for the last push, with its deadline; or nobody wants to know any more.
    async fn hurry(&mut self) -> Instant {
        loop {
            let known = self.waiting.len();
            self.next().await;
            if self.is_closed {
                return Instant::now();
            }
            if let Some(last) = self.waiting.get(known).filter(|ask| ask.last) {
                return last.deadline;
            }
        }
    }
}

/// Who pushes.
struct Worker {
    courier: Courier,
    plan: Plan,
    spans: Receiver<SpanData>,
    report: Report,
}

/// What a push came to.
#[derive(Default)]
struct Lost {
    spans: u64,
    says: Option<String>,
}

impl Lost {
    fn add(&mut self, later: Lost) {
        self.spans += later.spans;
        self.says = later.says.or(self.says.take());
    }
}

impl Worker {
    /// Works until the last push, or until nobody can ask for it any more.
    async fn work(&mut self, mut inbox: Inbox) {
        let mut batch = Vec::new();
        let mut due = tokio::time::Instant::now();
        loop {
            // Whoever asks while a push is under way hears of what that lost, too.
            let mut under_way = Lost::default();
            let room = self.plan.batch - batch.len();
            tokio::select! {
                biased;
                () = inbox.next() => {}
                taken = self.spans.recv_many(&mut batch, room) => {
                    // There is always somebody who may add some: the provider.
                    if taken == 0 {
                        return;
                    }
                    self.plan.own.queued(-(taken as i64));
                    if batch.len() == taken {
                        due = tokio::time::Instant::now() + self.plan.interval;
                    }
                }
                () = sleep_until(due), if !batch.is_empty() => {
                    under_way = self.push(std::mem::take(&mut batch), None, &mut inbox).await;
                }
            }
            if batch.len() == self.plan.batch {
                under_way = self.push(std::mem::take(&mut batch), None, &mut inbox).await;
            }
            while !inbox.waiting.is_empty() {
                let last = inbox.last();
                inbox.served = std::mem::take(&mut inbox.waiting);
                if last.is_some() {
                    // What ends from now on is too late.
                    self.spans.close();
                }
                let mut lost = std::mem::take(&mut under_way);
                lost.add(self.push_all(std::mem::take(&mut batch), last, &mut inbox).await);
                let mut is_heard = false;
                for ask in inbox.served.drain(..) {
                    let error = lost.says.clone().map(|says| TracesError::new(says, lost.spans));
                    is_heard |= ask.answer.send(error.map_or(Ok(()), Err)).is_ok();
                }
                if let (false, Some(says)) = (is_heard, &lost.says) {
                    // Their time was over before.
                    self.report.failed("unheard", says, 0);
                }
                if last.is_some() {
                    return;
                }
            }
            if inbox.is_closed {
                return;
            }
        }
    }

    /// Pushes these spans and those that wait now.
    async fn push_all(&mut self, mut batch: Vec<SpanData>, end: Option<Instant>, inbox: &mut Inbox) -> Lost {
        let mut lost = Lost::default();
        let mut left = self.spans.len();
        loop {
            while batch.len() < self.plan.batch && left > 0 {
                let Ok(span) = self.spans.try_recv() else { break };
                self.plan.own.queued(-1);
                batch.push(span);
                left -= 1;
            }
            if batch.is_empty() {
                return lost;
            }
            let part = self.push(std::mem::take(&mut batch), end, inbox).await;
            lost.add(part);
        }
    }

    async fn push(&mut self, spans: Vec<SpanData>, end: Option<Instant>, inbox: &mut Inbox) -> Lost {
        self.plan.own.processed(spans.len() as u64, None);
        let mut lost = Lost::default();
        let mut parts = vec![self.plan.writer.message(spans)];
        while let Some(message) = parts.pop() {
            self.deliver(message, end, inbox, &mut parts, &mut lost).await;
        }
        lost
    }

    /// Delivers a message, or puts its halves among the parts if it is too large.
    async fn deliver(
        &mut self,
        message: Message,
        end: Option<Instant>,
        inbox: &mut Inbox,
        parts: &mut Vec<Message>,
        lost: &mut Lost,
    ) {
        let spans = message.spans() as u64;
        let (own, report) = (&self.plan.own, &mut self.report);
        let mut lose = |class: &str, says: String, is_heard: bool| {
            own.exported(spans, Some(class));
            match is_heard {
                true => report.told(spans),
                false => report.failed(class, &says, spans),
            }
            lost.spans += spans;
            lost.says = Some(says);
        };
        let body = match self.plan.writer.write(&message) {
            Ok(body) => body,
            Err(says) => return lose("encoding", says, inbox.is_heard()),
        };
        if body.len() > self.courier.limit() {
            let says = format!("a span does not fit into the {} bytes of a request", self.courier.limit());
            return match message.halves() {
                Some(halves) => parts.extend(halves),
                None => lose("span_too_large", says, inbox.is_heard()),
            };
        }
        let began = Instant::now();
        own.inflight(spans as i64);
        // It may be in a hurry before it begins.
        let mut end = end.or_else(|| inbox.last());
        let hurry = async || match end.take() {
            Some(end) => end,
            None => inbox.hurry().await,
        };
        let delivery = self.courier.deliver(body, spans, hurry).await;
        own.inflight(-(spans as i64));
        let error = match &delivery {
            Delivery::Done { .. } => None,
            Delivery::TooLarge(why) | Delivery::Lost(why) => Some(why.error_type()),
        };
        own.operation(began.elapsed(), error);
        match delivery {
            Delivery::Done { rejected, says } => {
                own.exported(spans - rejected, None);
                own.exported(rejected, Some("rejected"));
                report.succeeded(rejected, says.as_deref(), inbox.is_heard());
                if rejected > 0 {
                    let says = says.as_deref().unwrap_or("without a word");
                    lost.spans += rejected;
                    lost.says =
                        Some(format!("the receiver did not take {rejected} of {spans} spans: {says}"));
                }
            }
            Delivery::TooLarge(why) => match message.halves() {
                Some(halves) => parts.extend(halves),
                None => lose(why.error_type(), why.to_string(), inbox.is_heard()),
            },
            Delivery::Lost(why) => lose(why.error_type(), why.to_string(), inbox.is_heard()),
        }
    }
}
