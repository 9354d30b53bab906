//! Threads that stay: each pinned to a processor, all starting a batch at the same moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::inputs::Picks;
use crate::subjects::Recording;

/// The processors that this program may use, lowest first.
pub(crate) fn cpus() -> &'static [usize] {
    // Asked once: a pinned thread would be told of its own processor only.
    static CPUS: OnceLock<Vec<usize>> = OnceLock::new();
    CPUS.get_or_init(|| {
        let set = sched_getaffinity(None).unwrap_or_default();
        (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
    })
}

/// Keeps the calling thread on one processor. Where the system does not allow it, figures are noisier.
pub(crate) fn pin(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    let _ = sched_setaffinity(None, &set);
}

/// Runs `f` on a thread that is pinned to the last processor. The calling thread, whose children inherit where they may
/// run, stays free.
pub(crate) fn pinned<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let run = || {
        pin(cpus().last().copied().unwrap_or_default());
        f()
    };
    std::thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Far longer than any batch: only a worker that panicked does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One or more pinned threads that run batches of recordings.
pub(crate) struct Crew {
    workers: Vec<Worker>,
    done: Receiver<Duration>,
}

struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Job {
    recording: Arc<dyn Recording>,
    times: u64,
    arrived: Arc<AtomicUsize>,
    expected: usize,
}

impl Crew {
    /// A crew of `size` threads on the last processors; `None` if there are not so many.
    pub(crate) fn new(size: usize) -> Option<Crew> {
        let cpus = cpus().get(cpus().len().checked_sub(size)?..)?;
        let (report, done) = mpsc::channel();
        let workers = cpus.iter().map(|&cpu| Worker::new(cpu, report.clone())).collect();
        Some(Crew { workers, done })
    }

    /// Each thread records `times`; the mean of the times that they took.
    pub(crate) fn run(&self, recording: &Arc<dyn Recording>, times: u64) -> Duration {
        let job = Job {
            recording: Arc::clone(recording),
            times,
            arrived: Arc::default(),
            expected: self.workers.len(),
        };
        for jobs in self.workers.iter().filter_map(|worker| worker.jobs.as_ref()) {
            jobs.send(job.clone()).expect("a worker of the bench has panicked");
        }
        let took = self
            .workers
            .iter()
            .map(|_| self.done.recv_timeout(PATIENCE).expect("a worker of the bench has panicked"));
        took.sum::<Duration>() / self.workers.len() as u32
    }

    pub(crate) fn size(&self) -> usize {
        self.workers.len()
    }
}

impl Worker {
    fn new(cpu: usize, report: Sender<Duration>) -> Worker {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let thread = std::thread::spawn(move || {
            pin(cpu);
            let mut picks = Picks::new(cpu as u64);
            for job in inbox {
                job.arrived.fetch_add(1, Ordering::SeqCst);
                while job.arrived.load(Ordering::SeqCst) < job.expected {
                    std::hint::spin_loop();
                }
                let begun = Instant::now();
                job.recording.run(job.times, &mut picks);
                let took = begun.elapsed();
                drop(job);
                if report.send(took).is_err() {
                    return;
                }
            }
        });
        Worker { jobs: Some(jobs), thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
