//! Random queries over the relations of [`changes`](crate::property::changes).
//!
//! Every query is well typed. Expressions that fail on a row are rare, because a failure says little about joins and
//! groups; integer division is there to make some.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::property::changes::{RELATIONS, Relation};
use crate::property::query::{Call, Expr, From, Item, Output, Query, Select, Top, Type};

/// What a query is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// CREATE MATERIALIZED VIEW: everything is maintained.
    View,
    /// CREATE STREAM … AS: streams, as-of joins, WITHIN joins.
    Stream,
    /// CREATE TABLE … AS: aggregates with and without windows.
    Table,
}

/// A column in scope: alias, column, type.
type Known = (String, String, Type);

/// Columns in scope.
type Scope = Vec<Known>;

/// Draws queries.
pub struct Generator<'r> {
    rng: &'r mut StdRng,
    names: usize,
}

const SCALARS: [Type; 6] = [Type::Int, Type::Big, Type::Text, Type::Decimal, Type::Double, Type::Bool];
const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

impl<'r> Generator<'r> {
    /// From this source of randomness.
    pub fn new(rng: &'r mut StdRng) -> Self {
        Generator { rng, names: 0 }
    }

    /// A query of this shape.
    pub fn query(&mut self, shape: Shape) -> Query {
        match shape {
            Shape::View => {
                let depth = self.rng.random_range(1..=3);
                self.view(depth)
            }
            Shape::Stream => self.stream(),
            Shape::Table => self.windowed(),
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(self.rng).expect("something to choose from")
    }

    // ---- whole queries ----

    fn view(&mut self, depth: u32) -> Query {
        if self.chance(30) {
            let types: Vec<Type> = (0..self.rng.random_range(1..=3)).map(|_| self.pick(&SCALARS)).collect();
            return self.set(&types, depth - 1);
        }
        let (from, scope) = self.from(depth);
        let filter = self.chance(50).then(|| self.condition(&scope, depth));
        let output = self.output(&scope);
        let mut select = Select { from, window: String::new(), filter, output, top: None };
        if self.chance(15) {
            let columns = Query::Select(Box::new(select.clone())).columns();
            select.top = self.top(&columns);
        }
        Query::Select(Box::new(select))
    }

    /// A set operation of two queries, or of three.
    fn set(&mut self, types: &[Type], depth: u32) -> Query {
        let rare = ["INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"];
        let op = if self.chance(25) { self.pick(&["UNION ALL", "UNION"]) } else { self.pick(&rare) };
        let left = if self.chance(25) { self.set(types, 0) } else { self.rows_of(types, depth) };
        let right = self.rows_of(types, depth);
        Query::Set(op, Box::new(left), Box::new(right))
    }

    /// A query with columns of these types, for set operations.
    fn rows_of(&mut self, types: &[Type], depth: u32) -> Query {
        let (from, scope) = self.from(depth);
        let filter = self.chance(40).then(|| self.condition(&scope, 1));
        let items = types
            .iter()
            .map(|t| Item { value: self.expr(*t, &scope, 1), name: self.name("c"), data_type: Some(*t) })
            .collect();
        let output = Output::Rows { distinct: self.chance(10), items };
        Query::Select(Box::new(Select { from, window: String::new(), filter, output, top: None }))
    }

    /// A stream joined with a table as of its tick, or with a stream within a window, or alone.
    fn stream(&mut self) -> Query {
        let (left, mut scope) = self.base_of(|r| r.stream);
        let (kind, joins_stream) = match self.rng.random_range(0..10) {
            0..=5 => (self.pick(&["JOIN", "LEFT JOIN"]), Some(false)),
            6..=9 if self.chance(90) => ("JOIN", Some(true)),
            _ => ("", None),
        };
        let from = match joins_stream {
            None => left,
            Some(stream) => {
                let (right, right_scope) = self.base_of(|r| r.stream == stream && (stream || !r.key.is_empty()));
                let on = self.join_condition(&scope, &right_scope);
                scope.extend(right_scope);
                let within = if stream { "WITHIN 3 SECONDS GRACE PERIOD 1 HOUR".to_owned() } else { String::new() };
                From::Join { kind, left: Box::new(left), right: Box::new(right), within, on: Some(on) }
            }
        };
        let filter = self.chance(30).then(|| self.condition(&scope, 0));
        let items = self.items(&scope);
        let output = Output::Rows { distinct: false, items };
        Query::Select(Box::new(Select { from, window: String::new(), filter, output, top: None }))
    }

    fn windowed(&mut self) -> Query {
        let (from, scope) = self.base_of(|r| r.stream);
        let (none, some) = (", GRACE PERIOD 0 SECONDS", ", GRACE PERIOD 2 SECONDS");
        let grace = self.pick(&["", none, none, some, some, ", GRACE PERIOD 1 HOUR"]);
        let window = match self.rng.random_range(0..20) {
            0..=4 => format!("WINDOW TUMBLING (SIZE 5 SECONDS{grace})"),
            5..=9 => format!("WINDOW HOPPING (SIZE 6 SECONDS, ADVANCE BY 2 SECONDS{grace})"),
            10..=17 => format!("WINDOW SESSION (2 SECONDS{grace})"),
            _ => String::new(),
        };
        let filter = self.chance(30).then(|| self.condition(&scope, 0));
        let Output::Groups { mut keys, mut calls, having, .. } = self.groups(&scope) else {
            return self.windowed();
        };
        if keys.is_empty() || self.chance(25) {
            let text = scope.iter().find(|c| c.2 == Type::Text && self.chance(50)).cloned();
            let (alias, column, data_type) = text.unwrap_or_else(|| self.scope_column(&scope));
            let name = self.name("c");
            keys.push(Item { value: Expr::Column(alias, column), name, data_type: Some(data_type) });
        }
        if self.chance(70) {
            let (alias, column, _) = self.scope_column(&scope);
            let function = self.pick(&["LATEST_BY_OFFSET", "EARLIEST_BY_OFFSET"]);
            let args = vec![Expr::Column(alias, column)];
            let value = Call { function, args, distinct: false, filter: None, ordered: false };
            calls.push(Item { value, name: self.name("c"), data_type: None });
        }
        let output = Output::Groups { keys, sets: "", calls, having };
        Query::Select(Box::new(Select { from, window, filter, output, top: None }))
    }

    // ---- FROM ----

    fn from(&mut self, depth: u32) -> (From, Scope) {
        let (mut from, mut scope) = self.item(depth);
        for _ in 0..self.rng.random_range(0..=depth.min(2)) {
            let (right, right_scope) = self.item(depth.saturating_sub(1));
            let kind = self.pick(&["JOIN", "JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]);
            let on = (kind != "CROSS JOIN").then(|| self.join_condition(&scope, &right_scope));
            scope.extend(right_scope);
            from = From::Join { kind, left: Box::new(from), right: Box::new(right), within: String::new(), on };
        }
        (from, scope)
    }

    fn item(&mut self, depth: u32) -> (From, Scope) {
        if depth <= 1 || self.chance(60) {
            return self.base_of(|_| true);
        }
        let query = self.view(depth - 1);
        let alias = self.name("q");
        let scope = query
            .columns()
            .into_iter()
            .filter_map(|(name, data_type)| Some((alias.clone(), name, data_type?)))
            .collect::<Scope>();
        if scope.is_empty() {
            return self.base_of(|_| true);
        }
        if self.chance(45)
            && let Some(first) = self.first(&query, &alias, &scope)
        {
            return first;
        }
        (From::Query { query: Box::new(query), alias }, scope)
    }

    /// The first rows of each group of a query, with their numbers or without.
    fn first(&mut self, query: &Query, alias: &str, scope: &Scope) -> Option<(From, Scope)> {
        if query.columns().len() != scope.len() {
            return None;
        }
        let partition = (0..self.rng.random_range(0..=2)).map(|_| self.scope_column(scope).1).collect();
        let order = (0..self.rng.random_range(1..=2))
            .map(|_| (self.scope_column(scope).1, self.chance(50), self.chance(50)))
            .collect();
        let wanted = self.pick(&["<= 1", "<= 3", "< 3", "= 2", "BETWEEN 2 AND 4"]).to_owned();
        let number = self.chance(60).then(|| self.name("n"));
        let mut scope = scope.clone();
        scope.extend(number.iter().map(|number| (alias.to_owned(), number.clone(), Type::Big)));
        let (query, alias) = (Box::new(query.clone()), alias.to_owned());
        Some((From::First { query, alias, partition, order, wanted, number }, scope))
    }

    fn base_of(&mut self, wanted: impl Fn(&Relation) -> bool) -> (From, Scope) {
        let relations: Vec<&'static Relation> = RELATIONS.iter().filter(|r| wanted(r)).collect();
        let relation = self.pick(&relations);
        let alias = self.name("t");
        let scope = relation.columns.iter().map(|(c, t)| (alias.clone(), (*c).to_owned(), *t)).collect();
        (From::Base { relation: relation.name, alias }, scope)
    }

    /// At least one equality between the sides, and sometimes more.
    fn join_condition(&mut self, left: &Scope, right: &Scope) -> Expr {
        let pairs: Vec<(&Known, &Known)> =
            left.iter().flat_map(|l| right.iter().filter(move |r| r.2 == l.2).map(move |r| (l, r))).collect();
        let column = |c: &(String, String, Type)| Box::new(Expr::Column(c.0.clone(), c.1.clone()));
        let texts: Vec<(&Known, &Known)> = pairs.iter().filter(|(l, _)| l.2 == Type::Text).copied().collect();
        let some = if !texts.is_empty() && self.chance(20) { &texts } else { &pairs };
        let Some((l, r)) = some.choose(self.rng) else {
            // no common type: compare as text
            let (l, r) = (self.scope_column(left), self.scope_column(right));
            let cast = |c: (String, String, Type)| Box::new(Expr::Cast(Box::new(Expr::Column(c.0, c.1)), Type::Text));
            return Expr::Binary("=", cast(l), cast(r));
        };
        let mut on = Expr::Binary("=", column(l), column(r));
        if self.chance(15)
            && let Some((l, r)) = pairs.choose(self.rng)
        {
            on = Expr::Binary("AND", Box::new(on), Box::new(Expr::Binary("=", column(l), column(r))));
        }
        if self.chance(25) {
            let both: Scope = left.iter().chain(right).cloned().collect();
            let residual = self.predicate(&both, 1);
            on = Expr::Binary("AND", Box::new(on), Box::new(residual));
        }
        on
    }

    fn scope_column(&mut self, scope: &Scope) -> (String, String, Type) {
        scope.choose(self.rng).expect("a scope has columns").clone()
    }

    // ---- SELECT ----

    fn output(&mut self, scope: &Scope) -> Output {
        if self.chance(45) {
            return self.groups(scope);
        }
        let distinct = self.chance(20);
        Output::Rows { distinct, items: self.items(scope) }
    }

    fn items(&mut self, scope: &Scope) -> Vec<Item<Expr>> {
        (0..self.rng.random_range(1..=4))
            .map(|_| {
                let data_type = if self.chance(70) { self.scope_column(scope).2 } else { self.pick(&SCALARS) };
                let value = self.expr(data_type, scope, 2);
                Item { value, name: self.name("c"), data_type: Some(data_type) }
            })
            .collect()
    }

    fn groups(&mut self, scope: &Scope) -> Output {
        let keys: Vec<Item<Expr>> = (0..self.rng.random_range(0..=2))
            .map(|_| {
                let (alias, column, data_type) = self.scope_column(scope);
                Item { value: Expr::Column(alias, column), name: self.name("c"), data_type: Some(data_type) }
            })
            .collect();
        let calls = (0..self.rng.random_range(1..=4))
            .map(|_| {
                let (value, data_type) = self.call(scope);
                Item { value, name: self.name("c"), data_type }
            })
            .collect();
        let having = self.chance(15).then(|| {
            let count = Call { function: "COUNT", args: vec![], distinct: false, filter: None, ordered: false };
            (count, self.pick(&[">", "<", "="]), self.rng.random_range(1..4).to_string())
        });
        let sets = if keys.is_empty() || !self.chance(15) { "" } else { self.pick(&["ROLLUP", "CUBE"]) };
        Output::Groups { keys, sets, calls, having }
    }

    fn call(&mut self, scope: &Scope) -> (Call, Option<Type>) {
        let filter = self.chance(15).then(|| self.predicate(scope, 1));
        let call =
            |function, args, distinct, ordered| Call { function, args, distinct, filter: filter.clone(), ordered };
        let of = |g: &mut Self, types: &[Type]| {
            let data_type = g.pick(types);
            (g.expr(data_type, scope, 1), data_type)
        };
        use Type::{Big, Bool, Decimal, Double, Int, Text};
        match self.rng.random_range(0..20) {
            0 => (call("COUNT", vec![], false, false), Some(Big)),
            1 | 14 => {
                let arg = of(self, &SCALARS).0;
                (call("COUNT", vec![arg], self.chance(50), false), Some(Big))
            }
            2 | 3 => {
                let (arg, data_type) = of(self, &[Int, Big, Decimal, Double]);
                let distinct = self.chance(50);
                let result = match data_type {
                    Int | Big => Some(Big),
                    Double => Some(Double),
                    _ => None,
                };
                (call("SUM", vec![arg], distinct, false), result)
            }
            4 | 15 => {
                let (arg, data_type) = of(self, &[Int, Big, Decimal, Double]);
                let distinct = self.chance(50);
                (call("AVG", vec![arg], distinct, false), (data_type != Decimal).then_some(Double))
            }
            5..=8 => {
                let (arg, data_type) = of(self, &SCALARS);
                (call(self.pick(&["MIN", "MAX"]), vec![arg], false, false), Some(data_type))
            }
            9 => {
                let arg = of(self, &[Int, Double]).0;
                let function = self.pick(&["STDDEV_SAMP", "STDDEV_POP", "VAR_SAMP", "VAR_POP"]);
                (call(function, vec![arg], false, false), None)
            }
            10 | 16 => (call(self.pick(&["BOOL_AND", "BOOL_OR"]), vec![of(self, &[Bool]).0], false, false), Some(Bool)),
            11 | 17 => {
                let distinct = self.chance(50);
                (call("STRING_AGG", vec![of(self, &[Text]).0], distinct, true), Some(Text))
            }
            12 => (call("COLLECT_SET", vec![of(self, &SCALARS).0], false, false), None),
            _ => (call("COLLECT_LIST", vec![of(self, &SCALARS).0], false, true), None),
        }
    }

    fn top(&mut self, columns: &[(String, Option<Type>)]) -> Option<Top> {
        let sortable: Vec<&String> = columns.iter().filter(|(_, t)| t.is_some()).map(|(n, _)| n).collect();
        if sortable.is_empty() || columns.iter().any(|(_, t)| t.is_none()) {
            return None;
        }
        let order = (0..self.rng.random_range(1..=2))
            .map(|_| ((*sortable.choose(self.rng).expect("sortable")).clone(), self.chance(50), self.chance(50)))
            .collect();
        let (limit, offset) =
            (self.rng.random_range(0..6), if self.chance(30) { self.rng.random_range(1..4) } else { 0 });
        Some(Top { order, limit, offset })
    }

    // ---- expressions ----

    /// A condition, sometimes with a subquery.
    fn condition(&mut self, scope: &Scope, depth: u32) -> Expr {
        if depth > 0 && self.chance(40) {
            let subquery = self.subquery(scope);
            if self.chance(25) {
                return Expr::Binary("OR", Box::new(subquery), Box::new(self.predicate(scope, 1)));
            }
            return subquery;
        }
        self.predicate(scope, 2)
    }

    fn subquery(&mut self, scope: &Scope) -> Expr {
        let (from, inner) = self.base_of(|_| true);
        let negated = self.chance(50);
        let (alias, column, data_type) = self.scope_column(scope);
        let outer = Expr::Column(alias, column);
        let same: Vec<&(String, String, Type)> = inner.iter().filter(|c| c.2 == data_type).collect();
        let correlated = same
            .choose(self.rng)
            .map(|c| Expr::Binary("=", Box::new(Expr::Column(c.0.clone(), c.1.clone())), Box::new(outer.clone())));
        let own = self.chance(40).then(|| self.predicate(&inner, 1));
        let select = |filter: Option<Expr>, output: Output| {
            Box::new(Query::Select(Box::new(Select { from, window: String::new(), filter, output, top: None })))
        };
        let rows = |value: Expr, name: String, data_type: Type| Output::Rows {
            distinct: false,
            items: vec![Item { value, name, data_type: Some(data_type) }],
        };
        let both = |a: Option<Expr>, b: Option<Expr>| match (a, b) {
            (Some(a), Some(b)) => Some(Expr::Binary("AND", Box::new(a), Box::new(b))),
            (a, b) => a.or(b),
        };
        let name = self.name("c");
        match self.rng.random_range(0..6) {
            0 | 1 => {
                let value = Expr::Literal("1".to_owned());
                Expr::Exists(select(both(correlated, own), rows(value, name, Type::Int)), negated)
            }
            2..=4 => {
                let value = self.expr(data_type, &inner, 0);
                Expr::InQuery(Box::new(outer), select(own, rows(value, name, data_type)), negated)
            }
            _ => {
                let value = self.expr(data_type, &inner, 0);
                let value = Call { function: "MAX", args: vec![value], distinct: false, filter: None, ordered: false };
                let calls = vec![Item { value, name, data_type: Some(data_type) }];
                let filter = if self.chance(50) { both(correlated, own) } else { own };
                let query = select(filter, Output::Groups { keys: vec![], sets: "", calls, having: None });
                Expr::Binary(self.pick(&COMPARISONS), Box::new(outer), Box::new(Expr::Scalar(query)))
            }
        }
    }

    fn predicate(&mut self, scope: &Scope, depth: u32) -> Expr {
        if depth > 0 && self.chance(30) {
            let (a, b) = (self.predicate(scope, depth - 1), self.predicate(scope, depth - 1));
            return match self.rng.random_range(0..3) {
                0 => Expr::Binary("AND", Box::new(a), Box::new(b)),
                1 => Expr::Binary("OR", Box::new(a), Box::new(b)),
                _ => Expr::Not(Box::new(a)),
            };
        }
        let data_type = self.scope_column(scope).2;
        let a = Box::new(self.expr(data_type, scope, 1));
        match self.rng.random_range(0..8) {
            0 => Expr::IsNull(a, self.chance(50)),
            1 => {
                let items = (0..self.rng.random_range(1..4)).map(|_| self.literal(data_type)).collect();
                Expr::In(a, items, self.chance(40))
            }
            2 => Expr::Between(a, Box::new(self.literal(data_type)), Box::new(self.literal(data_type))),
            3 if data_type == Type::Text => Expr::Like(a, self.pick(&["a%", "%b", "_", "%ä%", ""]).to_owned()),
            4 => {
                let op = self.pick(&["IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
                Expr::Binary(op, a, Box::new(self.expr(data_type, scope, 0)))
            }
            _ => Expr::Binary(self.pick(&COMPARISONS), a, Box::new(self.expr(data_type, scope, 1))),
        }
    }

    fn expr(&mut self, data_type: Type, scope: &Scope, depth: u32) -> Expr {
        let columns: Vec<&(String, String, Type)> = scope.iter().filter(|c| c.2 == data_type).collect();
        if depth == 0 || self.chance(60) {
            return match columns.choose(self.rng) {
                Some(c) => Expr::Column(c.0.clone(), c.1.clone()),
                None => self.literal(data_type),
            };
        }
        let e = |g: &mut Self, t: Type| Box::new(g.expr(t, scope, depth - 1));
        if self.chance(15) {
            let condition = Box::new(self.predicate(scope, depth - 1));
            return Expr::Case(condition, e(self, data_type), e(self, data_type));
        }
        if self.chance(10) {
            return Expr::Call("COALESCE", vec![*e(self, data_type), *e(self, data_type)]);
        }
        match data_type {
            Type::Int => match self.rng.random_range(0..4) {
                0 => Expr::Call("CHAR_LENGTH", vec![*e(self, Type::Text)]),
                1 => Expr::Divide(e(self, Type::Int), Box::new(Expr::Literal("2".to_owned()))),
                _ => Expr::Binary(self.pick(&["+", "-"]), e(self, Type::Int), e(self, Type::Int)),
            },
            Type::Big => match self.rng.random_range(0..4) {
                0 => Expr::Cast(e(self, Type::Int), Type::Big),
                1 => Expr::Divide(e(self, Type::Big), e(self, Type::Big)),
                _ => Expr::Binary(self.pick(&["+", "-", "*"]), e(self, Type::Big), e(self, Type::Big)),
            },
            Type::Text => match self.rng.random_range(0..4) {
                0 => Expr::Call("UPPER", vec![*e(self, Type::Text)]),
                1 => Expr::Call("CONCAT", vec![*e(self, Type::Text), *e(self, Type::Text)]),
                2 => Expr::Cast(e(self, Type::Int), Type::Text),
                _ => Expr::Binary("||", e(self, Type::Text), e(self, Type::Text)),
            },
            Type::Decimal => Expr::Cast(e(self, Type::Int), Type::Decimal),
            Type::Double => match self.rng.random_range(0..3) {
                0 => Expr::Cast(e(self, Type::Int), Type::Double),
                _ => Expr::Binary(self.pick(&["+", "-"]), e(self, Type::Double), e(self, Type::Double)),
            },
            Type::Bool => self.predicate(scope, depth - 1),
        }
    }

    /// A literal out of the values that the relations hold.
    fn literal(&mut self, data_type: Type) -> Expr {
        if self.chance(8) {
            return Expr::Null(data_type);
        }
        let text = match data_type {
            Type::Int => self.rng.random_range(-2..6).to_string(),
            Type::Big => format!("CAST({} AS BIGINT)", self.rng.random_range(-2..6)),
            Type::Text => format!("'{}'", self.pick(&["", "a", "b", "A", "ä", "ab", "zz"])),
            Type::Decimal => format!("CAST({} AS DECIMAL(12, 2))", self.pick(&["0.00", "1.50", "-2.25", "10.10"])),
            Type::Double => format!("CAST({} AS DOUBLE)", self.pick(&["0.1", "0.2", "1e16", "-3.5", "0"])),
            Type::Bool => self.pick(&["TRUE", "FALSE"]).to_owned(),
        };
        Expr::Literal(text)
    }
}
