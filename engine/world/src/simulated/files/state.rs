//! What the files in memory are: names, contents, and which part of both is durable.
//!
//! Of each there are two versions, the one that programs see and the one on the disk. A content's unsynced bytes are
//! kept as ranges; the changes of names that no sync of their folder has covered are kept in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::{FileKind, Metadata};

pub(super) struct State {
    pub(super) names: BTreeMap<PathBuf, u64>,
    pub(super) folders: BTreeSet<PathBuf>,
    pub(super) inodes: BTreeMap<u64, Inode>,
    next_identity: u64,
    pub(super) faults: Faults,
    pub(super) disk: Disk,
    pub(super) down: bool,
    /// How often the machine has restarted.
    pub(super) boot: u64,
    pub(super) points_reached: BTreeMap<&'static str, u64>,
}

/// The names that survive, and those that may.
pub(super) struct Disk {
    pub(super) names: BTreeMap<PathBuf, u64>,
    pub(super) folders: BTreeSet<PathBuf>,
    pub(super) pending: Vec<NameChange>,
}

/// One change of names, which survives as a whole or not.
pub(super) struct NameChange {
    /// Whose sync makes it durable.
    pub(super) folder: PathBuf,
    pub(super) files: Vec<(PathBuf, Option<u64>)>,
    /// A folder that comes (`true`) or goes.
    pub(super) made: Option<(PathBuf, bool)>,
}

#[derive(Default)]
pub(super) struct Inode {
    pub(super) bytes: Vec<u8>,
    pub(super) modified_ms: i64,
    pub(super) handles: usize,
    pub(super) durable: Vec<u8>,
    /// Written since the last sync, in order of writing, neighbours merged.
    pub(super) dirty: Vec<Range<usize>>,
    /// How many names on the disk, or changes that may get there, mean it.
    promised: usize,
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) open: BTreeMap<PathBuf, ErrorKind>,
    pub(super) read: BTreeMap<PathBuf, (u64, ErrorKind)>,
    pub(super) read_bytes_max: Option<usize>,
    pub(super) disk_bytes_max: Option<u64>,
    pub(super) sync: Option<ErrorKind>,
    /// The machine goes down at the change after so many.
    pub(super) changes_left: Option<u64>,
    pub(super) points: BTreeMap<&'static str, u64>,
}

/// What everything answers when there is no power.
pub(super) fn down() -> io::Error {
    io::Error::other("the simulated machine is down")
}

impl Inode {
    pub(super) fn write(&mut self, at: usize, bytes: &[u8], now_ms: i64) {
        let end = at + bytes.len();
        let from = at.min(self.bytes.len());
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
        self.modified_ms = now_ms;
        match self.dirty.last_mut() {
            Some(last) if last.end == from => last.end = end,
            _ if from < end => self.dirty.push(from..end),
            _ => {}
        }
    }

    pub(super) fn truncate(&mut self, len: usize, now_ms: i64) {
        if len > self.bytes.len() {
            return self.write(len, &[], now_ms);
        }
        self.bytes.truncate(len);
        self.modified_ms = now_ms;
        self.dirty.retain(|range| range.start < len);
        self.dirty.iter_mut().for_each(|range| range.end = range.end.min(len));
    }

    /// The disk has the length and what was written since the last sync; what an earlier, failed one gave up is missing.
    fn sync(&mut self) {
        self.durable.resize(self.bytes.len(), 0);
        for range in self.dirty.drain(..) {
            self.durable[range.clone()].copy_from_slice(&self.bytes[range]);
        }
    }
}

impl State {
    pub(super) fn new() -> Self {
        let folders = BTreeSet::from([PathBuf::from("/")]);
        let disk = Disk { names: BTreeMap::new(), folders: folders.clone(), pending: vec![] };
        State {
            names: BTreeMap::new(),
            folders,
            inodes: BTreeMap::new(),
            next_identity: 0,
            faults: Faults::default(),
            disk,
            down: false,
            boot: 0,
            points_reached: BTreeMap::new(),
        }
    }

    pub(super) fn check_up(&self) -> io::Result<()> {
        if self.down { Err(down()) } else { Ok(()) }
    }

    /// One more change to the disk; the power may go with it.
    pub(super) fn change(&mut self) -> io::Result<()> {
        self.check_up()?;
        match &mut self.faults.changes_left {
            Some(0) => self.down = true,
            Some(left) => *left -= 1,
            None => {}
        }
        self.check_up()
    }

    pub(super) fn check_open(&self, path: &Path) -> io::Result<()> {
        self.check_up()?;
        self.faults.open.get(path).map_or(Ok(()), |kind| Err((*kind).into()))
    }

    pub(super) fn check_create(&self, path: &Path) -> io::Result<()> {
        self.check_open(path)?;
        if self.folders.contains(path) {
            return Err(ErrorKind::IsADirectory.into());
        }
        match path.parent() {
            Some(parent) if self.folders.contains(parent) => Ok(()),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn make_folders(&mut self, path: Option<&Path>) {
        let missing: Vec<PathBuf> = path
            .into_iter()
            .flat_map(Path::ancestors)
            .filter(|p| !self.folders.contains(*p))
            .map(Path::to_owned)
            .collect();
        for folder in missing.into_iter().rev() {
            self.folders.insert(folder.clone());
            self.note(parent(&folder), vec![], Some((folder, true)));
        }
    }

    pub(super) fn remove_folders(&mut self, path: &Path) {
        let gone: Vec<PathBuf> = self.folders.iter().filter(|p| p.starts_with(path)).cloned().collect();
        for folder in gone.into_iter().rev().filter(|p| p != Path::new("/")) {
            self.folders.remove(&folder);
            self.note(parent(&folder), vec![], Some((folder, false)));
        }
    }

    /// Gives the name to a new, empty file.
    pub(super) fn link(&mut self, path: PathBuf, now_ms: i64) -> u64 {
        self.next_identity += 1;
        let identity = self.next_identity;
        self.inodes.insert(identity, Inode { modified_ms: now_ms, ..Inode::default() });
        let before = self.names.insert(path.clone(), identity);
        self.note(parent(&path), vec![(path, Some(identity))], None);
        before.into_iter().for_each(|identity| self.release(identity));
        identity
    }

    pub(super) fn unlink(&mut self, path: &Path) {
        if let Some(identity) = self.names.remove(path) {
            self.note(parent(path), vec![(path.to_owned(), None)], None);
            self.release(identity);
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: PathBuf) -> io::Result<()> {
        let identity = self.names.remove(from).ok_or(ErrorKind::NotFound)?;
        let before = self.names.insert(to.clone(), identity);
        self.note(parent(&to), vec![(from.to_owned(), None), (to, Some(identity))], None);
        before.into_iter().for_each(|identity| self.release(identity));
        Ok(())
    }

    fn note(&mut self, folder: PathBuf, files: Vec<(PathBuf, Option<u64>)>, made: Option<(PathBuf, bool)>) {
        for identity in files.iter().filter_map(|(_, identity)| *identity) {
            self.inode(identity).promised += 1;
        }
        self.disk.pending.push(NameChange { folder, files, made });
    }

    /// Brings a change of names to the disk.
    pub(super) fn apply(&mut self, change: NameChange) {
        for (path, identity) in change.files {
            // the promise of the change becomes that of the name
            let before = match identity {
                Some(identity) => self.disk.names.insert(path, identity),
                None => self.disk.names.remove(&path),
            };
            before.into_iter().for_each(|identity| self.unpromise(identity));
        }
        match change.made {
            Some((folder, true)) => {
                self.disk.folders.insert(folder);
            }
            Some((folder, false)) => {
                self.disk.folders.remove(&folder);
            }
            None => {}
        }
    }

    pub(super) fn unpromise(&mut self, identity: u64) {
        self.inode(identity).promised -= 1;
        self.release(identity);
    }

    /// Frees content that has neither a name, nor a handle, nor a chance to come back.
    pub(super) fn release(&mut self, identity: u64) {
        let free = self.inodes.get(&identity).is_some_and(|inode| inode.handles == 0 && inode.promised == 0);
        if free && !self.names.values().any(|i| *i == identity) {
            self.inodes.remove(&identity);
        }
    }

    pub(super) fn inode(&mut self, identity: u64) -> &mut Inode {
        self.inodes.entry(identity).or_default()
    }

    pub(super) fn metadata(&self, identity: u64) -> io::Result<Metadata> {
        let inode = self.inodes.get(&identity).ok_or(ErrorKind::NotFound)?;
        let len = inode.bytes.len() as u64;
        Ok(Metadata { kind: FileKind::File, len, modified_ms: inode.modified_ms, identity })
    }

    /// Bytes that may still be added to the disk.
    pub(super) fn room_bytes(&self) -> usize {
        let room = self.faults.disk_bytes_max.map(|max| max.saturating_sub(self.used_bytes()));
        room.and_then(|room| usize::try_from(room).ok()).unwrap_or(usize::MAX)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        let used = self.inodes.iter().filter(|(identity, inode)| inode.handles > 0 || named.contains(identity));
        used.map(|(_, inode)| inode.bytes.len() as u64).sum()
    }

    pub(super) fn sync(&mut self, identity: u64) -> io::Result<()> {
        let fault = self.faults.sync;
        let inode = self.inode(identity);
        if let Some(kind) = fault {
            inode.dirty.clear();
            return Err(kind.into());
        }
        inode.sync();
        Ok(())
    }

    pub(super) fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        if let Some(kind) = self.faults.sync {
            return Err(kind.into());
        }
        let pending = std::mem::take(&mut self.disk.pending);
        let (now, later) = pending.into_iter().partition(|change| change.folder == folder);
        self.disk.pending = later;
        Vec::into_iter(now).for_each(|change| self.apply(change));
        Ok(())
    }

    /// What the test itself puts there is durable, its name and its folders too.
    pub(super) fn settle(&mut self, identity: u64) {
        self.inode(identity).sync();
        let pending = std::mem::take(&mut self.disk.pending);
        let folders: BTreeSet<PathBuf> = self
            .names
            .iter()
            .filter(|(_, i)| **i == identity)
            .flat_map(|(path, _)| path.ancestors().map(Path::to_owned))
            .collect();
        let settles = |change: &NameChange| {
            change.files.iter().any(|(path, _)| folders.contains(path))
                || change.made.as_ref().is_some_and(|(folder, _)| folders.contains(folder))
        };
        let (now, later) = pending.into_iter().partition(settles);
        self.disk.pending = later;
        Vec::into_iter(now).for_each(|change| self.apply(change));
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}
