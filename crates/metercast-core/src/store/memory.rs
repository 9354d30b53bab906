//! Memory for cells, from the system: a program whose own allocator counts with us would otherwise be asked for memory in order
//! to count that it was asked.

use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};

/// A place for a value that the system gave.
pub(crate) fn new<T>(value: T) -> *mut T {
    let layout = Layout::new::<T>();
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero.
    let place = unsafe { System.alloc(layout) }.cast::<T>();
    if place.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: fresh, large enough and aligned.
    unsafe { place.write(value) };
    place
}

/// The same, all bytes zero.
///
/// # Safety
///
/// Zero bytes are a value of `T`.
pub(crate) unsafe fn zeroed<T>() -> *mut T {
    let layout = Layout::new::<T>();
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero.
    let place = unsafe { System.alloc_zeroed(layout) }.cast::<T>();
    if place.is_null() {
        handle_alloc_error(layout);
    }
    place
}

/// Gives a value and its place back.
///
/// # Safety
///
/// The place was made by `new` or `zeroed`, and nobody can reach it any more.
pub(crate) unsafe fn free<T>(place: *mut T) {
    // SAFETY: as the caller says.
    unsafe {
        place.drop_in_place();
        System.dealloc(place.cast(), Layout::new::<T>());
    }
}
