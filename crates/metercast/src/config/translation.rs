//! What a file of another make says, written down as a file of ours would say it; messages go on naming its own keys.

use super::tree::{Node, Value};

/// A tree of ours that grows key by key. Each node knows the key and the line that it stands for.
#[derive(Debug, Default)]
pub(super) struct Translation {
    root: Vec<(String, Node)>,
}

impl Translation {
    /// Says a value under one of our keys, given from the outside in. What is said there already stays, and then this is the
    /// key of the file that says it.
    pub(super) fn say(&mut self, path: &[&str], node: Node) -> Result<(), String> {
        put(&mut self.root, path, node)
    }

    /// Whether something is said under this key of ours.
    pub(super) fn says(&self, path: &[&str]) -> bool {
        let mut entries = &self.root;
        for (n, key) in path.iter().enumerate() {
            let Some((_, node)) = entries.iter().find(|(known, _)| known == key) else { return false };
            match &node.value {
                Value::Table(inner) => entries = inner,
                _ => return n + 1 == path.len(),
            }
        }
        true
    }

    /// All of it, as the entries of a file.
    pub(super) fn into_entries(self) -> Vec<(String, Node)> {
        self.root
    }
}

fn put(entries: &mut Vec<(String, Node)>, path: &[&str], node: Node) -> Result<(), String> {
    let [key, rest @ ..] = path else { return Ok(()) };
    let at = entries.iter().position(|(known, _)| known == key);
    let at = at.unwrap_or_else(|| {
        // A table that they do not have stands for what first stood in it.
        let table = Node { value: Value::Table(Vec::new()), ..node.clone() };
        entries.push(((*key).to_owned(), if rest.is_empty() { node.clone() } else { table }));
        usize::MAX
    });
    let is_new = at == usize::MAX;
    let Some((_, known)) = (if is_new { entries.last_mut() } else { entries.get_mut(at) }) else {
        return Ok(());
    };
    match (&mut known.value, node.value) {
        _ if rest.is_empty() && is_new => Ok(()),
        // Two keys of a file may fill one table of ours.
        (Value::Table(known), Value::Table(more)) if rest.is_empty() => {
            more.into_iter().try_for_each(|(key, node)| put(known, &[key.as_str()], node))
        }
        (Value::List(known), Value::List(more)) if rest.is_empty() => {
            known.extend(more);
            Ok(())
        }
        (Value::Table(known), value) if !rest.is_empty() => put(
            known,
            rest,
            Node { value, line: node.line, origin: node.origin, stands_for: node.stands_for },
        ),
        _ => Err(known.stands_for.as_deref().unwrap_or(key).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(line: usize, stands_for: &str) -> Node {
        Node { stands_for: Some(stands_for.into()), ..Node::new(line, Value::Bool(true)) }
    }

    #[test]
    fn a_key_that_is_said_twice_is_told_by_the_first() {
        let mut translation = Translation::default();
        assert_eq!(translation.say(&["a", "b"], node(1, "first")), Ok(()));
        assert_eq!(translation.say(&["a", "b"], node(2, "second")), Err("first".to_owned()));
        assert_eq!(translation.say(&["a", "b", "c"], node(3, "third")), Err("first".to_owned()));
        assert_eq!(translation.say(&["a", "d"], node(4, "fourth")), Ok(()));
        assert!(
            translation.says(&["a", "b"]) && !translation.says(&["a", "b", "c"]) && !translation.says(&["c"])
        );
        let entries = translation.into_entries();
        let Value::Table(inner) = &entries[0].1.value else { panic!("no table") };
        assert_eq!(
            inner.iter().map(|(key, node)| (key.as_str(), node.line)).collect::<Vec<_>>(),
            [("b", 1), ("d", 4)]
        );
    }

    #[test]
    fn tables_that_are_said_twice_become_one() {
        let table = |key: &str| Node::new(1, Value::Table(vec![(key.to_owned(), node(1, key))]));
        let mut translation = Translation::default();
        assert_eq!(translation.say(&["a"], table("b")), Ok(()));
        assert_eq!(translation.say(&["a"], table("c")), Ok(()));
        assert_eq!(translation.say(&["a"], table("b")), Err("b".to_owned()));
        assert!(translation.says(&["a", "b"]) && translation.says(&["a", "c"]));
    }
}
