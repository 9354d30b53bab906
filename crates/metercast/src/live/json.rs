//! A JSON document as it is written: keys and values in their order, with commas where they belong.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::export::stdout::json::{put_double, put_integer, put_text};

/// A document on its way.
#[derive(Default)]
pub(super) struct Json(Vec<u8>);

/// A number as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    U64(u64),
    I64(i64),
    F64(f64),
}

impl Json {
    /// The document of one object.
    pub(super) fn document(put: impl FnOnce(&mut Json)) -> Vec<u8> {
        let mut json = Json::default();
        json.object(put);
        json.0
    }

    /// The key of what comes next.
    pub(super) fn key(&mut self, key: &str) -> &mut Json {
        self.text(key);
        self.0.push(b':');
        self
    }

    pub(super) fn object(&mut self, put: impl FnOnce(&mut Json)) {
        self.between(b'{', put, b'}');
    }

    /// A list of what `put` puts.
    pub(super) fn list(&mut self, put: impl FnOnce(&mut Json)) {
        self.between(b'[', put, b']');
    }

    pub(super) fn texts<T: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = T>) {
        self.list(|json| texts.into_iter().for_each(|text| json.text(text.as_ref())));
    }

    /// A document within this one.
    pub(super) fn raw(&mut self, document: &[u8]) {
        self.next();
        self.0.extend(document);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.next();
        put_text(&mut self.0, text);
    }

    pub(super) fn truth(&mut self, truth: bool) {
        self.word(if truth { "true" } else { "false" });
    }

    pub(super) fn null(&mut self) {
        self.word("null");
    }

    pub(super) fn whole(&mut self, number: impl itoa::Integer) {
        self.next();
        put_integer(&mut self.0, number);
    }

    /// What JSON has no number for is not known.
    pub(super) fn double(&mut self, number: f64) {
        if !number.is_finite() {
            return self.null();
        }
        self.next();
        put_double(&mut self.0, number);
    }

    /// Five digits of it: more than a picture shows.
    pub(super) fn rounded(&mut self, number: f64) {
        if !number.is_finite() || number == 0.0 {
            return self.double(number);
        }
        let scale = 10f64.powi(4 - number.abs().log10().floor() as i32);
        let rounded = (number * scale).round() / scale;
        // At the ends of what there are numbers for.
        self.double(if rounded.is_finite() { rounded } else { number });
    }

    pub(super) fn maybe(&mut self, number: Option<f64>) {
        self.double(number.unwrap_or(f64::NAN));
    }

    pub(super) fn number(&mut self, number: Number) {
        match number {
            Number::U64(number) => self.whole(number),
            Number::I64(number) => self.whole(number),
            Number::F64(number) => self.double(number),
        }
    }

    /// A time, to the millisecond.
    pub(super) fn time(&mut self, time: Option<SystemTime>) {
        let Some(time) = time else { return self.null() };
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.double((since.as_secs_f64() * 1e3).round() / 1e3);
    }

    pub(super) fn length(&mut self, length: Option<Duration>) {
        self.maybe(length.map(|length| length.as_secs_f64()));
    }

    fn word(&mut self, word: &str) {
        self.next();
        self.0.extend(word.as_bytes());
    }

    fn between(&mut self, open: u8, put: impl FnOnce(&mut Json), close: u8) {
        self.next();
        self.0.push(open);
        put(self);
        self.0.push(close);
    }

    /// Puts the comma after what stands before. No value ends with one of these.
    fn next(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_a_parser_of_others_reads() {
        let document = Json::document(|json| {
            json.key("a{[:").text("b\"\\\n{");
            json.key("empty").object(|_| {});
            json.key("list").list(|json| {
                json.null();
                json.truth(true);
                json.double(0.1);
                json.double(f64::NAN);
                json.whole(u64::MAX);
                json.object(|json| json.key("x").list(|_| {}));
            });
            json.key("time").time(Some(UNIX_EPOCH + Duration::from_micros(1_500_499)));
        });
        let read: serde_json::Value = serde_json::from_slice(&document).unwrap();
        let expected = serde_json::json!({
            "a{[:": "b\"\\\n{", "empty": {}, "list": [null, true, 0.1, null, u64::MAX, { "x": [] }], "time": 1.5
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn what_a_picture_shows_has_five_digits() {
        let cases = [
            (1.0 / 3.0, "0.33333"),
            (123_456_789.0, "123460000"),
            (-0.000_012_345_67, "-0.000012346"),
            (0.0, "0"),
        ];
        for (number, expected) in cases {
            let mut json = Json::default();
            json.rounded(number);
            assert_eq!(String::from_utf8(json.0).unwrap(), expected);
        }
        let mut json = Json::default();
        json.list(|json| {
            [f64::MIN_POSITIVE, f64::MAX, 5e-324].iter().for_each(|number| json.rounded(*number));
        });
        assert_eq!(serde_json::from_slice::<Vec<f64>>(&json.0).unwrap().len(), 3);
    }
}
