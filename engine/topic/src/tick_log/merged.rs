//! The file of merged ticks.
//!
//! Little endian: magic `MRM1`, checksum of the rest (CRC32C), the log offset up to which the file stands for the log
//! (`u64`), then per entry its bytes (`u32`) and the entry. It is replaced as a whole.

use std::io;
use std::path::Path;

use millrace_world::World;

use super::entry::TickEntry;
use crate::error::{AtPath, Damage, TopicError};
use crate::log::write_atomically;

const FILE: &str = "merged";
const MAGIC: [u8; 4] = *b"MRM1";

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) covers: u64,
    pub(super) entries: Vec<TickEntry>,
}

impl Merged {
    pub(super) fn read(world: &World, folder: &Path) -> Result<Self, TopicError> {
        let path = folder.join(FILE);
        let bytes = match world.files().read_whole(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Merged::default()),
            Err(e) => return Err(e).at(&path),
        };
        decode(&bytes).ok_or(TopicError::Corrupt { path, position: 0, offset: 0, what: Damage::File })
    }

    pub(super) fn write(&self, world: &World, folder: &Path) -> Result<(), TopicError> {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(8, 0);
        bytes.extend_from_slice(&self.covers.to_le_bytes());
        for entry in &self.entries {
            let at = bytes.len();
            bytes.extend_from_slice(&[0; 4]);
            entry.encode(&mut bytes);
            let len = (bytes.len() - at - 4) as u32;
            bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        write_atomically(world.files(), &folder.join(FILE), &bytes)
    }
}

fn decode(bytes: &[u8]) -> Option<Merged> {
    let (head, rest) = bytes.split_at_checked(8)?;
    if head[..4] != MAGIC || head[4..] != crc32c::crc32c(rest).to_le_bytes() {
        return None;
    }
    let (covers, mut rest) = rest.split_first_chunk().map(|(covers, rest)| (u64::from_le_bytes(*covers), rest))?;
    let mut entries = vec![];
    while let Some((len, behind)) = rest.split_first_chunk() {
        let (entry, behind) = behind.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        entries.push(TickEntry::decode(entry)?);
        rest = behind;
    }
    rest.is_empty().then_some(Merged { covers, entries })
}
