//! A query as a tree that can be written out in two dialects and made smaller.

use std::fmt::Write;

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Ours.
    Millrace,
    /// `//` for `/` between integers, and other names.
    DuckDb,
}

/// The types that queries are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// INT.
    Int,
    /// BIGINT.
    Big,
    /// VARCHAR.
    Text,
    /// DECIMAL(12, 2).
    Decimal,
    /// DOUBLE.
    Double,
    /// BOOLEAN.
    Bool,
}

impl Type {
    /// As both dialects write it.
    pub fn sql(self) -> &'static str {
        match self {
            Type::Int => "INT",
            Type::Big => "BIGINT",
            Type::Text => "VARCHAR",
            Type::Decimal => "DECIMAL(12, 2)",
            Type::Double => "DOUBLE",
            Type::Bool => "BOOLEAN",
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `alias.column`.
    Column(String, String),
    /// A literal as both dialects write it.
    Literal(String),
    /// `CAST(NULL AS type)`.
    Null(Type),
    /// `(a op b)`.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Integer division.
    Divide(Box<Expr>, Box<Expr>),
    /// `(NOT a)`.
    Not(Box<Expr>),
    /// `(a IS [NOT] NULL)`.
    IsNull(Box<Expr>, bool),
    /// `(a BETWEEN b AND c)`.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `(a [NOT] IN (…))`.
    In(Box<Expr>, Vec<Expr>, bool),
    /// `(a LIKE 'pattern')`.
    Like(Box<Expr>, String),
    /// `CASE WHEN a THEN b ELSE c END`.
    Case(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `CAST(a AS type)`.
    Cast(Box<Expr>, Type),
    /// `f(…)`.
    Call(&'static str, Vec<Expr>),
    /// `([NOT] EXISTS (…))`.
    Exists(Box<Query>, bool),
    /// `(a [NOT] IN (SELECT …))`.
    InQuery(Box<Expr>, Box<Query>, bool),
    /// `(SELECT …)`.
    Scalar(Box<Query>),
}

/// An aggregate call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name.
    pub function: &'static str,
    /// Its arguments; none: `(*)`.
    pub args: Vec<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// ORDER BY its own argument.
    pub ordered: bool,
}

/// A result column.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// What.
    pub value: T,
    /// Its name.
    pub name: String,
    /// Its type; `None` where no other query may use it.
    pub data_type: Option<Type>,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// `relation AS alias`.
    Base {
        /// Which.
        relation: &'static str,
        /// Its name in the query.
        alias: String,
    },
    /// `(query) AS alias`.
    Query {
        /// Which.
        query: Box<Query>,
        /// Its name in the query.
        alias: String,
    },
    /// The first rows of each group of a query, by ROW_NUMBER.
    First {
        /// Which.
        query: Box<Query>,
        /// Its name in the query.
        alias: String,
        /// PARTITION BY.
        partition: Vec<String>,
        /// ORDER BY: column, descending, NULLs first.
        order: Vec<(String, bool, bool)>,
        /// What the number is compared with: `<= 3`.
        wanted: String,
        /// The column that has the number, if it is one of the result.
        number: Option<String>,
    },
    /// `left kind right ON …`.
    Join {
        /// `JOIN`, `LEFT JOIN`, `CROSS JOIN` …
        kind: &'static str,
        /// Left side.
        left: Box<From>,
        /// Right side.
        right: Box<From>,
        /// `WITHIN …` or nothing.
        within: String,
        /// The condition; `None` for CROSS JOIN.
        on: Option<Expr>,
    },
}

/// What a SELECT makes of its rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Rows.
    Rows {
        /// DISTINCT.
        distinct: bool,
        /// The columns.
        items: Vec<Item<Expr>>,
    },
    /// Groups.
    Groups {
        /// GROUP BY, also selected.
        keys: Vec<Item<Expr>>,
        /// `ROLLUP`, `CUBE` or nothing, around the keys.
        sets: &'static str,
        /// The aggregates.
        calls: Vec<Item<Call>>,
        /// HAVING, an aggregate and what it is compared with.
        having: Option<(Call, &'static str, String)>,
    },
}

/// ORDER BY … LIMIT … OFFSET.
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// Column, descending, NULLs first.
    pub order: Vec<(String, bool, bool)>,
    /// LIMIT.
    pub limit: usize,
    /// OFFSET.
    pub offset: usize,
}

/// SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// FROM.
    pub from: From,
    /// `WINDOW …` or nothing.
    pub window: String,
    /// WHERE.
    pub filter: Option<Expr>,
    /// The rest.
    pub output: Output,
    /// ORDER BY … LIMIT.
    pub top: Option<Top>,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// SELECT.
    Select(Box<Select>),
    /// `left op right`.
    Set(&'static str, Box<Query>, Box<Query>),
}

impl Query {
    /// Names and types of its columns.
    pub fn columns(&self) -> Vec<(String, Option<Type>)> {
        match self {
            Query::Set(_, left, _) => left.columns(),
            Query::Select(select) => match &select.output {
                Output::Rows { items, .. } => items.iter().map(|i| (i.name.clone(), i.data_type)).collect(),
                Output::Groups { keys, calls, .. } => {
                    let keys = keys.iter().map(|i| (i.name.clone(), i.data_type));
                    keys.chain(calls.iter().map(|i| (i.name.clone(), i.data_type))).collect()
                }
            },
        }
    }

    /// The text.
    pub fn sql(&self, dialect: Dialect) -> String {
        match self {
            Query::Select(select) => select.sql(dialect),
            Query::Set(op, left, right) => format!("({}) {op} ({})", left.sql(dialect), right.sql(dialect)),
        }
    }
}

impl Select {
    fn sql(&self, dialect: Dialect) -> String {
        let mut sql = String::from("SELECT ");
        match &self.output {
            Output::Rows { distinct, items } => {
                if *distinct {
                    sql.push_str("DISTINCT ");
                }
                sql.push_str(&list(items, |e| e.sql(dialect)));
            }
            Output::Groups { keys, calls, .. } => {
                let parts = [list(keys, |e| e.sql(dialect)), list(calls, |c| c.sql(dialect))];
                sql.push_str(&parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", "));
            }
        }
        let _ = write!(sql, " FROM {}", self.from.sql(dialect));
        if !self.window.is_empty() {
            let _ = write!(sql, " {}", self.window);
        }
        if let Some(filter) = &self.filter {
            let _ = write!(sql, " WHERE {}", filter.sql(dialect));
        }
        if let Output::Groups { keys, sets, having, .. } = &self.output {
            if !keys.is_empty() {
                let keys: Vec<String> = keys.iter().map(|k| k.value.sql(dialect)).collect();
                let keys = keys.join(", ");
                let keys = if sets.is_empty() { keys } else { format!("{sets} ({keys})") };
                let _ = write!(sql, " GROUP BY {keys}");
            }
            if let Some((call, op, literal)) = having {
                let _ = write!(sql, " HAVING {} {op} {literal}", call.sql(dialect));
            }
        }
        if let Some(top) = &self.top {
            let mut keys: Vec<String> = top.order.iter().map(sort_key).collect();
            if dialect == Dialect::DuckDb {
                // there, ties are broken as it comes; here, by the remaining columns
                let all = Query::Select(Box::new(self.clone())).columns();
                keys.extend(all.into_iter().map(|(column, _)| sort_key(&(column, false, false))));
            }
            let _ = write!(sql, " ORDER BY {} LIMIT {}", keys.join(", "), top.limit);
            if top.offset > 0 {
                let _ = write!(sql, " OFFSET {}", top.offset);
            }
        }
        sql
    }
}

fn list<T>(items: &[Item<T>], sql: impl Fn(&T) -> String) -> String {
    items.iter().map(|i| format!("{} AS {}", sql(&i.value), i.name)).collect::<Vec<_>>().join(", ")
}

impl From {
    fn sql(&self, dialect: Dialect) -> String {
        match self {
            From::Base { relation, alias } => format!("{relation} AS {alias}"),
            From::Query { query, alias } => format!("({}) AS {alias}", query.sql(dialect)),
            From::First { query, alias, partition, order, wanted, number } => {
                first(query, partition, order, wanted, number.as_deref(), dialect) + &format!(" AS {alias}")
            }
            From::Join { kind, left, right, within, on } => {
                let mut sql = format!("{} {kind} {}", left.sql(dialect), right.sql(dialect));
                if !within.is_empty() {
                    let _ = write!(sql, " {within}");
                }
                if let Some(on) = on {
                    let _ = write!(sql, " ON {}", on.sql(dialect));
                }
                sql
            }
        }
    }
}

/// One key of ORDER BY.
fn sort_key((column, descending, nulls_first): &(String, bool, bool)) -> String {
    let direction = if *descending { "DESC" } else { "ASC" };
    let nulls = if *nulls_first { "FIRST" } else { "LAST" };
    format!("{column} {direction} NULLS {nulls}")
}

/// `(SELECT … FROM (SELECT …, ROW_NUMBER() OVER (…) AS n FROM (query)) WHERE n …)`.
fn first(
    query: &Query,
    partition: &[String],
    order: &[(String, bool, bool)],
    wanted: &str,
    number: Option<&str>,
    dialect: Dialect,
) -> String {
    let columns: Vec<String> = query.columns().into_iter().map(|(column, _)| column).collect();
    let mut keys: Vec<String> = order.iter().map(sort_key).collect();
    if dialect == Dialect::DuckDb {
        // there, ties are broken as it comes; here, by the remaining columns
        keys.extend(columns.iter().map(|column| sort_key(&(column.clone(), false, false))));
    }
    let by = match partition.is_empty() {
        true => String::new(),
        false => format!("PARTITION BY {} ", partition.join(", ")),
    };
    let name = number.unwrap_or("place");
    let selected: Vec<&str> = columns.iter().map(String::as_str).chain(number).collect();
    format!(
        "(SELECT {} FROM (SELECT {}, ROW_NUMBER() OVER ({by}ORDER BY {}) AS {name} FROM ({}) AS numbered) AS numbers WHERE {name} {wanted})",
        selected.join(", "),
        columns.join(", "),
        keys.join(", "),
        query.sql(dialect),
    )
}

impl Call {
    fn sql(&self, dialect: Dialect) -> String {
        let args: Vec<String> = self.args.iter().map(|a| a.sql(dialect)).collect();
        let mut inner = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
        if self.distinct {
            inner = format!("DISTINCT {inner}");
        }
        if self.function == "STRING_AGG" {
            inner = format!("{inner}, '|'");
        }
        if self.ordered {
            inner = format!("{inner} ORDER BY {} ASC NULLS LAST", args[0]);
        }
        let filter = match &self.filter {
            Some(filter) => format!(" FILTER (WHERE {})", filter.sql(dialect)),
            None => String::new(),
        };
        match (dialect, self.function) {
            // there, a list of nothing is NULL, and a set is a list of distinct values
            (Dialect::DuckDb, "COLLECT_LIST") => format!("COALESCE(LIST({inner}){filter}, [])"),
            (Dialect::DuckDb, "COLLECT_SET") => {
                format!("COALESCE(LIST(DISTINCT {inner} ORDER BY {inner} ASC NULLS LAST){filter}, [])")
            }
            (_, name) => format!("{name}({inner}){filter}"),
        }
    }
}

impl Expr {
    /// The text.
    pub fn sql(&self, dialect: Dialect) -> String {
        let sql = |e: &Expr| e.sql(dialect);
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Expr::Column(alias, column) => format!("{alias}.{column}"),
            Expr::Literal(text) => text.clone(),
            Expr::Null(data_type) => format!("CAST(NULL AS {})", data_type.sql()),
            Expr::Binary(op, a, b) => format!("({} {op} {})", sql(a), sql(b)),
            Expr::Divide(a, b) => {
                let op = if dialect == Dialect::DuckDb { "//" } else { "/" };
                format!("({} {op} {})", sql(a), sql(b))
            }
            Expr::Not(a) => format!("(NOT {})", sql(a)),
            Expr::IsNull(a, negated) => format!("({} IS {}NULL)", sql(a), not(negated)),
            Expr::Between(a, b, c) => format!("({} BETWEEN {} AND {})", sql(a), sql(b), sql(c)),
            Expr::In(a, items, negated) => {
                let items: Vec<String> = items.iter().map(sql).collect();
                format!("({} {}IN ({}))", sql(a), not(negated), items.join(", "))
            }
            Expr::Like(a, pattern) => format!("({} LIKE '{pattern}')", sql(a)),
            Expr::Case(a, b, c) => format!("CASE WHEN {} THEN {} ELSE {} END", sql(a), sql(b), sql(c)),
            Expr::Cast(a, data_type) => format!("CAST({} AS {})", sql(a), data_type.sql()),
            Expr::Call(name, args) => {
                let args: Vec<String> = args.iter().map(sql).collect();
                format!("{name}({})", args.join(", "))
            }
            Expr::Exists(query, negated) => format!("({}EXISTS ({}))", not(negated), sql_of(query, dialect)),
            Expr::InQuery(a, query, negated) => {
                format!("({} {}IN ({}))", sql(a), not(negated), sql_of(query, dialect))
            }
            Expr::Scalar(query) => format!("({})", sql_of(query, dialect)),
        }
    }
}

fn sql_of(query: &Query, dialect: Dialect) -> String {
    query.sql(dialect)
}
