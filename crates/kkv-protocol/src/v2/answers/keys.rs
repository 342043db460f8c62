//! The secrets of a box and of its answers, a type for each.

use std::fmt;

use zeroize::Zeroizing;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name(pub(in crate::v2) Zeroizing<[u8; 32]>);

        impl $name {
            /// The one with these bytes.
            #[must_use]
            pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

secrets! {
    /// By what a sender proves that a box is its own. The relay holds it while the box lives.
    BoxSecret;

    /// The key of one answer, and of those after it in its chain.
    AnswerKey;
}

/// Bytes of a [`Salt`].
pub const SALT_BYTES: usize = 16;

/// Random bytes that make the answer keys of each message others, and name its chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; SALT_BYTES]);

/// A keyed hash by which a sender shows that it knows a [`BoxSecret`].
#[derive(Clone, Copy)]
pub struct BoxProof(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

impl fmt::Debug for BoxProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxProof(..)")
    }
}
