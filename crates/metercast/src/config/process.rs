//! What this process knows of itself without being told: its name, and an id that no other process has.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

/// The file name of the executable.
pub(super) fn executable() -> Option<String> {
    Some(std::env::current_exe().ok()?.file_name()?.to_string_lossy().into_owned())
}

/// A random UUID, version 4 (RFC 9562, section 5.4). The same as long as the process lives, so that two
/// configurations of one process, or the one before a reload and the one after, are the same instance.
pub(super) fn instance_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| from_kernel().unwrap_or_else(from_hasher))
}

/// Linux makes them itself.
fn from_kernel() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").ok()?;
    let id = id.trim();
    (id.len() == 36).then(|| id.to_owned())
}

/// Elsewhere: the standard library seeds the hashers of its maps from the system's randomness, and that is
/// all the randomness to be had without a dependency. Two hashers, as keys of the second differ only by a
/// counter from the first's; time and process id are mixed in so that a poor seed does not make two processes
/// the same.
fn from_hasher() -> String {
    let salt = (std::process::id(), std::time::SystemTime::now());
    let half = |n: u64| u128::from(RandomState::new().hash_one((n, salt)));
    let bits = half(0) << 64 | half(1);
    let version_4 = bits & !(0xf << 76) | 0x4 << 76;
    let id = format!("{:032x}", version_4 & !(0x3 << 62) | 0x2 << 62);
    format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_is_a_random_uuid_from_either_source() {
        for id in [from_hasher(), from_kernel().unwrap_or_else(from_hasher)] {
            let groups: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        assert_ne!(from_hasher(), from_hasher());
    }

    #[test]
    fn a_process_is_one_instance() {
        assert_eq!(instance_id(), instance_id());
    }
}
