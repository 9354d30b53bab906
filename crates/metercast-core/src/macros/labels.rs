//! `labels!`: the types of labels, which bound the values that a label can have.

/// Declares types of labels, each of which bounds the values that the label can have.
///
/// # Enums, for what the program knows itself
///
/// The variants of an enum are the values of the label.
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
///
/// # For what comes from outside
///
/// What a request or a peer says can be anything, and each new value would be a new series. These types take any
/// value and record what they do not let through as a *fallback*:
///
/// | form | a call gives | recorded as itself |
/// | --- | --- | --- |
/// | `one_of Kind { "a", "b" } else "other"` | `&str` | the texts that are listed |
/// | `range Status { 100..=599 } else "invalid"` | `i64` | whole numbers in one of the ranges |
/// | `pattern Tenant { "a-z0-9-", 1..=32 } else "unknown"` | `&str` | texts of these ASCII characters, of such a length |
///
/// A `one_of` costs an index, as an enum does. A `pattern` bounds what values look like, not how many there are: the
/// store's limits do that. Its characters are those of a bracket expression without the brackets: single ones, ranges
/// such as `a-z`, and `-` as the first or last for itself. All forms may stand in one block.
///
/// ```
/// use metercast_core::{Store, labels, metrics};
///
/// labels! {
///     /// Kinds of events that we know by name.
///     pub one_of EventKind { "note", "reaction", "zap" } else "other"
///     /// HTTP status.
///     pub range Status { 100..=199, 400..=599 } else "invalid"
///     /// A tenant's name.
///     pub pattern Tenant { "a-z0-9-", 1..=32 } else "unknown"
/// }
/// metrics! {
///     /// Events taken in.
///     static EVENTS: Counter<u64> = "events" { labels: { kind: EventKind, status: Status, tenant: Tenant } };
/// }
///
/// let store = Store::new();
/// store.scope(|| {
///     EVENTS.add(1, ("note", 404, "acme-2"));
///     EVENTS.add(1, ("Note", 302, "Acme"));
///     EVENTS.add(1, ("", -1, "../../etc/passwd"));
/// });
/// let family = &store.collect()[0];
/// let labels: Vec<_> = family.series.iter().map(|series| series.labels.to_string()).collect();
/// assert_eq!(
///     labels,
///     [
///         r#"{kind="note",status=404,tenant="acme-2"}"#,
///         r#"{kind="other",status="invalid",tenant="unknown"}"#,
///     ]
/// );
/// ```
///
/// `of` gives what is recorded of a value, for the call-site macros; that of a range takes any integer:
///
/// ```
/// use metercast_core::{Store, labels, u64_counter};
///
/// labels! {
///     one_of Method { "GET", "POST" } else "_OTHER"
///     range Status { 100..=599 } else "invalid"
/// }
///
/// let (method, status) = (String::from("BREW"), 418u16);
/// let store = Store::new();
/// store.scope(|| {
///     u64_counter!("requests", "Requests", 1, "method" => Method::of(&method), "status" => Status::of(status));
/// });
/// assert_eq!(store.collect()[0].series[0].labels.to_string(), r#"{method="_OTHER",status=418}"#);
/// ```
///
/// What says nothing fails the build: a range without a number, characters in the wrong order, no list, no fallback,
/// or one that is also listed.
///
/// ```compile_fail,E0080
/// metercast_core::labels! { range Status { 599..=100 } else "invalid" }
/// ```
/// ```compile_fail,E0080
/// metercast_core::labels! { pattern Tenant { "z-a", 1..=32 } else "unknown" }
/// ```
/// ```compile_fail,E0080
/// metercast_core::labels! { one_of Kind { } else "other" }
/// ```
/// ```compile_fail,E0080
/// metercast_core::labels! { one_of Kind { "note", "other" } else "other" }
/// ```
/// ```compile_fail
/// metercast_core::labels! { one_of Kind { "note" } }
/// ```
#[macro_export]
macro_rules! labels {
    () => {};
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident $(= $spelling:literal)? ),+ $(,)?
        }
        $($rest:tt)*
    ) => {
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
            #[inline]
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

        $crate::labels! { $($rest)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis one_of $name:ident { $($text:literal),* $(,)? } else $fallback:literal
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {}

        impl $name {
            /// What is recorded of every text that is not listed.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const FALLBACK: &'static str = $fallback;

            /// All values there can be, in the order of their declaration; the last is the fallback.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const ALL: &'static [&'static str] = &[$($text,)* $fallback];

            /// What is recorded of `text`: itself if it is listed, else the fallback.
            #[allow(dead_code, reason = "for whoever wants it")]
            #[inline]
            $vis fn of(text: &str) -> $crate::label::Bounded<'static> {
                $( if text == $text { return $crate::label::Bounded::text($text); } )*
                $crate::label::Bounded::text($fallback)
            }
        }

        const _: () = $crate::__private::assert_one_of($name::ALL);

        impl $crate::label::Label for $name {
            type Value<'a> = &'a str;
            const VALUES: ::core::option::Option<&'static [$crate::__private::ValueRef<'static>]> =
                ::core::option::Option::Some(&[
                    $( $crate::__private::ValueRef::String($text), )*
                    $crate::__private::ValueRef::String($fallback),
                ]);
            const BOUND: $crate::__private::Bound =
                $crate::__private::Bound::Texts { texts: $name::ALL, has_fallback: true };
            #[inline]
            fn index(value: &str) -> usize {
                let at = 0;
                $(
                    if value == $text { return at; }
                    let at = at + 1;
                )*
                at
            }
            #[inline]
            fn spell<'a>(value: &'a str) -> $crate::__private::ValueRef<'a>
            where
                'a: 'a,
            {
                $name::of(value).value()
            }
        }

        $crate::labels! { $($rest)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis range $name:ident { $($range:expr),* $(,)? } else $fallback:literal
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {}

        impl $name {
            /// What is recorded of every number that is in none of the ranges.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const FALLBACK: &'static str = $fallback;

            /// What is recorded of `value`: itself if it is in one of the ranges, else the fallback.
            #[allow(dead_code, reason = "for whoever wants it")]
            #[inline]
            $vis fn of(value: impl ::core::convert::TryInto<i64>) -> $crate::label::Bounded<'static> {
                static RANGES: $crate::__private::Ranges = $crate::__private::Ranges::new(&[$($range),*], $fallback);
                RANGES.of(value)
            }
        }

        impl $crate::label::Label for $name {
            type Value<'a> = i64;
            const VALUES: ::core::option::Option<&'static [$crate::__private::ValueRef<'static>]> =
                ::core::option::Option::None;
            const BOUND: $crate::__private::Bound =
                $crate::__private::Bound::Ranges { ranges: &[$($range),*], fallback: $fallback };
            #[inline(always)]
            fn index(_: i64) -> usize {
                0
            }
            #[inline]
            fn spell<'a>(value: i64) -> $crate::__private::ValueRef<'a> {
                $name::of(value).value()
            }
        }

        $crate::labels! { $($rest)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis pattern $name:ident { $characters:expr, $length:expr $(,)? } else $fallback:literal
        $($rest:tt)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {}

        impl $name {
            /// What is recorded of every text that does not match.
            #[allow(dead_code, reason = "for whoever wants it")]
            $vis const FALLBACK: &'static str = $fallback;

            /// What is recorded of `text`: itself if it matches, else the fallback.
            #[allow(dead_code, reason = "for whoever wants it")]
            #[inline]
            $vis fn of(text: &str) -> $crate::label::Bounded<'_> {
                static PATTERN: $crate::__private::Pattern =
                    $crate::__private::Pattern::new($characters, $length, $fallback);
                PATTERN.of(text)
            }
        }

        impl $crate::label::Label for $name {
            type Value<'a> = &'a str;
            const VALUES: ::core::option::Option<&'static [$crate::__private::ValueRef<'static>]> =
                ::core::option::Option::None;
            const BOUND: $crate::__private::Bound = $crate::__private::Bound::Pattern {
                characters: $characters,
                length: $crate::__private::ends(&$length),
                fallback: $fallback,
            };
            #[inline(always)]
            fn index(_: &str) -> usize {
                0
            }
            #[inline]
            fn spell<'a>(value: &'a str) -> $crate::__private::ValueRef<'a>
            where
                'a: 'a,
            {
                $name::of(value).value()
            }
        }

        $crate::labels! { $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis $form:ident $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($form), " ", ::core::stringify!($name), "` is none of the forms of `labels!`: ",
            "`enum Side { Buy, Sell }`, `one_of Kind { \"a\", \"b\" } else \"other\"`, ",
            "`range Status { 100..=599 } else \"invalid\"`, ",
            "`pattern Tenant { \"a-z0-9-\", 1..=32 } else \"unknown\"`",
        ));
    };
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
