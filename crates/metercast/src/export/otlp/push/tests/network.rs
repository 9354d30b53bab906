//! The ways to a receiver: proxies and Unix sockets.

use conformance::program::free_address;

use super::*;

#[test]
fn a_proxy_gets_the_whole_url_and_its_password_and_the_receiver_need_not_be_resolved() {
    let proxy = Collector::start([]);
    let through = format!("http://me:s3cret%21@{}", proxy.address);
    let setup = Setup::configured(Otlp::to("http://collector.invalid:4318").proxy(&through));
    setup.order();
    let push = setup.start();
    push.flush(late()).unwrap();
    push.flush(late()).unwrap();
    for _ in 0..2 {
        let request = proxy.request();
        assert_eq!(request.line, "POST http://collector.invalid:4318/v1/metrics HTTP/1.1");
        assert_eq!(request.headers["host"], "collector.invalid:4318");
        assert_eq!(request.headers["proxy-authorization"], "Basic bWU6czNjcmV0IQ==");
        assert_eq!((request.counter("orders.placed"), request.connection), (1, 1));
    }
}

#[test]
fn a_proxy_that_is_not_there_or_wants_a_password_is_named_without_the_one_it_got() {
    let nobody = free_address();
    let setup =
        Setup::configured(Otlp::to("http://collector.invalid").proxy(&format!("http://me:s3cret@{nobody}")));
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "proxy");
    assert_eq!(
        error.to_string(),
        format!(
            "push to http://collector.invalid/v1/metrics failed: the proxy http://{nobody} cannot be reached (Connection \
             refused (os error 111)); check its address, or name the receiver's host in NO_PROXY"
        )
    );
    let text = "content-type: text/plain\r\n";
    let proxy = Collector::start([Reply::Answer(answer(
        "407 Proxy Authentication Required",
        text,
        b"not with Basic bWU6czNjcmV0",
    ))]);
    let through = format!("http://me:s3cret@{}", proxy.address);
    let setup = Setup::configured(Otlp::to("http://collector.invalid").proxy(&through));
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert!(
        error.to_string().contains("answered 407 Proxy Authentication Required (\"not with ***\")"),
        "{error}"
    );
    assert!(!format!("{error:?} {:?}", setup.settings).contains("s3cret"));
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_as_good_as_a_port() {
    let folder = std::env::temp_dir().join(format!("metercast-{}-socket", process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("otel.sock");
    let _ = std::fs::remove_file(&path);
    let endpoint = format!("unix://{}", path.display());
    let setup = Setup::configured(Otlp::to(&endpoint));
    setup.order();
    let push = setup.start();
    let error = push.flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "connect");
    let collector = Collector::behind(&path);
    for _ in 0..2 {
        push.flush(late()).unwrap();
        let request = collector.request();
        assert_eq!(request.line, "POST /v1/metrics HTTP/1.1");
        assert_eq!(request.headers["host"], "localhost");
        assert_eq!((request.counter("orders.placed"), request.connection), (1, 1));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
