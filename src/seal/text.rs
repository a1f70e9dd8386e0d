//! A key from text.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::cipher::KEY;

/// 64 hexadecimal digits, or base64 in either alphabet, padded or not.
pub(super) fn key(text: &str) -> Option<Zeroizing<[u8; KEY]>> {
    let mut key = Zeroizing::new([0; KEY]);
    if text.len() == 2 * KEY {
        from_hex(text, &mut key)?;
        return Some(key);
    }
    // 32 bytes are 43 digits, and one sign to fill up the last four.
    let digits = if text.len() == 44 { text.strip_suffix('=')? } else { text };
    let read = match digits.contains(['-', '_']) {
        true => Base64UrlUnpadded::decode(digits, &mut *key),
        false => Base64Unpadded::decode(digits, &mut *key),
    };
    (read.ok()?.len() == KEY).then_some(key)
}

fn from_hex(text: &str, key: &mut [u8; KEY]) -> Option<()> {
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16)?;
            // A hexadecimal digit is below 16.
            *byte = *byte << 4 | digit as u8;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_is_read_from_either_text() {
        let expected: [u8; 32] = std::array::from_fn(|at| 255 - at as u8);
        let hex = "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0";
        let base64 = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA";
        let url = base64.replace('/', "_").replace('+', "-");
        for text in [hex, &hex.to_uppercase(), base64, &format!("{base64}="), &url, &format!("{url}=")] {
            assert_eq!(key(text).as_deref(), Some(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let hex = "0".repeat(64);
        let (short, signs) = (&hex[2..], format!("+0{}", &hex[2..]));
        let base64 = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA";
        let (long, cut, filled) = (format!("{base64}AAAA"), &base64[..42], format!("{base64}=="));
        let wide = "é".repeat(32);
        for text in ["", "=", short, &signs, &long, cut, &filled, &wide, &base64.replace('A', "B")] {
            assert!(key(text).is_none(), "{text}");
        }
    }
}
