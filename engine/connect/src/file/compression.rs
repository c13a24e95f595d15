//! `.gz` and `.zst`: opened on the way in and closed on the way out.
//!
//! Reading goes by the first bytes of a file, so that a name does not matter; a name that promises a compression that
//! the bytes do not have is an error. Writing goes by the name.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

/// Bytes that a decompressor reads at a time.
const BUFFER_BYTES: usize = 128 << 10;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// What the name says.
    pub(crate) fn of_path(path: &Path) -> Self {
        match path.extension() {
            Some(e) if e.eq_ignore_ascii_case("gz") => Compression::Gzip,
            Some(e) if e.eq_ignore_ascii_case("zst") => Compression::Zstd,
            _ => Compression::None,
        }
    }

    fn of_bytes(head: &[u8]) -> Self {
        if head.starts_with(GZIP) {
            Compression::Gzip
        } else if head.starts_with(ZSTD) {
            Compression::Zstd
        } else {
            Compression::None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Compression::None => "plain",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// The content of a file, unpacked. `promised` is what its name says.
///
/// # Errors
/// If the file cannot be read, or is not packed as promised. An empty file is an empty content.
pub(super) fn unpack(
    mut raw: impl Read + Send + 'static,
    promised: Compression,
) -> io::Result<(Box<dyn Read + Send>, Compression)> {
    let mut head = Vec::with_capacity(ZSTD.len());
    raw.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
    let found = Compression::of_bytes(&head);
    if promised != Compression::None && found != promised && !head.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is not a {} file", promised.name())));
    }
    let whole = io::Cursor::new(head).chain(raw);
    let content: Box<dyn Read + Send> = match found {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, whole))),
        Compression::Zstd => {
            Box::new(zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER_BYTES, whole))?)
        }
    };
    Ok((content, found))
}

/// What the failure of reading packed bytes means, in words that go behind a path.
pub(super) fn read_words(error: &io::Error, compression: Compression) -> String {
    match (compression, error.kind()) {
        (Compression::None, io::ErrorKind::UnexpectedEof) => "it is shorter than when it was found".to_owned(),
        (Compression::None, _) => crate::error::io_words(error),
        (packed, io::ErrorKind::UnexpectedEof) => {
            format!("its {} data ends too early: it was cut off", packed.name())
        }
        (packed, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other) => {
            format!("its {} data is damaged ({error})", packed.name())
        }
        _ => crate::error::io_words(error),
    }
}

/// Reads so many bytes, and counts them.
pub(super) struct Counted<R> {
    inner: R,
    /// `None`: as many as there are.
    left: Option<u64>,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// `bytes`: that many must be there, and more are not read.
    pub(super) fn new(inner: R, bytes: Option<u64>, count: &Arc<AtomicU64>) -> Self {
        Counted { inner, left: bytes, count: Arc::clone(count) }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let max = buffer.len().min(left);
        let n = self.inner.read(&mut buffer[..max])?;
        if let Some(left) = &mut self.left {
            if n == 0 && max > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *left -= n as u64;
        }
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Packs what is written.
pub(super) enum Packer<W: Write> {
    None(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    pub(super) fn new(to: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Packer::None(to),
            Compression::Gzip => Packer::Gzip(GzEncoder::new(to, flate2::Compression::default())),
            Compression::Zstd => Packer::Zstd(zstd::stream::write::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        })
    }

    /// Writes what ends the packing, and gives the inner writer back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Packer::None(to) => Ok(to),
            Packer::Gzip(encoder) => encoder.finish(),
            Packer::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packer::None(to) => to.write(bytes),
            Packer::Gzip(encoder) => encoder.write(bytes),
            Packer::Zstd(encoder) => encoder.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packer::None(to) => to.flush(),
            Packer::Gzip(encoder) => encoder.flush(),
            Packer::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut packer = Packer::new(vec![], compression).unwrap();
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn unpacked(bytes: Vec<u8>, promised: Compression) -> io::Result<Vec<u8>> {
        let mut out = vec![];
        unpack(io::Cursor::new(bytes), promised)?.0.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_packed_is_unpacked_by_its_first_bytes() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let mut packed = pack(b"one ", compression);
            packed.extend(pack(b"two", compression));
            assert_eq!(unpacked(packed, Compression::None).unwrap(), b"one two", "{compression:?}, in two pieces");
        }
        assert_eq!(unpacked(vec![], Compression::Gzip).unwrap(), b"");
        assert_eq!(unpacked(b"ab".to_vec(), Compression::None).unwrap(), b"ab");
    }

    #[test]
    fn broken_promises_and_cut_files_are_told() {
        let error = unpacked(b"plain text".to_vec(), Compression::Gzip).unwrap_err();
        assert_eq!(error.to_string(), "it is not a gzip file");
        for compression in [Compression::Gzip, Compression::Zstd] {
            let mut packed = pack(&b"0123456789".repeat(100), compression);
            packed.truncate(packed.len() - 5);
            let error = unpacked(packed, compression).unwrap_err();
            assert!(read_words(&error, compression).ends_with("ends too early: it was cut off"), "{error}");
        }
    }
}
