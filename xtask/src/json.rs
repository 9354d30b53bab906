//! A small JSON reader for what cargo and rustdoc print.

use std::collections::BTreeMap;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// Every id that rustdoc writes is far below 2^53, so a float holds it exactly.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// Far deeper than any real type; a runaway would otherwise end the process by overflowing the stack.
const DEPTH: usize = 256;

impl Json {
    /// Reads one value and nothing after it. The error names the byte.
    pub(crate) fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        if reader.at < text.len() { reader.wrong("nothing more") } else { Ok(value) }
    }

    /// The value under a key, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(object) => object.get(key),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Json]> {
        match self {
            Json::List(list) => Some(list),
            _ => None,
        }
    }

    /// An id, as the text under which rustdoc's tables have it.
    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > DEPTH {
            return self.wrong(&format!("at most {DEPTH} levels"));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.wrong("a value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        let mut object = BTreeMap::new();
        self.at += 1;
        self.space();
        if !self.take(b'}') {
            loop {
                self.space();
                let key = self.string()?;
                self.space();
                self.expect(b':')?;
                object.insert(key, self.value(depth + 1)?);
                self.space();
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        Ok(Json::Object(object))
    }

    fn array(&mut self, depth: usize) -> Result<Json, String> {
        let mut list = Vec::new();
        self.at += 1;
        self.space();
        if !self.take(b']') {
            loop {
                list.push(self.value(depth + 1)?);
                self.space();
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        Ok(Json::List(list))
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect(b'"')?;
        let mut text = String::new();
        loop {
            // Quotes and backslashes are ASCII, so the cut is always between characters.
            let rest = &self.text[self.at..];
            let Some(end) = rest.find(['"', '\\']) else { return self.wrong("a closing quote") };
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let mut code = self.four_digits()?;
                // RFC 8259, section 7: what does not fit in 16 bits comes as a surrogate pair.
                if (0xD800..0xDC00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    code = 0x10000 + ((code - 0xD800) << 10) + (self.four_digits()? & 0x3FF);
                }
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => {
                self.at -= 1;
                return self.wrong("an escape");
            }
        })
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        let digits =
            self.text.get(self.at..self.at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match digits {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.wrong("four hexadecimal digits"),
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        match rest[..end].parse() {
            Ok(number) => {
                self.at += end;
                Ok(Json::Number(number))
            }
            Err(_) => self.wrong("a number"),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        if !self.text[self.at..].starts_with(word) {
            return self.wrong(word);
        }
        self.at += word.len();
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.take(byte) { Ok(()) } else { self.wrong(&char::from(byte).to_string()) }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("byte {} of the JSON: expected {expected}", self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let json =
            Json::parse(r#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "d"}, "e": [], "f": {}} "#)
                .unwrap();
        let list = json.get("a").and_then(Json::list).unwrap();
        let expected =
            [Json::Number(1.0), Json::Number(-2500.0), Json::Bool(true), Json::Bool(false), Json::Null];
        assert_eq!(list, expected);
        assert_eq!(json.get("b").and_then(|b| b.get("c")).and_then(Json::text), Some("d"));
        assert_eq!(json.get("e").and_then(Json::list), Some([].as_slice()));
        assert_eq!(json.get("missing"), None);
    }

    #[test]
    fn escapes_and_foreign_letters_are_read() {
        let json = Json::parse(r#""tab\t \"q\" \\ \/ \u00fc \ud83e\udd80 ü""#).unwrap();
        assert_eq!(json.text(), Some("tab\t \"q\" \\ / ü 🦀 ü"));
    }

    #[test]
    fn an_id_is_spelled_as_a_whole_number() {
        assert_eq!(Json::parse("4294967295").unwrap().id().as_deref(), Some("4294967295"));
    }

    #[test]
    fn what_is_not_json_is_an_error_that_names_the_byte() {
        for (text, error) in [
            ("", "byte 0 of the JSON: expected a value"),
            ("[1 2]", "byte 3 of the JSON: expected ,"),
            ("{\"a\" 1}", "byte 5 of the JSON: expected :"),
            ("\"open", "byte 1 of the JSON: expected a closing quote"),
            ("\"\\q\"", "byte 2 of the JSON: expected an escape"),
            ("\"\\u12", "byte 3 of the JSON: expected four hexadecimal digits"),
            ("tru", "byte 0 of the JSON: expected true"),
            ("1-1", "byte 0 of the JSON: expected a number"),
            ("1 1", "byte 2 of the JSON: expected nothing more"),
        ] {
            assert_eq!(Json::parse(text), Err(error.to_owned()), "{text}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).unwrap_err().contains("levels"));
    }
}
