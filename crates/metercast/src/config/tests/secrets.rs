//! What stands beside a reference in a secret, or is its default, is as secret as what is referred to.

use super::*;
use crate::config::exporter::Kind;
use crate::config::keys::{self, Key, Takes};

const VARIABLES: [(&str, &str); 5] = [
    ("SEC", "SECRETfilled"),
    ("H", "h"),
    ("BAD", "proxy.internal:port1"),
    ("START", "http://user:"),
    ("QUERY", "http://h/?key="),
];

/// Texts with literals beside references and in their defaults.
const SECRETS: [&str; 5] = [
    "${env:NOPE:-SECRETdefault}",
    "${file:nope:-SECRETdefault}",
    "SECRETbefore${env:NOPE:-}",
    "SECRETbefore${env:SEC}SECRETbehind",
    "$$SECRETbefore${env:SEC:-SECRETdefault}",
];

/// URLs with the same in what a URL does not show; with `BAD` none that can be read.
const URLS: [&str; 8] = [
    "http://${env:H}/?key=SECRETquery",
    "http://${env:NOPE:-h}/?key=${env:SEC}SECRETquery",
    "http://user:SECRETpassword@${env:H}:3128",
    "http://user:${env:SEC}SECRETpassword@${env:H}",
    "${env:NOPE:-http://user:SECRETdefault@h}",
    "${env:START}SECRETpassword@h",
    "${env:QUERY}SECRETquery",
    "http://user:SECRETpassword@${env:BAD}",
];

/// The keys below an exporter of this type that take a secret, secrets by their names, or a URL: each with the texts to try.
fn keys_with_secrets(tables: &[&[Key]], above: &str, found: &mut Vec<(String, &'static [&'static str])>) {
    for key in tables.iter().flat_map(|table| table.iter()) {
        let path = if above.is_empty() { key.name.to_owned() } else { format!("{above}.{}", key.name) };
        match key.takes {
            Takes::Secret => found.push((path, &SECRETS)),
            Takes::SecretMap => found.push((format!("{path}.x-key"), &SECRETS)),
            Takes::Url => found.push((path, &URLS)),
            Takes::Table(inner) | Takes::OneOf(inner) => keys_with_secrets(&[inner], &path, found),
            _ => {}
        }
    }
}

/// The keys that such an exporter needs, but for this one; and what some keys need beside them.
fn beside(kind: Kind, key: &str) -> Vec<(&'static str, &'static str)> {
    let needed: &[(&str, &str)] = match kind {
        Kind::Pushgateway => &[("url", "http://g:1"), ("job", "j")],
        Kind::Otlp if key == "auth.token" => &[("preset", "honeycomb"), ("dataset", "d")],
        Kind::Otlp if key == "dataset" => &[("preset", "honeycomb"), ("auth.token", "t")],
        _ => &[],
    };
    let mut all: Vec<_> = needed.iter().copied().filter(|(needed, _)| *needed != key).collect();
    all.extend(match key {
        "auth.basic.user" => Some(("auth.basic.password", "p")),
        "auth.basic.password" => Some(("auth.basic.user", "u")),
        _ => None,
    });
    all
}

/// Looks at everything that a configuration shows, or its error.
fn look(what: &str, builder: ConfigBuilder) -> bool {
    let shown = format!("{builder:?}");
    assert!(!shown.contains("SECRET"), "{what}: {shown}");
    let (shown, is_config) = match builder.build() {
        Ok(config) => {
            let exporters: Vec<String> =
                config.exporters().map(|(_, exporter)| exporter.to_string()).collect();
            let (sources, warnings) = (config.sources(), config.warnings());
            (format!("{config:?}\n{exporters:?}\n{sources}\n{sources:?}\n{warnings:?}"), true)
        }
        Err(error) => (format!("{error}\n{error:?}\n{:?}", error.problems()), false),
    };
    assert!(!shown.contains("SECRET"), "{what}: {shown}");
    is_config
}

/// Whether the word stands in what a URL does not show, or in no URL at all.
fn is_hidden_as_it_is(key: &str, text: &str) -> bool {
    !matches!(key, "endpoint" | "url" | "proxy") || !crate::config::url::redacted(text).contains("SECRET")
}

#[test]
fn what_stands_beside_a_reference_in_a_secret_is_shown_nowhere() {
    let (mut tried, mut read) = (Vec::new(), 0);
    for kind in Kind::ALL {
        let mut found = Vec::new();
        keys_with_secrets(keys::of_kind(kind), "", &mut found);
        for (key, texts) in found {
            for text in texts {
                let what = format!("{} {key} = {text}", kind.name());
                let mut settings = beside(kind, &key);
                settings.push((&key, text));
                let toml: String =
                    settings.iter().map(|(key, text)| format!("it.{key} = '{text}'\n")).collect();
                let toml = format!("[telemetry.exporters]\nit.type = '{}'\n{toml}", kind.name());
                read += usize::from(look(&what, given(&VARIABLES).text("a.toml", &toml)));
                let variables = settings.iter().map(|(key, text)| {
                    let key = key.to_uppercase().replace('.', "__").replace('-', "_");
                    (format!("SHOP__EXPORTERS__IT__{key}"), (*text).to_owned())
                });
                let kind = ("SHOP__EXPORTERS__IT__TYPE".to_owned(), kind.name().to_owned());
                // A variable refers to nothing: where its text shows the word it is a host of that name.
                if is_hidden_as_it_is(&key, text) {
                    look(&what, Config::builder().variables(variables.chain([kind])).env_prefix("SHOP"));
                }
                #[cfg(feature = "yaml")]
                look(&what, given(&VARIABLES).text("a.yaml", &yaml(&settings, &toml)));
            }
            tried.push(format!("{}.{key}", kind.name()));
        }
    }
    let all = [
        "prometheus.auth.bearer",
        "otlp.endpoint",
        "otlp.proxy",
        "otlp.auth.bearer",
        "otlp.auth.basic.password",
        "otlp.auth.token",
        "otlp.dataset",
        "otlp.headers.x-key",
        "pushgateway.url",
        "pushgateway.auth.bearer",
        "pushgateway.auth.basic.password",
        "pushgateway.proxy",
    ];
    assert_eq!(tried, all);
    assert!(read > 50, "most of them can be used: {read}");
}

/// The same exporter in YAML: `it: {type: .., auth: {bearer: ..}}`.
#[cfg(feature = "yaml")]
fn yaml(settings: &[(&str, &str)], toml: &str) -> String {
    let kind = toml.split('\'').nth(1).unwrap();
    let mut tables = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (key, text) in settings {
        let (tables_of, last) = key.rsplit_once('.').unwrap_or(("", key));
        tables.entry(tables_of.to_owned()).or_default().push(format!("{last}: '{text}'"));
    }
    let mut entries = vec![format!("type: {kind}")];
    for (table, inner) in tables {
        let inner = inner.join(", ");
        match table.as_str() {
            "" => entries.push(inner),
            "auth.basic" => entries.push(format!("auth: {{basic: {{{inner}}}}}")),
            table => entries.push(format!("{table}: {{{inner}}}")),
        }
    }
    format!("telemetry: {{exporters: {{it: {{{}}}}}}}", entries.join(", "))
}

#[test]
fn of_a_secret_and_of_a_url_the_references_are_shown() {
    let text = "[telemetry.exporters.it]\ntype = 'otlp'\nendpoint = 'http://${env:H}/a?key=SECRET${env:SEC}'\n\
                proxy = 'http://user:SECRET@${env:H}:3128'\nauth = { bearer = '${env:SEC:-SECRET}' }\n\
                headers = { a = 'SECRET${env:SEC}SECRET' }\n";
    let config = given(&VARIABLES).text("a.toml", text).build().unwrap();
    let shown = |key: &str| config.sources().get(&format!("telemetry.exporters.it.{key}")).unwrap().value();
    assert_eq!(shown("endpoint"), "http://${env:H}/a?***${env:SEC}");
    assert_eq!(shown("proxy"), "http://***@${env:H}:3128");
    assert_eq!(shown("auth.bearer"), "${env:SEC:-***}");
    assert_eq!(shown("headers.a"), "***${env:SEC}***");
}

#[cfg(feature = "yaml")]
#[test]
fn neither_is_it_of_a_declarative_file() {
    let folder = super::folder::Folder::new("declared-secrets");
    let mut read = 0;
    let secrets =
        ["${NOPE:-SECRETdefault}", "SECRETbefore${SEC}", "SECRETbefore${NOPE}SECRETbehind", "SECRET$$a"];
    let urls = URLS.map(|url| url.replace("${env:", "${"));
    let headers = secrets.iter().flat_map(|text| {
        [
            format!("headers: [{{name: a, value: '{text}'}}]"),
            format!("headers_list: 'a=SECRET{text},b={text}'"),
        ]
    });
    let endpoints = urls.iter().map(|url| format!("endpoint: '{url}'"));
    for (n, line) in headers.chain(endpoints).enumerate() {
        let text = format!(
            "file_format: '1.0'\nmeter_provider:\n  readers:\n    - periodic:\n        exporter:\n          otlp_http:\n            {line}\n"
        );
        let path = folder.write(&format!("{n}.yaml"), &text);
        read += usize::from(look(&line, given(&VARIABLES).declarative_file(path)));
    }
    assert!(read > 10, "{read}");
}

#[test]
fn a_reference_that_is_none_may_be_a_part_of_a_password() {
    let text = "[telemetry.exporters.it]\ntype = 'otlp'\nauth = { bearer = 'a${SECRET}b' }\n";
    assert!(!look("", bare().text("a.toml", text)));
}
