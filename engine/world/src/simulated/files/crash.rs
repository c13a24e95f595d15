//! What a disk has after the power failed.
//!
//! Contents: everything that was synced. Of what was written since, each sector is there or not, whatever its place in
//! the order of writing; the length is the old one, the new one or one between; a sector that is not there within the
//! length is what it was before, or zero. Names: everything that was synced. Of the changes since, each is there or
//! not, a rename as a whole; half of the time they are there up to some point, as a journal would have it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::state::{Inode, State};
use crate::{Entropy, SeededEntropy};

/// Bytes that a disk writes at once or not at all; small ones tear small files.
const SECTOR_BYTES: [usize; 4] = [16, 64, 512, 4096];

impl State {
    /// See [`super::MemoryFiles::restart`].
    pub(super) fn restart(&mut self, seed: u64) {
        let draw = Draw(SeededEntropy::new(seed));
        self.recover_names(&draw);
        let sector_bytes = SECTOR_BYTES[draw.below(SECTOR_BYTES.len())];
        // none, few, half, most or all of the sectors that were under way have arrived
        let arrive = draw.below(5);
        let kept: BTreeSet<u64> = self.names.values().copied().collect();
        self.inodes.retain(|identity, _| kept.contains(identity));
        for inode in self.inodes.values_mut() {
            inode.recover(&draw, sector_bytes, arrive);
        }
        self.faults = super::state::Faults::default();
        self.down = false;
        self.boot += 1;
    }

    fn recover_names(&mut self, draw: &Draw) {
        let pending = std::mem::take(&mut self.disk.pending);
        let journalled = draw.below(2) == 0;
        let until = draw.below(pending.len() + 1);
        for (n, change) in pending.into_iter().enumerate() {
            let arrives = if journalled { n < until } else { draw.below(2) == 0 };
            if arrives {
                self.apply(change);
            } else {
                change.files.iter().filter_map(|(_, identity)| *identity).for_each(|i| self.unpromise(i));
            }
        }
        let folders = std::mem::take(&mut self.disk.folders);
        let whole = |path: &Path| path.ancestors().all(|p| folders.contains(p));
        self.folders = folders.iter().filter(|p| whole(p)).cloned().collect();
        let lost: Vec<(PathBuf, u64)> =
            self.disk.names.extract_if(.., |path, _| !path.parent().is_some_and(whole)).collect();
        lost.into_iter().for_each(|(_, identity)| self.unpromise(identity));
        self.disk.folders = self.folders.clone();
        self.names = self.disk.names.clone();
    }
}

impl Inode {
    fn recover(&mut self, draw: &Draw, sector_bytes: usize, arrive: usize) {
        let (short, long) = (self.durable.len().min(self.bytes.len()), self.durable.len().max(self.bytes.len()));
        let len = match draw.below(3) {
            0 => self.durable.len(),
            1 => self.bytes.len(),
            _ => short + draw.below(long - short + 1),
        };
        let mut found = std::mem::take(&mut self.durable);
        found.resize(len, 0);
        for range in self.dirty.drain(..) {
            let mut at = range.start;
            while at < range.end.min(len) {
                let end = (at / sector_bytes + 1) * sector_bytes;
                let end = end.min(range.end).min(len);
                if draw.below(4) < arrive {
                    found[at..end].copy_from_slice(&self.bytes[at..end]);
                }
                at = end;
            }
        }
        self.bytes.clone_from(&found);
        self.durable = found;
        self.handles = 0;
    }
}

struct Draw(SeededEntropy);

impl Draw {
    /// A number below `n`, which is not 0.
    fn below(&self, n: usize) -> usize {
        // a seeded source never fails
        self.0.random_u64().map_or(0, |bits| (bits % n as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::{Files, SimulatedWorld};

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let mut found = BTreeSet::new();
        for seed in 0..200 {
            let world = SimulatedWorld::new(0);
            let files = world.files();
            files.create_folder(Path::new("/d")).unwrap();
            files.sync_folder(Path::new("/")).unwrap();
            let file = files.create(Path::new("/d/a")).unwrap();
            file.write_all_at(b"synced", 0).unwrap();
            file.sync().unwrap();
            files.sync_folder(Path::new("/d")).unwrap();
            file.write_all_at(&[b'x'; 40], 6).unwrap();
            files.create(Path::new("/d/b")).unwrap();
            files.restart(seed);
            assert!(file.sync().is_err(), "a handle from before the crash works");
            let bytes = files.read("/d/a").unwrap();
            assert_eq!(&bytes[..6], b"synced");
            assert!(bytes[6..].iter().all(|b| [0, b'x'].contains(b)));
            found.insert((bytes, files.read("/d/b").is_some()));
        }
        let whole = [b"synced".as_slice(), &[b'x'; 40]].concat();
        let torn = found.iter().any(|(bytes, _)| bytes.len() == 46 && bytes.ends_with(b"x") && *bytes != whole);
        let lost = found.contains(&(b"synced".to_vec(), false));
        assert!(lost && found.contains(&(whole, true)) && torn, "{} cases", found.len());
    }

    #[test]
    fn a_name_without_a_sync_may_go_or_come_back() {
        let mut found = BTreeSet::new();
        for seed in 0..50 {
            let world = SimulatedWorld::new(0);
            let files = world.files();
            files.write("/d/old", b"old");
            files.write("/d/removed", b"removed");
            files.create(Path::new("/d/new")).unwrap();
            files.rename(Path::new("/d/new"), Path::new("/d/old")).unwrap();
            files.remove(Path::new("/d/removed")).unwrap();
            files.restart(seed);
            let new = files.read("/d/old").unwrap().is_empty();
            found.insert((new, files.read("/d/removed"), files.read("/d/new").is_some()));
        }
        let removed = || Some(b"removed".to_vec());
        for want in [(false, removed(), false), (true, removed(), false), (true, None, false), (false, None, true)] {
            assert!(found.contains(&want), "{want:?} in {found:?}");
        }
        // the rename is whole: the file has one name
        assert!(!found.iter().any(|(new, _, beside)| *new && *beside));
    }

    #[test]
    fn a_failed_sync_gives_up_what_it_should_have_written() {
        let world = SimulatedWorld::new(0);
        let files = world.files();
        files.write("/a", b"");
        let file = files.modify(Path::new("/a")).unwrap();
        file.write_all_at(b"first", 0).unwrap();
        files.fail_sync(std::io::ErrorKind::Other);
        assert!(file.sync().is_err());
        files.heal();
        file.write_all_at(b"second", 5).unwrap();
        file.sync().unwrap();
        assert_eq!(files.read("/a").unwrap(), b"firstsecond");
        files.restart(1);
        assert_eq!(files.read("/a").unwrap(), b"\0\0\0\0\0second");
    }

    #[test]
    fn the_machine_goes_down_in_the_middle_of_a_write() {
        let world = SimulatedWorld::new(0);
        let files = world.files();
        files.write("/a", b"");
        let file = files.modify(Path::new("/a")).unwrap();
        files.go_down_after(1);
        file.write_all_at(b"one", 0).unwrap();
        assert!(file.write_all_at(b"four", 3).is_err());
        assert!(files.is_down() && file.sync().is_err() && files.metadata(Path::new("/a")).is_err());
        assert_eq!(files.read("/a").unwrap(), b"onefo");
        files.restart(0);
        files.go_down_at("here", 2);
        assert!(world.world().is_armed("here"));
        world.world().fail_point("here").unwrap();
        assert!(world.world().fail_point("here").is_err());
        assert!(files.is_down());
        assert_eq!(files.points_reached().get("here"), Some(&2));
    }
}
