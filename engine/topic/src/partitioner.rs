//! Which partition a key belongs to: what Kafka's default partitioner says, so that a topic may move to Kafka and back.

/// The partition of a key, of `partitions` (not 0): `toPositive(murmur2(key)) % partitions`.
///
/// # Panics
/// If `partitions` is 0.
pub fn partition_of_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

/// The partition of the records without a key of one batch: all of them go to one, the next batch's to the next. A
/// function of the batch's number alone, so that a repeated batch goes where it went before.
///
/// # Panics
/// If `partitions` is 0.
pub fn partition_without_key(sequence: u64, partitions: u32) -> u32 {
    (sequence % u64::from(partitions)) as u32
}

/// Murmur2, 32 bits, with Kafka's seed (Austin Appleby, public domain).
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MULTIPLIER: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        k ^= k >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ k.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka's own vectors (`UtilsTest.testMurmur2`), and what its Java client answers for others.
    #[test]
    fn hashes_are_those_of_kafka() {
        let cases: [(&[u8], i32); 7] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
            (&[12, 42, 56, 24, 109, 111], 274_204_207),
        ];
        for (key, want) in cases {
            assert_eq!(murmur2(key) as i32, want, "{key:?}");
        }
        // the empty key, as other clients that were checked against the Java one have it
        assert_eq!(murmur2(b"") as i32, 275_646_681);
    }

    #[test]
    fn a_negative_hash_is_made_positive_by_its_sign_bit() {
        // 1357151166 is -790332482 & 0x7fffffff
        assert_eq!(partition_of_key(b"foobar", 10), 1_357_151_166 % 10);
        assert_eq!(partition_of_key(b"21", 1), 0);
        assert_eq!([5, 6, 7].map(|sequence| partition_without_key(sequence, 3)), [2, 0, 1]);
    }
}
