//! Right: what one thread leaves behind a lock or a count of the standard library, another finds. No sanitizer may say a word.
//!
//! The standard library is not built with the sanitizers, so ThreadSanitizer knows its locks through `happens_before.rs`
//! alone; if that misses one, this program shows it before the tests fill with false reports.

use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, RwLock};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 8;
const ROUNDS: u64 = 2_000;

#[derive(Default)]
struct Shared {
    listed: Mutex<Vec<u64>>,
    ordered: RwLock<Vec<u64>>,
    turn: Mutex<u64>,
    turned: Condvar,
}

fn main() {
    let shared = Arc::new(Shared::default());
    let barrier = Arc::new(Barrier::new(THREADS as usize));
    let once: Arc<Vec<OnceLock<Vec<u64>>>> = Arc::new((0..ROUNDS).map(|_| OnceLock::new()).collect());
    let threads: Vec<_> = (0..THREADS)
        .map(|me| {
            let (shared, barrier, once) = (Arc::clone(&shared), Arc::clone(&barrier), Arc::clone(&once));
            thread::spawn(move || {
                barrier.wait();
                for round in 0..ROUNDS {
                    shared.listed.lock().unwrap().push(me);
                    if round % 8 == me {
                        shared.ordered.write().unwrap().push(me);
                    } else {
                        assert!(shared.ordered.read().unwrap().iter().all(|by| *by < THREADS));
                    }
                    assert_eq!(once[round as usize].get_or_init(|| vec![round; 4])[3], round);
                }
                take_a_turn(&shared, me);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(shared.listed.lock().unwrap().len() as u64, THREADS * ROUNDS);
    scoped();
    counted();
    println!("in order");
}

/// One after the other, half of them with a time limit.
fn take_a_turn(shared: &Shared, me: u64) {
    let mut turn = shared.turn.lock().unwrap();
    while *turn != me {
        turn = match me % 2 {
            0 => shared.turned.wait(turn).unwrap(),
            _ => shared.turned.wait_timeout(turn, Duration::from_secs(60)).unwrap().0,
        };
    }
    *turn += 1;
    shared.turned.notify_all();
}

/// A scope waits for its threads, although nobody joins them.
fn scoped() {
    for round in 0..100 {
        let mut slots = [0; 4];
        thread::scope(|scope| {
            for slot in &mut slots {
                scope.spawn(move || *slot = round);
            }
        });
        assert_eq!(slots, [round; 4]);
    }
}

/// Whoever holds the last `Arc` frees what the others have written.
fn counted() {
    for _ in 0..100 {
        let last = Arc::new(Mutex::new(vec![0; 64]));
        let threads = [(); 3].map(|()| {
            let last = Arc::clone(&last);
            thread::spawn(move || last.lock().unwrap().push(1))
        });
        drop(last);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
