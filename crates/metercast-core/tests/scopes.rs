//! Which store a recording lands in.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use metercast_core::reading::Point;
use metercast_core::{Guard, Store, StoreFutureExt, metrics, u64_counter};

metrics! {
    /// Hits.
    static HITS: Counter<u64> = "scopes.hits";
    /// Held.
    static HELD: UpDownCounter<i64> = "scopes.held";
}

fn hits(store: &Store) -> u64 {
    match store.collect().iter().find(|f| f.definition.name() == "scopes.hits").map(|f| &f.series[0].point) {
        Some(Point::U64(hits)) => *hits,
        None => 0,
        other => panic!("{other:?}"),
    }
}

/// Ready at the second poll.
#[derive(Default)]
struct Twice(bool);

impl Future for Twice {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn scopes_nest_and_restore_what_was_before() {
    let stores: Vec<_> = (0..8).map(|_| Store::new()).collect();
    fn descend(stores: &[Store]) {
        let Some((first, rest)) = stores.split_first() else { return };
        first.scope(|| {
            HITS.add(1);
            descend(rest);
            HITS.add(1);
            assert!(Store::current().is(first));
        });
    }
    descend(&stores);
    assert!(Store::current().is(&Store::global()));
    assert_eq!(stores.iter().map(hits).collect::<Vec<_>>(), [2; 8]);
}

#[test]
fn a_scope_ends_when_it_panics() {
    let store = Store::new();
    let result = std::panic::catch_unwind(|| store.scope(|| panic!("on purpose")));
    assert!(result.is_err());
    assert!(Store::current().is(&Store::global()));
}

#[test]
fn re_entering_the_global_store_from_a_scope_records_there() {
    metrics! {
        /// Only for this test, since the global store is everybody's.
        static GLOBAL_HITS: Counter<u64> = "scopes.global.hits";
    }
    GLOBAL_HITS.add(1);
    let store = Store::new();
    store.scope(|| Store::global().scope(|| GLOBAL_HITS.add(1)));
    GLOBAL_HITS.add(1);
    assert!(store.collect().is_empty());
    let families = Store::global().collect();
    let family = families.iter().find(|f| f.definition.name() == "scopes.global.hits").unwrap();
    assert_eq!(family.series[0].point, Point::U64(3));
}

#[test]
fn a_future_records_into_its_store_on_every_poll_and_thread() {
    let (a, b) = (Store::new(), Store::new());
    let future = |by| async move {
        HITS.add(by);
        Twice::default().await;
        HITS.add(by);
    };
    let mut first = Box::pin(future(1).in_store(a.clone()));
    let mut second = Box::pin(future(10).in_store(b.clone()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.as_mut().poll(&mut context).is_pending());
    std::thread::spawn(move || {
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_ready());
        assert!(first.as_mut().poll(&mut context).is_ready());
    })
    .join()
    .unwrap();
    assert_eq!((hits(&a), hits(&b)), (2, 20));
}

#[test]
fn a_cancelled_future_drops_what_it_holds_in_its_store() {
    struct CountsItsDrop;
    impl Drop for CountsItsDrop {
        fn drop(&mut self) {
            HITS.add(1);
        }
    }
    let store = Store::new();
    let future = async {
        let _counts = CountsItsDrop;
        let _guard = HELD.guard();
        std::future::pending::<()>().await;
    };
    {
        let mut future = pin!(future.in_store(store.clone()));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(hits(&store), 1);
    let families = store.collect();
    assert_eq!(families[0].series[0].point, Point::I64(0));
}

#[test]
fn a_guard_in_a_thread_local_outlives_its_scope() {
    thread_local! { static KEPT: RefCell<Option<Guard>> = const { RefCell::new(None) }; }
    let store = Store::new();
    std::thread::spawn({
        let store = store.clone();
        move || store.scope(|| KEPT.with(|kept| *kept.borrow_mut() = Some(HELD.guard())))
    })
    .join()
    .unwrap();
    assert_eq!(store.collect()[0].series[0].point, Point::I64(0));
}

#[test]
fn ten_thousand_stores_come_and_go() {
    for n in 0..10_000u64 {
        let store = Store::new();
        store.scope(|| HITS.add(n + 1));
        assert_eq!(hits(&store), n + 1);
    }
}

#[test]
fn a_scope_that_is_entered_lasts_until_it_is_dropped_and_nests() {
    let (outer, inner) = (Store::new(), Store::new());
    let entered = outer.enter();
    u64_counter!("entered", "Entered", 1);
    let nested = inner.enter();
    u64_counter!("entered", "Entered", 10);
    outer.scope(|| u64_counter!("entered", "Entered", 100));
    drop(nested);
    u64_counter!("entered", "Entered", 1_000);
    drop(entered);
    assert!(Store::current().is(&Store::global()));
    let read = |store: &Store| store.collect()[0].series[0].point.clone();
    assert_eq!((read(&outer), read(&inner)), (Point::U64(1_101), Point::U64(10)));
}

#[test]
fn scopes_that_end_out_of_order_never_leave_a_thread_in_a_store_that_is_gone() {
    let record = || u64_counter!("entered.oddly", "Entered", 1);
    // Dropped before what was entered later.
    let (first, second) = (Store::new().enter(), Store::new().enter());
    drop(first);
    record();
    drop(second);
    record();
    // Carried out of a closure, and into another.
    let carried = Store::new().scope(|| {
        let entered = Store::new().enter();
        record();
        entered
    });
    record();
    Store::new().scope(move || {
        record();
        drop(carried);
        record();
    });
    record();
    // Dropped inside a scope of its own store.
    let store = Store::new();
    let entered = store.enter();
    store.scope(|| {
        drop(entered);
        record();
    });
    record();
    let forgotten = Store::new();
    // So that what is lost on purpose does not count as lost.
    static KNOWN: Mutex<Vec<Store>> = Mutex::new(Vec::new());
    KNOWN.lock().unwrap().push(forgotten.clone());
    std::thread::spawn(move || {
        std::mem::forget(forgotten.enter());
        record();
    })
    .join()
    .unwrap();
}
