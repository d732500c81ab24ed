//! A sum over payloads and records, by which it is known whether they are still what was written.
//!
//! What a medium does to them is noticed when they are read. Against people who write into the file it is
//! no help.

/// An odd number without a pattern (the golden ratio), by which each word is spread over the whole sum.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum. Each step can be undone, so that two texts which differ in one word only never have the same.
pub(in crate::store) fn sum(bytes: &[u8]) -> u64 {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut sum = SPREAD ^ length;
    for word in bytes.chunks(8) {
        let mut whole = [0; 8];
        for (to, from) in whole.iter_mut().zip(word) {
            *to = *from;
        }
        sum = (sum ^ u64::from_le_bytes(whole)).wrapping_mul(SPREAD);
        sum ^= sum >> 32;
    }
    sum
}

/// The sum in half the length, for records, which are short.
pub(super) fn short_sum(bytes: &[u8]) -> [u8; 4] {
    // The lower half; the last step has put the upper one into it.
    let [a, b, c, d, ..] = sum(bytes).to_le_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_that_is_on_disks() {
        assert_eq!(sum(b""), 0x9e37_79b9_7f4a_7c15);
        assert_eq!(sum(b"{\"order\":1}"), ORDER);
    }

    const ORDER: u64 = 1_344_191_355_934_863_899;

    #[test]
    fn any_changed_character_changes_the_sum() {
        let text = b"{\"order\":{\"id\":\"o-17\",\"amount\":1200}}";
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.to_vec();
                other[at] ^= 1 << bit;
                assert_ne!(sum(&other), sum(text), "{at}");
                assert_ne!(short_sum(&other), short_sum(text), "{at}");
            }
        }
        assert_ne!(sum(b"a\0"), sum(b"a"));
    }
}
