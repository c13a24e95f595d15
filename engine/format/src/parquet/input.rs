//! A file that is read in pieces from several places at once.

use std::io::{BufReader, Read, Result, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

/// Anything that can be read from any place.
pub(crate) trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// A file under a lock; each piece that is read from it keeps its own place.
pub(crate) struct SharedFile {
    file: Arc<Mutex<dyn ReadSeek>>,
    len: u64,
}

impl SharedFile {
    /// # Errors
    /// If the file's length cannot be found.
    pub(crate) fn new(mut file: impl Read + Seek + Send + 'static) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(SharedFile { file: Arc::new(Mutex::new(file)), len })
    }
}

/// A piece of the file.
pub(crate) struct Piece {
    file: Arc<Mutex<dyn ReadSeek>>,
    at: u64,
}

impl Read for Piece {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        // Each piece seeks before it reads, so what a panic left behind does not matter.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let n = file.read(buf)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<Piece>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(Piece { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of a file of {} bytes", self.len)));
        }
        let mut bytes = vec![0; length];
        Piece { file: Arc::clone(&self.file), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
