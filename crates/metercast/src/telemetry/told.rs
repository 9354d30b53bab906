//! What pushes of deltas had told when a reload removed them: if one of the name comes back it goes on there.

use std::collections::VecDeque;

use crate::export::otlp::OtlpMessage;

/// By name, the oldest first.
#[derive(Default)]
pub(super) struct Told(VecDeque<(String, Box<OtlpMessage>)>);

/// Of how many names it is kept, which costs memory for each series: names that a program makes up do not come back.
const MOST: usize = 16;

impl Told {
    /// Keeps what a push of this name has told.
    pub(super) fn keep(&mut self, name: String, told: Box<OtlpMessage>) {
        self.take(&name);
        self.0.push_back((name, told));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// What the last one of this name had told. There is one who gets it.
    pub(super) fn take(&mut self, name: &str) -> Option<Box<OtlpMessage>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        self.0.remove(at).map(|(_, told)| told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_of_the_last_names_and_given_once() {
        let mut told = Told::default();
        let keep =
            |told: &mut Told, n: usize| told.keep(format!("push-{n}"), Box::new(OtlpMessage::new(&[])));
        (0..MOST).for_each(|n| keep(&mut told, n));
        // The newest now.
        keep(&mut told, 0);
        assert_eq!(told.0.len(), MOST);
        (MOST..MOST + 3).for_each(|n| keep(&mut told, n));
        assert_eq!(told.0.len(), MOST);
        for gone in 1..=3 {
            assert!(told.take(&format!("push-{gone}")).is_none());
        }
        for there in [0, 4, MOST + 2] {
            let name = format!("push-{there}");
            assert!(told.take(&name).is_some() && told.take(&name).is_none(), "{name}");
        }
    }
}
