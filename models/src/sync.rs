//! Loom's atomics and locks, with what the engine uses of the standard library's.

pub(crate) use loom::sync::{Mutex, MutexGuard};
pub(crate) use std::sync::{OnceLock, PoisonError};

pub(crate) mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};

    use std::ops::Deref;
    use std::sync::atomic;

    /// Loom's, with `get_mut`, whose result is only read by the engine.
    macro_rules! with_get_mut {
        ($name:ident, $($of:ident)?, $value:ty) => {
            #[derive(Debug)]
            pub(crate) struct $name$(<$of>)? {
                inner: loom::sync::atomic::$name$(<$of>)?,
                /// What `get_mut` shows.
                shown: atomic::$name$(<$of>)?,
            }

            impl$(<$of>)? $name$(<$of>)? {
                pub(crate) fn new(value: $value) -> Self {
                    Self { inner: loom::sync::atomic::$name::new(value), shown: atomic::$name::new(value) }
                }

                pub(crate) fn get_mut(&mut self) -> &mut $value {
                    let value = self.inner.with_mut(|value| *value);
                    *self.shown.get_mut() = value;
                    self.shown.get_mut()
                }

                #[allow(dead_code, reason = "not every atomic is taken apart")]
                pub(crate) fn into_inner(self) -> $value {
                    self.inner.into_inner()
                }
            }

            impl$(<$of>)? Deref for $name$(<$of>)? {
                type Target = loom::sync::atomic::$name$(<$of>)?;

                fn deref(&self) -> &Self::Target {
                    &self.inner
                }
            }
        };
    }

    with_get_mut!(AtomicPtr, T, *mut T);
    with_get_mut!(AtomicU32, , u32);
}
