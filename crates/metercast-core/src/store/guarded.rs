//! Runs somebody else's code so that its panics go no further.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `f` says, or what it said when it panicked.
pub(super) fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let message = message(&*panic);
        // What was panicked with may panic itself when it is dropped, and so on; at last it is left where it is.
        let mut left = Some(panic);
        for _ in 0..3 {
            left = left.and_then(|panic| catch_unwind(AssertUnwindSafe(|| drop(panic))).err());
        }
        mem::forget(left);
        message
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(|s| &**s));
    text.unwrap_or("without a message").to_owned()
}
