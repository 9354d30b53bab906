//! The key that ids are hashed with, so that who has the hashes cannot tell ids by trying them.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

/// A random key. SipHash-2-4 is a pseudo-random function: without the key its hashes say nothing of what was hashed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; Key::LENGTH]);

impl Key {
    pub(crate) const LENGTH: usize = 16;

    /// A new one, from the system's source of random numbers.
    ///
    /// # Errors
    ///
    /// The system has none.
    pub(crate) fn random() -> Result<Key, getrandom::Error> {
        let mut key = [0; Key::LENGTH];
        getrandom::fill(&mut key)?;
        Ok(Key(key))
    }

    /// From hexadecimal digits, as [`to_text`](Self::to_text) spells them.
    pub(crate) fn from_text(text: &str) -> Option<Key> {
        let text = text.trim();
        let mut key = [0; Key::LENGTH];
        if text.len() != 2 * Key::LENGTH || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Key(key))
    }

    pub(crate) fn to_text(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        digits + "\n"
    }

    /// The hash of an id.
    #[inline]
    pub(crate) fn hash(&self, id: &[u8]) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(id)
    }

    /// Tells whether hashes were made with this key, and says nothing else of it.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(b"metercast-periods: which key is this?");
        // Longer than an id that is hashed the other way is no reason to meet one: the hash of lengths differs.
        hasher.write_u64(u64::MAX);
        hasher.finish()
    }
}

/// A hash that tells whether bytes are as they were written. Not a secret: it guards against accidents.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    SipHasher24::new_with_keys(0x6d65_7465_7263_6173, 0x7065_7269_6f64_7331).hash(bytes)
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_text_and_never_shows_otherwise() {
        let key = Key::random().unwrap();
        assert_ne!(key, Key::random().unwrap());
        assert_eq!(Key::from_text(&key.to_text()), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "Key(..)");
        for text in
            ["", "00", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32), &"é".repeat(16), &"+1".repeat(16)]
        {
            assert_eq!(Key::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn hashes_are_those_of_siphash_with_that_key() {
        // The vectors of SipHash's authors, for the key 00 01 .. 0f.
        let key = Key::from_text("000102030405060708090a0b0c0d0e0f").unwrap();
        assert_eq!(key.hash(&[]), 0x726f_db47_dd0e_0e31);
        assert_eq!(key.hash(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]), 0xa129_ca61_49be_45e5);
        assert_ne!(key.fingerprint(), Key::random().unwrap().fingerprint());
    }
}
