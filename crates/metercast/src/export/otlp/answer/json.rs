//! A collector's answer in JSON, as far as it says what was not taken.

use std::borrow::Cow;

use super::super::fields::Malformed;

/// Of an `ExportMetricsServiceResponse` the `rejectedDataPoints` and the `errorMessage` of its `partialSuccess`, and of an
/// `ExportTraceServiceResponse` the `rejectedSpans`. Fields that are not known are skipped.
pub(super) fn partial_success(body: &[u8]) -> Result<(u64, String), Malformed> {
    let (mut rejected, mut says) = (0, String::new());
    let mut json = Json { rest: body, depth: 0 };
    json.object(|json, key| match key {
        "partialSuccess" if json.peek()? == b'{' => json.object(|json, key| match (key, json.peek()?) {
            ("rejectedDataPoints" | "rejectedSpans", b'"') => {
                rejected = number(&json.string()?)?;
                Ok(())
            }
            ("rejectedDataPoints" | "rejectedSpans", b'-' | b'0'..=b'9') => {
                rejected = number(json.bare())?;
                Ok(())
            }
            ("errorMessage", b'"') => {
                says = json.string()?.into_owned();
                Ok(())
            }
            _ => json.skip(),
        }),
        _ => json.skip(),
    })?;
    if json.space().is_empty() { Ok((rejected, says)) } else { Err(Malformed) }
}

/// What a refusal in JSON says: the first text under one of the keys that receivers have for it, at the top or below others of
/// them. `None` if it is no object, or says nothing.
pub(super) fn message(body: &[u8]) -> Option<String> {
    let mut found = None;
    let mut json = Json { rest: body, depth: 0 };
    json.said(&mut found).ok()?;
    found.filter(|text| !text.is_empty())
}

/// What receivers call what they say.
const MESSAGES: [&str; 7] = ["message", "Message", "error", "errors", "error_message", "detail", "reason"];

/// A count; below zero, which makes no sense, nothing.
fn number(text: &str) -> Result<u64, Malformed> {
    let number: i64 = text.parse().map_err(|_| Malformed)?;
    Ok(number.try_into().unwrap_or(0))
}

/// What is not read yet.
struct Json<'a> {
    rest: &'a [u8],
    depth: u32,
}

/// Deeper nesting would need more stack than is sure to be there.
const DEEPEST: u32 = 32;

impl<'a> Json<'a> {
    /// What comes behind white space.
    fn space(&mut self) -> &'a [u8] {
        self.rest = self.rest.trim_ascii_start();
        self.rest
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Result<u8, Malformed> {
        self.space().first().copied().ok_or(Malformed)
    }

    /// Takes the next byte, which must be this one.
    fn take(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek()? != byte {
            return Err(Malformed);
        }
        self.rest = &self.rest[1..];
        Ok(())
    }

    /// Reads an object; `each` takes the value of a key.
    fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.list(b'{', b'}', &mut |json| {
            let key = json.string()?;
            json.take(b':')?;
            each(json, &key)
        })
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        each: &mut dyn FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed);
        }
        if self.peek()? != close {
            loop {
                each(self)?;
                if self.peek()? == close {
                    break;
                }
                self.take(b',')?;
            }
        }
        self.depth -= 1;
        self.take(close)
    }

    /// Looks for a message in what comes next, if it is an object or a list of such.
    fn said(&mut self, found: &mut Option<String>) -> Result<(), Malformed> {
        match self.peek()? {
            b'{' => self.object(|json, key| match json.peek()? {
                b'"' if found.is_none() && MESSAGES.contains(&key) => {
                    *found = Some(json.string()?.into_owned());
                    Ok(())
                }
                b'{' | b'[' if MESSAGES.contains(&key) => json.said(found),
                _ => json.skip(),
            }),
            b'[' => self.list(b'[', b']', &mut |json| match json.peek()? {
                b'"' if found.is_none() => {
                    *found = Some(json.string()?.into_owned());
                    Ok(())
                }
                _ => json.said(found),
            }),
            _ => self.skip(),
        }
    }

    fn skip(&mut self) -> Result<(), Malformed> {
        match self.peek()? {
            b'{' => self.object(|json, _| json.skip()),
            b'[' => self.list(b'[', b']', &mut |json| json.skip()),
            b'"' => self.string().map(drop),
            _ if self.bare().is_empty() => Err(Malformed),
            _ => Ok(()),
        }
    }

    /// A number or one of the three words, unchecked.
    fn bare(&mut self) -> &'a str {
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let end = self.rest.iter().position(|byte| !is_bare(byte)).unwrap_or(self.rest.len());
        let (bare, rest) = self.rest.split_at(end);
        self.rest = rest;
        std::str::from_utf8(bare).unwrap_or_default()
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.take(b'"')?;
        let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).ok_or(Malformed)?;
        let plain = std::str::from_utf8(&self.rest[..end]).map_err(|_| Malformed)?;
        self.rest = &self.rest[end..];
        let mut text = Cow::Borrowed(plain);
        loop {
            let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).ok_or(Malformed)?;
            if end > 0 {
                text.to_mut().push_str(std::str::from_utf8(&self.rest[..end]).map_err(|_| Malformed)?);
            }
            let is_end = self.rest[end] == b'"';
            self.rest = &self.rest[end + 1..];
            if is_end {
                return Ok(text);
            }
            text.to_mut().push(self.escaped()?);
        }
    }

    /// The character behind a backslash; half of a pair stands for what cannot be shown.
    fn escaped(&mut self) -> Result<char, Malformed> {
        let (&kind, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(match kind {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let high = self.hex()?;
                let pair = match self.rest.strip_prefix(b"\\u") {
                    Some(rest) if (0xd800..0xdc00).contains(&high) => {
                        self.rest = rest;
                        0x1_0000 + ((high - 0xd800) << 10) + self.hex()?.wrapping_sub(0xdc00) % 0x400
                    }
                    _ => high,
                };
                char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            b'"' | b'\\' | b'/' => char::from(kind),
            _ => return Err(Malformed),
        })
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(Malformed)?;
        self.rest = rest;
        let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
        u32::from_str_radix(digits, 16).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rejected_and_why_is_read_whatever_stands_around_it() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(30), "]".repeat(30));
        let cases = [
            ("{}", 0, ""),
            (" { } \n", 0, ""),
            ("{\"partialSuccess\":{}}", 0, ""),
            ("{\"partialSuccess\":null}", 0, ""),
            (r#"{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"too old"}}"#, 2, "too old"),
            (r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too many"}}"#, 3, "too many"),
            (r#"{ "partialSuccess" : { "errorMessage" : "x" , "rejectedDataPoints" : 7 } }"#, 7, "x"),
            (r#"{"partialSuccess":{"rejectedDataPoints":-2,"errorMessage":null}}"#, 0, ""),
            (r#"{"new":[1,{"a":"b"},true,[]],"partialSuccess":{"more":{},"rejectedDataPoints":"1"}}"#, 1, ""),
            (
                r#"{"partialSuccess":{"errorMessage":"a\"\\\/\n\u00e9\ud83d\ude00\ud83d z"}}"#,
                0,
                "a\"\\/\né😀\u{fffd} z",
            ),
            (&deep, 0, ""),
        ];
        for (body, rejected, says) in cases {
            let read = partial_success(body.as_bytes()).unwrap_or_else(|_| panic!("{body}"));
            assert_eq!(read, (rejected, says.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_a_refusal_says_is_found_where_receivers_have_it() {
        let cases = [
            (r#"{"message":"missing 'x-honeycomb-team' header"}"#, Some("missing 'x-honeycomb-team' header")),
            (
                r#"{"error":{"code":403,"message":"Token is missing required scope."}}"#,
                Some("Token is missing required scope."),
            ),
            (
                r#"{"status":"error","error":"authentication error: invalid token"}"#,
                Some("authentication error: invalid token"),
            ),
            (r#"{"errors":["Forbidden"]}"#, Some("Forbidden")),
            (r#"{"errors":[{"status":"403","detail":"no key"}]}"#, Some("no key")),
            (r#"{"message":"one","error":"two"}"#, Some("one")),
            (r#"{"code":16}"#, None),
            (r#"{"message":""}"#, None),
            ("[", None),
            ("no JSON", None),
        ];
        for (body, said) in cases {
            assert_eq!(message(body.as_bytes()).as_deref(), said, "{body}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_however_deep_it_is() {
        let deep = format!("{{\"a\":{}", "[".repeat(1 << 20));
        for body in [
            "",
            "<html>",
            "[]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{} x",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"",
            "{\"partialSuccess\":{\"rejectedDataPoints\":\"many\"}}",
            "{\"partialSuccess\":{\"rejectedDataPoints\":1.5}}",
            "{\"a\":\"\\u12\"}",
            &deep,
        ] {
            assert!(partial_success(body.as_bytes()).is_err(), "{}", &body[..body.len().min(40)]);
        }
    }
}
