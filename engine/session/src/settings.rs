//! Every setting, once: name, unit, default, values, reason. `SHOW SETTINGS`, `SET`, flags and their environment
//! variables all come from [`SETTINGS`].
//!
//! A value is kept as text, checked when it is set, and read through [`Settings`]' typed methods. The planner sees the
//! same values in the catalog.

use std::collections::BTreeMap;

use millrace_planner::error::{ErrorKind, PlanError};

/// A setting's declaration.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Lower case, with dots.
    pub name: &'static str,
    /// Of its value; empty where it has none.
    pub unit: &'static str,
    /// Its value where nobody sets it, as text.
    pub default: &'static str,
    /// What it may be.
    pub values: Values,
    /// When it may change.
    pub scope: Scope,
    /// What it does.
    pub about: &'static str,
    /// Why the default is what it is.
    pub reason: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in this range, both ends included.
    Whole(u64, u64),
    /// A whole number in this range, or `auto`: what the machine has decides.
    WholeOrAuto(u64, u64),
}

/// When a setting may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Before the first tick: flags, and SET at the beginning of a script.
    Start,
    /// At any time, for the statements that follow.
    Statement,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// An environment variable.
    Environment,
    /// A flag of the command line.
    Flag,
    /// A SET statement.
    Statement,
}

impl Origin {
    /// As SHOW SETTINGS says it.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::Environment => "environment",
            Origin::Flag => "flag",
            Origin::Statement => "SET",
        }
    }
}

/// All settings, by name.
pub const SETTINGS: [Setting; 16] = [
    Setting {
        name: "auto.offset.reset",
        unit: "",
        default: "earliest",
        values: Values::OneOf(&["earliest", "latest"]),
        scope: Scope::Statement,
        about: "Where a query starts reading streams: at their beginning, or with what comes after its statement",
        reason: "In a run every query reads its inputs from their beginning, so that an answer does not depend on when \
                 it was asked. latest is for queries that go on; a pull query sees what is there.",
    },
    Setting {
        name: "millrace.changes",
        unit: "",
        default: "auto",
        values: Values::OneOf(&["auto", "diff", "upsert"]),
        scope: Scope::Statement,
        about: "Form in which a push query prints changes",
        reason: "auto: upsert where FROM is one keyed TABLE that is filtered and projected, diff for everything else.",
    },
    Setting {
        name: "millrace.compat",
        unit: "",
        default: "off",
        values: Values::OneOf(&["off"]),
        scope: Scope::Start,
        about: "Whose rules expressions follow",
        reason: "off: PostgreSQL's. KSQL's own rules are not built yet.",
    },
    Setting {
        name: "millrace.errors_rows_max",
        unit: "rows",
        default: "1000000",
        values: Values::Whole(1, 1_000_000_000),
        scope: Scope::Start,
        about: "Rows that each of the relations millrace.decode_errors, .errors and .late may hold",
        reason: "A source in the wrong format must not fill the memory with its errors; what is over is counted.",
    },
    Setting {
        name: "millrace.history_rows_max",
        unit: "rows",
        default: "1000000",
        values: Values::Whole(0, u64::MAX),
        scope: Scope::Start,
        about: "Rows of a stream of files that are kept for later statements",
        reason: "Beyond, a later query reads the files again: files of any size need not fit into memory.",
    },
    Setting {
        name: "millrace.idle_ms",
        unit: "ms",
        default: "30000",
        values: Values::Whole(1, 86_400_000),
        scope: Scope::Start,
        about: "A partition that is silent for so long does not hold back stream time",
        reason: "Longer than a pause between two records of a busy source, shorter than a person waits for a window.",
    },
    Setting {
        name: "millrace.introspection_interval_ms",
        unit: "ms",
        default: "1000",
        values: Values::Whole(10, 3_600_000),
        scope: Scope::Start,
        about: "How often measured system relations change while somebody reads them",
        reason: "Often enough to watch, seldom enough to cost nothing.",
    },
    Setting {
        name: "millrace.memory_bytes_max",
        unit: "bytes",
        default: "auto",
        values: Values::WholeOrAuto(16 << 20, u64::MAX >> 1),
        scope: Scope::Start,
        about: "At this size of the process new queries are refused and sources pause",
        reason: "auto: 80 % of the machine or of the control group, so that the process is not killed.",
    },
    Setting {
        name: "millrace.state",
        unit: "",
        default: "hash",
        values: Values::OneOf(&["hash", "differential"]),
        scope: Scope::Statement,
        about: "On what operators keep their state",
        reason: "hash: the faster one. differential: the general one, which must give the same answers.",
    },
    Setting {
        name: "millrace.statement_timeout_ms",
        unit: "ms",
        default: "0",
        values: Values::Whole(0, 86_400_000),
        scope: Scope::Statement,
        about: "A pull query that takes longer fails; 0 is never",
        reason: "A run answers when its files are read, however long that takes.",
    },
    Setting {
        name: "millrace.tick",
        unit: "",
        default: "adaptive",
        values: Values::OneOf(&["adaptive", "record"]),
        scope: Scope::Start,
        about: "When a tick closes",
        reason: "adaptive: by rows and time. record: one tick for each input record, in merged order.",
    },
    Setting {
        name: "millrace.tick.ms",
        unit: "ms",
        default: "5",
        values: Values::Whole(1, 60_000),
        scope: Scope::Start,
        about: "A tick over live input closes so long after its first row",
        reason: "Below what a person notices, above what a tick costs.",
    },
    Setting {
        name: "millrace.tick.rows",
        unit: "rows",
        default: "auto",
        values: Values::WholeOrAuto(1, 10_000_000),
        scope: Scope::Start,
        about: "Rows of a tick",
        reason: "auto: 10,000 over all bounded inputs, whatever the workers; over live input 10,000 for each worker, and \
                 100,000 while it is behind.",
    },
    Setting {
        name: "millrace.workers",
        unit: "threads",
        default: "auto",
        values: Values::WholeOrAuto(1, 256),
        scope: Scope::Start,
        about: "Worker threads",
        reason: "auto: one for each processor, at most 8. Answers do not depend on it.",
    },
    Setting {
        name: "millrace.inserts_pending_max",
        unit: "statements",
        default: "1000000",
        values: Values::Whole(1, 1_000_000_000),
        scope: Scope::Start,
        about: "INSERT, UPDATE and DELETE statements that may wait until input flows",
        reason: "A script that is made of data is read as a whole before the first row flows.",
    },
    Setting {
        name: "millrace.answer_rows_max",
        unit: "rows",
        default: "100000000",
        values: Values::Whole(1, u32::MAX as u64),
        scope: Scope::Statement,
        about: "Rows that a pull query may answer with",
        reason: "An answer is held until it is sorted; a larger one is a file sink's work.",
    },
];

/// Names of KSQL for settings of ours.
const ALIASES: [(&str, &str); 1] = [("ksql.streams.auto.offset.reset", "auto.offset.reset")];

/// The values of all settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    set: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// The declaration of a setting, under any of its names: `millrace.` may be left out.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn find(name: &str) -> Result<&'static Setting, PlanError> {
        let lower = name.to_lowercase();
        let own = ALIASES.iter().find(|(alias, _)| *alias == lower).map_or(lower.as_str(), |(_, own)| own);
        let found = |wanted: &str| SETTINGS.iter().find(|s| s.name == wanted);
        found(own).or_else(|| found(&format!("millrace.{own}"))).ok_or_else(|| {
            let near = SETTINGS.iter().map(|s| s.name).min_by_key(|s| distance(s, own)).unwrap_or_default();
            PlanError::new(ErrorKind::InvalidParameter, format!("there is no setting {name}"))
                .hint(format!("{near} comes closest; SHOW SETTINGS lists all."))
        })
    }

    /// Gives a setting a value; `None` takes it back to what it was at the start.
    ///
    /// # Errors
    /// If there is no such setting, or it may not be that.
    pub fn set(&mut self, name: &str, value: Option<&str>, origin: Origin) -> Result<&'static Setting, PlanError> {
        let setting = Self::find(name)?;
        match value {
            None => drop(self.set.remove(setting.name)),
            Some(value) => {
                let value = setting.check(value)?;
                self.set.insert(setting.name, (value, origin));
            }
        }
        Ok(setting)
    }

    /// A setting's value and where it comes from.
    pub fn get(&self, setting: &Setting) -> (String, Origin) {
        self.set.get(setting.name).cloned().unwrap_or_else(|| (setting.default.to_owned(), Origin::Default))
    }

    /// All values, as the planner sees them.
    pub(crate) fn for_planner(&self) -> BTreeMap<String, String> {
        SETTINGS.iter().map(|setting| (setting.name.to_owned(), self.get(setting).0)).collect()
    }

    /// The value of a setting that is one of some words.
    pub(crate) fn word(&self, name: &str) -> String {
        SETTINGS.iter().find(|s| s.name == name).map(|s| self.get(s).0).unwrap_or_default()
    }

    /// The value of a setting that is a number; `None` for `auto`.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.word(name).parse().ok()
    }
}

impl Setting {
    /// The variable of the environment that sets it: `MILLRACE_TICK_MS`.
    pub fn variable(&self) -> String {
        let own = self.name.strip_prefix("millrace.").unwrap_or(self.name);
        format!("MILLRACE_{}", own.replace('.', "_").to_uppercase())
    }

    /// What it may be, in words.
    pub fn values_text(&self) -> String {
        match self.values {
            Values::OneOf(words) => words.join(", "),
            Values::Whole(least, most) => format!("{least} to {most}"),
            Values::WholeOrAuto(least, most) => format!("auto, or {least} to {most}"),
        }
    }

    /// The value as it is kept.
    fn check(&self, value: &str) -> Result<String, PlanError> {
        let lower = value.trim().to_lowercase();
        let in_range = |least, most| lower.replace('_', "").parse().ok().filter(|n: &u64| (least..=most).contains(n));
        let checked = match self.values {
            Values::OneOf(words) => words.contains(&lower.as_str()).then_some(lower),
            Values::WholeOrAuto(..) if lower == "auto" => Some(lower),
            Values::Whole(least, most) | Values::WholeOrAuto(least, most) => {
                in_range(least, most).map(|n| n.to_string())
            }
        };
        checked.ok_or_else(|| {
            let message = format!("{} may not be {value:?}", self.name);
            let said = PlanError::new(ErrorKind::InvalidParameter, message).detail(self.reason);
            said.hint(format!("It may be {}.", self.values_text()))
        })
    }
}

/// Letters that one name has and the other lacks; names are short.
fn distance(a: &str, b: &str) -> usize {
    let count = |text: &str, c: char| text.chars().filter(|x| *x == c).count();
    let letters: std::collections::BTreeSet<char> = a.chars().chain(b.chars()).collect();
    letters.into_iter().map(|c| count(a, c).abs_diff(count(b, c))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_sound() {
        for setting in &SETTINGS {
            let default = setting.check(setting.default).expect(setting.name);
            assert_eq!(default, setting.default, "{}", setting.name);
            assert!(!setting.about.ends_with('.') && setting.reason.ends_with('.'), "{}", setting.name);
            assert_eq!(Settings::find(setting.name).expect("found").name, setting.name);
        }
        assert_eq!(Settings::find("TICK.MS").expect("found").variable(), "MILLRACE_TICK_MS");
    }

    #[test]
    fn values_are_checked_and_remembered() {
        let mut settings = Settings::default();
        settings.set("millrace.tick.rows", Some("1_000"), Origin::Flag).expect("a number");
        assert_eq!(settings.number("millrace.tick.rows"), Some(1000));
        settings.set("millrace.tick.rows", Some("AUTO"), Origin::Statement).expect("auto");
        assert_eq!(settings.number("millrace.tick.rows"), None);
        let error = settings.set("millrace.tick", Some("often"), Origin::Flag).expect_err("no such word");
        assert_eq!(error.message, "millrace.tick may not be \"often\"");
        assert_eq!(error.hint.as_deref(), Some("It may be adaptive, record."));
        let error = settings.set("millrace.tik", Some("record"), Origin::Flag).expect_err("no such setting");
        assert!(error.hint.is_some_and(|hint| hint.starts_with("millrace.tick ")));
        settings.set("tick", Some("record"), Origin::Flag).expect("short name");
        assert_eq!(settings.word("millrace.tick"), "record");
        settings.set("tick", None, Origin::Statement).expect("unset");
        assert_eq!(settings.word("millrace.tick"), "adaptive");
    }
}
