//! The README's tour is what one really sees: its files, its commands, their output, word for word.

use crate::harness::{Folder, said};

const README: &str = include_str!("../../../../README.md");

/// A fenced block, and the line above it.
struct Block<'a> {
    above: &'a str,
    text: &'a str,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let parts: Vec<&str> = text.split("```").collect();
    // outside, inside, outside, …
    assert!(parts.len() % 2 == 1, "a block is not closed");
    parts
        .chunks_exact(2)
        .map(|pair| Block {
            above: pair[0].trim_end().lines().last().unwrap_or_default(),
            // behind the language
            text: pair[1].split_once('\n').map_or("", |(_, text)| text),
        })
        .collect()
}

/// The command of a block and what it prints. A command goes on to the line that closes its quotes.
fn command(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("$ ")?;
    let ends = text.match_indices('\n').map(|(at, _)| at);
    let end = ends.into_iter().find(|end| text[..*end].matches('"').count() % 2 == 0)?;
    Some((&text[..end], &text[end + 1..]))
}

#[test]
fn the_tour_is_what_one_sees() {
    let folder = Folder::new();
    let mut commands = 0;
    for block in blocks(README) {
        // the name of a file that is shown stands last above it, in backticks
        let name = block.above.rsplit('`').nth(1).filter(|name| name.ends_with(".sql") || name.ends_with(".jsonl"));
        if let (Some(name), None) = (name, command(block.text)) {
            folder.write(name, block.text.as_bytes());
            continue;
        }
        let Some((command, printed)) = command(block.text) else { continue };
        let shell = format!("millrace() {{ \"{}\" \"$@\"; }}\n{command}", env!("CARGO_BIN_EXE_millrace"));
        let mut process = std::process::Command::new("sh");
        let said = said(process.args(["-c", &shell]).current_dir(folder.path("")));
        assert_eq!(said.done(), printed, "$ {command}");
        commands += 1;
    }
    assert_eq!(commands, 4, "commands of the tour");
}
