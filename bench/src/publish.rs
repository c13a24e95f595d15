//! Puts the summary of a run into the README, between two marks, instead of what stands there.

use std::fs;
use std::path::Path;

use crate::options::PublishArgs;
use crate::peer::bench_folder;

const BEGIN: &str = "<!-- figures of millrace-bench publish -->";
const END: &str = "<!-- end of figures -->";

/// Publishes the run whose results are in the folder.
///
/// # Errors
/// If there is no summary, or the README has no place for it.
pub(crate) fn run(args: &PublishArgs) -> Result<(), String> {
    let summary = read(&args.folder.join("summary.md"))?;
    let path = bench_folder().join("../README.md");
    let text = placed(&read(&path)?, &summary).map_err(|e| format!("{}: {e}", path.display()))?;
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The text with other figures.
fn placed(text: &str, figures: &str) -> Result<String, String> {
    let (before, rest) = text.split_once(BEGIN).ok_or_else(|| format!("there is no {BEGIN}"))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| format!("there is no {END}"))?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_the_place_of_the_old_ones() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = placed(&text, "new\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(placed(&new, "new\n").unwrap(), new);
        assert!(placed("nothing", "new").unwrap_err().contains("figures"));
    }

    #[test]
    fn the_readme_has_a_place() {
        let text = read(&bench_folder().join("../README.md")).unwrap();
        placed(&text, "new").unwrap();
    }
}
