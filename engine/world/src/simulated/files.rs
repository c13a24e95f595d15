//! Files in memory that fail on demand.
//!
//! A file's content is shared between its name and the handles that are open on it, as an inode is: removing or
//! replacing a name leaves open handles as they are. Relative paths lie below `/`.
//!
//! Faults stay until they are taken back; each says below what it does.
//!
//! What was written is readable at once, but durable only when synced. [`MemoryFiles::go_down_after`] and
//! [`MemoryFiles::go_down_at`] end the machine: everything fails until [`MemoryFiles::restart`], which draws from a seed
//! what the disk has: all that was synced, and of the rest any part in any order (`crash`).

mod crash;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use state::State;

use super::ManualClock;
use crate::{Clock, FailPoints, FileKind, Files, Metadata, ReadFile, WriteFile};

/// See the module.
pub struct MemoryFiles {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<ManualClock>,
    state: Mutex<State>,
}

/// An open file: where it stands, and its content by identity.
struct Handle {
    shared: Arc<Shared>,
    path: PathBuf,
    identity: u64,
    position: u64,
    /// How often the machine had gone down when it was opened: it means nothing after the next time.
    boot: u64,
}

impl MemoryFiles {
    /// No files yet; `clock` says when one was modified.
    pub fn new(clock: Arc<ManualClock>) -> Self {
        MemoryFiles { shared: Arc::new(Shared { clock, state: Mutex::new(State::new()) }) }
    }

    /// Puts a file there, replacing one that is there by another; folders come by themselves. It is durable.
    pub fn write(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = absolute(path.as_ref());
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        state.make_folders(path.parent());
        let identity = state.link(path, now);
        state.inode(identity).write(0, bytes, now);
        state.settle(identity);
    }

    /// Adds to a file as another process would; creates it when it is not there. It is durable.
    pub fn extend(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = absolute(path.as_ref());
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        let identity = match state.names.get(&path) {
            Some(identity) => *identity,
            None => {
                state.make_folders(path.parent());
                state.link(path, now)
            }
        };
        let inode = state.inode(identity);
        inode.write(inode.bytes.len(), bytes, now);
        state.settle(identity);
    }

    /// Cuts a file short as another process would. It is durable.
    pub fn truncate(&self, path: impl AsRef<Path>, len: usize) {
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        if let Some(identity) = state.names.get(&absolute(path.as_ref())).copied() {
            state.inode(identity).truncate(len, now);
            state.settle(identity);
        }
    }

    /// Turns one bit of a file, as a failing disk would. It is durable.
    pub fn flip_bit(&self, path: impl AsRef<Path>, at: usize, bit: u32) {
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        if let Some(identity) = state.names.get(&absolute(path.as_ref())).copied() {
            let inode = state.inode(identity);
            if let Some(byte) = inode.bytes.get(at).copied() {
                inode.write(at, &[byte ^ (1 << (bit % 8))], now);
                state.settle(identity);
            }
        }
    }

    /// The content of a file.
    pub fn read(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.shared.lock();
        let identity = state.names.get(&absolute(path.as_ref()))?;
        state.inodes.get(identity).map(|inode| inode.bytes.clone())
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.shared.lock().names.keys().cloned().collect()
    }

    /// Opening, creating or looking at `path` fails like this: not found, permission denied, …
    pub fn fail_open(&self, path: impl AsRef<Path>, kind: ErrorKind) {
        self.shared.lock().faults.open.insert(absolute(path.as_ref()), kind);
    }
    /// Reading byte `at` of `path` fails like this; bytes before it can be read.
    pub fn fail_read_at(&self, path: impl AsRef<Path>, at: u64, kind: ErrorKind) {
        self.shared.lock().faults.read.insert(absolute(path.as_ref()), (at, kind));
    }
    /// No read returns more than this many bytes.
    pub fn set_read_bytes_max(&self, bytes: Option<usize>) {
        self.shared.lock().faults.read_bytes_max = bytes;
    }
    /// The disk holds this many bytes in all; a write beyond fails with [`ErrorKind::StorageFull`] after what fits.
    pub fn set_disk_bytes_max(&self, bytes: Option<u64>) {
        self.shared.lock().faults.disk_bytes_max = bytes;
    }
    /// Every sync fails like this, and takes what it should have written for written.
    pub fn fail_sync(&self, kind: ErrorKind) {
        self.shared.lock().faults.sync = Some(kind);
    }
    /// Syncs work again; what failed ones gave up stays so.
    pub fn heal_sync(&self) {
        self.shared.lock().faults.sync = None;
    }
    /// The machine goes down at the change to a file or folder after the next `changes` ones; a write is done in part.
    pub fn go_down_after(&self, changes: u64) {
        self.shared.lock().faults.changes_left = Some(changes);
    }
    /// The machine goes down when the named place is reached for the `time`-th time from now (from 1).
    pub fn go_down_at(&self, name: &'static str, time: u64) {
        self.shared.lock().faults.points.insert(name, time);
    }
    /// Whether the machine is down.
    pub fn is_down(&self) -> bool {
        self.shared.lock().down
    }
    /// How often each named place was reached since the files were made.
    pub fn points_reached(&self) -> BTreeMap<&'static str, u64> {
        self.shared.lock().points_reached.clone()
    }
    /// The power comes back, or it fails and comes back when the machine is not down: what was not durable is there in
    /// a part that `seed` decides. Handles from before are dead, faults are taken back.
    pub fn restart(&self, seed: u64) {
        self.shared.lock().restart(seed);
    }
    /// Takes all faults back.
    pub fn heal(&self) {
        self.shared.lock().faults = state::Faults::default();
    }

    fn handle(&self, path: PathBuf, identity: u64, state: &mut State) -> Handle {
        state.inode(identity).handles += 1;
        Handle { shared: Arc::clone(&self.shared), path, identity, position: 0, boot: state.boot }
    }
}

impl FailPoints for MemoryFiles {
    fn reached(&self, name: &'static str) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.check_up()?;
        *state.points_reached.entry(name).or_default() += 1;
        if let Some(left) = state.faults.points.get_mut(name) {
            *left -= 1;
            if *left == 0 {
                state.faults.points.remove(name);
                state.down = true;
            }
        }
        state.check_up()
    }
    fn is_armed(&self, name: &'static str) -> bool {
        self.shared.lock().faults.points.contains_key(name)
    }
}

impl Files for MemoryFiles {
    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let path = absolute(path);
        let state = self.shared.lock();
        state.check_open(&path)?;
        if state.folders.contains(&path) {
            return Ok(Metadata { kind: FileKind::Folder, len: 0, modified_ms: 0, identity: 0 });
        }
        let identity = *state.names.get(&path).ok_or(ErrorKind::NotFound)?;
        state.metadata(identity)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let folder = absolute(path);
        let state = self.shared.lock();
        state.check_open(&folder)?;
        if !state.folders.contains(&folder) {
            let kind = if state.names.contains_key(&folder) { ErrorKind::NotADirectory } else { ErrorKind::NotFound };
            return Err(kind.into());
        }
        let all = state.names.keys().chain(&state.folders);
        let inside: BTreeSet<PathBuf> =
            all.filter(|p| p.parent() == Some(&folder)).filter_map(|p| p.file_name().map(|n| path.join(n))).collect();
        Ok(inside.into_iter().collect())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let path = absolute(path);
        let mut state = self.shared.lock();
        state.check_open(&path)?;
        if state.folders.contains(&path) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let identity = *state.names.get(&path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(self.handle(path, identity, &mut state)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let path = absolute(path);
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        state.change()?;
        state.check_create(&path)?;
        let identity = match state.names.get(&path) {
            Some(identity) => *identity,
            None => state.link(path.clone(), now),
        };
        state.inode(identity).truncate(0, now);
        Ok(Box::new(self.handle(path, identity, &mut state)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let path = absolute(path);
        let now = self.shared.clock.wall_ms();
        let mut state = self.shared.lock();
        state.change()?;
        state.check_create(&path)?;
        let identity = match state.names.get(&path) {
            Some(identity) => *identity,
            None => state.link(path.clone(), now),
        };
        Ok(Box::new(self.handle(path, identity, &mut state)))
    }

    fn modify(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let path = absolute(path);
        let mut state = self.shared.lock();
        state.check_open(&path)?;
        if state.folders.contains(&path) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let identity = *state.names.get(&path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(self.handle(path, identity, &mut state)))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let path = absolute(path);
        let mut state = self.shared.lock();
        state.change()?;
        state.check_open(&path)?;
        if path.ancestors().any(|p| state.names.contains_key(p)) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.make_folders(Some(&path));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (absolute(from), absolute(to));
        let mut state = self.shared.lock();
        state.change()?;
        state.check_create(&to)?;
        state.rename(&from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let path = absolute(path);
        let mut state = self.shared.lock();
        state.change()?;
        if !state.names.contains_key(&path) {
            return Err(ErrorKind::NotFound.into());
        }
        state.unlink(&path);
        Ok(())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let folder = absolute(path);
        let mut state = self.shared.lock();
        if !state.folders.contains(&folder) {
            return Err(ErrorKind::NotFound.into());
        }
        let inside: Vec<PathBuf> = state.names.keys().filter(|p| p.starts_with(&folder)).cloned().collect();
        for file in inside {
            state.change()?;
            state.unlink(&file);
        }
        state.change()?;
        state.remove_folders(&folder);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.change()?;
        state.sync_folder(&absolute(path))
    }

    fn temp_root(&self) -> PathBuf {
        PathBuf::from("/tmp")
    }
}

impl Shared {
    /// The state is valid between any two statements, so a panic of another thread does no harm to it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle {
    fn read_from(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let state = self.lock()?;
        let Some(inode) = state.inodes.get(&self.identity) else { return Ok(0) };
        let rest = inode.bytes.get(position as usize..).unwrap_or_default();
        let mut n = buffer.len().min(rest.len()).min(state.faults.read_bytes_max.unwrap_or(usize::MAX));
        if let Some((at, kind)) = state.faults.read.get(&self.path) {
            if n > 0 && position >= *at {
                return Err((*kind).into());
            }
            n = n.min(at.saturating_sub(position) as usize);
        }
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    /// Writes at byte `at`, or at the end.
    fn write_to(&self, bytes: &[u8], at: Option<u64>) -> io::Result<usize> {
        let now = self.shared.clock.wall_ms();
        let mut state = self.lock()?;
        let down = state.change();
        let at = at.unwrap_or(state.inode(self.identity).bytes.len() as u64) as usize;
        if down.is_err() {
            // the power went while the bytes were on their way
            state.inode(self.identity).write(at, &bytes[..bytes.len() / 2], now);
            return down.map(|()| 0);
        }
        let inside = state.inode(self.identity).bytes.len().saturating_sub(at);
        let n = state.room_bytes().saturating_add(inside).min(bytes.len());
        if n == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        state.inode(self.identity).write(at, &bytes[..n], now);
        Ok(n)
    }

    /// The state, if the machine is still the one on which the file was opened.
    fn lock(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.shared.lock();
        state.check_up()?;
        if state.boot == self.boot { Ok(state) } else { Err(state::down()) }
    }
}

impl Read for Handle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.read_from(buffer, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Handle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.shared.lock().metadata(self.identity)?.len;
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => len.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl ReadFile for Handle {
    fn metadata(&self) -> io::Result<Metadata> {
        self.lock()?.metadata(self.identity)
    }
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.read_from(buffer, at)
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_to(bytes, None)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteFile for Handle {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.lock()?;
        state.change()?;
        state.sync(self.identity)
    }
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        self.write_to(bytes, Some(at))
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        let now = self.shared.clock.wall_ms();
        let mut state = self.lock()?;
        state.change()?;
        state.inode(self.identity).truncate(len as usize, now);
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.boot == self.boot {
            state.inode(self.identity).handles -= 1;
            state.release(self.identity);
        }
    }
}

/// The path below `/`, with `.` and `..` resolved.
fn absolute(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::SimulatedWorld;

    fn read_all(files: &MemoryFiles, path: &str) -> (Vec<u8>, Option<ErrorKind>) {
        let mut bytes = vec![];
        let error = match files.open(Path::new(path)) {
            Ok(mut file) => file.read_to_end(&mut bytes).err(),
            Err(error) => Some(error),
        };
        (bytes, error.map(|e| e.kind()))
    }

    #[test]
    fn faults_come_and_go() {
        let world = SimulatedWorld::new(0);
        let files = world.files();
        files.write("/a", b"0123456789");
        files.set_read_bytes_max(Some(3));
        assert_eq!(read_all(files, "/a"), (b"0123456789".to_vec(), None));
        files.fail_read_at("/a", 5, ErrorKind::TimedOut);
        assert_eq!(read_all(files, "/a"), (b"01234".to_vec(), Some(ErrorKind::TimedOut)));
        files.fail_open("/a", ErrorKind::PermissionDenied);
        assert_eq!(read_all(files, "/a").1, Some(ErrorKind::PermissionDenied));
        files.heal();
        assert_eq!(read_all(files, "/a").1, None);
        assert_eq!(read_all(files, "/b").1, Some(ErrorKind::NotFound));
    }

    #[test]
    fn an_open_file_outlives_its_name() {
        let world = SimulatedWorld::new(0);
        let files = world.files();
        files.write("/a", b"old");
        let before = files.metadata(Path::new("/a")).unwrap();
        let mut open = files.open(Path::new("/a")).unwrap();
        files.write("/a", b"new!");
        world.clock().advance(Duration::from_millis(9));
        files.extend("/a", b"!");
        let after = files.metadata(Path::new("a")).unwrap();
        assert_ne!(before.identity, after.identity);
        assert_eq!((after.len, after.modified_ms), (5, before.modified_ms + 9));
        let mut text = String::new();
        open.read_to_string(&mut text).unwrap();
        assert_eq!(text, "old");
        drop(open);
        assert_eq!(files.shared.lock().used_bytes(), 5);
    }

    #[test]
    fn folders_are_as_on_a_disk() {
        let world = SimulatedWorld::new(0);
        let files = world.files();
        assert_eq!(files.create(Path::new("/d/a")).err().map(|e| e.kind()), Some(ErrorKind::NotFound));
        files.create_folder(Path::new("/d/e")).unwrap();
        files.create(Path::new("/d/a")).unwrap().write_all(b"x").unwrap();
        assert_eq!(files.list(Path::new("/d")).unwrap(), [PathBuf::from("/d/a"), PathBuf::from("/d/e")]);
        assert_eq!(files.create_folder(Path::new("/d/a/b")).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(files.open(Path::new("/d")).err().map(|e| e.kind()), Some(ErrorKind::IsADirectory));
        files.remove_folder(Path::new("/d")).unwrap();
        assert!(files.paths().is_empty());
        assert!(files.metadata(Path::new("/d/e")).is_err());
    }
}
