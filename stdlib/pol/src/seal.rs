//! Seals: HMAC-SHA-256 over the canonical text, so that tampered parts show.
//!
//! A seal proves that someone with the key wrote these parts. It does not prove when, or for whom: put a version and the context among the parts.

use crate::canon::canonical;
use crate::{Data, PolError, PolErrorKind};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write;

/// Length of a seal in hex digits.
const SEAL_DIGITS: usize = 64;

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>, PolError> {
    if key.is_empty() {
        return Err(PolError::new(PolErrorKind::EmptyKey, "the key is empty: such a seal protects nothing"));
    }
    Hmac::<Sha256>::new_from_slice(key).map_err(|_| PolError::new(PolErrorKind::EmptyKey, "the key cannot be used"))
}

/// The seal of `parts` under `key`: 64 lower-case hex digits.
pub fn seal(key: &[u8], parts: &[Data<'_>]) -> Result<String, PolError> {
    let mut mac = keyed(key)?;
    mac.update(canonical(parts)?.as_bytes());
    let mut out = String::with_capacity(SEAL_DIGITS);
    for byte in mac.finalize().into_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    Ok(out)
}

/// Whether `claimed` is the seal of `parts` under `key`; compared in time that does not depend on where they differ. Anything but 64
/// lower-case hex digits is not a seal.
pub fn seal_ok(key: &[u8], parts: &[Data<'_>], claimed: &Data<'_>) -> Result<bool, PolError> {
    let mut mac = keyed(key)?;
    mac.update(canonical(parts)?.as_bytes());
    let Data::Str(claimed) = claimed else { return Ok(false) };
    let Some(bytes) = unhex(claimed) else { return Ok(false) };
    Ok(mac.verify_slice(&bytes).is_ok())
}

fn unhex(text: &str) -> Option<[u8; SEAL_DIGITS / 2]> {
    let digits: &[u8; SEAL_DIGITS] = text.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; SEAL_DIGITS / 2];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Known answers of RFC 4231, cases 1, 2 and 6 (a key longer than a block).
    #[test]
    fn the_mac_is_hmac_sha_256() {
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in cases {
            let mut mac = keyed(key).unwrap();
            mac.update(message);
            assert!(mac.verify_slice(&unhex(expected).unwrap()).is_ok());
        }
    }

    #[test]
    fn boundaries_between_parts_and_types_change_the_seal() {
        let t = Data::text;
        let lists = [
            vec![t("ab"), t("c")],
            vec![t("a"), t("bc")],
            vec![t("abc")],
            vec![t("a"), t(""), t("bc")],
            vec![t("ab\0c")],
            vec![t("ab,c")],
            vec![],
            vec![t("")],
            vec![Data::Nil],
            vec![t("1")],
            vec![Data::Num(1.0)],
            vec![Data::Bool(true)],
            vec![t("tru")],
            vec![Data::List(vec![])],
            vec![Data::List(vec![Data::List(vec![])])],
            vec![t("a"), Data::List(vec![t("b")])],
            vec![Data::List(vec![t("a")]), t("b")],
            vec![t("é")],
            vec![t("e\u{301}")],
            vec![t("x\r\n")],
            vec![t("x\n")],
        ];
        let seals: std::collections::HashSet<_> = lists.iter().map(|parts| seal(b"k", parts).unwrap()).collect();
        assert_eq!(seals.len(), lists.len());
    }

    #[test]
    fn only_the_exact_seal_passes() {
        let parts = [Data::text("a")];
        let good = seal(b"k", &parts).unwrap();
        let ok = |claimed: Data<'_>| seal_ok(b"k", &parts, &claimed).unwrap();
        assert!(ok(Data::text(&good)));
        for wrong in [
            "".to_string(),
            good[..63].to_string(),
            format!("{good}0"),
            good.to_uppercase(),
            format!(" {good}"),
            format!("{good}\n"),
            "g".repeat(64),
            "é".repeat(32),
        ] {
            assert!(!ok(Data::Str(wrong.clone().into())), "{wrong:?}");
        }
        for wrong in [Data::Nil, Data::Num(1.0), Data::List(vec![Data::text(&good)]), Data::Bool(true)] {
            assert!(!ok(wrong));
        }
        assert!(!seal_ok(b"other", &parts, &Data::text(&good)).unwrap());
        assert_eq!(seal(b"", &parts).unwrap_err().kind(), PolErrorKind::EmptyKey);
        assert_eq!(seal_ok(b"", &parts, &Data::text(&good)).unwrap_err().kind(), PolErrorKind::EmptyKey);
    }

    proptest! {
        #[test]
        fn a_seal_verifies_and_any_tampering_fails(
            key in proptest::collection::vec(any::<u8>(), 1..80), texts in proptest::collection::vec(".{0,8}", 1..5), at in any::<usize>(), flip in 1u8..=255
        ) {
            let parts: Vec<Data<'_>> = texts.iter().map(|text| Data::text(text)).collect();
            let mac = seal(&key, &parts).unwrap();
            prop_assert!(seal_ok(&key, &parts, &Data::text(&mac)).unwrap());
            let mut other = texts.clone();
            let place = at % other.len();
            other[place].push('x');
            let other: Vec<Data<'_>> = other.iter().map(|text| Data::text(text)).collect();
            prop_assert!(!seal_ok(&key, &other, &Data::text(&mac)).unwrap());
            let mut digits = mac.clone().into_bytes();
            let place = at % digits.len();
            digits[place] ^= flip & 0x7f;
            if digits != mac.as_bytes() {
                let claimed = String::from_utf8(digits).unwrap();
                prop_assert!(!seal_ok(&key, &parts, &Data::text(&claimed)).unwrap());
            }
            let mut wrong_key = key.clone();
            let place = at % wrong_key.len();
            wrong_key[place] ^= flip;
            prop_assert!(!seal_ok(&wrong_key, &parts, &Data::text(&mac)).unwrap());
        }
    }
}
