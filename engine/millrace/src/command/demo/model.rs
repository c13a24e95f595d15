//! What the demo knows: the state behind both views, made of nothing but the results of its queries.
//!
//! ```text
//! rows of a panel, steps of the script, counts of the sources ─→ Model ─→ screen, lines
//! ```
//! Pure: time comes in as a number, nothing is drawn here. Lists are bounded; a busy list takes a new line a few times a
//! second, so that a person can read it, while its count has every row.

mod cells;
mod latency;
mod money;
mod source;

use std::collections::{BTreeMap, VecDeque};

use millrace_session::{Changes, ResultRows, SourceProgress};

use self::cells::Cells;
use super::watch::Panel;

pub(super) use self::cells::grouped;
pub(super) use self::latency::Latency;
pub(super) use self::money::{Account, Balances};
pub(super) use self::source::Sources;

/// Lines of a list that are kept.
const LINES_MAX: usize = 64;

/// Between two lines of a busy list.
const LINE_EVERY_MS: u64 = 300;

/// Stories that are kept.
const STORIES_MAX: usize = 8;

/// Happenings that wait to be fetched.
const HAPPENINGS_MAX: usize = 1_000;

/// When something happens: milliseconds since the start of the demo, microseconds with it, and the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) us: u64,
    pub(super) wall_ms: i64,
}

impl Now {
    /// Milliseconds since the start.
    pub(super) fn ms(self) -> u64 {
        self.us / 1_000
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) sources: Sources,
    pub(super) latency: Latency,
    pub(super) poor_ratings: u64,
    pub(super) unhappy: List,
    pub(super) invalid_users: List,
    pub(super) vip_actions: List,
    pub(super) fraud: Fraud,
    pub(super) balances: Balances,
    pub(super) clubs: BTreeMap<String, Club>,
    /// Newest last.
    pub(super) stories: VecDeque<Story>,
    /// Changes that everything brought so far.
    pub(super) changes: u64,
    happenings: VecDeque<Happening>,
    /// When the step that is under way began.
    step_us: Option<u64>,
}

/// The rows of a stream: how many, and some of the last.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub(super) count: u64,
    /// Newest last.
    pub(super) lines: VecDeque<Line>,
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at_ms: u64,
    /// What comes first, and is short.
    pub(super) lead: String,
    pub(super) text: String,
    /// A step of the script brought it.
    pub(super) scripted: bool,
}

/// POSSIBLE_FRAUD.
#[derive(Clone, Debug, Default)]
pub(super) struct Fraud {
    /// Cards so far, each window of its own.
    pub(super) count: u64,
    /// Newest last.
    pub(super) cards: VecDeque<Card>,
}

/// A card that was tried too often in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) number: String,
    pub(super) window_ms: i64,
    pub(super) attempts: i64,
    /// When it was first seen here.
    pub(super) lit_ms: u64,
    /// When it last changed.
    pub(super) changed_ms: u64,
    /// Microseconds from the statement that made it suspicious, if it was one of the script's.
    pub(super) after_us: Option<u64>,
}

/// A row of RATINGS_BY_CLUB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Club {
    pub(super) ratings: i64,
    pub(super) stars: f64,
    /// When a correction last changed it.
    pub(super) corrected_ms: Option<u64>,
}

/// Steps of the script that belong together, with what they brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Story {
    pub(super) at_ms: u64,
    pub(super) title: &'static str,
    pub(super) lines: Vec<StoryLine>,
}

/// A line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoryLine {
    /// A statement was run.
    Step { sql: String, remark: &'static str },
    /// A view changed by it.
    Change { view: &'static str, diff: i64, text: String, after_us: u64 },
}

/// Something for those who read lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A story begins.
    Title(&'static str),
    /// A line of it.
    Line(StoryLine),
    /// A card lights up that the script does not know of.
    Card { number: String, attempts: i64 },
}

impl Model {
    /// Nothing has happened yet. `rating_step_ms`: from rating to rating.
    pub(super) fn new(rating_step_ms: f64) -> Self {
        Model {
            sources: Sources::default(),
            latency: Latency::new(rating_step_ms),
            poor_ratings: 0,
            unhappy: List::default(),
            invalid_users: List::default(),
            vip_actions: List::default(),
            fraud: Fraud::default(),
            balances: Balances::default(),
            clubs: BTreeMap::new(),
            stories: VecDeque::new(),
            changes: 0,
            happenings: VecDeque::new(),
            step_us: None,
        }
    }

    /// A step of the script begins: what changes until its end, it has changed.
    pub(super) fn step(&mut self, title: Option<&'static str>, sql: &str, remark: &'static str, now: Now) {
        self.step_us = Some(now.us);
        if let Some(title) = title {
            self.stories.push_back(Story { at_ms: now.ms(), title, lines: vec![] });
            if self.stories.len() > STORIES_MAX {
                self.stories.pop_front();
            }
            self.happen(Happening::Title(title));
        }
        self.tell(StoryLine::Step { sql: sql.to_owned(), remark });
    }

    /// All that the step changes has been seen.
    pub(super) fn step_done(&mut self) {
        self.step_us = None;
    }

    /// What happened since the last call.
    pub(super) fn take_happenings(&mut self) -> Vec<Happening> {
        self.happenings.drain(..).collect()
    }

    /// How far the sources are.
    pub(super) fn progress(&mut self, progress: &[SourceProgress], now: Now) {
        self.sources.counted(progress, now.us);
    }

    /// Rows of a panel's query.
    pub(super) fn rows(&mut self, panel: Panel, rows: &ResultRows, now: Now) {
        let cells = Cells::new(&rows.rows);
        self.changes += rows.rows.num_rows() as u64;
        let diff = |row: usize| match &rows.changes {
            Changes::Rows => 1,
            Changes::Diffs(diffs) => diffs[row],
            Changes::Upserts { deletes, .. } => i64::from(!deletes[row]) * 2 - 1,
        };
        for row in 0..rows.rows.num_rows() {
            self.row(panel, &cells, row, diff(row), now);
        }
        if panel == Panel::Balances {
            self.balances.settle(now.ms());
        }
    }

    fn row(&mut self, panel: Panel, cells: &Cells<'_>, row: usize, diff: i64, now: Now) {
        let text = |column: &str| cells.text(column, row);
        let number = |column: &str| cells.number(column, row);
        match panel {
            Panel::Sample(source) => self.sources.sample(source, cells.line(row), now.ms()),
            Panel::PoorCount if diff > 0 => self.poor_ratings = number("N").unwrap_or(0) as u64,
            Panel::PoorCount => {}
            Panel::PoorTimes => {
                if let (Some(id), Some(happened)) = (number("RATING_ID"), number("HAPPENED")) {
                    self.latency.seen(id, happened, now.wall_ms);
                }
            }
            Panel::Unhappy => {
                let find = |name: &str| cells.find(name, row);
                let lead = stars(find("STARS").parse().unwrap_or(0));
                let who = format!("{} {}", find("FIRST_NAME"), find("LAST_NAME"));
                self.list(panel, lead, format!("{who}: {}", find("MESSAGE")), now);
            }
            Panel::InvalidUsers => self.list(panel, text("HOST"), text("MESSAGE"), now),
            Panel::VipActions => {
                let what = format!("{} {}", text("ACTION"), text("PAGE"));
                self.list(panel, format!("user {}", text("USERID")), what, now);
            }
            Panel::Fraud => self.suspect(cells, row, diff, now),
            Panel::Balances => self.balances.change(&text("ACCOUNT"), number("BALANCE").unwrap_or(0), diff),
            Panel::Clubs => {
                let club = Club {
                    ratings: number("RATINGS").unwrap_or(0),
                    stars: text("STARS").parse().unwrap_or(0.0),
                    corrected_ms: self.step_us.map(|_| now.ms()),
                };
                self.club(text("CLUB_STATUS"), club, diff, now);
            }
        }
    }

    fn list(&mut self, panel: Panel, lead: String, text: String, now: Now) {
        let scripted = self.step_us.is_some();
        let (list, view) = match panel {
            Panel::Unhappy => (&mut self.unhappy, "UNHAPPY_PLATINUM_CUSTOMERS"),
            Panel::InvalidUsers => (&mut self.invalid_users, "SYSLOG_INVALID_USERS"),
            _ => (&mut self.vip_actions, "VIP_ACTIONS"),
        };
        list.count += 1;
        let due = list.lines.back().is_none_or(|last| now.ms() >= last.at_ms + LINE_EVERY_MS);
        if due || scripted {
            let line = Line { at_ms: now.ms(), lead: lead.clone(), text: text.clone(), scripted };
            list.lines.push_back(line);
            if list.lines.len() > LINES_MAX {
                list.lines.pop_front();
            }
        }
        self.trace(view, 1, || format!("{lead} {text}"), now);
    }

    fn suspect(&mut self, cells: &Cells<'_>, row: usize, diff: i64, now: Now) {
        let number = cells.find("CARD_NUMBER", row);
        let window_ms = cells.number("WINDOWSTART", row).unwrap_or(0);
        let attempts = cells.number("KSQL_COL_0", row).unwrap_or(0);
        self.trace("POSSIBLE_FRAUD", diff, || format!("{} {attempts} attempts", card(&number)), now);
        if diff < 0 {
            // what takes its place follows in the same tick
            return;
        }
        let after_us = self.step_us.map(|step_us| now.us.saturating_sub(step_us));
        let same = |known: &&mut Card| known.number == number && known.window_ms == window_ms;
        if let Some(known) = self.fraud.cards.iter_mut().rev().find(same) {
            (known.attempts, known.changed_ms) = (attempts, now.ms());
            return;
        }
        self.fraud.count += 1;
        if after_us.is_none() {
            self.happen(Happening::Card { number: card(&number), attempts });
        }
        let (lit_ms, changed_ms) = (now.ms(), now.ms());
        self.fraud.cards.push_back(Card { number, window_ms, attempts, lit_ms, changed_ms, after_us });
        if self.fraud.cards.len() > LINES_MAX {
            self.fraud.cards.pop_front();
        }
    }

    fn club(&mut self, name: String, club: Club, diff: i64, now: Now) {
        self.trace(
            "RATINGS_BY_CLUB",
            diff,
            || format!("{name} {} ratings, {:.3} ★", grouped(club.ratings), club.stars),
            now,
        );
        match self.clubs.get_mut(&name) {
            // the row that takes its place follows in the same tick, if there is one
            Some(known) if diff < 0 => known.ratings = 0,
            Some(known) => {
                let corrected_ms = club.corrected_ms.or(known.corrected_ms);
                *known = Club { corrected_ms, ..club };
            }
            None if diff > 0 => drop(self.clubs.insert(name, club)),
            None => {}
        }
    }

    /// Tells of a change, if a step made it.
    fn trace(&mut self, view: &'static str, diff: i64, text: impl FnOnce() -> String, now: Now) {
        if let Some(step_us) = self.step_us {
            let after_us = now.us.saturating_sub(step_us);
            self.tell(StoryLine::Change { view, diff, text: text(), after_us });
        }
    }

    fn tell(&mut self, line: StoryLine) {
        if let Some(story) = self.stories.back_mut() {
            story.lines.push(line.clone());
        }
        self.happen(Happening::Line(line));
    }

    fn happen(&mut self, happening: Happening) {
        if self.happenings.len() == HAPPENINGS_MAX {
            self.happenings.pop_front();
        }
        self.happenings.push_back(happening);
    }
}

/// `★★☆☆☆`
pub(super) fn stars(n: usize) -> String {
    (1..=5).map(|star| if star <= n { '★' } else { '☆' }).collect()
}

/// A card's number in groups of four.
pub(super) fn card(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) mod tests;
