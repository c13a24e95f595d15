//! Laws of the formats, on generated inputs. A failure prints the seed that replays it.

mod any_bytes;
mod generate;
mod round_trips;
mod same_as_others;
mod splitting;

use millrace_format::{Decoded, Decoder, RecordBuf};
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// Runs `case` for many seeds, and says which one failed.
fn for_seeds(n: u64, mut case: impl FnMut(&mut SmallRng)) {
    struct Shown(u64);
    impl Drop for Shown {
        #[allow(clippy::print_stdout)]
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("seed {}", self.0);
            }
        }
    }
    for seed in 0..n {
        let _shown = Shown(seed);
        case(&mut SmallRng::seed_from_u64(seed));
    }
}

fn block(records: &[Vec<u8>]) -> RecordBuf {
    records.iter().map(Vec::as_slice).collect()
}

fn decode(decoder: &mut dyn Decoder, records: &[Vec<u8>]) -> Decoded {
    decoder.decode(block(records).view()).expect("a spec that fits")
}
