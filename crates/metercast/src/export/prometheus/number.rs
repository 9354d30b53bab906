//! Numbers as Go's ParseFloat reads them, in as few characters as tell them apart.

/// A double: `0.5`, `1`, `1e+16`, `NaN`, `+Inf`, `-Inf`.
pub(crate) fn double(value: f64) -> String {
    let mut text = String::new();
    push_double(&mut text, value);
    text
}

/// [`double`], appended.
pub(crate) fn push_double(out: &mut String, value: f64) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    out.push_str(text.strip_suffix(".0").unwrap_or(text));
}

/// A whole number, appended.
pub(crate) fn push_whole(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

#[cfg(test)]
mod tests {
    use super::double;

    #[test]
    fn every_double_reads_back_as_itself() {
        for value in [
            0.0,
            -0.0,
            1.0,
            0.1,
            0.005,
            1e16,
            1e21,
            1e-7,
            5e-324,
            f64::MAX,
            f64::MIN_POSITIVE,
            9007199254740993.0,
            -2.5,
        ] {
            assert_eq!(double(value).parse::<f64>().unwrap().to_bits(), value.to_bits(), "{value}");
        }
        assert_eq!(double(1.0), "1");
        assert_eq!(double(0.25), "0.25");
        assert_eq!(
            (double(f64::NAN), double(f64::INFINITY), double(f64::NEG_INFINITY)),
            ("NaN".into(), "+Inf".into(), "-Inf".into())
        );
    }
}
