//! `millrace demo` as a program: what it prints, and that it ends by itself.

use crate::harness::{Folder, Said, said};

fn demo(args: &[&str]) -> Said {
    let args: Vec<&str> = ["demo"].iter().chain(args).copied().collect();
    said(&mut Folder::new().millrace(&args))
}

#[test]
fn a_short_run_shows_every_moment() {
    let said = demo(&["--seconds", "6", "--rate", "2000", "--seed", "7"]);
    let (lines, errors) = (said.done(), &said.err);
    let at = |part: &str| lines.find(part).unwrap_or_else(|| panic!("no {part:?} in\n{lines}{errors}"));
    // the fourth attempt lights the card up, the fifth revises its row
    let card = "+ POSSIBLE_FRAUD: 4929 0000 0000 4242";
    assert!(at("'4929000000004242', 27.95") < at(&format!("{card} 4 attempts")));
    assert!(at(&format!("{card} 4 attempts")) < at(&format!("{card} 5 attempts")));
    // a guest's clicks count from the upgrade on
    let clicks: Vec<usize> = lines.match_indices("+ VIP_ACTIONS: user 4242").map(|(at, _)| at).collect();
    assert_eq!(clicks.len(), 2, "{lines}");
    assert!(at("SET level = 'Platinum'") < clicks[0]);
    // a correction takes ratings from one club and brings them to another
    let correction = &lines[at("UPDATE customers")..];
    assert!(correction.matches("− RATINGS_BY_CLUB:").count() >= 2, "{lines}");
    assert!(correction.matches("+ RATINGS_BY_CLUB:").count() >= 2, "{lines}");
    assert!(lines.matches(" rows/s, ").count() >= 5, "{lines}");
    at(" accounts, ");
}

#[test]
fn the_pipeline_can_be_had_as_text() {
    let said = demo(&["--show-sql", "--rate", "100", "--seed", "3"]);
    let sql = said.done();
    assert!(sql.contains("GENERATOR='ratings', SEED=3, RATE=20,") && sql.contains("CREATE TABLE possible_fraud AS"));
    assert_eq!(demo(&["--rate", "0"]).status, Some(2));
}
