//! How sqlparser reads our words and operators.
//!
//! The dialect is PostgreSQL's, with KSQL's quoting (`` ` ``), field access (`->`), lambdas (`=>`) and constructors
//! (`MAP('k' := v)`, `STRUCT(a := v)`). [`super::query`] says what tree each becomes.
//!
//! sqlparser tries alternatives and throws away the one that fails, which takes exponential time on some texts. Every
//! expression begins in [`Dialect::parse_prefix`], so its calls are counted there: a statement that needs more of them
//! than its length allows is refused. Functions with a syntax of their own are parsed here without an alternative, so
//! that a mistake in their arguments is reported where it stands.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast;
use sqlparser::dialect::{Dialect, PostgreSqlDialect, Precedence};
use sqlparser::keywords::{self, Keyword};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Longest chain of ANDs or of ORs that stays as sqlparser would build it, leaning to the left. A longer one becomes a
/// balanced tree, so that its depth grows with the logarithm of its length.
pub(super) const LEANING_OPERANDS_MAX: usize = 8;

/// The dialect, for one statement.
#[derive(Debug)]
pub(super) struct Millrace {
    /// Expressions that may still be begun.
    steps_left: Cell<usize>,
}

impl Millrace {
    /// For a statement of so many tokens.
    pub(super) fn new(n_tokens: usize) -> Self {
        Millrace { steps_left: Cell::new(n_tokens.saturating_mul(64).saturating_add(4_096)) }
    }
}

impl Dialect for Millrace {
    fn dialect(&self) -> TypeId {
        TypeId::of::<PostgreSqlDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }
    fn identifier_quote_style(&self, _: &str) -> Option<char> {
        Some('"')
    }
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_' || !ch.is_ascii()
    }
    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$' || !ch.is_ascii()
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
    fn supports_group_by_expr(&self) -> bool {
        true
    }
    fn supports_nested_comments(&self) -> bool {
        true
    }
    fn supports_string_escape_constant(&self) -> bool {
        true
    }
    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }
    fn supports_interval_options(&self) -> bool {
        true
    }
    fn supports_select_wildcard_except(&self) -> bool {
        true
    }
    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }
    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }
    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }
    fn supports_comma_separated_trim(&self) -> bool {
        true
    }
    fn supports_struct_literal(&self) -> bool {
        true
    }
    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        true
    }
    fn supports_dictionary_syntax(&self) -> bool {
        false
    }
    fn allow_extract_custom(&self) -> bool {
        true
    }
    fn allow_extract_single_quotes(&self) -> bool {
        true
    }
    fn supports_values_as_table_factor(&self) -> bool {
        true
    }
    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }
    // `x => e` is a lambda here, never an argument with a name
    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        false
    }
    fn supports_lambda_functions(&self) -> bool {
        false
    }

    fn is_column_alias(&self, kw: &Keyword, _: &mut Parser) -> bool {
        is_free(*kw) || !keywords::RESERVED_FOR_COLUMN_ALIAS.contains(kw)
    }
    fn is_table_alias(&self, kw: &Keyword, _: &mut Parser) -> bool {
        is_free(*kw) || !keywords::RESERVED_FOR_TABLE_ALIAS.contains(kw)
    }

    fn prec_value(&self, prec: Precedence) -> u8 {
        PostgreSqlDialect {}.prec_value(prec)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        let other = self.prec_value(Precedence::PgOther);
        let precedence = match &parser.peek_token_ref().token {
            Token::Arrow => self.prec_value(Precedence::Period),
            Token::LongArrow
            | Token::HashArrow
            | Token::HashLongArrow
            | Token::AtArrow
            | Token::ArrowAt
            | Token::HashMinus
            | Token::AtQuestion
            | Token::AtAt
            | Token::Question
            | Token::QuestionAnd
            | Token::QuestionPipe
            | Token::Overlap
            | Token::CaretAt
            | Token::StringConcat
            | Token::Sharp
            | Token::ShiftRight
            | Token::ShiftLeft
            | Token::CustomBinaryOperator(_) => other,
            // these would be taken for operators that sqlparser cannot parse behind an expression
            Token::Assignment | Token::Colon | Token::LBracket | Token::ExclamationMark | Token::AtSign => 0,
            Token::Word(word) if matches!(word.keyword, Keyword::MATCH | Keyword::DIV) => 0,
            _ => return None,
        };
        Some(Ok(precedence))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<ast::Expr, ParserError>> {
        match self.steps_left.get().checked_sub(1) {
            Some(left) => self.steps_left.set(left),
            None => return Some(Err(ParserError::RecursionLimitExceeded)),
        }
        let next = &parser.peek_nth_token_ref(1).token;
        match &parser.peek_token_ref().token {
            Token::Word(_) if *next == Token::RArrow => Some(lambda_of_one(parser)),
            Token::Word(word) if word.keyword == Keyword::TABLE && is_table_argument(parser) => {
                Some(table_argument(parser))
            }
            Token::Word(word) if word.quote_style.is_none() => {
                let (keyword, call) = (word.keyword, *next == Token::LParen);
                let is_map = word.value.eq_ignore_ascii_case("map");
                prefix_word(parser, keyword, is_map, call)
            }
            Token::LParen => lambda_names(parser).map(|n_names| lambda_of_many(parser, n_names)),
            _ => None,
        }
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &ast::Expr,
        precedence: u8,
    ) -> Option<Result<ast::Expr, ParserError>> {
        match &parser.peek_token_ref().token {
            Token::Arrow => match parser.peek_nth_token_ref(1).token {
                Token::Word(_) | Token::Mul => Some(field_access(parser, expr.clone())),
                _ => None,
            },
            Token::Word(word) if word.keyword == Keyword::IS => distinct_from(parser, expr, precedence),
            Token::Word(word) if word.keyword == Keyword::AND => {
                Some(chain(parser, expr.clone(), Keyword::AND, &ast::BinaryOperator::And, precedence))
            }
            Token::Word(word) if word.keyword == Keyword::OR => {
                Some(chain(parser, expr.clone(), Keyword::OR, &ast::BinaryOperator::Or, precedence))
            }
            _ => None,
        }
    }
}

/// Words that other dialects reserve and ours has no use for: they may name columns and relations.
fn is_free(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::TOP
            | Keyword::SORT
            | Keyword::VIEW
            | Keyword::ANALYZE
            | Keyword::CLUSTER
            | Keyword::DISTRIBUTE
            | Keyword::OUTPUT
            | Keyword::PREWHERE
            | Keyword::SETTINGS
            | Keyword::FORMAT
            | Keyword::START
            | Keyword::CONNECT
            | Keyword::MATCH_RECOGNIZE
            | Keyword::MATCH_CONDITION
            | Keyword::SAMPLE
            | Keyword::OPEN
            | Keyword::GLOBAL
            | Keyword::PIVOT
            | Keyword::UNPIVOT
            | Keyword::EXCLUDE
    )
}

/// An expression that begins with a word of the language; `None` leaves it to sqlparser.
fn prefix_word(
    parser: &mut Parser,
    keyword: Keyword,
    is_map: bool,
    call: bool,
) -> Option<Result<ast::Expr, ParserError>> {
    if is_map && call && is_map_literal(parser) {
        return Some(map_literal(parser));
    }
    match keyword {
        Keyword::STRUCT if call && is_struct_literal(parser) => Some(struct_literal(parser)),
        Keyword::CASE => Some(after_word(parser, Parser::parse_case_expr)),
        Keyword::NOT => Some(after_word(parser, Parser::parse_not)),
        Keyword::CAST if call => Some(after_word(parser, |p| p.parse_cast_expr(ast::CastKind::Cast))),
        Keyword::TRY_CAST if call => Some(after_word(parser, |p| p.parse_cast_expr(ast::CastKind::TryCast))),
        Keyword::EXISTS if call => Some(after_word(parser, |p| p.parse_exists_expr(false))),
        Keyword::EXTRACT if call => Some(after_word(parser, Parser::parse_extract_expr)),
        Keyword::CEIL if call => Some(after_word(parser, |p| p.parse_ceil_floor_expr(true))),
        Keyword::FLOOR if call => Some(after_word(parser, |p| p.parse_ceil_floor_expr(false))),
        Keyword::OVERLAY if call => Some(after_word(parser, Parser::parse_overlay_expr)),
        Keyword::TRIM if call => Some(after_word(parser, Parser::parse_trim_expr)),
        Keyword::SUBSTRING | Keyword::SUBSTR if call => Some(parser.parse_substring()),
        Keyword::INTERVAL if begins_interval(parser) => Some(after_word(parser, Parser::parse_interval)),
        // words of PostgreSQL's that are columns like any other here
        Keyword::INTERVAL
        | Keyword::USER
        | Keyword::CURRENT_USER
        | Keyword::SESSION_USER
        | Keyword::CURRENT_CATALOG
            if !call =>
        {
            Some(parser.parse_identifier().map(ast::Expr::Identifier))
        }
        _ => None,
    }
}

fn after_word<'a>(
    parser: &mut Parser<'a>,
    parse: impl FnOnce(&mut Parser<'a>) -> Result<ast::Expr, ParserError>,
) -> Result<ast::Expr, ParserError> {
    parser.advance_token();
    parse(parser)
}

/// `(TABLE t,`: a relation as the first argument of a table function.
fn is_table_argument(parser: &Parser) -> bool {
    let name_ends = (1..=LONGEST_NAME).find(|n| !is_part_of_name(&parser.peek_nth_token_ref(*n).token));
    parser.get_current_token().token == Token::LParen
        && matches!(name_ends, Some(n) if n > 1 && parser.peek_nth_token_ref(n).token == Token::Comma)
}

/// Tokens of a name with a schema.
const LONGEST_NAME: usize = 4;

fn is_part_of_name(token: &Token) -> bool {
    matches!(token, Token::Word(_) | Token::Period)
}

fn table_argument(parser: &mut Parser) -> Result<ast::Expr, ParserError> {
    let prefix = parser.parse_identifier()?;
    let value = Box::new(parser.parse_expr()?);
    Ok(ast::Expr::Prefixed { prefix, value })
}

/// INTERVAL is also a good name for a column.
fn begins_interval(parser: &Parser) -> bool {
    matches!(
        parser.peek_nth_token_ref(1).token,
        Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_) | Token::Number(..) | Token::Minus | Token::Plus
    )
}

/// `MAP()` or `MAP(key := …`: the first argument has a `:=` behind it.
fn is_map_literal(parser: &Parser) -> bool {
    let mut depth = 0usize;
    for n in 1.. {
        match &parser.peek_nth_token_ref(n).token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return n == 2;
                }
            }
            Token::Assignment if depth == 1 => return true,
            Token::Comma if depth == 1 => return false,
            Token::EOF => return false,
            _ => {}
        }
    }
    false
}

fn map_literal(parser: &mut Parser) -> Result<ast::Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let entries = parser.parse_comma_separated0(
        |p| {
            let key = Box::new(p.parse_expr()?);
            p.expect_token(&Token::Assignment)?;
            Ok(ast::MapEntry { key, value: Box::new(p.parse_expr()?) })
        },
        Token::RParen,
    )?;
    parser.expect_token(&Token::RParen)?;
    Ok(ast::Expr::Map(ast::Map { entries }))
}

/// `STRUCT()` or `STRUCT(name := …`.
fn is_struct_literal(parser: &Parser) -> bool {
    match parser.peek_nth_token_ref(2).token {
        Token::RParen => true,
        Token::Word(_) => parser.peek_nth_token_ref(3).token == Token::Assignment,
        _ => false,
    }
}

fn struct_literal(parser: &mut Parser) -> Result<ast::Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let values = parser.parse_comma_separated0(
        |p| {
            let name = p.parse_identifier()?;
            p.expect_token(&Token::Assignment)?;
            Ok(ast::Expr::Named { expr: Box::new(p.parse_expr()?), name })
        },
        Token::RParen,
    )?;
    parser.expect_token(&Token::RParen)?;
    Ok(ast::Expr::Struct { values, fields: Vec::new() })
}

/// How many names stand in `(x, y) =>`; `None` if that is not what stands there.
fn lambda_names(parser: &Parser) -> Option<usize> {
    for n in 0.. {
        let (Token::Word(_), end) =
            (&parser.peek_nth_token_ref(2 * n + 1).token, &parser.peek_nth_token_ref(2 * n + 2).token)
        else {
            return None;
        };
        match end {
            Token::Comma => {}
            Token::RParen => {
                return (parser.peek_nth_token_ref(2 * n + 3).token == Token::RArrow).then_some(n + 1);
            }
            _ => return None,
        }
    }
    None
}

fn lambda_of_many(parser: &mut Parser, n_names: usize) -> Result<ast::Expr, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let names = parser.parse_comma_separated(Parser::parse_identifier)?;
    parser.expect_token(&Token::RParen)?;
    let mut params: Vec<_> = names.into_iter().map(parameter).collect();
    let params = match (n_names, params.pop()) {
        (1, Some(only)) => ast::OneOrManyWithParens::One(only),
        (_, last) => {
            params.extend(last);
            ast::OneOrManyWithParens::Many(params)
        }
    };
    lambda_body(parser, params)
}

fn lambda_of_one(parser: &mut Parser) -> Result<ast::Expr, ParserError> {
    let name = parser.parse_identifier()?;
    lambda_body(parser, ast::OneOrManyWithParens::One(parameter(name)))
}

fn parameter(name: ast::Ident) -> ast::LambdaFunctionParameter {
    ast::LambdaFunctionParameter { name, data_type: None }
}

fn lambda_body(
    parser: &mut Parser,
    params: ast::OneOrManyWithParens<ast::LambdaFunctionParameter>,
) -> Result<ast::Expr, ParserError> {
    parser.expect_token(&Token::RArrow)?;
    let body = Box::new(parser.parse_expr()?);
    Ok(ast::Expr::Lambda(ast::LambdaFunction { params, body, syntax: ast::LambdaSyntax::Arrow }))
}

/// `root->a[1]->b`, with the parser before the first arrow.
fn field_access(parser: &mut Parser, root: ast::Expr) -> Result<ast::Expr, ParserError> {
    let (root, mut access_chain) = match root {
        ast::Expr::CompoundFieldAccess { root, access_chain } => (root, access_chain),
        root => (Box::new(root), Vec::new()),
    };
    loop {
        if parser.consume_token(&Token::Arrow) {
            if parser.peek_token_ref().token == Token::Mul {
                let star = ast::helpers::attached_token::AttachedToken(parser.next_token());
                access_chain.push(ast::AccessExpr::Dot(ast::Expr::Wildcard(star)));
                break;
            }
            access_chain.push(ast::AccessExpr::Dot(ast::Expr::Identifier(parser.parse_identifier()?)));
        } else if parser.consume_token(&Token::LBracket) {
            let index = parser.parse_expr()?;
            parser.expect_token(&Token::RBracket)?;
            access_chain.push(ast::AccessExpr::Subscript(ast::Subscript::Index { index }));
        } else {
            break;
        }
    }
    Ok(ast::Expr::CompoundFieldAccess { root, access_chain })
}

/// Makes a test of two operands.
type MakeTest = fn(Box<ast::Expr>, Box<ast::Expr>) -> ast::Expr;

/// `left IS [NOT] DISTINCT FROM right`, with the parser before IS; `None` if it is another test with IS.
///
/// sqlparser takes all that follows for the right side, AND and OR included; PostgreSQL what binds tighter than IS.
fn distinct_from(parser: &mut Parser, left: &ast::Expr, precedence: u8) -> Option<Result<ast::Expr, ParserError>> {
    let words = |words: &[Keyword]| {
        words
            .iter()
            .enumerate()
            .all(|(n, word)| matches!(&parser.peek_nth_token_ref(n).token, Token::Word(next) if next.keyword == *word))
    };
    let (n_words, make): (usize, MakeTest) = match () {
        () if words(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) => (3, ast::Expr::IsDistinctFrom),
        () if words(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) => {
            (4, ast::Expr::IsNotDistinctFrom)
        }
        () => return None,
    };
    for _ in 0..n_words {
        parser.advance_token();
    }
    let right = parser.parse_subexpr(precedence);
    Some(right.map(|right| make(Box::new(left.clone()), Box::new(right))))
}

/// `first AND a AND b …`, with the parser before the first AND.
fn chain(
    parser: &mut Parser,
    first: ast::Expr,
    keyword: Keyword,
    op: &ast::BinaryOperator,
    precedence: u8,
) -> Result<ast::Expr, ParserError> {
    let mut operands = vec![first];
    while parser.parse_keyword(keyword) {
        operands.push(parser.parse_subexpr(precedence)?);
    }
    let join = |left, right| ast::Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) };
    while operands.len() > LEANING_OPERANDS_MAX {
        let mut pairs = operands.into_iter();
        let mut halved = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(left) = pairs.next() {
            halved.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        operands = halved;
    }
    operands
        .into_iter()
        .reduce(join)
        .ok_or_else(|| ParserError::ParserError("Internal parser error: a chain without operands".to_string()))
}
