//! Random recordings: names, labels, descriptions, units and values as odd as a program can make them.

use crate::given::{Given, Label, Number, Recording};
use crate::options::PageChoice;

/// Random numbers from a seed, the same on every machine (SplitMix64).
#[derive(Debug)]
pub struct Random(u64);

/// What descriptions and label values are made of: what formats escape, what parsers take for space or an end, and letters.
const PIECES: &[&str] = &[
    "\"", "\\", "\n", "\r", "\0", "\t", "\u{b}", "\u{1c}", "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}",
    "\u{feff}", "{", "}", ",", "=", "#", " ", "# EOF", "\\n", "é", "日", "😀", "a", "b", "0", ";", "'", "%",
    "_",
];

/// What label keys are made of.
const KEY_PIECES: &[&str] =
    &["a", "b", "Z", "0", "9", "_", "__", ".", "-", ":", "/", " ", "é", "日", "\"", "\\", "\n", "\0"];

/// Keys that mean something, or become the same.
const KEYS: &[&str] =
    &["a.b", "a_b", "a-b", "a..b", "le", "quantile", "exported_le", "__name__", "name", "key_9a", "9a", ""];

/// What names are made of, so that they meet on a page.
const STEMS: &[&str] = &["x", "x.y", "x_y", "x-y", "x/y", "x..y_", "z9"];
const SUFFIXES: &[&str] =
    &["", "", "", "_total", ".total", "_bucket", "_sum", ".count", "_seconds", ".seconds_total"];

const UNITS: &[&str] = &[
    "",
    "",
    "1",
    "s",
    "ms",
    "By",
    "By/s",
    "{request}",
    "{request}/s",
    "%",
    "Cel",
    "km",
    "m^3",
    "m/s",
    "é",
    "a b",
    "kBy",
    "{",
    "//",
    "x\"y\n",
];

const DOUBLES: &[f64] = &[
    0.0,
    -0.0,
    5e-324,
    1e-310,
    f64::MIN_POSITIVE,
    0.1,
    0.30000000000000004,
    1e6,
    1e21,
    9007199254740993.0,
    1e300,
];

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(pieces)).collect()
    }

    /// A few metrics whose names begin with `prefix` and meet one another on a page. Each name is defined once: of two
    /// definitions the whole program keeps the first, whichever case that is in.
    pub fn metrics(&mut self, prefix: &str) -> Vec<Recording> {
        let mut metrics: Vec<Recording> = Vec::new();
        for _ in 0..2 + self.below(6) {
            let metric = self.metric(prefix);
            if metrics.iter().all(|other| other.name != metric.name) {
                metrics.push(metric);
            }
        }
        metrics
    }

    /// Recordings into some of these metrics.
    pub fn given(&mut self, metrics: &[Recording]) -> Given {
        // So few keys and values that series meet as well.
        let page = self.choice();
        let keys: Vec<String> = (0..4).map(|_| self.key(&page)).collect();
        let values: Vec<Label> = (0..6).map(|_| self.label()).collect();
        let record = (0..2 + self.below(14)).map(|_| {
            let mut recording = metrics[self.below(metrics.len())].clone();
            recording.value = self.value(&recording);
            recording.times = self.one_in(5).then_some(3);
            recording.labels = (0..self.below(4))
                .map(|_| (keys[self.below(keys.len())].clone(), values[self.below(values.len())].clone()))
                .collect();
            if recording.labels.iter().all(|(key, _)| key.is_empty()) {
                // A gauge that is set both without labels and with none that count would be two.
                recording.labels.clear();
            }
            recording
        });
        let record = record.collect();
        Given { pages: Vec::new(), page, exemplars: None, delta: false, views: Vec::new(), record }
    }

    /// Any of what an operator may choose.
    fn choice(&mut self) -> PageChoice {
        let strategies = [
            "UnderscoreEscapingWithSuffixes",
            "UnderscoreEscapingWithoutSuffixes",
            "NoUTF8EscapingWithSuffixes",
            "NoTranslation",
        ];
        let resource = [
            ("service.name", "orders \"1\""),
            ("a.b", "of the\nresource"),
            ("le", "\\"),
            ("", "x"),
            ("e", ""),
        ];
        PageChoice {
            strategy: self.one_in(2).then(|| self.pick(&strategies).to_owned()),
            unit_suffix: self.one_in(6).then(|| self.one_in(2)),
            total_suffix: self.one_in(6).then(|| self.one_in(2)),
            scope_labels: self.one_in(4),
            target_info: self.one_in(4),
            created: self.one_in(4),
            resource_labels: match self.below(8) {
                0 => vec!["*".to_owned()],
                1 => vec!["a.b".to_owned(), "service.name".to_owned()],
                _ => Vec::new(),
            },
            resource: resource
                .into_iter()
                .filter(|_| self.one_in(2))
                .map(|(key, text)| (key.to_owned(), text.to_owned()))
                .collect(),
        }
    }

    fn metric(&mut self, prefix: &str) -> Recording {
        let kinds = [
            ("counter", "u64"),
            ("counter", "f64"),
            ("up_down_counter", "i64"),
            ("up_down_counter", "f64"),
            ("gauge", "u64"),
            ("gauge", "i64"),
            ("gauge", "f64"),
            ("histogram", "u64"),
            ("histogram", "f64"),
        ];
        let (kind, number) = kinds[self.below(kinds.len())];
        let name = match self.one_in(20) {
            // Names that are not valid, and are left out.
            true => format!("{prefix}.{}", self.text(PIECES, 5)),
            false => format!("{prefix}.{}{}", self.pick(STEMS), self.pick(SUFFIXES)),
        };
        Recording {
            kind: kind.to_owned(),
            number: number.to_owned(),
            name,
            unit: self.pick(UNITS).to_owned(),
            // Indented lines would be taken for a doc comment.
            help: self.text(PIECES, 8).replace("\n ", "\n"),
            buckets: self.buckets(),
            exponential: false,
            span: None,
            delivered: 0,
            value: Number::Whole(0),
            times: None,
            labels: Vec::new(),
        }
    }

    fn buckets(&mut self) -> Option<Vec<f64>> {
        let bounds = [-1e300, -2.5, -0.0, 5e-324, 0.1, 1.0, 2.5, 1e6, 9007199254740993.0, 1e300];
        let bounds: Vec<f64> = bounds.into_iter().filter(|_| self.one_in(2)).collect();
        (!bounds.is_empty()).then_some(bounds)
    }

    fn key(&mut self, page: &PageChoice) -> String {
        let key = if self.one_in(2) { self.pick(KEYS).to_owned() } else { self.text(KEY_PIECES, 5) };
        // Names that begin with two underscores are Prometheus' own; where keys stay as they are, such may come out.
        let may_begin = |one: char| one.is_ascii_alphabetic() || page.makes_legal();
        if key.is_empty() || key.starts_with(may_begin) { key } else { format!("k{key}") }
    }

    fn label(&mut self) -> Label {
        match self.below(10) {
            0 => Label::Bool(self.one_in(2)),
            1 => Label::Whole([0, 7, -7, i64::MAX, i64::MIN][self.below(5)]),
            2 => Label::Double([0.5, -2.25, 7.0][self.below(3)]),
            3 => Label::Text(String::new()),
            4 if self.one_in(4) => Label::Text(self.text(PIECES, 8).repeat(300)),
            _ => Label::Text(self.text(PIECES, 8)),
        }
    }

    fn value(&mut self, recording: &Recording) -> Number {
        let may_fall = recording.kind != "counter";
        match recording.number.as_str() {
            // What is added up stays below what overflows.
            "u64" => Number::Whole([0, 1, 7, 9_007_199_254_740_993, 1 << 59][self.below(5)]),
            "i64" => Number::Whole([0, 1, -7, 9_007_199_254_740_993, -(1 << 59)][self.below(5)]),
            _ if self.one_in(8) => Number::Text(self.pick(&["nan", "inf", "-inf", "-1"]).to_owned()),
            // Up-down counters add rises and falls up apart: in any order only sums of eighths are exact.
            _ if recording.kind == "up_down_counter" || self.one_in(2) => {
                let eighths = self.below(1 << 20) as f64 / 8.0;
                Number::Double(if may_fall && self.one_in(2) { -eighths } else { eighths })
            }
            _ => {
                let value = DOUBLES[self.below(DOUBLES.len())];
                Number::Double(if may_fall && self.one_in(3) { -value } else { value })
            }
        }
    }
}
