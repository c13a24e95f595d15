//! A file of the world as the Parquet reader wants it: any piece at any time.
//!
//! All pieces are read through one open handle, so that a file that is replaced meanwhile stays the one it was.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use millrace_world::ReadFile;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// See the module.
pub(super) struct Chunks {
    file: Arc<Mutex<Box<dyn ReadFile>>>,
    len: u64,
    /// Bytes read, for progress.
    count: Arc<AtomicU64>,
}

/// A reader at a place of its own.
pub(super) struct At {
    file: Arc<Mutex<Box<dyn ReadFile>>>,
    position: u64,
}

impl Chunks {
    pub(super) fn new(file: Box<dyn ReadFile>, len: u64, count: &Arc<AtomicU64>) -> Self {
        Chunks { file: Arc::new(Mutex::new(file)), len, count: Arc::clone(count) }
    }

    fn at(&self, position: u64) -> At {
        At { file: Arc::clone(&self.file), position }
    }
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // the place is set before every read, so a panic of another reader does no harm
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.position))?;
        let n = file.read(buffer)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(self.at(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::with_capacity(length.min(1 << 26));
        self.at(start).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            let message = format!("{length} bytes are wanted at {start}, {} are there", bytes.len());
            return Err(ParquetError::EOF(message));
        }
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(bytes.into())
    }
}
