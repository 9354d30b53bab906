//! Labels whose values are bounded by their type: an index instead of a hash.

use super::bound::Bound;
use super::packed::Packing;
use super::value::ValueRef;

/// A type that can stand as a label of a declared metric: `&str`, `bool`, an integer, a `labels!` enum,
/// or an `Option` of one of them, whose `None` leaves the label out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a label",
    note = "the types of labels are &str (for text of any kind, String too), bool, the integers, types made with `labels!` (enum, one_of, range, pattern), and Options of them"
)]
pub trait Label: 'static {
    /// What a call gives for it.
    type Value<'a>: Copy;
    /// All its values, if the type bounds them.
    #[doc(hidden)]
    const VALUES: Option<&'static [ValueRef<'static>]>;
    /// The same for readers of the catalogue, who may know more.
    #[doc(hidden)]
    const BOUND: Bound = match Self::VALUES {
        Some(values) => Bound::Values(values),
        None => Bound::Text,
    };
    /// The place of the value among `VALUES`; 0 if the type does not bound them.
    #[doc(hidden)]
    fn index(value: Self::Value<'_>) -> usize;
    /// The value, spelled.
    #[doc(hidden)]
    fn spell<'a>(value: Self::Value<'a>) -> ValueRef<'a>;
}

impl Label for &'static str {
    type Value<'a> = &'a str;
    const VALUES: Option<&'static [ValueRef<'static>]> = None;
    #[inline(always)]
    fn index(_: &str) -> usize {
        0
    }
    #[inline(always)]
    // The bound, which is always true, makes the lifetime early-bound, as that of the trait's method is.
    fn spell<'a>(value: &'a str) -> ValueRef<'a>
    where
        'a: 'a,
    {
        ValueRef::String(value)
    }
}

impl Label for bool {
    type Value<'a> = bool;
    const VALUES: Option<&'static [ValueRef<'static>]> = Some(&[ValueRef::Bool(false), ValueRef::Bool(true)]);
    #[inline(always)]
    fn index(value: bool) -> usize {
        usize::from(value)
    }
    #[inline(always)]
    fn spell<'a>(value: bool) -> ValueRef<'a> {
        ValueRef::Bool(value)
    }
}

/// A label that may be left out: `None` is no label at all.
impl<T: Label> Label for Option<T> {
    type Value<'a> = Option<T::Value<'a>>;
    // Bounded if `T` is, but rarely used for what is hot: it is looked up.
    const VALUES: Option<&'static [ValueRef<'static>]> = None;
    const BOUND: Bound = Bound::Optional(&T::BOUND);
    fn index(_: Self::Value<'_>) -> usize {
        0
    }
    #[inline(always)]
    fn spell<'a>(value: Self::Value<'a>) -> ValueRef<'a> {
        value.map_or(ValueRef::Absent, T::spell)
    }
}

macro_rules! whole_labels {
    ($($t:ty),*) => { $(
        impl Label for $t {
            type Value<'a> = $t;
            const VALUES: Option<&'static [ValueRef<'static>]> = None;
            const BOUND: Bound = Bound::Whole;
            #[inline(always)]
            fn index(_: $t) -> usize { 0 }
            #[inline(always)]
            fn spell<'a>(value: $t) -> ValueRef<'a> {
                i64::try_from(value).map_or(ValueRef::U64(value as u64), ValueRef::I64)
            }
        }
    )* };
}

whole_labels!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// The labels of a declared metric: a tuple of [`Label`]s.
pub trait Labels: 'static {
    /// What a call gives: the tuple of values.
    type Values<'a>: Copy;
    /// How many series there can be, if the types bound them.
    #[doc(hidden)]
    const SERIES: Option<usize>;
    /// How many labels there are.
    #[doc(hidden)]
    const COUNT: usize;
    /// The place of these values among all series, below `SERIES`.
    #[doc(hidden)]
    fn index(values: Self::Values<'_>) -> usize;
    /// Calls `f` with the values spelled out.
    #[doc(hidden)]
    fn spell<R>(values: Self::Values<'_>, f: impl FnOnce(&[ValueRef<'_>]) -> R) -> R;
    /// Packs the values.
    #[doc(hidden)]
    fn pack(values: Self::Values<'_>, packing: &mut Packing<'_>);
    /// Calls `f` with all values there can be together, in the order of `index`.
    #[doc(hidden)]
    fn each(f: &mut dyn FnMut(&[ValueRef<'_>]));
}

macro_rules! labels_of_tuples {
    ($( ($($l:ident $v:ident $at:tt),+) )*) => { $(
        impl<$($l: Label),+> Labels for ($($l,)+) {
            type Values<'a> = ($($l::Value<'a>,)+);
            const SERIES: Option<usize> = {
                let mut product = 1usize;
                let mut bounded = true;
                $( match $l::VALUES {
                    Some(values) => product = product.saturating_mul(values.len()),
                    None => bounded = false,
                } )+
                if bounded { Some(product) } else { None }
            };
            const COUNT: usize = [$($at),+].len();
            #[inline(always)]
            fn index(values: Self::Values<'_>) -> usize {
                let mut index = 0;
                $( index = index * const { match $l::VALUES { Some(values) => values.len(), None => 1 } }
                    + $l::index(values.$at); )+
                index
            }
            #[inline(always)]
            fn spell<R>(
                values: Self::Values<'_>,
                f: impl FnOnce(&[ValueRef<'_>]) -> R,
            ) -> R {
                f(&[$( $l::spell(values.$at) ),+])
            }
            #[inline(always)]
            fn pack(values: Self::Values<'_>, packing: &mut Packing<'_>) {
                $( packing.put($l::spell(values.$at)); )+
            }
            fn each(f: &mut dyn FnMut(&[ValueRef<'_>])) {
                let values = [$( $l::VALUES.unwrap_or(&[]) ),+];
                let total: usize = values.iter().map(|values| values.len()).product();
                for index in 0..total {
                    let mut rest = index;
                    let mut labels = [$( $l::VALUES.map_or(ValueRef::Absent, |_| ValueRef::Absent) ),+];
                    for (at, values) in values.iter().enumerate().rev() {
                        labels[at] = values[rest % values.len()];
                        rest /= values.len();
                    }
                    f(&labels);
                }
            }
        }
    )* };
}

labels_of_tuples! {
    (A a 0)
    (A a 0, B b 1)
    (A a 0, B b 1, C c 2)
    (A a 0, B b 1, C c 2, D d 3)
    (A a 0, B b 1, C c 2, D d 3, E e 4)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6)
    (A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7)
}

/// How long [`snake_case`] of `name` is.
#[doc(hidden)]
pub const fn snake_case_len(name: &str) -> usize {
    let bytes = name.as_bytes();
    let mut length = 0;
    let mut at = 0;
    while at < bytes.len() {
        length += if begins_word(bytes, at) { 2 } else { 1 };
        at += 1;
    }
    length
}

/// `BuyLimit` as `buy_limit`: how a variant is spelled as a label when nothing else is said.
#[doc(hidden)]
pub const fn snake_case<const N: usize>(name: &str) -> [u8; N] {
    let bytes = name.as_bytes();
    let mut out = [0; N];
    let mut to = 0;
    let mut at = 0;
    while at < bytes.len() {
        if begins_word(bytes, at) {
            out[to] = b'_';
            to += 1;
        }
        out[to] = bytes[at].to_ascii_lowercase();
        to += 1;
        at += 1;
    }
    out
}

/// A capital begins a word after a small letter or digit (`buyLimit`), and as the last capital of a run (`HTTPGet`).
const fn begins_word(bytes: &[u8], at: usize) -> bool {
    at > 0
        && bytes[at].is_ascii_uppercase()
        && bytes[at - 1] != b'_'
        && (!bytes[at - 1].is_ascii_uppercase()
            || (at + 1 < bytes.len() && bytes[at + 1].is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_spelled_in_snake_case() {
        for (name, spelled) in [
            ("Buy", "buy"),
            ("BuyLimit", "buy_limit"),
            ("HTTPGet", "http_get"),
            ("A1B", "a1_b"),
            ("X", "x"),
            ("A_B", "a_b"),
        ] {
            let length = snake_case_len(name);
            assert_eq!(length, spelled.len(), "{name}");
            assert_eq!(&snake_case::<32>(name)[..length], spelled.as_bytes(), "{name}");
        }
    }

    #[test]
    fn the_index_of_values_is_their_place_in_the_enumeration() {
        let mut sets = Vec::new();
        <(bool, bool)>::each(&mut |labels| sets.push(format!("{labels:?}")));
        assert_eq!(sets.len(), <(bool, bool)>::SERIES.unwrap());
        for a in [false, true] {
            for b in [false, true] {
                let spelled = <(bool, bool)>::spell((a, b), |labels| format!("{labels:?}"));
                assert_eq!(sets[<(bool, bool)>::index((a, b))], spelled);
            }
        }
        assert_eq!(<(bool, &'static str)>::SERIES, None);
    }
}
