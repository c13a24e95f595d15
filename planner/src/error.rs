//! What is wrong with a statement: one object for every interface.
//!
//! A [`PlanError`] says where (a byte span of the text), what (a message under an SQLSTATE), why (the detail) and what
//! to do (the hint). Rendering with a caret needs the text and a name for it; nothing else is kept.

use std::fmt;

/// Bytes `start..end` of the text of one script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span of bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }
}

/// Class of an error; its SQLSTATE is what programs match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 42601: the text is not a statement.
    Syntax,
    /// 42P01: no such relation.
    UndefinedRelation,
    /// 42703: no such column.
    UndefinedColumn,
    /// 42883: no such function, or not for these types.
    UndefinedFunction,
    /// 42704: no such type.
    UndefinedType,
    /// 42702: a name that could mean two columns.
    AmbiguousColumn,
    /// 42804: the types do not fit.
    TypeMismatch,
    /// 42P07: a relation of this name exists.
    DuplicateRelation,
    /// 42701: a column of this name exists.
    DuplicateColumn,
    /// 42803: a column outside GROUP BY and aggregates.
    Grouping,
    /// 42809: the relation is of another kind (a view where a table is needed).
    WrongRelationKind,
    /// 2BP01: other objects depend on it.
    DependentObjects,
    /// 22023: a property or setting has a bad name or value.
    InvalidParameter,
    /// 42P16: a definition that contradicts itself.
    InvalidDefinition,
    /// 54001: a limit of statements was reached (nesting, length).
    TooComplex,
    /// 0A000: parses, means something, and is not supported.
    NotSupported,
    /// 22000: the user's data stops a statement that was told to stop on it. Of the session, not of the planner.
    Data,
    /// 53200: a limit of memory was reached. Of the session.
    Resources,
    /// 57014: interrupted, or a timeout has passed. Of the session.
    Canceled,
    /// 58030: a file, a disk or a source is not as the statement says. Of the session.
    World,
    /// XX000: a contradiction inside the planner; always a bug of ours.
    Internal,
}

impl ErrorKind {
    /// The five characters of the SQLSTATE.
    pub fn sqlstate(self) -> &'static str {
        match self {
            ErrorKind::Syntax => "42601",
            ErrorKind::UndefinedRelation => "42P01",
            ErrorKind::UndefinedColumn => "42703",
            ErrorKind::UndefinedFunction => "42883",
            ErrorKind::UndefinedType => "42704",
            ErrorKind::AmbiguousColumn => "42702",
            ErrorKind::TypeMismatch => "42804",
            ErrorKind::DuplicateRelation => "42P07",
            ErrorKind::DuplicateColumn => "42701",
            ErrorKind::Grouping => "42803",
            ErrorKind::WrongRelationKind => "42809",
            ErrorKind::DependentObjects => "2BP01",
            ErrorKind::InvalidParameter => "22023",
            ErrorKind::InvalidDefinition => "42P16",
            ErrorKind::TooComplex => "54001",
            ErrorKind::NotSupported => "0A000",
            ErrorKind::Data => "22000",
            ErrorKind::Resources => "53200",
            ErrorKind::Canceled => "57014",
            ErrorKind::World => "58030",
            ErrorKind::Internal => "XX000",
        }
    }
}

/// Whether a diagnostic stops the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// An error or a warning about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// Error or warning.
    pub severity: Severity,
    /// Class.
    pub kind: ErrorKind,
    /// One sentence without a full stop: what is wrong.
    pub message: String,
    /// Where; `None` where the statement as a whole is meant.
    pub span: Option<Span>,
    /// Why.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl PlanError {
    /// An error without position.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        PlanError { severity: Severity::Error, kind, message: message.into(), span: None, detail: None, hint: None }
    }
    /// `0A000 not supported: what`.
    pub fn not_supported(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotSupported, format!("not supported: {what}"))
    }
    /// A warning without position.
    pub fn warning(kind: ErrorKind, message: impl Into<String>) -> Self {
        PlanError { severity: Severity::Warning, ..Self::new(kind, message) }
    }
    /// The same at `span`.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
    /// The same with a detail.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error as a person reads it: message, file position, the line with a caret, detail, hint. `text` is the
    /// script that the span points into, `name` what to call it. Ends without a newline.
    pub fn render(&self, name: &str, text: &str) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!("{severity}[{}]: {}", self.kind.sqlstate(), self.message);
        let mut margin = 1;
        if let Some(span) = self.span {
            let start = floor_char(text, span.start);
            let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
            let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
            let line_no = text[..start].matches('\n').count() + 1;
            let column = text[line_start..start].chars().count() + 1;
            let end = floor_char(text, span.end).clamp(start, line_end);
            let shown = Excerpt::of(text, line_start, line_end, start);
            let carets = text[start..end.min(shown.end)].chars().count().max(1);
            let gutter = line_no.to_string();
            margin = gutter.len();
            let pad = " ".repeat(margin);
            // tabs keep their width so that the caret stands below its column
            let before = shown.before.chars().chain(text[shown.start..start].chars());
            let lead: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            out += &format!(
                "\n{pad} --> {name}:{line_no}:{column}\n{pad}  |\n{gutter}  | {}{}{}\n{pad}  | {lead}{}",
                shown.before,
                text[shown.start..shown.end].trim_end_matches('\r'),
                shown.behind,
                "^".repeat(carets)
            );
        }
        let pad = " ".repeat(margin);
        for (what, said) in [("detail", &self.detail), ("hint", &self.hint)] {
            if let Some(said) = said {
                out += &format!("\n{pad}  = {what}: {said}");
            }
        }
        out
    }
}

/// Characters of a line that are shown on either side of the place that matters.
const EXCERPT_SIDE_CHARS_MAX: usize = 120;

/// What is shown of a line: all of it, or a part around a place, with dots where something is left out.
struct Excerpt {
    start: usize,
    end: usize,
    before: &'static str,
    behind: &'static str,
}

impl Excerpt {
    fn of(text: &str, line_start: usize, line_end: usize, at: usize) -> Excerpt {
        let side = EXCERPT_SIDE_CHARS_MAX;
        let start = text[line_start..at].char_indices().rev().nth(side).map_or(line_start, |(i, _)| line_start + i);
        let end = text[at..line_end].char_indices().nth(side).map_or(line_end, |(i, _)| at + i);
        let dots = |left_out| if left_out { "…" } else { "" };
        Excerpt { start, end, before: dots(start > line_start), behind: dots(end < line_end) }
    }
}

/// The largest character boundary at or below `at`.
fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.kind.sqlstate(), self.message)
    }
}

impl std::error::Error for PlanError {}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, PlanError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_stands_below_the_name() {
        let text = "SELECT 1;\nSELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID;";
        let at = text.find("R.ID").unwrap_or_default();
        let error = PlanError::new(ErrorKind::UndefinedRelation, "no relation in FROM is called \"R\"")
            .at(Span::new(at, at + 4))
            .hint("FROM RATINGS R LEFT JOIN CUSTOMERS C ON R.ID = C.ID");
        let want = "error[42P01]: no relation in FROM is called \"R\"\n  --> ratings.sql:2:46\n   |\n2  | SELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID;\n   |                                              ^^^^\n   = hint: FROM RATINGS R LEFT JOIN CUSTOMERS C ON R.ID = C.ID";
        assert_eq!(error.render("ratings.sql", text), want);
    }

    #[test]
    fn a_long_line_is_cut_around_its_caret() {
        let text = format!("SELECT {}X{}", "é, ".repeat(1_000), " + 1".repeat(1_000));
        let at = text.find('X').unwrap_or_default();
        let shown = PlanError::new(ErrorKind::Syntax, "x").at(Span::new(at, at + 900)).render("a.sql", &text);
        let lines: Vec<Vec<char>> = shown.lines().map(|line| line.chars().collect()).collect();
        assert!(shown.contains("a.sql:1:3008\n") && lines.iter().all(|line| line.len() < 260), "{shown}");
        assert_eq!(lines[3].iter().position(|c| *c == 'X'), lines[4].iter().position(|c| *c == '^'));
        assert!(lines[3].contains(&'…') && lines[3].last() == Some(&'…'));
    }

    #[test]
    fn spans_beyond_the_text_do_not_panic() {
        let error = PlanError::new(ErrorKind::Syntax, "x").at(Span::new(90, 95));
        assert!(error.render("a", "é").contains("a:1:2"));
    }
}
