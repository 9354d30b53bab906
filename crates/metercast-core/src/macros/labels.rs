//! `labels!`: an enum as the values of a label.

/// Declares enums whose variants are the values of a label.
///
/// A label of such a type cannot have any other value, costs an index instead of a lookup, and is spelled in
/// snake case (`BuyLimit` is `buy_limit`) unless a spelling is given.
///
/// ```
/// use metercast_core::{Store, labels, metrics, reading::Point};
///
/// labels! {
///     /// How an order was refused.
///     pub enum Refusal { CreditLimit, Closed = "market_closed" }
/// }
/// metrics! {
///     /// Orders refused, by reason.
///     static ORDERS_REFUSED: Counter<u64> = "orders.refused" { unit: "{order}", labels: { reason: Refusal } };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     ORDERS_REFUSED.add(1, (Refusal::CreditLimit,));
///     ORDERS_REFUSED.add(2, (Refusal::Closed,));
/// });
/// let labels: Vec<_> = store.collect()[0].series.iter().map(|series| series.labels.to_string()).collect();
/// assert_eq!(labels, [r#"{reason="credit_limit"}"#, r#"{reason="market_closed"}"#]);
/// ```
#[macro_export]
macro_rules! labels {
    ($(
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident $(= $spelling:literal)? ),+ $(,)?
        }
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $( $(#[$variant_meta])* $variant ),+ }

        impl $name {
            /// All variants, in the order of their declaration.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const ALL: &'static [$name] = &[$( $name::$variant ),+];

            /// How the variant is spelled as a label.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $crate::__spelling!($variant $(= $spelling)?) ),+ }
            }
        }

        impl $crate::label::Label for $name {
            type Value<'a> = $name;
            const VALUES: ::core::option::Option<&'static [$crate::__private::ValueRef<'static>]> =
                ::core::option::Option::Some(&[
                    $( $crate::__private::ValueRef::String($name::$variant.as_str()) ),+
                ]);
            #[inline(always)]
            fn index(value: $name) -> usize {
                value as usize
            }
            fn spell<'a>(value: $name) -> $crate::__private::ValueRef<'a> {
                $crate::__private::ValueRef::String(value.as_str())
            }
        }

        impl $crate::label::AsLabel for $name {
            fn as_label(&self) -> $crate::__private::ValueRef<'_> {
                $crate::__private::ValueRef::String((*self).as_str())
            }
        }

        impl ::core::convert::From<$name> for $crate::Value {
            fn from(value: $name) -> $crate::Value {
                $crate::Value::from(value.as_str())
            }
        }
    )+ };
}

/// The spelling of a variant: the one given, else its name in snake case.
#[doc(hidden)]
#[macro_export]
macro_rules! __spelling {
    ($variant:ident = $spelling:literal) => {
        $spelling
    };
    ($variant:ident) => {{
        const NAME: &str = ::core::stringify!($variant);
        const BYTES: [u8; $crate::__private::snake_case_len(NAME)] = $crate::__private::snake_case(NAME);
        match ::core::str::from_utf8(&BYTES) {
            ::core::result::Result::Ok(text) => text,
            ::core::result::Result::Err(_) => NAME,
        }
    }};
}
