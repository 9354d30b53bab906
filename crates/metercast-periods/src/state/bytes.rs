//! Numbers and texts as bytes and back. What is read may be anything.

/// Takes bytes apart. `None` is what cannot be: an end too early, or a length beyond the end.
#[derive(Debug)]
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl<'b> Bytes<'b> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// How many things follow, each of at least `least` bytes: never more than there is room for.
    pub(super) fn count(&mut self, least: usize) -> Option<usize> {
        let count = self.u32()? as usize;
        (count <= self.0.len() / least).then_some(count)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = self.count(1)?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    /// So many things, each as `one` reads it.
    pub(super) fn list<T>(
        &mut self,
        least: usize,
        mut one: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        (0..self.count(least)?).map(|_| one(self)).collect()
    }
}

pub(super) fn put_text(to: &mut Vec<u8>, text: &str) {
    put_count(to, text.len());
    to.extend_from_slice(text.as_bytes());
}

pub(super) fn put_u64(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(&number.to_le_bytes());
}

/// Nothing here is ever so many that it does not fit; should it be, the checksum holds, and reading it finds it too many.
pub(super) fn put_count(to: &mut Vec<u8>, count: usize) {
    to.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}
