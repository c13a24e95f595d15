//! A query: sqlparser reads it, the streaming clauses join it, and what our language has not is refused.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Spanned, VisitMut, VisitorMut};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{self, Token, TokenWithSpan};

use crate::error::{PlanError, Result, Span};
use crate::sql::cursor::{Cursor, is_word};
use crate::sql::cut::Cut;
use crate::sql::dialect::Millrace;
use crate::sql::query::{Clauses, StreamingQuery};

/// The token behind the `n` next ones begins a query.
pub(super) fn is_query(cursor: &Cursor, n: usize) -> bool {
    let mut at = n;
    while *cursor.peek_nth(at) == Token::LParen {
        at += 1;
    }
    begins_query(cursor.peek_nth(at))
}

fn begins_query(token: &Token) -> bool {
    ["SELECT", "WITH", "VALUES"].iter().any(|word| is_word(token, word))
}

/// The query that goes on to the end of the statement.
pub(super) fn query(cursor: &mut Cursor) -> Result<StreamingQuery> {
    let (start, from) = (cursor.span(), cursor.index());
    let mut query = match cursor.sql(Parser::parse_query) {
        Ok(query) => query,
        Err(error) => return Err(inner_error(cursor, from).unwrap_or(error)),
    };
    cursor.expect_end()?;
    let Cut { windows, withins, emit, partition_by } = std::mem::take(&mut cursor.cut);
    let clauses = Clauses { windows, withins };
    let mut check = Check { cursor, clauses: &clauses, n_windows: 0, n_withins: 0 };
    if let ControlFlow::Break(error) = query.visit(&mut check) {
        return Err(error);
    }
    check.all_found()?;
    let (partition_by, partition_by_span) = match partition_by {
        Some((exprs, span)) => (exprs, Some(span)),
        None => (Vec::new(), None),
    };
    let span = Span::new(start.start, cursor.end());
    let text = cursor.positions().text().get(span.start..span.end).unwrap_or_default().to_string();
    Ok(StreamingQuery { query, clauses, emit, partition_by, partition_by_span, span, text })
}

/// An expression outside of a query.
pub(in crate::sql) fn expr(cursor: &mut Cursor) -> Result<ast::Expr> {
    let mut expr = cursor.sql(Parser::parse_expr)?;
    let clauses = Clauses::default();
    let mut check = Check { cursor, clauses: &clauses, n_windows: 0, n_withins: 0 };
    match expr.visit(&mut check) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(expr),
    }
}

/// sqlparser tries what a bracket may be and reports the last try, at the bracket. So each query in brackets is read by
/// itself, the innermost first: the first that fails has the mistake.
fn inner_error(cursor: &Cursor, from: usize) -> Option<PlanError> {
    let tokens: Vec<&TokenWithSpan> = cursor.tokens(from).collect();
    let mut open = Vec::new();
    let mut queries = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => open.push(at),
            Token::RParen => {
                let begin = open.pop()? + 1;
                if tokens.get(begin).is_some_and(|token| begins_query(&token.token)) {
                    queries.push(begin..at);
                }
            }
            _ => {}
        }
    }
    // queries in queries cost their length each time; no person nests so many that it matters
    const TRIES_MAX: usize = 64;
    queries.into_iter().take(TRIES_MAX).find_map(|range| {
        let inner: Vec<TokenWithSpan> = tokens[range.clone()].iter().map(|token| (*token).clone()).collect();
        let end = tokens.get(range.end).and_then(|token| cursor.positions().span(token.span))?;
        let dialect = Millrace::new(inner.len());
        let mut inner = Cursor::new(&dialect, inner, cursor.positions(), Cut::default(), end.start);
        match inner.sql(Parser::parse_query) {
            Err(error) => Some(error),
            Ok(_) if !inner.done() => Some(inner.expected_clause("the end of the query in brackets")),
            Ok(_) => None,
        }
    })
}

/// Counts the clauses that are found, and refuses what sqlparser reads and our language has not.
struct Check<'a, 'b> {
    cursor: &'a Cursor<'b>,
    clauses: &'a Clauses,
    n_windows: usize,
    n_withins: usize,
}

impl Check<'_, '_> {
    fn all_found(&self) -> Result<()> {
        if self.n_withins < self.clauses.withins.len() {
            let span = self.clauses.withins().next().map(|clause| clause.span).unwrap_or_default();
            return Err(
                PlanError::not_supported("WITHIN behind anything but a relation or a query in brackets").at(span)
            );
        }
        if self.n_windows < self.clauses.windows.len() {
            let span = self.clauses.windows().next().map(|clause| clause.span).unwrap_or_default();
            return Err(PlanError::not_supported("WINDOW in this place").at(span));
        }
        Ok(())
    }

    fn refuse(&self, what: &str, at: tokenizer::Span) -> ControlFlow<PlanError> {
        let error = PlanError::not_supported(what);
        ControlFlow::Break(match self.cursor.positions().span(at) {
            Some(span) => error.at(span),
            None => error,
        })
    }

    /// `AS t (a INT)` behind a relation.
    fn has_typed_columns(factor: &ast::TableFactor) -> bool {
        use ast::TableFactor::*;
        let (Table { alias, .. }
        | Derived { alias, .. }
        | TableFunction { alias, .. }
        | Function { alias, .. }
        | UNNEST { alias, .. }
        | NestedJoin { alias, .. }) = factor
        else {
            return false;
        };
        alias.iter().flat_map(|alias| &alias.columns).any(|column| column.data_type.is_some())
    }

    fn joins(&mut self, table: &ast::TableWithJoins) {
        self.n_withins += table.joins.iter().filter(|join| self.clauses.within(join).is_some()).count();
    }
}

impl VisitorMut for Check<'_, '_> {
    type Break = PlanError;

    fn pre_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<PlanError> {
        self.n_windows += usize::from(self.clauses.window(select).is_some());
        select.from.iter().for_each(|table| self.joins(table));
        let unknown = [
            ("TOP", select.top.is_some()),
            ("SELECT INTO", select.into.is_some()),
            ("LATERAL VIEW", !select.lateral_views.is_empty()),
            ("PREWHERE", select.prewhere.is_some()),
            ("CONNECT BY", !select.connect_by.is_empty()),
            ("CLUSTER BY", !select.cluster_by.is_empty()),
            ("DISTRIBUTE BY", !select.distribute_by.is_empty()),
            ("SORT BY", !select.sort_by.is_empty()),
            ("SELECT AS STRUCT", select.value_table_mode.is_some()),
        ];
        if let Some((what, _)) = unknown.iter().find(|(_, there)| *there) {
            return self.refuse(what, select.select_token.0.span);
        }
        if let ast::GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
            // GROUP BY (a, b) groups by a and b
            if let [ast::Expr::Tuple(inner)] = exprs.as_mut_slice() {
                *exprs = std::mem::take(inner);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<PlanError> {
        let span = query.body.span();
        let unknown = [
            ("FOR UPDATE and FOR SHARE", !query.locks.is_empty()),
            ("FOR XML, FOR JSON and FOR BROWSE", query.for_clause.is_some()),
            ("SETTINGS", query.settings.is_some()),
            ("FORMAT", query.format_clause.is_some()),
            ("pipe operators", !query.pipe_operators.is_empty()),
        ];
        if let Some((what, _)) = unknown.iter().find(|(_, there)| *there) {
            return self.refuse(what, span);
        }
        match &*query.body {
            ast::SetExpr::Insert(_) | ast::SetExpr::Update(_) | ast::SetExpr::Delete(_) | ast::SetExpr::Merge(_) => {
                let with = query.with.as_ref().map_or(span, |with| with.with_token.0.span);
                self.refuse("INSERT, UPDATE, DELETE or MERGE inside a query", with)
            }
            ast::SetExpr::Table(_) => self.refuse("TABLE as a query: write SELECT * FROM", span),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<PlanError> {
        use ast::TableFactor;
        let what = match factor {
            _ if Self::has_typed_columns(factor) => "types of columns in an alias",
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.joins(table_with_joins);
                return ControlFlow::Continue(());
            }
            TableFactor::Table { with_hints, version, partitions, json_path, sample, index_hints, .. } => match () {
                () if !with_hints.is_empty() || !index_hints.is_empty() => "hints on a relation",
                () if version.is_some() => "a relation as of another time",
                () if !partitions.is_empty() => "PARTITION of a relation",
                () if json_path.is_some() => "a path into a relation",
                () if sample.is_some() => "TABLESAMPLE",
                () => return ControlFlow::Continue(()),
            },
            TableFactor::Derived { sample: Some(_), .. } => "TABLESAMPLE",
            TableFactor::Pivot { .. } => "PIVOT",
            TableFactor::Unpivot { .. } => "UNPIVOT",
            TableFactor::MatchRecognize { .. } => "MATCH_RECOGNIZE",
            TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => "JSON_TABLE",
            TableFactor::XmlTable { .. } => "XMLTABLE",
            TableFactor::SemanticView { .. } => "SEMANTIC_VIEW",
            _ => return ControlFlow::Continue(()),
        };
        let span = factor.span();
        self.refuse(what, span)
    }

    fn pre_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<PlanError> {
        let is_name = |name: &ast::Ident| match name.quote_style {
            None => !name.value.starts_with('$'),
            Some(quote) => quote != '\'',
        };
        let is_field = |access: &ast::AccessExpr| match access {
            ast::AccessExpr::Dot(ast::Expr::Identifier(name)) => is_name(name),
            ast::AccessExpr::Dot(field) => matches!(field, ast::Expr::Wildcard(_)),
            ast::AccessExpr::Subscript(_) => true,
        };
        let fine = match expr {
            ast::Expr::CompoundFieldAccess { access_chain, .. } => access_chain.iter().all(is_field),
            ast::Expr::CompoundIdentifier(names) => names.iter().all(is_name),
            _ => true,
        };
        match fine {
            true => ControlFlow::Continue(()),
            false => self.refuse("anything but a name behind a dot", expr.span()),
        }
    }
}
