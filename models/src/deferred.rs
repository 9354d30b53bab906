//! Recordings that wait come out once, whoever leaves them and whoever takes them.

use std::sync::atomic::Ordering::Relaxed;

use loom::sync::atomic::AtomicU64;
use loom::thread;

use crate::run::{Model, Shared};
use crate::store::deferred::{Deferred, Recording};

/// Two threads leave recordings, and a third takes what is there.
const LEFT: Model = Model { stops: 5, run: left };

fn left() {
    let deferred = Shared::new(Deferred::new());
    let leave = [1, 10].map(|recording| {
        let deferred = deferred.clone();
        thread::spawn(move || {
            assert!(deferred.push(|| Recording(AtomicU64::new(recording))));
            0
        })
    });
    let take = {
        let deferred = deferred.clone();
        thread::spawn(move || taken(&deferred))
    };
    let taken_before: u64 = leave.into_iter().chain([take]).map(|thread| thread.join().unwrap()).sum();
    assert_eq!(taken_before + taken(&deferred), 11, "a recording was lost, or made twice");
}

fn taken(deferred: &Deferred) -> u64 {
    deferred.take().iter().map(|Recording(recording)| recording.load(Relaxed)).sum()
}

#[test]
fn what_waits_comes_out_once() {
    LEFT.holds();
}

#[test]
fn recordings_are_left_with_release() {
    LEFT.fails("a recording is left without Release", "Causality violation");
}

#[test]
fn recordings_are_taken_with_acquire() {
    LEFT.fails("recordings are taken without Acquire", "Causality violation");
}

#[test]
fn recordings_are_taken_in_one_step() {
    LEFT.fails("recordings are looked at before they are taken", "a recording was lost");
}
