//! The topics of a data directory: create, find, list, delete.
//!
//! ```text
//! <root>/ratings-9f3c52e07ab1d864/topic     name, partitions, retention; a folder without it is not a topic
//!                                 0/ 1/ …   one log each
//! ```
//!
//! A folder's name is safe on any file system whatever the topic is called: the topic's name in lower case, shortened,
//! and its id, which is random and never comes again. So a topic that is deleted and created anew is another one, and
//! what refers to the first finds nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_world::{FileKind, Files, World};

use crate::error::{AtPath, Damage, InvalidName, TopicError};
use crate::log::write_atomically;
use crate::options::{LogOptions, PARTITIONS_MAX, Retention};
use crate::topic::{Topic, TopicConfig};

const FILE: &str = "topic";
const MAGIC: [u8; 4] = *b"MRT1";
/// Characters, as Kafka has it.
const NAME_CHARS_MAX: usize = 249;
/// Characters of the name that a folder shows.
const READABLE_CHARS: usize = 64;

/// All topics below one folder; clones are handles to the same.
#[derive(Clone)]
pub struct Topics {
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    root: PathBuf,
    options: LogOptions,
    topics: Mutex<BTreeMap<String, Topic>>,
}

impl Topics {
    /// Opens the topics below `root`, which is created if it is not there; removes what a crash left of topics that were
    /// being created or deleted. Logs are opened when they are first used.
    ///
    /// # Errors
    /// If the folder cannot be read or written, or the file that describes a topic is damaged.
    pub fn open(world: &World, root: &Path, options: LogOptions) -> Result<Self, TopicError> {
        create_folder_durably(world.files().as_ref(), root).at(root)?;
        let mut topics = BTreeMap::new();
        for folder in world.files().list(root).at(root)? {
            if !is_ours(&folder) || world.files().metadata(&folder).at(&folder)?.kind != FileKind::Folder {
                continue;
            }
            let path = folder.join(FILE);
            match world.files().read_whole(&path) {
                Ok(bytes) => {
                    let (id, name, config) = decode(&bytes).map_err(|what| TopicError::Corrupt {
                        path: path.clone(),
                        position: 0,
                        offset: 0,
                        what,
                    })?;
                    topics.insert(name.clone(), Topic::new(world, folder, id, name, config, options));
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    world.files().remove_folder(&folder).at(&folder)?;
                }
                Err(e) => return Err(e).at(&path),
            }
        }
        let (world, root, topics) = (world.clone(), root.to_owned(), Mutex::new(topics));
        Ok(Topics { shared: Arc::new(Shared { world, root, options, topics }) })
    }

    /// Makes a topic; it is there for good when this returns.
    ///
    /// # Errors
    /// [`TopicError::TopicExists`], [`TopicError::InvalidName`], [`TopicError::PartitionCount`], or if the disk fails.
    pub fn create(&self, name: &str, config: TopicConfig) -> Result<Topic, TopicError> {
        check_name(name).map_err(|why| TopicError::InvalidName { name: name.to_owned(), why })?;
        if !(1..=PARTITIONS_MAX).contains(&config.partitions) {
            return Err(TopicError::PartitionCount(config.partitions));
        }
        let Shared { world, root, options, .. } = &*self.shared;
        let mut topics = self.lock();
        if topics.contains_key(name) {
            return Err(TopicError::TopicExists(name.to_owned()));
        }
        let id = loop {
            let id = world.entropy().random_u64().at(root)?;
            if topics.values().all(|topic| topic.id() != id) {
                break id;
            }
        };
        let folder = root.join(folder_name(name, id));
        world.fail_point("topics.before-create").at(&folder)?;
        for partition in 0..config.partitions {
            let path = folder.join(partition.to_string());
            world.files().create_folder(&path).at(&path)?;
        }
        world.files().sync_folder(&folder).at(&folder)?;
        write_atomically(world.files(), &folder.join(FILE), &encode(id, name, &config))?;
        world.files().sync_folder(root).at(root)?;
        let topic = Topic::new(world, folder, id, name.to_owned(), config, *options);
        topics.insert(name.to_owned(), topic.clone());
        Ok(topic)
    }

    /// The topic of this name.
    ///
    /// # Errors
    /// [`TopicError::UnknownTopic`].
    pub fn topic(&self, name: &str) -> Result<Topic, TopicError> {
        self.lock().get(name).cloned().ok_or_else(|| TopicError::UnknownTopic(name.to_owned()))
    }

    /// All topics, in order of names.
    pub fn list(&self) -> Vec<Topic> {
        self.lock().values().cloned().collect()
    }

    /// Changes how long a topic's records are kept.
    ///
    /// # Errors
    /// [`TopicError::UnknownTopic`], or if the disk fails.
    pub fn set_retention(&self, name: &str, retention: Retention) -> Result<(), TopicError> {
        let topic = self.topic(name)?;
        let config = TopicConfig { retention, ..topic.config() };
        let path = topic.folder().join(FILE);
        write_atomically(self.shared.world.files(), &path, &encode(topic.id(), name, &config))?;
        topic.set_config(config);
        Ok(())
    }

    /// Deletes a topic with its records. Readers and appenders of it get [`TopicError::Deleted`].
    ///
    /// # Errors
    /// [`TopicError::UnknownTopic`], or if the disk fails; the topic is gone then too, at the latest after a restart.
    pub fn delete(&self, name: &str) -> Result<(), TopicError> {
        let Shared { world, root, .. } = &*self.shared;
        let mut topics = self.lock();
        let topic = topics.get(name).cloned().ok_or_else(|| TopicError::UnknownTopic(name.to_owned()))?;
        let path = topic.folder().join(FILE);
        world.fail_point("topics.before-delete").at(&path)?;
        world.files().remove(&path).at(&path)?;
        topics.remove(name);
        topic.delete();
        world.files().sync_folder(topic.folder()).at(topic.folder())?;
        world.fail_point("topics.mid-delete").at(&path)?;
        world.files().remove_folder(topic.folder()).at(topic.folder())?;
        world.files().sync_folder(root).at(root)
    }

    /// Removes from all topics what their retention allows to remove now; the bytes that went from the disk. To be called
    /// from time to time. An error in one topic does not keep the others from it.
    ///
    /// # Errors
    /// The first that happened.
    pub fn retain(&self) -> Result<u64, TopicError> {
        let now_ms = self.shared.world.clock().wall_ms();
        let (mut bytes, mut failed) = (0, Ok(()));
        for topic in self.list() {
            match topic.retain(now_ms) {
                Ok(gone) => bytes += gone,
                // deleted by somebody else meanwhile
                Err(TopicError::Deleted(_)) => {}
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed.map(|()| bytes)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Topic>> {
        self.shared.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topics").field("root", &self.shared.root).finish_non_exhaustive()
    }
}

/// Creates a folder and those above it, each durable in the one above it.
pub(crate) fn create_folder_durably(files: &dyn Files, path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|p| !p.as_os_str().is_empty() && files.metadata(p).is_err()).collect();
    files.create_folder(path)?;
    for folder in missing.into_iter().rev() {
        let above = folder.parent().filter(|p| !p.as_os_str().is_empty());
        files.sync_folder(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Kafka's rules.
fn check_name(name: &str) -> Result<(), InvalidName> {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(c);
    match name {
        "" => Err(InvalidName::Empty),
        "." | ".." => Err(InvalidName::Dots),
        _ if name.chars().count() > NAME_CHARS_MAX => Err(InvalidName::TooLong),
        _ => name.chars().find(|c| !is_allowed(c)).map_or(Ok(()), |c| Err(InvalidName::Character(c))),
    }
}

fn folder_name(name: &str, id: u64) -> String {
    let readable = name.chars().take(READABLE_CHARS).map(|c| match c.to_ascii_lowercase() {
        '.' => '_',
        c => c,
    });
    format!("{}-{id:016x}", readable.collect::<String>())
}

/// Whether the name is one that [`folder_name`] gives: nothing else is touched.
fn is_ours(folder: &Path) -> bool {
    let id = folder.file_name().and_then(|name| name.to_str()?.rsplit_once('-')).map(|(_, id)| id);
    id.is_some_and(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn encode(id: u64, name: &str, config: &TopicConfig) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.resize(8, 0);
    let Retention { time_ms, bytes: size } = config.retention;
    for word in [id, u64::from(config.partitions), time_ms.unwrap_or(u64::MAX), size.unwrap_or(u64::MAX)] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(name.as_bytes());
    let crc = crc32c::crc32c(&bytes[8..]);
    bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<(u64, String, TopicConfig), Damage> {
    let (head, rest) = bytes.split_at_checked(8).ok_or(Damage::File)?;
    if head[4..] != crc32c::crc32c(rest).to_le_bytes() || head[..3] != MAGIC[..3] {
        return Err(Damage::File);
    }
    if head[3] != MAGIC[3] {
        return Err(Damage::Version);
    }
    let (words, name) = rest.split_at_checked(32).ok_or(Damage::File)?;
    let mut words = words.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut next = || words.next().unwrap_or_default();
    let (id, partitions) = (next(), next() as u32);
    let retention = Retention {
        time_ms: Some(next()).filter(|ms| *ms < u64::MAX),
        bytes: Some(next()).filter(|bytes| *bytes < u64::MAX),
    };
    let name = String::from_utf8(name.to_vec()).map_err(|_| Damage::File)?;
    Ok((id, name, TopicConfig { partitions, retention }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kafka() {
        for name in ["a", "Ratings.v2_x-1", &"x".repeat(249), "..."] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        assert_eq!(check_name(""), Err(InvalidName::Empty));
        assert_eq!(check_name(".."), Err(InvalidName::Dots));
        assert_eq!(check_name(&"x".repeat(250)), Err(InvalidName::TooLong));
        assert_eq!(check_name("a/b"), Err(InvalidName::Character('/')));
        assert_eq!(check_name("é"), Err(InvalidName::Character('é')));
    }

    #[test]
    fn folders_are_safe_and_short() {
        assert_eq!(folder_name("CON", 0x17), "con-0000000000000017");
        assert_eq!(folder_name("...", 1), "___-0000000000000001");
        assert_eq!(folder_name(&"Aa".repeat(100), 1).len(), 64 + 17);
    }

    #[test]
    fn a_topic_file_says_what_it_was_told() {
        for retention in [Retention::default(), Retention { time_ms: Some(0), bytes: Some(1 << 40) }] {
            let config = TopicConfig { partitions: 12, retention };
            let mut bytes = encode(7, "Ratings", &config);
            assert_eq!(decode(&bytes), Ok((7, "Ratings".to_owned(), config)));
            bytes[20] ^= 1;
            assert_eq!(decode(&bytes), Err(Damage::File));
        }
    }
}
