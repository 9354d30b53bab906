//! Flush, shutdown and drop against collectors that hang, and what a thread survives.

use super::*;

#[test]
fn a_flush_ends_at_its_deadline_and_the_exporter_goes_on() {
    let collector = Collector::start([Reply::Hang]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    let error = push.flush(Instant::now() + Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.error_type(), "timeout");
    collector.request();
    push.flush(late()).unwrap();
    assert_eq!(collector.request().connection, 2);
    // A deadline that has passed already leaves no time for anything.
    assert_eq!(push.flush(Instant::now()).unwrap_err().error_type(), "timeout");
}

#[test]
fn shutdown_pushes_a_last_time_and_ends_the_thread() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    push.shutdown(late()).unwrap();
    assert_eq!(collector.request().counter("orders.placed"), 1);
    push.shutdown(late()).unwrap();
    assert!(collector.is_idle());
    let error = push.flush(late()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "push to http://collector/v1/metrics?*** is not possible: the exporter was stopped"
    );
}

#[test]
fn shutdown_lets_a_push_under_way_finish_and_pushes_what_came_after_it() {
    let (release, released) = mpsc::channel();
    let collector = Collector::start([Reply::Hold(released, success())]);
    let mut setup = Setup::to(collector.address);
    setup.settings.interval = Duration::from_millis(1);
    setup.order();
    let push = setup.start();
    assert_eq!(collector.request().counter("orders.placed"), 1);
    setup.order();
    thread::scope(|scope| {
        let shutdown = scope.spawn(|| push.shutdown(late()));
        release.send(()).unwrap();
        shutdown.join().unwrap().unwrap();
    });
    let last = collector.last_request();
    assert_eq!((last.connection, last.counter("orders.placed")), (1, 2));
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn shutdown_ends_at_its_deadline_whatever_hangs() {
    // The push under way, and the last one.
    for interval in [Duration::from_millis(1), Duration::MAX] {
        let collector = Collector::start([Reply::Hang, Reply::Hang]);
        let mut setup = Setup::to(collector.address);
        setup.settings.interval = interval;
        setup.order();
        let push = setup.start();
        if interval < PATIENCE {
            collector.request();
        }
        let ended = {
            let mut running = push.running();
            let (_, never) = mpsc::channel();
            std::mem::replace(&mut running.as_mut().unwrap().ended, never)
        };
        let error = push.shutdown(Instant::now() + Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.error_type(), "timeout");
        // The thread ends by itself, with nobody waiting for it.
        assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }
}

#[test]
fn the_last_failure_does_not_promise_another_push() {
    let collector = Collector::start([Reply::Answer(answer("500 Internal Server Error", "", b""))]);
    let setup = Setup::to(collector.address);
    setup.order();
    let error = setup.start().shutdown(late()).unwrap_err();
    assert_eq!(setup.lines(), [format!("error: exporter \"central\": {error}")]);
}

#[test]
fn dropping_it_stops_the_thread_without_a_push_even_if_one_hangs() {
    let collector = Collector::start([Reply::Hang]);
    let mut setup = Setup::to(collector.address);
    setup.order();
    for interval in [Duration::MAX, Duration::from_millis(1)] {
        setup.settings.interval = interval;
        let push = setup.start();
        if interval < PATIENCE {
            collector.request();
        }
        let Running { commands, ended, .. } = push.running().take().unwrap();
        drop(commands);
        assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }
    assert!(collector.is_idle());
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn it_works_inside_a_runtime_of_the_application() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let push = setup.start();
        push.flush(late()).unwrap();
        push.shutdown(late()).unwrap();
    });
    assert_eq!(collector.request().counter("orders.placed"), 1);
}

#[test]
fn flushes_from_many_threads_are_all_answered_and_never_push_at_once() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                setup.order();
                push.flush(late()).unwrap();
            });
        }
    });
    // The last of them began after all orders were recorded. The collector reads one connection at a time.
    let last = collector.last_request();
    assert_eq!((last.connection, last.counter("orders.placed")), (1, 8));
}

#[test]
fn in_a_forked_process_it_does_nothing() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let mut push = setup.start();
    let parent = push.process;
    push.process = parent.wrapping_add(1);
    push.flush(late()).unwrap();
    push.shutdown(late()).unwrap();
    assert!(collector.is_idle());
    push.process = parent;
    push.shutdown(late()).unwrap();
    assert_eq!(collector.request().counter("orders.placed"), 1);
}

#[test]
fn a_panic_while_reading_the_store_is_an_error_and_the_exporter_goes_on() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    setup.reader.panics.store(true, std::sync::atomic::Ordering::Relaxed);
    let push = setup.start();
    let error = push.flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "panic");
    push.flush(late()).unwrap();
    assert_eq!(
        setup.lines(),
        [
            "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: reading the store panicked \
             (\"the test says so\"); please report this to metercast; counts are kept and go with the next push",
            "info: exporter \"central\": push to http://collector/v1/metrics?*** works again"
        ]
    );
}

#[test]
fn a_log_that_panics_does_not_end_the_exporter() {
    let collector = Collector::start([Reply::Close]);
    let mut setup = Setup::to(collector.address);
    setup.reader = Reader::new(setup.store.clone(), Log::to(|_, _| panic!("no log today")));
    setup.order();
    let push = setup.start();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "io");
    push.flush(late()).unwrap();
}
