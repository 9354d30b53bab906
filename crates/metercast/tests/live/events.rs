//! What viewers are told as it happens.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::service::{ORDERS, Service, local, named, place_orders, until};

/// One who looks.
struct Viewer {
    status: u16,
    lines: std::io::Lines<BufReader<TcpStream>>,
}

struct Event {
    name: String,
    id: u64,
    data: Value,
}

impl Viewer {
    fn of(service: &Service, headers: &str) -> Viewer {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!("GET /live/events HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().unwrap().unwrap()[9..12].parse().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        Viewer { status, lines }
    }

    /// The next event; chunks are no matter, as they have lines of their own.
    fn next(&mut self) -> Option<Event> {
        let (mut name, mut id) = (None, None);
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(text) = line.strip_prefix("event: ") {
                name = Some(text.to_owned());
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.parse().unwrap());
            } else if let Some(text) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(text).unwrap();
                return Some(Event { name: name?, id: id?, data });
            }
        }
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect()
}

#[test]
fn the_first_event_has_everything_and_then_only_what_changes() {
    let service = Service::start(local());
    service.store.scope(place_orders);
    let mut viewer = Viewer::of(&service, "");
    let full = viewer.next().unwrap();
    assert_eq!((&*full.name, &full.data["health"]["identity"]["service.name"]), ("full", &"shop".into()));
    assert!(names(&full.data["metrics"]).contains(&"depth"));
    assert_eq!(full.data["spark"].as_array().unwrap().len(), full.data["metrics"].as_array().unwrap().len());
    service.clock.advance(Duration::from_secs(1));
    viewer.next().unwrap();
    service.store.scope(|| ORDERS.add(5, ("buy", None)));
    service.clock.advance(Duration::from_secs(1));
    let change = viewer.next().unwrap();
    assert_eq!(change.name, "change");
    let orders = named(&change.data["metrics"], "orders");
    assert_eq!((&orders["now"]["rate"], orders.get("description")), (&5.into(), None));
    assert!(!names(&change.data["metrics"]).contains(&"depth"), "{}", change.data);
    assert_eq!(change.data.get("health"), None);
}

#[test]
fn all_viewers_are_told_the_same_and_health_when_it_changes() {
    let service = Service::start(local());
    service.store.scope(place_orders);
    let mut viewers = [Viewer::of(&service, ""), Viewer::of(&service, "")];
    let first = viewers.each_mut().map(|viewer| viewer.next().unwrap());
    assert_eq!((first[0].id, &first[0].data), (first[1].id, &first[1].data));
    service.flush();
    service.clock.advance(Duration::from_secs(1));
    let change = viewers.each_mut().map(|viewer| viewer.next().unwrap());
    assert_eq!((change[0].id, &change[0].data), (change[1].id, &change[1].data));
    assert_eq!(change[0].data["health"]["status"], "failing");
}

#[test]
fn who_comes_again_is_told_what_was_missed_or_else_everything() {
    let service = Service::start(local());
    service.store.scope(place_orders);
    let mut stays = Viewer::of(&service, "");
    let mut leaves = Viewer::of(&service, "");
    let last = leaves.next().unwrap().id;
    stays.next().unwrap();
    drop(leaves);
    for _ in 0..3 {
        service.store.scope(place_orders);
        service.clock.advance(Duration::from_secs(1));
        stays.next().unwrap();
    }
    let mut again = Viewer::of(&service, &format!("last-event-id: {last}\r\n"));
    let missed: Vec<_> = (0..3).map(|_| again.next().unwrap()).collect();
    assert_eq!(missed.iter().map(|event| event.id - last).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(missed.iter().all(|event| event.name == "change"));
    for unknown in ["0", "99999", "x"] {
        let mut other = Viewer::of(&service, &format!("last-event-id: {unknown}\r\n"));
        assert_eq!(other.next().unwrap().name, "full", "{unknown}");
    }
}

#[test]
fn a_ninth_viewer_is_told_that_there_are_eight_and_has_the_place_of_one_who_leaves() {
    let service = Service::start(local());
    let mut eight: Vec<_> = (0..8).map(|_| Viewer::of(&service, "")).collect();
    assert!(eight.iter().all(|viewer| viewer.status == 200));
    let ninth = service.get("/live/events");
    assert_eq!(ninth.status, 503);
    assert!(ninth.body.starts_with("8 viewers look at the live page"), "{}", ninth.body);
    drop(eight.pop());
    until(|| (Viewer::of(&service, "").status == 200).then_some(()));
}

#[test]
fn the_end_of_telemetry_is_the_end_of_events_and_is_not_held_up_by_them() {
    let mut service = Service::start(local());
    let mut viewer = Viewer::of(&service, "");
    viewer.next().unwrap();
    let began = Instant::now();
    let _ = service.telemetry.take().unwrap().shutdown_within(Duration::from_secs(60));
    assert!(viewer.next().is_none());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
