//! How large and how deep a statement may be.
//!
//! Trees of expressions and queries are walked by recursion, in sqlparser and in everything behind it, so their depth
//! is bounded here, on the tokens, before anything recurses. In: the tokens of one statement without whitespace. Out:
//! nothing, or the error with the place where a limit was passed. Brackets are matched on the way.
//!
//! Depth is measured in units of about 1.5 kB of stack, which is what one link of a chain like `1 + 1 + 1` takes in the
//! hungriest walk; a NOT, a bracket and a subquery take several. The units of all that is open at a token are added:
//! [`DEPTH_MAX`] of them leave room on a stack of 2 MB. Operators count from the last comma, clause word, AND or OR on,
//! since those begin a tree of their own; a chain of ANDs or ORs counts as the balanced tree that [`super::dialect`]
//! makes of it.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::dialect::LEANING_OPERANDS_MAX;
use super::position::Positions;
use crate::error::{ErrorKind, PlanError, Result, Span};

/// Bytes of a script; its tokens are held at once.
pub const SCRIPT_BYTES_MAX: usize = 64 << 20;
/// Bytes of one statement.
pub const STATEMENT_BYTES_MAX: usize = 16 << 20;
/// Units of depth: about 60 brackets, 24 subqueries, 160 NOTs or 1,000 links of a chain.
pub const DEPTH_MAX: usize = 1_024;
/// UNION, INTERSECT and EXCEPT in one list of queries.
pub const SET_OPERATIONS_MAX: usize = 128;
/// JOINs in one FROM.
pub const JOINS_MAX: usize = 128;
/// Types within types: `ARRAY<MAP<…`.
pub const TYPE_NESTING_MAX: usize = 32;

/// Units of an operator between its operands.
const OPERATOR_UNITS: usize = 1;
/// Units of an operator before its operand, and of others that sqlparser reads by recursion.
const PREFIX_UNITS: usize = 6;
/// Units of a bracket and of a CASE.
const BRACKET_UNITS: usize = 16;
/// Units of a bracket with a query in it.
const SUBQUERY_UNITS: usize = 40;

/// What is open: the statement itself, a bracket or a CASE.
struct Level {
    /// Its first token; `None` for the statement.
    opened: Option<(Opening, Span)>,
    /// Units of its opening.
    units: usize,
    /// Units of the operators since the last comma, clause word, AND or OR.
    chain: usize,
    /// ANDs and ORs since the last comma or clause word.
    logic: usize,
    /// The precedences of the operators since then: sqlparser recurses once for each.
    precedences: u8,
    /// BETWEENs that still want their AND.
    betweens: usize,
    set_operations: usize,
    joins: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Paren,
    Bracket,
    Brace,
    Case,
}

impl Opening {
    fn text(self) -> &'static str {
        match self {
            Opening::Paren => "(",
            Opening::Bracket => "[",
            Opening::Brace => "{",
            Opening::Case => "CASE",
        }
    }
}

/// What a token does to the depth.
enum Effect {
    Open(Opening),
    Close(Opening),
    Operator,
    Prefix,
    Between,
    And,
    Or,
    Separator,
    SetOperation,
    Join,
    None,
}

/// Holds the statement to the limits and to matching brackets.
pub(super) fn check(tokens: &[TokenWithSpan], positions: &Positions) -> Result<()> {
    let span = |token: &TokenWithSpan| positions.span(token.span).unwrap_or_default();
    if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        let (first, last) = (span(first), span(last));
        if last.end - first.start > STATEMENT_BYTES_MAX {
            return Err(too_complex(format!("a statement may have {STATEMENT_BYTES_MAX} bytes")).at(first));
        }
    }
    let mut walk = Walk { levels: vec![Level::new(None, 0)], depth: 0, type_depth: 0, behind: Behind::Other };
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|next| &next.token);
        walk.step(&token.token, next, || span(token))?;
    }
    match walk.levels.pop().and_then(|level| level.opened) {
        Some((Opening::Case, span)) => Err(syntax("this CASE has no END").at(span)),
        Some((opening, span)) => Err(syntax(format!("this {} is never closed", opening.text())).at(span)),
        None => Ok(()),
    }
}

struct Walk {
    /// Never empty.
    levels: Vec<Level>,
    /// Sum over all levels but the last: its depth and the opening of the next.
    depth: usize,
    type_depth: usize,
    /// What the token before was.
    behind: Behind,
}

/// What a token may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// The end of an operand: what comes is an operator between two.
    Operand,
    /// DISTINCT: a FROM behind it may belong to `IS DISTINCT FROM`.
    Distinct,
    Other,
}

impl Level {
    fn new(opened: Option<(Opening, Span)>, units: usize) -> Self {
        Level { opened, units, chain: 0, logic: 0, precedences: 0, betweens: 0, set_operations: 0, joins: 0 }
    }

    /// Units below this one's opening.
    fn depth(&self) -> usize {
        self.chain + self.logic.min(LEANING_OPERANDS_MAX) + (self.logic + 1).ilog2() as usize
    }

    fn separate(&mut self) {
        (self.chain, self.logic, self.precedences) = (0, 0, 0);
    }
}

impl Walk {
    fn step(&mut self, token: &Token, next: Option<&Token>, span: impl Fn() -> Span) -> Result<()> {
        self.types(token, next, &span)?;
        let behind = std::mem::replace(&mut self.behind, behind(token));
        let effect = effect(token, next, behind);
        if let Effect::Close(opening) = effect {
            return self.close(opening, &span);
        }
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        level.precedences |= precedence(token, &effect);
        match effect {
            Effect::Open(opening) => {
                level.chain += OPERATOR_UNITS;
                let bracket = if begins_query(next) { SUBQUERY_UNITS } else { BRACKET_UNITS };
                let units = bracket + PREFIX_UNITS * level.precedences.count_ones() as usize;
                self.depth += level.depth() + units;
                self.levels.push(Level::new(Some((opening, span())), units));
            }
            Effect::Operator => level.chain += OPERATOR_UNITS,
            Effect::Prefix => level.chain += PREFIX_UNITS,
            Effect::Between => (level.chain, level.betweens) = (level.chain + OPERATOR_UNITS, level.betweens + 1),
            Effect::And if level.betweens > 0 => level.betweens -= 1,
            Effect::And | Effect::Or => (level.chain, level.logic) = (0, level.logic + 1),
            Effect::Separator => level.separate(),
            Effect::SetOperation => {
                level.separate();
                (level.joins, level.set_operations) = (0, level.set_operations + 1);
                if level.set_operations > SET_OPERATIONS_MAX {
                    let message = format!("a query may combine {SET_OPERATIONS_MAX} times");
                    return Err(too_complex(message).at(span()));
                }
            }
            Effect::Join => {
                level.separate();
                level.joins += 1;
                if level.joins > JOINS_MAX {
                    return Err(too_complex(format!("a FROM may join {JOINS_MAX} times")).at(span()));
                }
            }
            Effect::Close(_) | Effect::None => {}
        }
        match self.depth + self.levels.last().map_or(0, Level::depth) > DEPTH_MAX {
            true => {
                let error = too_complex("the statement is nested too deeply").at(span());
                Err(error.detail(format!("Brackets and operators in each other may take {DEPTH_MAX} units of depth.")))
            }
            false => Ok(()),
        }
    }

    fn close(&mut self, opening: Opening, span: impl Fn() -> Span) -> Result<()> {
        let top = self.levels.last().and_then(|level| level.opened);
        match (top, opening) {
            (Some((opened, _)), _) if opened == opening => {
                let units = self.levels.pop().map_or(0, |level| level.units);
                self.depth -= self.levels.last().map_or(0, |level| level.depth() + units);
                Ok(())
            }
            // END may be a name
            (_, Opening::Case) => Ok(()),
            (Some((Opening::Case, at)), _) => Err(syntax("this CASE has no END").at(at)),
            (Some((opened, _)), _) => {
                Err(syntax(format!("this bracket does not close the {} before it", opened.text())).at(span()))
            }
            (None, _) => Err(syntax("this bracket was never opened").at(span())),
        }
    }

    /// `<` behind ARRAY, MAP and STRUCT opens a type, the next `>`s close types.
    fn types(&mut self, token: &Token, next: Option<&Token>, span: impl Fn() -> Span) -> Result<()> {
        match token {
            Token::Word(word) if word.quote_style.is_none() && next == Some(&Token::Lt) && holds_types(&word.value) => {
                self.type_depth += 1;
            }
            Token::Gt => self.type_depth = self.type_depth.saturating_sub(1),
            Token::ShiftRight => self.type_depth = self.type_depth.saturating_sub(2),
            _ => {}
        }
        match self.type_depth > TYPE_NESTING_MAX {
            true => Err(too_complex(format!("a type may nest {TYPE_NESTING_MAX} types")).at(span())),
            false => Ok(()),
        }
    }
}

fn holds_types(word: &str) -> bool {
    ["ARRAY", "MAP", "STRUCT"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// A bit for the precedence of an operator.
fn precedence(token: &Token, effect: &Effect) -> u8 {
    match (effect, token) {
        (Effect::Or, _) => 1,
        (Effect::And, _) => 2,
        (Effect::Between, _) | (Effect::Operator, Token::Word(_)) => 4,
        (Effect::Operator, Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq) => 8,
        (Effect::Operator, Token::Plus | Token::Minus) => 16,
        (Effect::Operator, Token::Mul | Token::Div | Token::Mod) => 32,
        (Effect::Operator, _) => 64,
        _ => 0,
    }
}

fn behind(token: &Token) -> Behind {
    match token {
        Token::RParen | Token::RBracket | Token::RBrace | Token::Number(..) | Token::SingleQuotedString(_) => {
            Behind::Operand
        }
        Token::Word(word) => match word_effect(word.keyword, None, Behind::Operand) {
            _ if word.quote_style.is_some() => Behind::Operand,
            _ if word.keyword == Keyword::DISTINCT => Behind::Distinct,
            Effect::None | Effect::Close(_) => Behind::Operand,
            _ => Behind::Other,
        },
        _ => Behind::Other,
    }
}

fn begins_query(next: Option<&Token>) -> bool {
    matches!(next, Some(Token::Word(word)) if word.quote_style.is_none()
        && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE))
}

fn effect(token: &Token, next: Option<&Token>, behind: Behind) -> Effect {
    match token {
        Token::LParen => Effect::Open(Opening::Paren),
        Token::LBracket => Effect::Open(Opening::Bracket),
        Token::LBrace => Effect::Open(Opening::Brace),
        Token::RParen => Effect::Close(Opening::Paren),
        Token::RBracket => Effect::Close(Opening::Bracket),
        Token::RBrace => Effect::Close(Opening::Brace),
        Token::Comma => Effect::Separator,
        Token::Word(word) if word.quote_style.is_none() => word_effect(word.keyword, next, behind),
        Token::Word(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Period
        | Token::Whitespace(_)
        | Token::EOF => Effect::None,
        Token::RArrow => Effect::Prefix,
        // other literals count too, which does no harm
        _ if behind == Behind::Operand => Effect::Operator,
        _ => Effect::Prefix,
    }
}

fn word_effect(keyword: Keyword, next: Option<&Token>, behind: Behind) -> Effect {
    match keyword {
        Keyword::FROM if behind == Behind::Distinct => Effect::Prefix,
        Keyword::CASE if begins_case(next) => Effect::Open(Opening::Case),
        Keyword::END => Effect::Close(Opening::Case),
        Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS => Effect::SetOperation,
        Keyword::JOIN => Effect::Join,
        Keyword::BETWEEN => Effect::Between,
        Keyword::AND => Effect::And,
        Keyword::OR => Effect::Or,
        Keyword::SELECT
        | Keyword::FROM
        | Keyword::WHERE
        | Keyword::GROUP
        | Keyword::HAVING
        | Keyword::ORDER
        | Keyword::LIMIT
        | Keyword::ON
        | Keyword::WHEN
        | Keyword::THEN
        | Keyword::ELSE
        | Keyword::SET
        | Keyword::VALUES => Effect::Separator,
        Keyword::NOT | Keyword::INTERVAL | Keyword::PRIOR => Effect::Prefix,
        Keyword::IS
        | Keyword::IN
        | Keyword::LIKE
        | Keyword::ILIKE
        | Keyword::RLIKE
        | Keyword::REGEXP
        | Keyword::SIMILAR
        | Keyword::XOR
        | Keyword::OVERLAPS
        | Keyword::OPERATOR
        | Keyword::NOTNULL
        | Keyword::AT
        | Keyword::COLLATE
        | Keyword::MEMBER => Effect::Operator,
        _ => Effect::None,
    }
}

/// CASE may be a name too: `AS case,`.
fn begins_case(next: Option<&Token>) -> bool {
    !matches!(
        next,
        None | Some(
            Token::Comma | Token::RParen | Token::RBracket | Token::Period | Token::Eq | Token::RArrow | Token::EOF
        )
    )
}

fn too_complex(message: impl Into<String>) -> PlanError {
    PlanError::new(ErrorKind::TooComplex, message)
}

fn syntax(message: impl Into<String>) -> PlanError {
    PlanError::new(ErrorKind::Syntax, message)
}
