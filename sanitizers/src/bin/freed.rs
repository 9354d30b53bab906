//! Wrong on purpose: reads a block that was freed. AddressSanitizer must say so.

use std::hint::black_box;

fn main() {
    let block = black_box(Box::into_raw(Box::new([7u64; 512])));
    // SAFETY: made by `Box::into_raw`, and freed once.
    drop(unsafe { Box::from_raw(block) });
    // SAFETY: none, which is the point: the block is gone.
    println!("{}", unsafe { (*black_box(block))[3] });
}
