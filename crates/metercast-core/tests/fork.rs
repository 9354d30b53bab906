//! A child that was forked while other threads of its parent were recording: whatever lock they held, it records on.

#![cfg(unix)]

use std::ffi::c_int;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use metercast_core::{Store, metrics};

metrics! {
    /// Orders.
    static ORDERS: Counter<u64> = "orders" { labels: { tenant: &str } };
    /// Orders, all of them.
    static ALL: Counter<u64> = "orders.all";
    /// Time to settle.
    static SETTLE: Histogram<f64> = "settle" { unit: "s", labels: { tenant: &str } };
}

unsafe extern "C" {
    fn fork() -> c_int;
    fn _exit(status: c_int) -> !;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
}

const DO_NOT_WAIT: c_int = 1;
const KILL: c_int = 9;

/// Whether the child ended by itself, with success.
fn ends_well(child: c_int) -> bool {
    let (deadline, mut status) = (Instant::now() + Duration::from_secs(60), 0);
    // SAFETY: `status` outlives the call.
    while unsafe { waitpid(child, &raw mut status, DO_NOT_WAIT) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: takes two numbers.
            unsafe { kill(child, KILL) };
            return false;
        }
        std::thread::yield_now();
    }
    status == 0
}

#[test]
fn a_forked_child_records_whatever_its_parent_was_doing() {
    let (store, stop) = (Store::new(), AtomicBool::new(false));
    store.set_limits(1_000_000, 1_000_000);
    std::thread::scope(|threads| {
        for thread in 0..2 {
            let (store, stop) = (&store, &stop);
            threads.spawn(move || {
                let mut name = String::new();
                for n in 0u64.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    name.clear();
                    name.push_str(if thread == 0 { "a" } else { "b" });
                    name.push_str(&n.to_string());
                    store.scope(|| {
                        ORDERS.add(1, (&name,));
                        // Its buckets are asked for under another lock.
                        if thread == 0 {
                            SETTLE.record(0.5, (&name,));
                        }
                    });
                }
            });
        }
        let well = (0..15).all(|n| {
            let names: Vec<String> = (0..4).map(|at| format!("child {n} {at}")).collect();
            // SAFETY: the child calls nothing but what is under test, and leaves without cleaning up. The C library makes its
            // own allocator usable after a fork.
            let child = unsafe { fork() };
            if child == 0 {
                store.scope(|| {
                    for name in &names {
                        ORDERS.add(1, (name,));
                        SETTLE.record(0.5, (name,));
                        ALL.add(1);
                        drop(SETTLE.start((name,)));
                    }
                });
                // SAFETY: does not return.
                unsafe { _exit(0) };
            }
            child > 0 && ends_well(child)
        });
        stop.store(true, Relaxed);
        assert!(well, "a child did not end");
    });
}
