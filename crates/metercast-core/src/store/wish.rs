//! What readers of a store want of its histograms, for as long as they want it.

use std::fmt;

use super::Store;

/// Buckets that somebody [wants](Store::want_bounds), for as long as this lives. Cells that have more than is wanted keep it
/// until they change for another reason.
#[must_use = "dropping it takes the wish back"]
pub struct WantedBounds(Wish);

/// Exponential buckets that somebody [wants](Store::want_exponential), for as long as this lives.
#[must_use = "dropping it takes the wish back"]
pub struct WantedExponential(Wish);

/// Something that is wanted.
pub(super) struct Wish {
    pub(super) store: Store,
    pub(super) number: u64,
    pub(super) restarted: bool,
}

macro_rules! wanted {
    ($name:ident) => {
        impl $name {
            pub(super) fn new(wish: Wish) -> $name {
                $name(wish)
            }

            /// Whether series that were there when it was asked did not have these buckets, so that whoever asked sees
            /// them begin anew, with a later start. Nobody else notices.
            pub fn restarted(&self) -> bool {
                self.0.restarted
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("restarted", &self.0.restarted)
                    .finish_non_exhaustive()
            }
        }
    };
}

wanted!(WantedBounds);
wanted!(WantedExponential);

impl Drop for Wish {
    fn drop(&mut self) {
        self.store.inner().take_back(self.number);
    }
}
