//! YAML text as a tree: version 1.2, its core schema, one document.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::error::{Checked, Findings};

use super::filled::Filled;
use super::place::Place;
use super::tree::{NOTHING, Node, Value, Written};

/// The most that a text may have, and be made of. A configuration is far from all of them; who writes one to do harm is
/// stopped there.
pub(super) const MOST_BYTES: usize = 1 << 20;
const MOST_NODES: usize = 100_000;
const MOST_DEPTH: usize = 64;
/// How much aliases may repeat, together: a node counts as one, and so does each byte of its text.
const MOST_REPEATED: usize = 1 << 20;

/// What becomes of the text of a value before it has a type; keys stay as they are.
pub(super) type Substitute<'s> = &'s mut dyn FnMut(&str) -> Checked<Option<(String, Option<Filled>)>>;

/// Reads YAML. If its syntax is wrong that is a problem and nothing is returned: what is left of a broken file would seem to
/// lack things.
///
/// No message quotes the text, as there may be a secret in it.
pub(super) fn parse(text: &str, file: &Place, findings: &mut Findings) -> Vec<(String, Node)> {
    parse_with(text, file, &mut |_| Ok(None), findings)
}

/// As [`parse`], with the text of values replaced by what `substitute` makes of it. What is not in quotes has its type from
/// the text that comes out; no text makes keys, tables or lists.
pub(super) fn parse_with(
    text: &str,
    file: &Place,
    substitute: Substitute<'_>,
    findings: &mut Findings,
) -> Vec<(String, Node)> {
    if text.len() > MOST_BYTES {
        findings.problem(
            file,
            format!(
                "has {} bytes of YAML, which is read up to {MOST_BYTES}; write less, or TOML",
                text.len()
            ),
        );
        return Vec::new();
    }
    let mut reader = Reader {
        file,
        substitute,
        findings,
        open: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        nodes: 0,
        repeated: 0,
        is_whole: true,
    };
    reader.read(text);
    match (reader.is_whole, reader.root) {
        (true, Some(Node { value: Value::Table(entries), .. })) => entries,
        (true, Some(Node { line, value, .. })) if !matches!(value, Value::Other(NOTHING)) => {
            findings
                .problem(&file.on_line(line), format!("expected keys with values, found {}", value.kind()));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Puts events together.
struct Reader<'a> {
    file: &'a Place,
    substitute: Substitute<'a>,
    findings: &'a mut Findings,
    /// What has begun and not ended, from the outside in.
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    repeated: usize,
    is_whole: bool,
}

/// A table or list that has not ended.
struct Open {
    line: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Table {
        entries: Vec<(String, Node)>,
        seen: HashSet<String>,
        /// The key whose value comes next.
        key: Option<(String, usize)>,
    },
}

/// Why reading ends before the text does.
struct Broken {
    line: usize,
    message: String,
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let read = match event {
                Ok((Event::StreamEnd, _)) => return,
                Ok((Event::DocumentStart(..), _)) if documents == 0 => {
                    documents = 1;
                    Ok(())
                }
                Ok((Event::DocumentStart(..), span)) => {
                    let message =
                        "is not YAML that is read here: begins a second document; keep one".to_owned();
                    Err(Broken { line: span.start.line(), message })
                }
                Ok((event, span)) => self.event(event, span.start.line()),
                Err(error) => {
                    let message = format!("is not YAML: {}", error.info());
                    Err(Broken { line: error.marker().line(), message })
                }
            };
            if let Err(Broken { line, message }) = read {
                let place = self.place().on_line(line);
                self.findings.problem(&place, message);
                self.is_whole = false;
                return;
            }
        }
    }

    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), Broken> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(line)?;
                if let Some(Open { content: Content::Table { key: key @ None, .. }, .. }) =
                    self.open.last_mut()
                {
                    *key = Some((text.clone().into_owned(), line));
                    self.remember(anchor, &Node::new(line, Value::String(text.into_owned())), line)?;
                    return Ok(());
                }
                let replaced = (self.substitute)(&text).map_err(|message| Broken { line, message })?;
                let (text, origin) = match replaced {
                    Some((replaced, filled)) => {
                        let origin =
                            filled.map_or(Written::Plain, |filled| Written::Filled(Arc::new(filled)));
                        (replaced.into(), origin)
                    }
                    None => (text, Written::Plain),
                };
                let value =
                    scalar(&text, style, tag.as_deref()).map_err(|message| Broken { line, message })?;
                self.put(Node { origin, ..Node::new(line, value) }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(Content::List(Vec::new()), "seq", tag, anchor, line)
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Table { entries: Vec::new(), seen: HashSet::new(), key: None };
                self.begin(content, "map", tag, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { line, anchor, content }) = self.open.pop() else { return Ok(()) };
                let value = match content {
                    Content::List(items) => Value::List(items),
                    Content::Table { entries, .. } => Value::Table(entries),
                };
                self.put(Node::new(line, value), anchor)
            }
            Event::Alias(anchor) => {
                self.check_key(line)?;
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Broken { line, message: "is an alias of what it stands in".to_owned() });
                };
                let Size { weight, depth } = Size::of(node);
                if depth + self.open.len() > MOST_DEPTH {
                    return Err(too_deep(line));
                }
                self.repeat(weight, line)?;
                let node = Node { line, ..self.anchors[&anchor].clone() };
                self.put(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        content: Content,
        kind: &str,
        tag: Option<std::borrow::Cow<'_, Tag>>,
        anchor: usize,
        line: usize,
    ) -> Result<(), Broken> {
        self.check_key(line)?;
        self.count(line)?;
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag(kind)) {
            return Err(Broken { line, message: UNKNOWN_TAG.to_owned() });
        }
        if self.open.len() >= MOST_DEPTH {
            return Err(too_deep(line));
        }
        self.open.push(Open { line, anchor, content });
        Ok(())
    }

    /// Puts a whole node where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Broken> {
        self.remember(anchor, &node, node.line)?;
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Table { entries, seen, key }) => {
                let Some((name, line)) = key.take() else { return Ok(()) };
                if seen.insert(name.clone()) {
                    // A key's line says more than that of its value, which may be the one below.
                    entries.push((name, Node { line, ..node }));
                } else {
                    let place = self.place().child(&name).on_line(line);
                    self.findings.problem(&place, "stands here a second time; keep one of them");
                    self.is_whole = false;
                }
            }
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node, line: usize) -> Result<(), Broken> {
        if anchor != 0 {
            self.repeat(Size::of(node).weight, line)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(())
    }

    /// Only a text is a key.
    fn check_key(&self, line: usize) -> Result<(), Broken> {
        match self.open.last() {
            Some(Open { content: Content::Table { key: None, .. }, .. }) => {
                Err(Broken { line, message: "has a key that is no plain text; write a word".to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, line: usize) -> Result<(), Broken> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Broken {
                line,
                message: format!("is behind {MOST_NODES} values; YAML is read up to there"),
            });
        }
        Ok(())
    }

    fn repeat(&mut self, weight: usize, line: usize) -> Result<(), Broken> {
        self.repeated = self.repeated.saturating_add(weight);
        if self.repeated > MOST_REPEATED {
            return Err(Broken { line, message: "repeats too much by aliases; write it out".to_owned() });
        }
        Ok(())
    }

    /// Where reading is.
    fn place(&self) -> Place {
        self.open.iter().fold(self.file.clone(), |place, open| match &open.content {
            Content::List(items) => place.item(items.len()),
            Content::Table { key: Some((key, _)), .. } => place.child(key),
            Content::Table { key: None, .. } => place,
        })
    }
}

const UNKNOWN_TAG: &str = "has a tag that is not known here; leave it out";

fn too_deep(line: usize) -> Broken {
    Broken { line, message: format!("is more than {MOST_DEPTH} tables and lists deep") }
}

/// How much a copy of a node is.
struct Size {
    weight: usize,
    depth: usize,
}

impl Size {
    fn of(node: &Node) -> Size {
        let of_all = |nodes: &mut dyn Iterator<Item = &Node>| {
            nodes.map(Size::of).fold(Size { weight: 1, depth: 0 }, |all, size| Size {
                weight: all.weight + size.weight,
                depth: all.depth.max(size.depth),
            })
        };
        match &node.value {
            Value::Table(entries) => {
                let Size { weight, depth } = of_all(&mut entries.iter().map(|(_, node)| node));
                let keys: usize = entries.iter().map(|(key, _)| key.len()).sum();
                Size { weight: weight + keys, depth: depth + 1 }
            }
            Value::List(items) => {
                let Size { weight, depth } = of_all(&mut items.iter());
                Size { weight, depth: depth + 1 }
            }
            Value::String(text) => Size { weight: 1 + text.len(), depth: 0 },
            _ => Size { weight: 1, depth: 0 },
        }
    }
}

/// What a text is: by its tag, by its quotes, by how it looks. (YAML 1.2.2, "Core Schema".)
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { plain(text) } else { Value::String(text.to_owned()) });
    };
    let is_string = tag.is_yaml_core_schema_tag("str") || (tag.handle().is_empty() && tag.suffix() == "!");
    if is_string {
        return Ok(Value::String(text.to_owned()));
    }
    let value = match plain(text) {
        Value::Integer(number) if tag.is_yaml_core_schema_tag("float") => Value::Float(number as f64),
        value => value,
    };
    let is_it = match value {
        Value::Integer(_) => tag.is_yaml_core_schema_tag("int"),
        Value::Float(_) => tag.is_yaml_core_schema_tag("float"),
        Value::Bool(_) => tag.is_yaml_core_schema_tag("bool"),
        Value::Other(NOTHING) => tag.is_yaml_core_schema_tag("null"),
        _ => false,
    };
    if is_it {
        Ok(value)
    } else if tag.is_yaml_core_schema() {
        Err(format!("has the tag of another kind than what stands there, {}; leave it out", value.kind()))
    } else {
        Err(UNKNOWN_TAG.to_owned())
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Other(NOTHING),
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let (sign, rest) = match text.as_bytes() {
        [b'-', ..] => (-1.0, &text[1..]),
        [b'+', ..] => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if let ".inf" | ".Inf" | ".INF" = rest {
        return Value::Float(sign * f64::INFINITY);
    }
    let integer = |digits: &str, radix| match i64::from_str_radix(digits, radix) {
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Other("an integer beyond 64 bits"),
    };
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if all(rest, 10) {
        return integer(text, 10);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && all(digits, radix)
        {
            return integer(digits, radix);
        }
    }
    let looks_like_a_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && rest.contains(|c: char| c.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    match text.parse() {
        Ok(number) if looks_like_a_number => Value::Float(number),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
