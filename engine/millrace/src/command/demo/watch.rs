//! What the demo asks of the pipeline: one push query for each thing that is shown, and the program that they and the
//! pipeline make.
//!
//! # Contract
//! The program is the pipeline, then the queries of [`Panel::ALL`], one statement each, in that order.

/// The pipeline as it stands in the file.
const PIPELINE: &str = include_str!("pipeline.sql");

/// Sum of the RATEs in the file.
pub(super) const RATE_DEFAULT: f64 = 1_000.0;

/// Samples of a source that are wanted in a second.
const SAMPLES_PER_SECOND: f64 = 8.0;

/// One thing that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Panel {
    /// Some rows of a source: its place in [`SOURCES`].
    Sample(usize),
    /// How many POOR_RATINGS there are.
    PoorCount,
    /// Some POOR_RATINGS with their times, to measure how long a rating is under way.
    PoorTimes,
    /// UNHAPPY_PLATINUM_CUSTOMERS.
    Unhappy,
    /// SYSLOG_INVALID_USERS.
    InvalidUsers,
    /// VIP_ACTIONS.
    VipActions,
    /// POSSIBLE_FRAUD.
    Fraud,
    /// BALANCES.
    Balances,
    /// RATINGS_BY_CLUB.
    Clubs,
}

/// A source as the demo shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The stream that people read.
    pub(super) name: &'static str,
    /// The relation that its generator fills.
    pub(super) generated: &'static str,
    /// Its share of all rows.
    share: f64,
    /// Columns of a sample.
    columns: &'static str,
}

/// The sources, in the order in which they are shown.
pub(super) const SOURCES: [Source; 6] = [
    source("RATINGS", "RATINGS", 0.20, "stars, message"),
    source("CLICKSTREAM", "WEB_CLICKS", 0.25, "userid, action, page"),
    source("AUTHORIZATION_ATTEMPTS", "CARD_TERMINALS", 0.15, "card_number, amount"),
    source("SYSLOG", "SYSLOG", 0.10, "host, message"),
    source("ACCOUNT_MOVEMENTS", "ACCOUNT_MOVEMENTS", 0.10, "account, amount"),
    source("PAGEVIEWS", "PAGEVIEWS_JSON", 0.20, "userid, pageid"),
];

const fn source(name: &'static str, generated: &'static str, share: f64, columns: &'static str) -> Source {
    Source { name, generated, share, columns }
}

/// How much comes, and which.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    /// Rows per second over all sources.
    pub(super) rate: f64,
    pub(super) seed: u64,
}

impl Flow {
    /// Milliseconds from rating to rating.
    pub(super) fn rating_step_ms(&self) -> f64 {
        1_000.0 / (self.rate * SOURCES[0].share)
    }

    /// The pipeline with these rates and this seed.
    pub(super) fn pipeline(&self) -> String {
        let scaled = replace_numbers(PIPELINE, "RATE=", |rate| format!("{}", rate * self.rate / RATE_DEFAULT));
        replace_numbers(&scaled, "SEED=", |_| self.seed.to_string())
    }

    /// Every `k`th row of a stream with so many rows per second is a sample.
    fn sample(&self, share: f64) -> u64 {
        ((self.rate * share / SAMPLES_PER_SECOND) as u64).max(1)
    }
}

impl Panel {
    /// All, in the order of their statements.
    pub(super) const ALL: [Panel; 14] = [
        Panel::Sample(0),
        Panel::Sample(1),
        Panel::Sample(2),
        Panel::Sample(3),
        Panel::Sample(4),
        Panel::Sample(5),
        Panel::PoorCount,
        Panel::PoorTimes,
        Panel::Unhappy,
        Panel::InvalidUsers,
        Panel::VipActions,
        Panel::Fraud,
        Panel::Balances,
        Panel::Clubs,
    ];

    /// The query that tells of it.
    pub(super) fn query(self, flow: &Flow) -> String {
        let select = match self {
            Panel::Sample(i) => {
                let Source { name, share, columns, .. } = SOURCES[i];
                format!("SELECT {columns} FROM {name} WHERE ROWOFFSET % {} = 0", flow.sample(share))
            }
            Panel::PoorCount => "SELECT count(*) AS n FROM POOR_RATINGS".to_owned(),
            // a quarter of all ratings is poor; a few dozen a second are enough to measure
            Panel::PoorTimes => {
                let every = flow.sample(SOURCES[0].share / 10.0);
                format!("SELECT rating_id, ROWTIME AS happened FROM POOR_RATINGS WHERE rating_id % {every} = 0")
            }
            Panel::Unhappy => "SELECT * FROM UNHAPPY_PLATINUM_CUSTOMERS".to_owned(),
            Panel::InvalidUsers => "SELECT host, message FROM SYSLOG_INVALID_USERS".to_owned(),
            Panel::VipActions => "SELECT userid, action, page FROM VIP_ACTIONS".to_owned(),
            Panel::Fraud => "SELECT * FROM POSSIBLE_FRAUD".to_owned(),
            Panel::Balances => "SELECT account, balance FROM BALANCES".to_owned(),
            Panel::Clubs => "SELECT club_status, ratings, stars FROM RATINGS_BY_CLUB".to_owned(),
        };
        format!("{select} EMIT CHANGES;")
    }
}

/// The statement of the pipeline that makes the relation, without the comment above it.
pub(super) fn statement_of(relation: &str) -> Option<&'static str> {
    let makes = |statement: &&str| {
        let mut words = statement.split_whitespace();
        words.next() == Some("CREATE")
            && words
                .find(|w| !["STREAM", "TABLE", "MATERIALIZED", "VIEW"].contains(w))
                .is_some_and(|name| name.eq_ignore_ascii_case(relation))
    };
    let statements = PIPELINE.split_inclusive(";\n").map(|text| {
        let code = text.lines().position(|line| !line.trim().is_empty() && !line.starts_with("--"));
        let skipped: usize = text.split_inclusive('\n').take(code.unwrap_or(0)).map(str::len).sum();
        text[skipped..].trim()
    });
    statements.into_iter().find(makes)
}

/// Replaces the number behind every `name`.
fn replace_numbers(text: &str, name: &str, new: impl Fn(f64) -> String) -> String {
    let mut pieces = text.split(name);
    let mut replaced = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        replaced.push_str(name);
        match piece[..digits].parse() {
            Ok(number) => replaced.push_str(&new(number)),
            // not followed by a number: a word of a comment
            Err(_) => replaced.push_str(&piece[..digits]),
        }
        replaced.push_str(&piece[digits..]);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_seeds_are_scaled() {
        let shares: f64 = SOURCES.iter().map(|source| source.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        for source in &SOURCES {
            let rate = format!("RATE={}", (source.share * RATE_DEFAULT).round());
            let made = format!("CREATE STREAM {} (", source.generated.to_lowercase());
            let at = PIPELINE.find(&made).expect(source.generated);
            assert!(PIPELINE[at..].split(';').next().is_some_and(|s| s.contains(&rate)), "{} {rate}", source.name);
        }
        let text = Flow { rate: 500.0, seed: 9 }.pipeline();
        assert!(text.contains("SEED=9, RATE=100,") && text.contains("SEED=9, RATE=125)"));
        assert!(!text.contains("SEED=1,") && !text.contains("SEED=1)"));
        assert_eq!(Flow { rate: 1_000.0, seed: 1 }.rating_step_ms(), 5.0);
    }

    #[test]
    fn statements_are_found_by_what_they_make() {
        assert!(statement_of("POSSIBLE_FRAUD").is_some_and(|s| s.starts_with("CREATE TABLE possible_fraud AS")));
        assert!(statement_of("POOR_RATINGS").is_some_and(|s| s.ends_with("WHERE STARS <3;")));
        assert!(statement_of("RATINGS_BY_CLUB").is_some_and(|s| s.starts_with("CREATE MATERIALIZED VIEW")));
        assert!(SOURCES.iter().all(|source| statement_of(source.name).is_some()));
        assert_eq!(statement_of("NOTHING"), None);
    }

    #[test]
    fn few_rows_are_samples() {
        let flow = Flow { rate: 1_000.0, seed: 1 };
        let query = "SELECT userid, action, page FROM CLICKSTREAM WHERE ROWOFFSET % 31 = 0 EMIT CHANGES;";
        assert_eq!(Panel::Sample(1).query(&flow), query);
        assert!(Panel::Sample(1).query(&Flow { rate: 1.0, ..flow }).contains("% 1 = 0"));
    }
}
