//! Encrypted pushes: whom they trust, whom they present, and what is said when that does not fit.

use super::certificates::{Authority, file};
use super::proxy::Proxy;
use super::*;

fn to(collector: &Collector) -> Otlp {
    Otlp::to(&format!("https://localhost:{}", collector.address.port()))
}

fn error_of(otlp: Otlp) -> ExportError {
    let setup = Setup::configured(otlp);
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert!(setup.lines()[0].ends_with("ounts are kept and go with the next push"));
    error
}

#[test]
fn a_push_is_encrypted_for_whoever_a_ca_of_ones_own_has_signed() {
    let authority = Authority::new();
    let server = authority.sign("localhost", 2100).server(None, "http/1.1");
    let collector = Collector::encrypted([], server);
    let setup = Setup::configured(to(&collector).ca(authority.file()));
    setup.order();
    let push = setup.start();
    for _ in 0..2 {
        push.flush(late()).unwrap();
        let request = collector.request();
        assert_eq!((request.counter("orders.placed"), request.connection), (1, 1));
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_with_the_mend() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = authority.file();
    let good = || authority.sign("localhost", 2100).server(None, "http/1.1");

    let collector = Collector::encrypted([], good());
    let error = error_of(to(&collector).ca(other.file()));
    assert_eq!(error.error_type(), "tls");
    let says = error.to_string();
    assert!(
        says.contains("is not signed by one of \"/") && says.ends_with("is this the CA of that receiver?"),
        "{says}"
    );

    let collector = Collector::encrypted([], good());
    let says = error_of(to(&collector)).to_string();
    let mend = "if it is one of your own, set tls.ca (or OTEL_EXPORTER_OTLP_CERTIFICATE) to the file of its certificate";
    assert!(says.ends_with(mend), "{says}");

    let collector = Collector::encrypted([], authority.sign("localhost", 2021).server(None, "http/1.1"));
    let says = error_of(to(&collector).ca(&ca)).to_string();
    assert!(
        says.ends_with(
            "the receiver's certificate has expired (Fri, 01 Jan 2021 00:00:00 GMT); renew it there, or set the clock of \
             this machine right"
        ),
        "{says}"
    );

    let collector =
        Collector::encrypted([], authority.sign("collector.example", 2100).server(None, "http/1.1"));
    let says = error_of(to(&collector).ca(&ca)).to_string();
    assert!(
        says.contains("collector.example")
            && says.ends_with("not for \"localhost\"; set the endpoint to a name that it is for"),
        "{says}"
    );

    // A server that is not encrypted, as nginx and most others answer.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = plain.accept() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let says = error_of(Otlp::to(&format!("https://localhost:{}", address.port()))).to_string();
    assert!(
        says.ends_with(
            "what listens there does not speak TLS; write http:// if it shall not, or is this another port?"
        ),
        "{says}"
    );
}

#[test]
fn an_address_has_certificates_too() {
    let authority = Authority::new();
    let collector = Collector::encrypted([], authority.sign("127.0.0.1", 2100).server(None, "http/1.1"));
    let setup = Setup::configured(Otlp::to(&format!("https://{}", collector.address)).ca(authority.file()));
    setup.order();
    setup.start().flush(late()).unwrap();
}

#[test]
fn a_receiver_that_wants_a_certificate_gets_it_and_one_without_is_told_to_give_it() {
    let authority = Authority::new();
    let server = || authority.sign("localhost", 2100).server(Some(&authority), "http/1.1");
    let collector = Collector::encrypted([], server());
    let (certificate, key) = authority.sign("exporter", 2100).files();
    let setup = Setup::configured(to(&collector).ca(authority.file()).client_identity(&certificate, &key));
    setup.order();
    setup.start().flush(late()).unwrap();
    assert_eq!(collector.request().counter("orders.placed"), 1);

    let collector = Collector::encrypted([], server());
    let says = error_of(to(&collector).ca(authority.file())).to_string();
    let mend = "set tls.client_certificate and tls.client_key (or OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
                OTEL_EXPORTER_OTLP_CLIENT_KEY)";
    assert!(says.contains(mend), "{says}");

    let (certificate, key) = Authority::new().sign("stranger", 2100).files();
    let collector = Collector::encrypted([], server());
    let says = error_of(to(&collector).ca(authority.file()).client_identity(&certificate, &key)).to_string();
    assert!(says.contains("is it signed by a CA that the receiver trusts?"), "{says}");
}

#[test]
fn files_that_are_not_what_they_should_be_are_named_at_the_start() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("exporter", 2100).files();
    let (_, other_key) = authority.sign("exporter", 2100).files();
    let nonsense = file("nonsense", "s3cret");
    let https = || Otlp::to("https://localhost:4318");
    let cases = [
        (https().ca("/nowhere/ca.pem"), "cannot read \"/nowhere/ca.pem\": No such file or directory"),
        (https().ca(&nonsense), ".tls.ca) has no certificate in PEM; is it the right file?"),
        (https().ca(&key), "has no certificate in PEM"),
        (https().client_identity(&nonsense, &key), ".tls.client_certificate) has no certificate in PEM"),
        (
            https().client_identity(&certificate, &nonsense),
            ".tls.client_key) has no private key in PEM, or one with a passphrase",
        ),
        (https().client_identity(&certificate, &other_key), "is not the key of \"/"),
    ];
    for (otlp, expected) in cases {
        let setup = Setup::configured(otlp);
        let error = Push::prepare(setup.settings.clone(), &setup.reader, &[]).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn renewed_files_count_from_the_next_connection_on() {
    let (old, new) = (Authority::new(), Authority::new());
    let ca = old.file();
    let close = || Reply::AnswerAndClose(answer("200 OK", "connection: close\r\n", b""));
    let collector = Collector::encrypted([close()], new.sign("localhost", 2100).server(None, "http/1.1"));
    let setup = Setup::configured(to(&collector).ca(&ca));
    setup.order();
    let push = setup.start();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "tls");
    std::fs::write(&ca, "half written").unwrap();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "tls");
    std::fs::copy(new.file(), &ca).unwrap();
    push.flush(late()).unwrap();
}

#[test]
fn a_proxy_hands_an_encrypted_push_through() {
    let authority = Authority::new();
    let collector = Collector::encrypted([], authority.sign("localhost", 2100).server(None, "http/1.1"));
    let proxy = Proxy::start("HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n");
    let through = format!("http://me:s3cret@{}", proxy.address);
    let setup = Setup::configured(to(&collector).ca(authority.file()).proxy(&through));
    setup.order();
    setup.start().flush(late()).unwrap();
    let target = format!("localhost:{}", collector.address.port());
    assert_eq!(
        proxy.head(),
        [
            format!("CONNECT {target} HTTP/1.1"),
            format!("host: {target}"),
            "proxy-authorization: Basic bWU6czNjcmV0".to_owned()
        ]
    );
    assert_eq!(collector.request().counter("orders.placed"), 1);
}

#[test]
fn what_a_proxy_answers_instead_is_said_and_bounded() {
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "check the user and password of its URL"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "answered 403; does it allow this receiver?"),
        ("HTTP/1.1 503 Busy\r\n\r\n", "answered 503; does it reach the receiver?"),
        ("SSH-2.0-dropbear\r\n\r\n", "its answer is not HTTP/1.1"),
        ("", "is it an HTTP proxy?"),
    ];
    for (answer, expected) in cases {
        let proxy = Proxy::start(answer);
        let otlp = Otlp::to("https://collector.invalid").proxy(&format!("http://{}", proxy.address));
        let says = error_of(otlp).to_string();
        assert!(says.contains(expected), "{answer:?}: {says}");
    }
    let endless: &'static str = Box::leak("x".repeat(64 << 10).into_boxed_str());
    let proxy = Proxy::start(endless);
    let otlp = Otlp::to("https://collector.invalid").proxy(&format!("http://{}", proxy.address));
    assert!(error_of(otlp).to_string().contains("its answer does not end"));
}
