//! Up to 32 bytes of text as four words, without a branch on how many there are.
//!
//! The lengths of labels cannot be foreseen, and a mistaken guess costs more than the whole lookup. So the fast path reads
//! 32 bytes whatever the length is, and clears those that are not the text's. The portable path beside it does the same
//! with branches; a test compares the two.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// The longest text that fits.
pub(crate) const LONGEST: usize = 32;

/// The bytes of `text`, then zeros. Longer texts are cut; whether it was not.
///
/// The words are atomic only so that whoever reads them reads one at a time: a wider read of what several
/// writes left would have to wait until all of them have reached the cache.
#[inline(always)]
pub(crate) fn words(text: &[u8], out: &[AtomicU64; 4]) -> bool {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        const PAGE: usize = 4096;
        // One comparison for both: an empty text, whose address may be no address, and one that is too long.
        let has_bytes = text.len().wrapping_sub(1) < LONGEST;
        if has_bytes && text.as_ptr() as usize % PAGE <= PAGE - LONGEST {
            // SAFETY: the text is not empty, so its first byte can be read, and by the test above the 32 bytes from there
            // on lie in one page with it.
            unsafe { in_one_page(text.as_ptr(), text.len(), out) };
            return true;
        }
    }
    by_bytes(text, out)
}

/// The portable path.
#[cfg_attr(all(target_arch = "x86_64", not(miri)), cold)]
fn by_bytes(text: &[u8], out: &[AtomicU64; 4]) -> bool {
    let (chunks, rest) = text[..text.len().min(LONGEST)].as_chunks::<8>();
    let rest = rest.iter().enumerate().fold(0, |word, (at, byte)| word | u64::from(*byte) << (8 * at));
    let words = chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)).chain([rest, 0, 0, 0, 0]);
    for (to, word) in out.iter().zip(words) {
        to.store(word, Relaxed);
    }
    text.len() <= LONGEST
}

/// Reads 32 bytes from `text` on and keeps the first `length`.
///
/// # Safety
///
/// The page that holds the first of these bytes holds them all, and is readable; `length` is at most 32.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn in_one_page(text: *const u8, length: usize, out: &[AtomicU64; 4]) {
    use std::arch::asm;
    use std::arch::x86_64::{__m128i, _mm_and_si128, _mm_loadu_si128, _mm_storeu_si128};

    /// A window onto this begins with `length` ones if it begins at `32 - length`.
    static MASK: [u8; 64] = {
        let mut mask = [0; 64];
        let mut at = 0;
        while at < LONGEST {
            mask[at] = 0xff;
            at += 1;
        }
        mask
    };

    let (first, second): (__m128i, __m128i);
    // SAFETY: the loads cannot fault, as the caller says; what they read beyond the text is cleared below. They stand in
    // assembly because beyond the text they are no reads that the language knows: the compiler sees two opaque values.
    // A racing write there is of no consequence, for the same reason.
    unsafe {
        asm!(
            "movdqu {first}, [{text}]",
            "movdqu {second}, [{text} + 16]",
            text = in(reg) text,
            first = lateout(xmm_reg) first,
            second = out(xmm_reg) second,
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    // SAFETY: the window ends at most 64 bytes from the start of MASK, since `length` is at most 32; `out` has 32 bytes,
    // which may be written through a shared reference, and are on the stack of this thread.
    unsafe {
        let mask = MASK.as_ptr().add(LONGEST - length).cast::<__m128i>();
        let out = std::ptr::from_ref(out).cast_mut().cast::<__m128i>();
        _mm_storeu_si128(out, _mm_and_si128(first, _mm_loadu_si128(mask)));
        _mm_storeu_si128(out.add(1), _mm_and_si128(second, _mm_loadu_si128(mask.add(1))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_paths_read_the_same_wherever_the_text_lies() {
        // Two pages and more, so that texts of all lengths lie at all places of a page, its end included.
        let memory: Vec<u8> = (0..3 * 4096u32).map(|at| (at * 7 % 251 + 1) as u8).collect();
        for start in (0..8192).step_by(13).chain(4060..4100) {
            for length in 0..=LONGEST {
                let text = &memory[start..start + length];
                let (fast, safe) = (empty(), empty());
                words(text, &fast);
                by_bytes(text, &safe);
                let (fast, safe) = (fast.map(AtomicU64::into_inner), safe.map(AtomicU64::into_inner));
                assert_eq!(fast, safe, "{length} bytes at {start}");
                let bytes: Vec<u8> = safe.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!((&bytes[..length], bytes[length..].iter().any(|byte| *byte != 0)), (text, false));
            }
        }
    }

    fn empty() -> [AtomicU64; 4] {
        [const { AtomicU64::new(7) }; 4]
    }

    #[test]
    fn an_empty_text_has_no_bytes() {
        let out = empty();
        words(b"", &out);
        assert_eq!(out.map(AtomicU64::into_inner), [0; 4]);
    }
}
