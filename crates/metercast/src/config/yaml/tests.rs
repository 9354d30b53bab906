//! What YAML is read, and what is refused.

use super::*;

fn parsed(text: &str) -> (Vec<(String, Node)>, String) {
    let mut findings = Findings::default();
    let entries = parse(text, &Place::file("a.yaml"), &mut findings);
    (entries, findings.finish(false).err().map(|error| error.to_string()).unwrap_or_default())
}

/// The only value of a text, or what is wrong with it.
fn value(text: &str) -> Result<Value, String> {
    match parsed(&format!("v: {text}\n")) {
        (mut entries, problems) if problems.is_empty() => Ok(entries.remove(0).1.value),
        (_, problems) => Err(problems),
    }
}

#[test]
fn every_value_has_the_line_of_its_key_and_its_kind() {
    let text = "# first\ns: 'x'\nb: true\n\ni:\n  16\nf: -.inf\r\na:\n- 1\n-\n  2\nt: { u: 1e3,\n v: ~ }\nz:\n  y: |\n    q\n";
    let (entries, problems) = parsed(text);
    assert_eq!(problems, "");
    let seen: Vec<_> =
        entries.iter().map(|(key, node)| (key.as_str(), node.line, node.value.kind())).collect();
    assert_eq!(
        seen,
        [
            ("s", 2, "a string"),
            ("b", 3, "a boolean"),
            ("i", 5, "an integer"),
            ("f", 7, "a float"),
            ("a", 8, "an array"),
            ("t", 12, "a table"),
            ("z", 14, "a table"),
        ]
    );
    let Value::List(items) = &entries[4].1.value else { panic!("not a list") };
    assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [9, 11]);
    let Value::Table(inner) = &entries[5].1.value else { panic!("not a table") };
    assert_eq!((inner[1].1.line, inner[1].1.value.kind()), (13, "nothing"));
}

#[test]
fn types_are_those_of_the_core_schema() {
    let strings = [
        "yes",
        "no",
        "on",
        "off",
        "1_000",
        "0b1",
        "12:30",
        "2026-01-01",
        "nan",
        "inf",
        ".",
        "1e",
        "0x",
        "-0x1",
        "=",
        "e3",
    ];
    for text in strings {
        assert!(matches!(value(text), Ok(Value::String(read)) if read == text), "{text}");
    }
    for (text, number) in [("0", 0), ("-12", -12), ("+12", 12), ("012", 12), ("0o17", 15), ("0xfF", 255)] {
        assert!(matches!(value(text), Ok(Value::Integer(read)) if read == number), "{text}");
    }
    for (text, number) in [("1.5", 1.5), ("1.", 1.0), ("-.5", -0.5), ("1e3", 1e3), ("+.inf", f64::INFINITY)] {
        assert!(matches!(value(text), Ok(Value::Float(read)) if read == number), "{text}");
    }
    assert_eq!(value("99999999999999999999").unwrap().kind(), "an integer beyond 64 bits");
    for text in ["", "~", "null", "NULL"] {
        assert_eq!(value(text).unwrap().kind(), "nothing", "{text}");
    }
    for text in ["'1'", "\"true\"", "!!str 1", "! 1", "|\n  1"] {
        assert_eq!(value(text).unwrap().kind(), "a string", "{text}");
    }
    assert!(matches!(value("!!float 1"), Ok(Value::Float(1.0))));
    for text in ["!!int x", "!mine 1", "!!map [1]", "!!binary aGk="] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn errors_of_syntax_have_their_lines_and_show_no_text() {
    let cases = [
        ("a: 1\nb: \"s3cret\nc: 3\n", "a.yaml:"),
        ("a: [s3cret\nb: 1\n", "a.yaml:"),
        ("a: s3cret: 1\n", "a.yaml:1: "),
        ("a: *s3cret\n", "a.yaml:1: "),
        ("- s3cret\n", "a.yaml:1: expected keys with values, found an array"),
        ("s3cret\n", "a.yaml:1: expected keys with values, found a string"),
        (
            "a: 1\n---\nb: s3cret\n",
            "a.yaml:2: is not YAML that is read here: begins a second document; keep one",
        ),
        ("t:\n  a: 1\n  [s3cret]: 2\n", "a.yaml:3: t: has a key that is no plain text"),
        ("a: !s3cret 1\n", "a.yaml:1: a: has a tag that is not known here; leave it out"),
        ("a:\n  - b: &x [*x]\n", "a.yaml:2: a[0].b[0]: is an alias of what it stands in"),
    ];
    for (text, expected) in cases {
        let (entries, problems) = parsed(text);
        assert!(entries.is_empty(), "{text}");
        assert!(problems.starts_with(expected), "{text}: {problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
    }
}

#[test]
fn a_key_that_stands_twice_is_an_error_with_both_of_them_named() {
    let (_, problems) = parsed("a: 1\nt:\n  b: 1\n  c: 1\n  b: 2\na: 2\n");
    assert_eq!(
        problems,
        "a.yaml:5: t.b: stands here a second time; keep one of them\n\
         a.yaml:6: a: stands here a second time; keep one of them"
    );
}

#[test]
fn an_empty_text_says_nothing() {
    for text in ["", "# only this\n", "---\n", "---\n...\n", "null\n"] {
        let (entries, problems) = parsed(text);
        assert!(entries.is_empty() && problems.is_empty(), "{text:?} {problems}");
    }
}

#[test]
fn aliases_are_copies_with_the_line_where_they_stand() {
    let (entries, problems) = parsed("a: &x {k: 1}\nb: *x\n");
    assert_eq!(problems, "");
    assert_eq!(entries[1].1.line, 2);
    assert!(matches!(&entries[1].1.value, Value::Table(entries) if entries.len() == 1));
}

#[test]
fn what_is_written_to_do_harm_is_refused() {
    let mut laughs = "l0: &l0 [lol, lol]\n".to_owned();
    for n in 1..40 {
        let of = format!("*l{}", n - 1);
        laughs += &format!("l{n}: &l{n} [{}]\n", [of.as_str(); 10].join(", "));
    }
    let long = "x".repeat(100_000);
    let texts = format!("a: &a {long}\nb: [{}]\n", ["*a"; 1_000].join(", "));
    let (open, close) = ("[".repeat(40), "]".repeat(40));
    let aliases = format!("b: &a {open}{close}\nc: {open}*a{close}\n");
    let cases = [
        (laughs, "repeats too much by aliases"),
        (texts, "repeats too much by aliases"),
        (format!("a: {}{}", "[".repeat(100), "]".repeat(100)), "deep"),
        (format!("a: {}{}", "[".repeat(50_000), "]".repeat(50_000)), ""),
        ("- ".repeat(50_000), ""),
        (aliases, "is more than 64 tables and lists deep"),
        (format!("a: [{}]", "1, ".repeat(100_001)), "is behind 100000 values"),
        (
            "#".repeat(MOST_BYTES + 1),
            "has 1048577 bytes of YAML, which is read up to 1048576; write less, or TOML",
        ),
    ];
    for (text, expected) in cases {
        let (entries, problems) = parsed(&text);
        assert!(entries.is_empty(), "{}", &text[..40]);
        assert!(!problems.is_empty() && problems.contains(expected), "{problems}");
    }
}
