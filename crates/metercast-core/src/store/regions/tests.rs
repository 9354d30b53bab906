//! Who holds a region: as many threads as run at once, however many there are.

use std::sync::{Arc, Barrier};
use std::thread;

use super::cap;
use crate::reading::Point;
use crate::store::Store;

crate::metrics! {
    /// Total.
    static TOTAL: Counter<u64> = "regions.total";
    /// By key.
    static BY_KEY: Counter<u64> = "regions.by.key" { labels: { key: &str } };
}

/// Regions that may be held for long, and those for one operation.
fn regions(store: &Store) -> (usize, usize) {
    let brief = store.inner().regions.iter().filter(|region| region.brief).count();
    (store.inner().regions.iter().count() - brief, brief)
}

fn total(store: &Store) -> Vec<Point> {
    store.collect().into_iter().map(|family| family.series[0].point.clone()).collect()
}

#[test]
fn threads_that_come_and_go_take_over_each_others_regions() {
    let store = Store::new();
    for _ in 0..200 {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let store = store.clone();
                thread::spawn(move || {
                    store.scope(|| {
                        TOTAL.add(1);
                        BY_KEY.add(1, ("k",));
                    });
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    let (lasting, brief) = regions(&store);
    assert!(lasting <= 2 && brief == 0, "{lasting} and {brief}");
    assert_eq!(total(&store), [Point::U64(400), Point::U64(400)]);
}

#[test]
fn of_512_threads_that_are_all_there_at_once_no_more_than_the_cap_hold_a_region() {
    let store = Store::new();
    let all_there = Arc::new(Barrier::new(512));
    let threads: Vec<_> = (0..512)
        .map(|_| {
            let (store, all_there) = (store.clone(), Arc::clone(&all_there));
            let work = move || {
                store.scope(|| {
                    TOTAL.add(1);
                    all_there.wait();
                    BY_KEY.add(1, ("k",));
                    all_there.wait();
                    (0..20).for_each(|_| TOTAL.add(1));
                });
            };
            thread::Builder::new().stack_size(128 * 1024).spawn(work).unwrap()
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let (lasting, brief) = regions(&store);
    assert!(lasting <= cap(), "{lasting} are held, of {}", cap());
    println!("{lasting} lasting {brief} brief");
    assert_eq!(total(&store), [Point::U64(512), Point::U64(512 * 21)]);
}

#[test]
fn a_thread_that_waits_in_the_middle_of_nothing_keeps_no_region_from_the_others() {
    let store = Store::new();
    // More than may hold a region for long, one after the other, each in its scope until the end.
    let count = cap() + 10;
    let all_there = Arc::new(Barrier::new(count + 1));
    let threads: Vec<_> = (0..count)
        .map(|_| {
            let (of_thread, all_there) = (store.clone(), Arc::clone(&all_there));
            let (said, has_said) = std::sync::mpsc::channel();
            let thread = thread::spawn(move || {
                of_thread.scope(|| {
                    TOTAL.add(1);
                    said.send(()).unwrap();
                    all_there.wait();
                });
            });
            has_said.recv().unwrap();
            thread
        })
        .collect();
    assert_eq!(regions(&store), (cap(), 1), "those that are beyond share one");
    all_there.wait();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    store.scope(|| TOTAL.add(1));
    assert_eq!(regions(&store), (cap(), 1));
    assert_eq!(total(&store), [Point::U64(count as u64 + 1)]);
}
