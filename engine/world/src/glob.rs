//! Patterns over paths, by the same rules on every file system.
//!
//! The pattern is walked name by name, so that only folders that can lead to a match are listed.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::files::{FileKind, Files};

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Folders deep that `**` looks; a link that leads back up ends here.
const DEPTH_MAX: usize = 64;

/// See [`Files::glob`].
pub(crate) fn glob<F: Files + ?Sized>(files: &F, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let invalid = |e: glob::PatternError| io::Error::new(io::ErrorKind::InvalidInput, format!("{pattern}: {}", e.msg));
    let mut found = BTreeSet::from([PathBuf::new()]);
    for component in Path::new(pattern).components() {
        let Component::Normal(name) = component else {
            found = found.into_iter().map(|p| p.join(component)).collect();
            continue;
        };
        // the whole pattern came as a str, so its names are str too
        let name = name.to_string_lossy();
        found = if name == "**" {
            found.iter().flat_map(|p| folders_below(files, p)).collect()
        } else if name.contains(['*', '?', '[']) {
            let pattern = Pattern::new(&name).map_err(invalid)?;
            found.iter().flat_map(|p| children(files, p)).filter(|p| matches(&pattern, p)).collect()
        } else {
            found.into_iter().map(|p| p.join(&*name)).filter(|p| files.metadata(p).is_ok()).collect()
        };
    }
    found.remove(Path::new(""));
    Ok(found.into_iter().collect())
}

fn matches(pattern: &Pattern, path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| pattern.matches_with(n, OPTIONS))
}

/// What lies in `path`, which may be empty for "here". Paths keep the form of the pattern: no `./` is put before them.
fn children<F: Files + ?Sized>(files: &F, path: &Path) -> Vec<PathBuf> {
    let folder = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let listed = files.list(folder).unwrap_or_default();
    listed.into_iter().filter_map(|p| p.file_name().map(|n| path.join(n))).collect()
}

/// `path` and every folder below it that is not hidden.
fn folders_below<F: Files + ?Sized>(files: &F, path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    let mut level = all.clone();
    for _ in 0..DEPTH_MAX {
        level = level.iter().flat_map(|p| children(files, p)).filter(|p| is_open_folder(files, p)).collect();
        if level.is_empty() {
            break;
        }
        all.extend_from_slice(&level);
    }
    all
}

fn is_open_folder<F: Files + ?Sized>(files: &F, path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
    !hidden && files.metadata(path).is_ok_and(|m| m.kind == FileKind::Folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimulatedWorld;

    fn found(pattern: &str) -> Vec<String> {
        let world = SimulatedWorld::new(0);
        for path in ["/d/b.json", "/d/a.json", "/d/.hidden.json", "/d/a.csv", "/d/e/f/c.json", "/d/e/d.json", "/x.json"]
        {
            world.files().write(path, b"");
        }
        let paths = glob(world.files().as_ref(), pattern).unwrap();
        paths.into_iter().map(|p| p.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn stars_match_within_a_name_in_name_order() {
        assert_eq!(found("/d/*.json"), ["/d/a.json", "/d/b.json"]);
        assert_eq!(found("/d/?.[cj]*"), ["/d/a.csv", "/d/a.json", "/d/b.json"]);
        assert_eq!(found("/*/a.json"), ["/d/a.json"]);
        assert_eq!(found("/d/.h*"), ["/d/.hidden.json"]);
        assert_eq!(found("/nothing/*.json"), Vec::<String>::new());
    }

    #[test]
    fn two_stars_match_any_depth_also_none() {
        assert_eq!(found("/d/**/*.json"), ["/d/a.json", "/d/b.json", "/d/e/d.json", "/d/e/f/c.json"]);
    }

    #[test]
    fn a_pattern_without_meaning_is_an_error() {
        let world = SimulatedWorld::new(0);
        let error = glob(world.files().as_ref(), "/d/[a").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn the_real_world_finds_alike() {
        let world = crate::World::real();
        let folder = crate::TempFolder::new(world.files(), "glob").unwrap();
        for name in ["b.json", "a.json", "c.csv"] {
            world.files().create(&folder.path().join(name)).unwrap();
        }
        let pattern = folder.path().join("*.json").to_string_lossy().into_owned();
        let want = vec![folder.path().join("a.json"), folder.path().join("b.json")];
        assert_eq!(world.files().glob(&pattern).unwrap(), want);
    }
}
