//! What is sent again after each fault, and what is said.

use super::*;

/// A fault that passes: what is sent again, and how soon.
fn passing() -> Vec<(&'static str, Play)> {
    let io = |kind: io::ErrorKind| Arc::new(io::Error::from(kind));
    let grpc = |code, may_retry| {
        answers(Cause::Grpc {
            code: super::super::super::error::Code(code),
            says: None,
            too_large: false,
            mend: None,
            may_retry,
        })
    };
    vec![
        ("429", status(429)),
        ("502", status(502)),
        ("503", status(503)),
        ("504", status(504)),
        ("no connection", answers(Cause::Connect(io(io::ErrorKind::ConnectionRefused)))),
        ("no address", answers(Cause::Resolve(io(io::ErrorKind::NotFound)))),
        ("closed without an answer", answers(Cause::Closed)),
        ("reset", answers(Cause::Lost(io(io::ErrorKind::ConnectionReset)))),
        ("CANCELLED", grpc(1, false)),
        ("DEADLINE_EXCEEDED", grpc(4, false)),
        ("RESOURCE_EXHAUSTED with RetryInfo", grpc(8, true)),
        ("ABORTED", grpc(10, false)),
        ("OUT_OF_RANGE", grpc(11, false)),
        ("UNAVAILABLE", grpc(14, false)),
        ("DATA_LOSS", grpc(15, false)),
    ]
}

/// A fault that somebody must mend.
fn lasting() -> Vec<(&'static str, Play)> {
    let of = |code| {
        answers(Cause::Grpc {
            code: super::super::super::error::Code(code),
            says: None,
            too_large: false,
            mend: None,
            may_retry: false,
        })
    };
    let mut lasting: Vec<_> = [401, 403, 404, 405, 408, 415, 500, 501, 505, 599]
        .into_iter()
        .map(|code| ("a status", status(code)))
        .collect();
    lasting.push(("redirect", answers(Cause::Redirect { status: StatusCode::FOUND, location: None })));
    lasting.push(("wrong certificate", answers(Cause::Tls("no".into()))));
    lasting.extend([2, 5, 6, 7, 8, 9, 12, 13, 16].map(|code| ("a code of gRPC", of(code))));
    lasting
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_after_waits_that_double_and_nothing_is_said() {
    let rows = passing().into_iter().zip(passing()).zip(passing()).map(|((a, b), c)| (a.0, [a.1, b.1, c.1]));
    for (fault, script) in rows {
        play(settings(), script, async |stage| {
            stage.order();
            let sent = stage.until(4).await;
            assert!(sent[0].at <= 60 * SECOND, "{fault}: the first push comes within the interval");
            for (gap, longest) in gaps(&sent).into_iter().zip([500, 1000, 2000]) {
                let longest = Duration::from_millis(longest);
                assert!(gap >= longest / 2 && gap <= longest, "{fault}: {gap:?}");
            }
            assert!(sent.iter().all(|sent| sent.orders() == 1), "{fault}");
            sleep(SECOND).await;
            assert_eq!((stage.sent().len(), stage.lines()), (4, vec![]), "{fault}");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_said_and_sent_again_with_the_next_push_together_with_what_came_since() {
    for (fault, play_it) in lasting() {
        play(settings(), [play_it], async |stage| {
            stage.order();
            stage.until(1).await;
            sleep(SECOND).await;
            stage.order();
            let lines = stage.lines();
            assert!(lines[0].ends_with("ounts are kept and go with the next push"), "{fault}: {lines:?}");
            let sent = stage.until(2).await;
            assert_eq!(gaps(&sent), [60 * SECOND], "{fault}");
            assert_eq!(sent[1].orders(), 2, "{fault}");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_hangs_ends_at_its_timeout_and_the_same_bytes_go_first_in_the_next() {
    play(settings(), [hangs()], async |stage| {
        stage.order();
        stage.until(1).await;
        stage.order();
        let sent = stage.until(3).await;
        assert_eq!(gaps(&sent), [60 * SECOND, Duration::ZERO]);
        assert!(sent[0].body == sent[1].body);
        assert_eq!(sent[2].orders(), 2);
        let lines = stage.lines();
        assert!(lines[0].contains("no answer within 10s"), "{lines:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_says_to_have_refused_is_sent_again_byte_by_byte_and_what_was_refused_with_what_came_since()
 {
    let rows = passing()
        .into_iter()
        .zip(passing())
        .flat_map(|((fault, refused), (_, asking))| [(fault, refused), (fault, asking.waiting(SECOND))]);
    for (fault, play_it) in rows {
        let Err(failure) = &play_it.answer else { panic!("{fault}") };
        let (wait, is_in_doubt) = (failure.wait, failure.outcome().is_in_doubt());
        if let "503" | "UNAVAILABLE" = fault {
            assert_eq!(is_in_doubt, wait.is_none(), "{fault}");
        }
        play(settings(), [play_it], async |stage| {
            stage.order();
            stage.until(1).await;
            stage.order();
            stage.flush(SECOND * 5).await.unwrap();
            let sent = stage.sent();
            assert_eq!(sent[1].body == sent[0].body, is_in_doubt, "{fault} {wait:?}");
            assert_eq!(sent.last().unwrap().orders(), 2, "{fault} {wait:?}");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn as_long_as_the_fate_of_a_request_is_unknown_nothing_but_its_bytes_is_sent_whatever_is_answered() {
    let script = [answers(Cause::Closed), status(503), status(401), hangs(), status(404), status(502)];
    play(settings(), script, async |stage| {
        stage.order();
        stage.until(1).await;
        stage.order();
        let sent = stage.until(8).await;
        assert!(sent[1..7].iter().all(|again| again.body == sent[0].body));
        assert_eq!(sent[7].orders(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_as_malformed_twice_is_dropped_and_the_exporter_goes_on() {
    play(settings(), [status(400), status(400)], async |stage| {
        stage.order();
        stage.until(1).await;
        stage.order();
        let sent = stage.until(3).await;
        assert_eq!(gaps(&sent), [60 * SECOND, Duration::ZERO]);
        assert!(sent[0].body == sent[1].body, "the same data once more");
        assert_eq!(sent[2].orders(), 2);
        let lines = stage.lines();
        assert!(lines[0].ends_with(" Counts are kept and go with the next push"), "{lines:?}");
        assert!(lines[1].ends_with(" 1 point is not delivered"), "{lines:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_sent_at_once_in_smaller_requests_until_it_is_small_enough() {
    metrics! {
        static NOTED: Counter<u64> = "orders.noted" { labels: { customer: i64, note: &str } };
    }
    play(settings(), [status(413), status(413), taken(), status(413)], async |stage| {
        let note = "x".repeat(200);
        stage.store.scope(|| (0..1900).for_each(|customer| NOTED.add(1, (customer, note.as_str()))));
        stage.until(1).await;
        sleep(SECOND).await;
        let sent = stage.sent();
        let lengths: Vec<_> = sent.iter().map(|sent| sent.body.len()).collect();
        assert!(lengths[1] <= lengths[0] / 2 && lengths[2] <= lengths[1] / 2, "{lengths:?}");
        // The fourth was refused, and everything follows in requests half as large.
        assert!(lengths[4..].iter().all(|length| *length <= lengths[3] / 2), "{lengths:?}");
        let points = |sent: &Sent| -> usize {
            let request = sent.decoded();
            let metrics = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
            metrics
                .flat_map(|scope| &scope.metrics)
                .map(|metric| match &metric.data {
                    Some(Data::Sum(sum)) => sum.data_points.len(),
                    _ => 0,
                })
                .sum()
        };
        assert_eq!(sent[4..].iter().map(points).sum::<usize>(), 1900);
        assert_eq!(stage.lines(), [""; 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_however_small_waits_for_somebody_to_mend_it() {
    play(settings(), [status(413), taken()], async |stage| {
        stage.order();
        let sent = stage.until(2).await;
        assert_eq!(gaps(&sent), [60 * SECOND]);
        assert!(stage.lines()[0].contains("the message is larger than the collector takes"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_is_never_sent_again() {
    let partly = Accepted { rejected: 1, says: Some("too old".into()), ..Accepted::default() };
    let script = [Play { after: Duration::ZERO, answer: Ok(partly), takes: true }];
    let mut settings = settings();
    settings.options.temporality = crate::config::TemporalityPreference::Delta;
    play(settings, script, async |stage| {
        stage.order();
        stage.until(1).await;
        sleep(SECOND).await;
        assert!(stage.lines()[0].contains("1 of 1 points were rejected (\"too old\")"));
        sleep(300 * SECOND).await;
        assert_eq!(stage.sent().len(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_keeps_its_deadline_in_every_fault_and_says_what_is_lost() {
    let faults = passing()
        .into_iter()
        .chain(lasting())
        .map(|(fault, _)| fault)
        .chain(["hang", "silence", "400", "413", "garbage"]);
    for (n, fault) in faults.enumerate() {
        let again = move || {
            let hung = || Some(hangs());
            let nth = || passing().into_iter().chain(lasting()).nth(n).map(|(_, play)| play);
            match fault {
                "hang" => hung(),
                "silence" => Some(status(503).waiting(600 * SECOND)),
                "400" => Some(status(400)),
                "413" => Some(status(413)),
                "garbage" => {
                    Some(answers(Cause::Protocol("HTTP/1.1", Arc::new(io::Error::other("garbage")))))
                }
                _ => nth(),
            }
        };
        for after_a_push in [false, true] {
            play(settings(), std::iter::from_fn(again).take(100), async |stage| {
                stage.order();
                if after_a_push {
                    stage.until(1).await;
                }
                let asked = Instant::now();
                let error = stage.shutdown(5 * SECOND).await.unwrap_err();
                assert!(asked.elapsed() <= 5 * SECOND + SECOND / 10, "{fault}: {:?}", asked.elapsed());
                assert!(error.to_string().ends_with(" 1 point is not delivered"), "{fault}: {error}");
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_delivers_what_a_fault_that_passes_left_over() {
    for (fault, play_it) in passing() {
        play(settings(), [play_it], async |stage| {
            stage.order();
            stage.shutdown(5 * SECOND).await.unwrap();
            let sent = stage.sent();
            assert_eq!(sent.last().unwrap().orders(), 1, "{fault}");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_reading_follows_a_refusal_without_what_arrived_already() {
    metrics! {
        static SPLIT: Counter<u64> = "orders.split" { labels: { customer: i64 } };
    }
    let mut settings = settings();
    settings.options.max_request_bytes = 16 << 10;
    // A receiver that takes two requests a second.
    let script = (0..30).map(|n| if n % 3 == 2 { status(429).waiting(SECOND) } else { taken() });
    play(settings, script, async |stage| {
        stage.store.scope(|| (0..1900).for_each(|customer| SPLIT.add(1, (customer,))));
        stage.flush(600 * SECOND).await.unwrap();
        let sent = stage.sent();
        let taken: Vec<_> = sent.iter().filter(|sent| sent.is_taken).collect();
        assert!(taken.len() > 4, "{}", taken.len());
        for (n, one) in taken.iter().enumerate() {
            assert!(taken[n + 1..].iter().all(|other| other.body != one.body));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_said_even_if_somebody_interrupts_the_push() {
    let mut settings = settings();
    settings.timeout = Some(30 * SECOND);
    play(settings, [status(400), status(400), status(503).waiting(5 * SECOND)], async |stage| {
        stage.order();
        let sent = stage.until(3).await;
        // The push waits now for what it may do in 5 seconds.
        stage.flush(20 * SECOND).await.unwrap();
        assert_eq!(stage.sent().len(), 4);
        assert!(stage.sent()[3].at >= sent[2].at + 5 * SECOND);
        let lines = stage.lines();
        assert!(lines[1].ends_with(" 1 point is not delivered"), "{lines:?}");
    })
    .await;
}
