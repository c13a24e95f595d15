//! The demo as lines: one a second, one for each notable change, a summary at the end.

use std::io::{self, Write};
use std::time::Duration;

use millrace_world::{Thread, World};

use super::driver::{Stage, State};
use super::model::{Happening, Model, StoryLine, grouped};

/// Between two looks at the model.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Prints lines until the driver has ended.
///
/// # Errors
/// If stdout takes no more.
pub(super) fn show(state: &State, world: &World, driver: &Thread) -> io::Result<()> {
    let mut next_s = 1;
    loop {
        let over = driver.is_finished();
        let mut text = String::new();
        {
            let mut shown = state.lock();
            let elapsed_ms = match &shown.stage {
                Stage::Starting => 0,
                Stage::Flowing { start_ns } => (world.clock().monotonic_ns() - start_ns) / 1_000_000,
                Stage::Over(ending) => ending.ran_ms,
            };
            for happening in shown.model.take_happenings() {
                text.push_str(&format!("{} {}\n", time(elapsed_ms), line(&happening)));
            }
            if elapsed_ms >= next_s * 1_000 {
                text.push_str(&format!("{} {}\n", time(elapsed_ms), status(&shown.model)));
                next_s = elapsed_ms / 1_000 + 1;
            }
            if let Some(notice) = shown.notice.take() {
                // not a result, and nothing is lost if nobody reads it
                drop(writeln!(io::stderr(), "note: {notice}"));
            }
            if let Stage::Over(ending) = &shown.stage
                && over
                && ending.failure.is_none()
            {
                text.push_str(&summary(&shown.model, ending.ran_ms));
            }
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        if over {
            return Ok(());
        }
        world.clock().sleep(LOOK_EVERY);
    }
}

fn time(elapsed_ms: u64) -> String {
    format!("{:>6.1} s ", elapsed_ms as f64 / 1_000.0)
}

/// What there is once a second.
fn status(model: &Model) -> String {
    format!(
        "{} rows/s, {} rows; poor ratings {}, unhappy platinum {}, invalid users {}, VIP actions {}, suspicious cards {}; {}",
        grouped(model.sources.rate() as i64),
        grouped(model.sources.rows() as i64),
        grouped(model.poor_ratings as i64),
        grouped(model.unhappy.count as i64),
        grouped(model.invalid_users.count as i64),
        grouped(model.vip_actions.count as i64),
        grouped(model.fraud.count as i64),
        latency(model),
    )
}

/// `latency p50 4 ms, p99 9 ms`
pub(super) fn latency(model: &Model) -> String {
    match (model.latency.percentile(50), model.latency.percentile(99)) {
        (Some(p50), Some(p99)) => format!("latency p50 {p50:.0} ms, p99 {p99:.0} ms"),
        _ => "latency –".to_owned(),
    }
}

/// A notable change.
fn line(happening: &Happening) -> String {
    match happening {
        Happening::Title(title) => format!("{title}:"),
        Happening::Line(StoryLine::Step { sql, remark: "" }) => format!("  {sql};"),
        Happening::Line(StoryLine::Step { sql, remark }) => format!("  {sql};  -- {remark}"),
        Happening::Line(StoryLine::Change { view, diff, text, after_us }) => {
            format!("    {} {view}: {text}  ({} later)", sign(*diff), milliseconds(*after_us))
        }
        Happening::Card { number, attempts } => format!("+ POSSIBLE_FRAUD: {number} {attempts} attempts"),
    }
}

/// The sign of a diff, as it is written.
pub(super) fn sign(diff: i64) -> char {
    if diff < 0 { '−' } else { '+' }
}

/// `3.2 ms`
pub(super) fn milliseconds(us: u64) -> String {
    format!("{:.1} ms", us as f64 / 1_000.0)
}

/// What it all was.
pub(super) fn summary(model: &Model, ran_ms: u64) -> String {
    let rows = model.sources.rows();
    let seconds = ran_ms as f64 / 1_000.0;
    format!(
        "{} rows in {seconds:.1} s ({} a second), {} changes shown, {}.\n\
         POOR_RATINGS {}, UNHAPPY_PLATINUM_CUSTOMERS {}, SYSLOG_INVALID_USERS {}, VIP_ACTIONS {}, POSSIBLE_FRAUD {}, \
         BALANCES {} accounts, {} in all.\n",
        grouped(rows as i64),
        grouped((rows as f64 / seconds.max(0.001)) as i64),
        grouped(model.changes as i64),
        latency(model),
        grouped(model.poor_ratings as i64),
        grouped(model.unhappy.count as i64),
        grouped(model.invalid_users.count as i64),
        grouped(model.vip_actions.count as i64),
        grouped(model.fraud.count as i64),
        grouped(model.balances.len() as i64),
        grouped(model.balances.total()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::demo::model::tests::{at, clubs, fraud};
    use crate::command::demo::watch::Panel;

    #[test]
    fn steps_and_their_changes_are_lines() {
        let mut model = Model::new(5.0);
        model.rows(Panel::Fraud, &fraud(&["4000123412341234"], &[0], &[4], &[1]), at(10));
        model.step(Some("One card"), "UPDATE customers …", "all move", at(1_000));
        model.rows(Panel::Clubs, &clubs(&["gold"; 2], &[10, 8], &[3.5, 3.25], &[-1, 1]), at(1_003));
        let lines: Vec<String> = model.take_happenings().iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "+ POSSIBLE_FRAUD: 4000 1234 1234 1234 4 attempts",
                "One card:",
                "  UPDATE customers …;  -- all move",
                "    − RATINGS_BY_CLUB: gold 10 ratings, 3.500 ★  (3.0 ms later)",
                "    + RATINGS_BY_CLUB: gold 8 ratings, 3.250 ★  (3.0 ms later)",
            ]
        );
    }

    #[test]
    fn the_summary_says_how_much_and_how_fast() {
        let text = summary(&Model::new(5.0), 2_000);
        assert!(
            text.starts_with("0 rows in 2.0 s (0 a second), 0 changes shown, latency –.\nPOOR_RATINGS 0,"),
            "{text}"
        );
        assert_eq!(status(&Model::new(5.0)).matches(" 0").count(), 6);
    }
}
