//! Claims about whole declarative files: where they stand among the sources, and what is said of those that are damaged.

use super::*;

fn file(text: &str) -> (PathBuf, PathBuf) {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("metercast-declarative-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("otel.yaml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_declarative_file_stands_above_a_file_and_below_what_the_program_pins() {
    let (folder, path) = file(
        "file_format: \"1.1\"\nresource: {attributes: [{name: a, value: declared}, {name: b, value: declared}]}\n\
         meter_provider:\n  readers:\n    - periodic: {interval: 2000, exporter: {otlp_http: }}\n",
    );
    let builder = given(&[("OTEL_CONFIG_FILE", path.to_str().unwrap()), ("OTEL_METRIC_EXPORT_INTERVAL", "7000")])
        .default_exporter("otlp", Otlp::to("http://default:1").header("x", "default").interval(Duration::from_secs(9)))
        .text(
            "app.toml",
            "[telemetry.resource]\na = 'file'\nc = 'file'\n[telemetry.exporters.otlp]\ncompression = 'gzip'\ninterval = '5s'\n",
        )
        .resource_attribute("b", "pinned");
    let config = builder.clone().build().unwrap();
    assert_eq!(names(&config), "otlp");
    let found = otlp(&config, "otlp");
    assert_eq!(found.to_string(), "to http://default:1/v1/metrics every 2s");
    assert_eq!(found.compression(), Compression::Gzip);
    assert_eq!(headers(&config, "otlp"), [("x", "default")]);
    assert_eq!(["a", "b", "c"].map(|key| attribute(&config, key)), ["declared", "pinned", "file"]);
    let pinned = builder
        .exporter("otlp", Otlp::to("http://pinned:1").interval(Duration::from_secs(1)))
        .build()
        .unwrap();
    assert_eq!(otlp(&pinned, "otlp").to_string(), "to http://pinned:1/v1/metrics every 1s");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_variable_wins_over_the_file_that_the_program_names() {
    let (folder, path) =
        file("file_format: '1.1'\nmeter_provider: {readers: [{periodic: {exporter: {console: }}}]}\n");
    let (other, declared) = file("file_format: '1.1'\n");
    let config = given(&[("OTEL_SERVICE_NAME", "x")]).declarative_file(&path).build().unwrap();
    assert_eq!(names(&config), "stdout");
    assert_ne!(attribute(&config, "service.name"), "x");
    let named = [("OTEL_CONFIG_FILE", declared.to_str().unwrap())];
    assert_eq!(names(&given(&named).declarative_file(&path).build().unwrap()), "");
    assert_eq!(names(&bare().build().unwrap()), "prometheus");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::remove_dir_all(&other).unwrap();
}

#[test]
fn a_declarative_file_that_is_not_there_is_an_error_of_who_names_it() {
    let error = given(&[("OTEL_CONFIG_FILE", "/no/such/otel.yaml")]).build().unwrap_err().to_string();
    let expected = "OTEL_CONFIG_FILE: \"/no/such/otel.yaml\" cannot be read: No such file or directory (os error 2); create it";
    assert_eq!(error, expected);
}

#[test]
fn a_reader_of_another_type_than_the_program_has_is_told_where() {
    let (folder, path) = file(
        "file_format: '1.1'\nmeter_provider:\n  readers:\n    - periodic: {exporter: {console: }}\n\
         distribution: {metercast: {readers: [{reader: stdout, name: main}]}}\n",
    );
    let error =
        bare().declarative_file(&path).exporter("main", Otlp::default()).build().unwrap_err().to_string();
    assert_eq!(
        error.replace(path.to_str().unwrap(), "otel.yaml"),
        "otel.yaml:4: meter_provider.readers[0].periodic.exporter.console: \"stdout\" contradicts the program, which makes this \
         exporter \"otlp\"; leave the type out"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn no_damage_to_a_file_does_more_than_refuse_it() {
    const MARKS: &[u8] = b"{}[]:,-&*!|>'\"# \n$\t~?%@x0";
    // The same damage each time: xorshift.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (folder, path) = file("");
    for case in cases() {
        let text = std::fs::read_to_string(case.file("yaml")).unwrap();
        for _ in 0..4 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..1 + random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = MARKS[random(MARKS.len())],
                    2 => _ = bytes.remove(at),
                    _ => bytes.insert(at, MARKS[random(MARKS.len())]),
                }
                bytes.extend((bytes.is_empty()).then_some(b'x'));
            }
            std::fs::write(&path, &bytes).unwrap();
            if let Err(error) = bare().declarative_file(&path).build() {
                assert!(error.problems().iter().all(|problem| !problem.message().is_empty()));
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_value_says_which_line_of_the_declarative_file_gave_it() {
    let (folder, path) = file(
        "file_format: '1.1'\nresource: {attributes: [{name: service.name, value: '${NAME}'}]}\nmeter_provider:\n  readers:\n\
         \x20   - periodic:\n        interval: 2000\n        exporter:\n          otlp_http:\n\
         \x20           endpoint: http://h:1/x\n            timeout: 3000\n",
    );
    let name = path.to_str().unwrap();
    let config = given(&[("OTEL_CONFIG_FILE", name), ("NAME", "orders")]).build().unwrap();
    let sources = config.sources();
    for (key, value, line) in [
        ("telemetry.exporters.otlp.interval", "2s", 6),
        ("telemetry.exporters.otlp.timeout", "3s", 10),
        ("telemetry.exporters.otlp.endpoint", "http://h:1/x", 9),
        ("telemetry.exporters.otlp.type", "otlp", 8),
    ] {
        let setting = sources.get(key).unwrap();
        assert_eq!(
            (setting.value(), setting.source()),
            (value, &Source::File(name.to_owned(), line)),
            "{key}"
        );
    }
    let service = sources.get("telemetry.resource.\"service.name\"").unwrap();
    assert_eq!(service.source(), &Source::File(name.to_owned(), 2));
    std::fs::remove_dir_all(&folder).unwrap();
}
