//! Order between those who look something up and the one who wants to free it, at no cost to the former.
//!
//! A recording thread says in its operation word that it is looking, then looks. Whoever frees takes something out, then
//! reads the operation words. Each must see the other's first step or be seen itself, for which processors need a full barrier
//! between the steps on both sides. On Linux the one who frees makes every running thread execute one; elsewhere each pays for
//! its own.

use std::sync::OnceLock;

#[cfg(all(target_os = "linux", not(miri)))]
mod linux {
    use std::ffi::{c_int, c_long, c_uint};
    use std::sync::OnceLock;

    unsafe extern "C" {
        fn syscall(number: c_long, ...) -> c_long;
    }

    #[cfg(target_arch = "x86_64")]
    const MEMBARRIER: c_long = 324;
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
    const MEMBARRIER: c_long = 283;
    /// A number that no system call has: the call fails, and nothing is ever freed.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
    const MEMBARRIER: c_long = -1;

    const PRIVATE_EXPEDITED: c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

    fn membarrier(command: c_int) -> bool {
        let (flags, processor): (c_uint, c_int) = (0, 0);
        // SAFETY: the call takes three integers and touches no memory of ours.
        unsafe { syscall(MEMBARRIER, command, flags, processor) == 0 }
    }

    pub(crate) fn all_threads() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        *REGISTERED.get_or_init(|| membarrier(REGISTER_PRIVATE_EXPEDITED)) && membarrier(PRIVATE_EXPEDITED)
    }
}

/// Orders what this thread said before what it looks at after, together with [`all_threads`].
#[inline(always)]
pub(crate) fn light() {
    #[cfg(all(target_os = "linux", not(miri)))]
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    #[cfg(not(all(target_os = "linux", not(miri))))]
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

/// Orders what this thread took out before what it reads after, against [`light`] on every other thread. False if the
/// system cannot do that (an old kernel, a filter on system calls): then nothing may be freed.
pub(crate) fn all_threads() -> bool {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    #[cfg(all(target_os = "linux", not(miri)))]
    return linux::all_threads();
    #[cfg(not(all(target_os = "linux", not(miri))))]
    true
}

/// Whether [`all_threads`] can do what it says: without it nothing may be taken out.
pub(crate) fn works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(all_threads)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread;

    use super::*;

    #[test]
    fn of_two_threads_that_speak_and_then_look_one_sees_the_other() {
        if !all_threads() {
            return;
        }
        for _ in 0..2_000 {
            let (looking, taken) = (AtomicU32::new(0), AtomicU32::new(0));
            let (saw_taken, saw_looking) = thread::scope(|threads| {
                let looks = threads.spawn(|| {
                    looking.store(1, Relaxed);
                    light();
                    taken.load(Relaxed)
                });
                let takes = threads.spawn(|| {
                    taken.store(1, Relaxed);
                    assert!(all_threads());
                    looking.load(Relaxed)
                });
                (looks.join().unwrap(), takes.join().unwrap())
            });
            assert!(saw_taken == 1 || saw_looking == 1);
        }
    }
}
