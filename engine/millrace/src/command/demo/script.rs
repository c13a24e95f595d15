//! The moments of the demo: statements that it runs by itself, at fixed times, again in every cycle.
//!
//! ```text
//! 3 s  a card is tried five times       6 s  somebody clicks, is upgraded, and clicks on
//! 10 s a customer is corrected          18 s the upgrade ends, and the next cycle begins at 20 s
//! ```
//! Pure: it is asked what is due at a time and answers with statements.

/// Milliseconds from cycle to cycle.
const CYCLE_MS: u64 = 20_000;

/// A run that is shorter than this hurries, so that all moments come.
const RUN_MS_MIN: u64 = 12_000;

/// Length of the windows of POSSIBLE_FRAUD.
const WINDOW_MS: i64 = 5_000;

/// A burst takes a second; it begins when so much of a window is left.
const BURST_MS: i64 = 1_500;

/// Who is upgraded: an id that the generators do not use.
const GUEST: u64 = 4242;

/// Who is corrected: the one who rates most.
const REGULAR: u64 = 1;

/// A statement whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What begins with it, if something does.
    pub(super) title: Option<&'static str>,
    pub(super) sql: String,
    /// What to look at.
    pub(super) remark: &'static str,
}

/// Where the demo is in its script.
#[derive(Clone, Debug)]
pub(super) struct Script {
    next: usize,
    cycle: u64,
    /// Runs shorter than they should be hurry by this.
    hurry: f64,
}

struct Cue {
    at_ms: u64,
    title: Option<&'static str>,
    what: What,
    remark: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Attempt(u32),
    Click(&'static str, &'static str),
    Level(&'static str),
    Club,
}

const fn cue(at_ms: u64, what: What, remark: &'static str) -> Cue {
    Cue { at_ms, title: None, what, remark }
}

const fn titled(at_ms: u64, title: &'static str, what: What, remark: &'static str) -> Cue {
    Cue { at_ms, title: Some(title), what, remark }
}

const CUES: [Cue; 13] = [
    titled(3_000, "One card is tried again and again", What::Attempt(1), ""),
    cue(3_250, What::Attempt(2), ""),
    cue(3_500, What::Attempt(3), "three are allowed"),
    cue(3_750, What::Attempt(4), "the fourth is one too many"),
    cue(4_000, What::Attempt(5), "its row is revised"),
    titled(6_000, "A guest becomes a VIP while clicking", What::Click("/flights/MR612", "view"), "Gold: no VIP action"),
    cue(6_500, What::Click("/search", "search"), "Gold: no VIP action"),
    cue(7_200, What::Level("Platinum"), "what was clicked before stays as it was"),
    cue(7_700, What::Click("/flights/MR612", "add_to_cart"), "Platinum: a VIP action"),
    cue(8_200, What::Click("/checkout", "purchase"), "Platinum: a VIP action"),
    titled(10_000, "A customer's club status is corrected", What::Club, "all ratings of the customer move along"),
    titled(17_500, "The guest is a guest again", What::Level("Gold"), ""),
    cue(18_000, What::Click("/help", "view"), "Gold: no VIP action"),
];

impl Script {
    /// The script of a run of so many milliseconds; `None`: without end.
    pub(super) fn new(run_ms: Option<u64>) -> Self {
        let hurry = run_ms.map_or(1.0, |ms| (ms as f64 / RUN_MS_MIN as f64).min(1.0));
        Script { next: 0, cycle: 0, hurry }
    }

    /// What is to be run before anything flows.
    pub(super) fn before(&self) -> String {
        format!("INSERT INTO users VALUES ({GUEST}, 'Gold');")
    }

    /// The next step, if it is due so many milliseconds after the start. A burst waits for a window that it fits into.
    pub(super) fn due(&mut self, elapsed_ms: u64, wall_ms: i64) -> Option<Step> {
        let cue = &CUES[self.next];
        if elapsed_ms < self.at_ms() {
            return None;
        }
        if cue.what == What::Attempt(1) && wall_ms.rem_euclid(WINDOW_MS) > WINDOW_MS - BURST_MS {
            return None;
        }
        let step = Step { title: cue.title, sql: self.sql(cue.what), remark: cue.remark };
        self.next += 1;
        if self.next == CUES.len() {
            (self.next, self.cycle) = (0, self.cycle + 1);
        }
        Some(step)
    }

    /// When the next step is due.
    pub(super) fn at_ms(&self) -> u64 {
        ((self.cycle * CYCLE_MS + CUES[self.next].at_ms) as f64 * self.hurry) as u64
    }

    fn sql(&self, what: What) -> String {
        match what {
            What::Attempt(n) => {
                let card = 4_929_000_000_004_242 + self.cycle * 10_007;
                format!("INSERT INTO authorization_attempts VALUES ('{card}', {}.95)", 9 * n)
            }
            What::Click(page, action) => format!("INSERT INTO clickstream VALUES ({GUEST}, '{page}', '{action}')"),
            What::Level(level) => format!("UPDATE users SET level = '{level}' WHERE user_id = {GUEST}"),
            What::Club => {
                // there and back again, whatever the seed made of the customer
                let other = "CASE WHEN club_status = 'platinum' THEN 'gold' ELSE 'platinum' END";
                format!("UPDATE customers SET club_status = {other} WHERE id = {REGULAR}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All steps until then, asked every 10 ms.
    fn play(script: &mut Script, from_ms: u64, until_ms: u64) -> Vec<(u64, Step)> {
        let mut steps = vec![];
        for ms in (from_ms..until_ms).step_by(10) {
            while let Some(step) = script.due(ms, ms as i64) {
                steps.push((ms, step));
            }
        }
        steps
    }

    #[test]
    fn a_cycle_shows_everything_and_comes_again() {
        let mut script = Script::new(None);
        let first = play(&mut script, 0, CYCLE_MS);
        assert_eq!(first.len(), CUES.len());
        assert_eq!(first[0].1.sql, "INSERT INTO authorization_attempts VALUES ('4929000000004242', 9.95)");
        let second = play(&mut script, CYCLE_MS, 2 * CYCLE_MS);
        assert_eq!(second.len(), CUES.len());
        assert_eq!(second[0].1.sql, "INSERT INTO authorization_attempts VALUES ('4929000000014249', 9.95)");
        assert_eq!(second[7].1.sql, "UPDATE users SET level = 'Platinum' WHERE user_id = 4242");
        assert!(first.iter().zip(&second).all(|((a, _), (b, _))| b - a == CYCLE_MS));
    }

    #[test]
    fn a_burst_lies_in_one_window() {
        let mut script = Script::new(None);
        // 4.6 s of a window have passed
        assert_eq!(script.due(3_000, 104_600), None);
        assert_eq!(script.due(3_390, 104_990), None);
        assert!(script.due(3_400, 105_000).is_some_and(|step| step.title.is_some()));
    }

    #[test]
    fn a_short_run_shows_the_upgrade_and_the_correction() {
        let steps = play(&mut Script::new(Some(6_000)), 0, 6_000);
        assert!(steps.iter().any(|(_, step)| step.sql.starts_with("UPDATE customers")));
        assert!(steps.iter().filter(|(_, step)| step.sql.contains("clickstream")).count() == 4);
    }
}
