//! Units as Prometheus spells them, in UCUM.

/// The unit in UCUM: Prometheus and OpenMetrics Compatibility, "Metric Metadata". What is not known stays as it is.
pub(crate) fn ucum(word: &str) -> String {
    match word.split_once("_per_") {
        Some((of, per)) => format!("{}/{}", plural(of), singular(per)),
        None => plural(word).to_owned(),
    }
}

fn plural(word: &str) -> &str {
    match word {
        "days" => "d",
        "hours" => "h",
        "minutes" => "min",
        "seconds" => "s",
        "milliseconds" => "ms",
        "microseconds" => "us",
        "nanoseconds" => "ns",
        "bytes" => "By",
        "kibibytes" => "KiBy",
        "mebibytes" => "MiBy",
        "gibibytes" => "GiBy",
        "tebibytes" => "TiBy",
        "kilobytes" => "kBy",
        "megabytes" => "MBy",
        "gigabytes" => "GBy",
        "terabytes" => "TBy",
        "meters" => "m",
        "volts" => "V",
        "amperes" => "A",
        "joules" => "J",
        "watts" => "W",
        "grams" => "g",
        "celsius" => "Cel",
        "hertz" => "Hz",
        "percent" => "%",
        "ratio" | "ratios" => "1",
        word => word,
    }
}

fn singular(word: &str) -> &str {
    match word {
        "second" => "s",
        "minute" => "m",
        "hour" => "h",
        "day" => "d",
        "week" => "w",
        "month" => "mo",
        "year" => "y",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::ucum;

    #[test]
    fn units_are_translated_and_others_stay() {
        let spelled = ["seconds", "bytes_per_second", "ratios", "requests", "celsius"].map(ucum);
        assert_eq!(spelled, ["s", "By/s", "1", "requests", "Cel"]);
    }
}
