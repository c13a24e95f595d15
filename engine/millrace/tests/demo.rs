//! `millrace demo` as a program: what it prints, and that it ends by itself.

use std::process::{Command, Output};

fn demo(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("demo").args(args).output().expect("the binary runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_short_run_shows_every_moment() {
    let output = demo(&["--seconds", "6", "--rate", "2000", "--seed", "7"]);
    let (lines, errors) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{lines}{errors}");
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
    let output = demo(&["--show-sql", "--rate", "100", "--seed", "3"]);
    let sql = text(output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(sql.contains("GENERATOR='ratings', SEED=3, RATE=20,") && sql.contains("CREATE TABLE possible_fraud AS"));
    assert_eq!(demo(&["--rate", "0"]).status.code(), Some(2));
}
