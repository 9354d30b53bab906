//! Something on the way lets no large request through, and says nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use metercast_core::u64_counter;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric;
use prost::Message as _;

use super::*;
use crate::export::otlp::retry::Backoff;

/// The largest body that gets through.
const LARGEST: usize = 100_000;

/// A receiver that resets the connection of whatever is larger, and gives what it took.
fn receiver() -> (SocketAddr, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (took, taken) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            if let Some(body) = body(&mut stream) {
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                if took.send(body).is_err() || stream.write_all(answer).is_err() {
                    return;
                }
            }
        }
    });
    (address, taken)
}

fn body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    if length > LARGEST {
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

#[test]
fn requests_become_small_enough_for_whatever_swallows_large_ones() {
    let (address, taken) = receiver();
    let mut setup = Setup::to(address);
    setup.settings.backoff = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2) };
    setup.store.scope(|| {
        for n in 0..1_900 {
            let long = format!("{n}{}", "x".repeat(900));
            u64_counter!("large.by.customer", "Orders of one customer", 1, "a" => long.clone(), "b" => long);
        }
    });
    let push = setup.start();
    push.flush(Instant::now() + Duration::from_secs(60)).unwrap();
    let mut requests = 0;
    let mut values = std::collections::HashMap::new();
    for body in taken.try_iter() {
        requests += 1;
        let request = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        for metric in scopes.flat_map(|scope| scope.metrics).filter(|one| one.name == "large.by.customer") {
            let Some(metric::Data::Sum(sum)) = metric.data else { panic!("{:?}", metric.data) };
            for point in sum.data_points {
                *values.entry(format!("{:?}", point.attributes)).or_insert(0) += 1;
            }
        }
    }
    assert!(requests > 30, "{requests} requests");
    assert_eq!(values.len(), 1_900);
    // Nothing large arrived, so nothing arrived twice.
    assert!(values.values().all(|times| *times == 1));
}
