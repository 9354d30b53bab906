//! Connections that are open during a reload end with their next answer, and are counted as what they are: step 15.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Collector, Router, Yaml, until, upstream};

fn exchange(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /accounts/items/2 HTTP/1.1\r\nHost: gateway\r\n\r\n").expect("it is open");
    let mut answer = Vec::new();
    let mut byte = [0; 1024];
    while !String::from_utf8_lossy(&answer).ends_with("{\"items\":[0,1]}") {
        let read = stream.read(&mut byte).expect("an answer");
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&byte[..read]);
    }
    String::from_utf8(answer).expect("UTF-8").to_lowercase()
}

#[test]
fn an_idle_connection_is_terminating_after_a_reload_until_it_closes() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let mut yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    let address = router.gateway.strip_prefix("http://").expect("plain");
    let mut client = TcpStream::connect(address).expect("it listens");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    assert!(!exchange(&mut client).contains("connection: close"));
    let open = || {
        let page = router.page();
        let of = |state: &str| {
            let label = format!("http_connection_state=\"{state}\"");
            page.sum("gateway_open_connections", &[&label]).unwrap_or(0.0)
        };
        (of("active"), of("terminating"))
    };
    until("one is active", || (open() == (1.0, 0.0)).then_some(()));
    yaml.token = "second".to_owned();
    router.reloaded(&yaml);
    until("it is terminating", || (open() == (0.0, 1.0)).then_some(()));
    assert!(exchange(&mut client).contains("connection: close"));
    until("it is gone", || (open() == (0.0, 0.0)).then_some(()));
    let page = router.page();
    assert_eq!(page.count("gateway_open_connections", &[]), 2, "zeros are shown");
    until("both at the user's", || user.shape("gateway.open_connections"));
    let shape = user.shape("gateway.open_connections").expect("it is there");
    assert_eq!((shape.kind, shape.is_delta, shape.is_monotonic), ("sum", false, false));
}
