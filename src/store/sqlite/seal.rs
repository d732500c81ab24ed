//! A sum over a payload, by which it is known whether it is still what was accepted.
//!
//! States and facts confirm each other, and columns their indices; a payload stands alone. What a medium
//! does to it is noticed when it is read. Against people who write into the file it is no help.

/// An odd number without a pattern (the golden ratio), by which each word is spread over the whole sum.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The sum. Each step can be undone, so that two texts which differ in one word only never have the same.
pub(super) fn sum(text: &str) -> i64 {
    let bytes = text.as_bytes();
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
    sum.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_that_is_on_disks() {
        assert_eq!(sum(""), 0x9e37_79b9_7f4a_7c15_u64.cast_signed());
        assert_eq!(sum("{\"order\":1}"), ORDER);
    }

    const ORDER: i64 = 1_344_191_355_934_863_899;

    #[test]
    fn any_changed_character_changes_the_sum() {
        let text = "{\"order\":{\"id\":\"o-17\",\"amount\":1200}}";
        for at in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[at] ^= 1;
            assert_ne!(sum(std::str::from_utf8(&other).unwrap()), sum(text), "{at}");
        }
        assert_ne!(sum("a\0"), sum("a"));
    }
}
