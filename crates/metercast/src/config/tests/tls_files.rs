//! The files that exporters encrypt with: from where their paths start, and what is said if one is missing.

use super::folder::Folder;
use super::*;

#[test]
fn a_path_starts_from_the_file_that_says_it_included_or_not() {
    let folder = Folder::new("tls");
    folder.write(
        "sub/low.toml",
        "[telemetry.exporters.a]\ntype = 'otlp'\nendpoint = 'https://h'\ntls = { ca = 'ca.pem' }\n",
    );
    let text = "[telemetry]\ninclude = ['sub/low.toml']\n[telemetry.exporters.a]\n\
                tls = { client_certificate = './me.pem', client_key = '/etc/me.key' }\n";
    let config = bare().file(folder.write("main.toml", text)).build();
    if !has::TLS {
        assert!(config.is_err());
        return;
    }
    let config = config.unwrap();
    let tls = otlp(&config, "a").tls();
    assert_eq!(tls.ca(), Some(folder.path("sub/ca.pem").as_path()));
    assert_eq!(tls.client_certificate(), Some(folder.path("me.pem").as_path()));
    assert_eq!(tls.client_key(), Some("/etc/me.key".as_ref()));
}

#[test]
fn a_path_of_a_variable_or_of_the_program_starts_from_the_working_directory() {
    if !has::TLS {
        return;
    }
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "https://h".to_owned()),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE".to_owned(), "ca.pem".to_owned()),
    ];
    let config = bare().variables(variables).build().unwrap();
    assert_eq!(otlp(&config, "otlp").tls().ca(), Some("ca.pem".as_ref()));
    let own = [("SHOP__EXPORTERS__A__TLS__CA".to_owned(), "ca.pem".to_owned())];
    let config =
        bare().exporter("a", Otlp::to("https://h")).env_prefix("SHOP").variables(own).build().unwrap();
    assert_eq!(otlp(&config, "a").tls().ca(), Some("ca.pem".as_ref()));
}

#[cfg(all(feature = "otlp", feature = "tls"))]
#[test]
fn a_file_that_is_missing_is_named_with_the_place_that_names_it() {
    let folder = Folder::new("tls-missing");
    let text = "[telemetry.exporters.a]\ntype = 'otlp'\nendpoint = 'https://h'\n\n[telemetry.exporters.a.tls]\nca = 'ca.pem'\n";
    let config = bare().file(folder.write("main.toml", text)).build().unwrap();
    assert_eq!(
        folder.without(otlp(&config, "a").tls().read().unwrap_err()),
        "cannot read \"ca.pem\": No such file or directory (os error 2); check the path and the file's permissions \
         (main.toml:6: telemetry.exporters.a.tls.ca)"
    );
    // That the line moves changes nothing.
    folder.write("main.toml", &format!("\n{text}"));
    assert_eq!(config.reread().unwrap(), config);
}

#[cfg(all(feature = "serve", feature = "tls"))]
#[test]
fn a_certificate_that_is_missing_is_named_with_the_place_that_names_it() {
    let folder = Folder::new("tls-certificate");
    let text =
        "[telemetry.exporters.a]\ntype = 'prometheus'\ntls = { certificate = 'a.crt', key = 'a.key' }\n";
    let config = bare().file(folder.write("main.toml", text)).build().unwrap();
    let missing = |config: &Config, name: &str| {
        let tls = prometheus(config, name).listener().tls().unwrap();
        folder.without(tls.read().err().unwrap())
    };
    assert_eq!(
        missing(&config, "a"),
        "cannot read its certificate \"a.crt\": No such file or directory (os error 2); check main.toml:3: \
         telemetry.exporters.a.tls.certificate"
    );
    let config = bare().exporter("p", Prometheus::default().tls("/nowhere/a", "/nowhere/b")).build().unwrap();
    assert!(missing(&config, "p").ends_with("; check telemetry.exporters.p.tls.certificate"));
}
