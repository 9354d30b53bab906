//! What macros leave in the program's file for the catalogue.

/// A reference to the descriptor, of which a note is left in the program's file.
#[doc(hidden)]
#[macro_export]
macro_rules! __noted {
    (declared $descriptor:expr, $bounds:expr) => { $crate::__noted!(true false $descriptor, $bounds) };
    (called $descriptor:expr, $bounds:expr) => { $crate::__noted!(false false $descriptor, $bounds) };
    (open $descriptor:expr, $bounds:expr) => { $crate::__noted!(false true $descriptor, $bounds) };
    ($is_declared:literal $is_open:literal $descriptor:expr, $bounds:expr) => {{
        const __METERCAST_DESCRIPTOR: &$crate::__private::Descriptor = &$descriptor;
        const __METERCAST_ENTRY: $crate::__private::Entry = $crate::__private::Entry {
            descriptor: __METERCAST_DESCRIPTOR,
            bounds: $bounds,
            is_open: $is_open,
            is_declared: $is_declared,
            module: ::core::module_path!(),
            folder: ::core::option_env!("CARGO_MANIFEST_DIR"),
        };
        // A section of that name is one of notes, which linkers keep; elsewhere they keep whatever is used.
        #[used]
        #[cfg_attr(any(target_os = "linux", target_os = "android"), unsafe(link_section = ".note.metercast"))]
        static __METERCAST_NOTE: $crate::__private::Note<{ __METERCAST_ENTRY.size() }> = __METERCAST_ENTRY.note();
        __METERCAST_DESCRIPTOR
    }};
}
