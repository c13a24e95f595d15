//! A catalog that statements build up, as a session would.

use millrace_planner::action::Action;
use millrace_planner::catalog::{Catalog, Definition, Relation, RelationKind};
use millrace_planner::error::PlanError;
use millrace_planner::sql::parse_script;

/// Tables, a view and streams over files and generators.
pub(crate) const SHOP: &str = "
CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR, city VARCHAR, credit DOUBLE) WITH (CONNECTOR='file', PATH='c.json');
CREATE TABLE orders (id BIGINT PRIMARY KEY, customer_id BIGINT, amount DECIMAL(10,2), placed DATE, items ARRAY<VARCHAR>, address STRUCT<street VARCHAR, zip INT>) WITH (CONNECTOR='file', PATH='o.json');
CREATE TABLE bag (a INT, b INT, c VARCHAR) WITH (CONNECTOR='memory');
CREATE STREAM ratings (rating_id BIGINT, user_id BIGINT, stars INT, channel VARCHAR, message VARCHAR) WITH (CONNECTOR='generator', GENERATOR='ratings', ROWS=100);
CREATE STREAM clicks (user_id BIGINT, page VARCHAR, ms INT) WITH (CONNECTOR='file', PATH='k.json');
CREATE VIEW rich AS SELECT id, name FROM customers WHERE credit > 1000;
";

/// The catalog after a script.
pub(crate) fn catalog(script: &str) -> Catalog {
    let mut catalog = Catalog::default();
    apply(&mut catalog, script).unwrap_or_else(|error| panic!("{}", error.render("catalog.sql", script)));
    catalog
}

/// Plans each statement of a script and puts what it creates into the catalog; the last action comes back.
pub(crate) fn apply(catalog: &mut Catalog, script: &str) -> Result<Option<Action>, PlanError> {
    let mut last = None;
    for parsed in parse_script(script)? {
        let planned = millrace_planner::plan(&parsed, script, catalog)?;
        register(catalog, &planned.action);
        last = Some(planned.action);
    }
    Ok(last)
}

/// The warnings of the last statement, rendered.
pub(crate) fn warnings(script: &str) -> String {
    let mut catalog = catalog(SHOP);
    let mut shown = vec![];
    for parsed in parse_script(script).expect("parses") {
        let planned = millrace_planner::plan(&parsed, script, &catalog).expect("plans");
        register(&mut catalog, &planned.action);
        shown = planned.warnings.iter().map(|warning| warning.render("test.sql", script)).collect();
    }
    shown.join("\n")
}

/// The error of a script, rendered.
pub(crate) fn error(script: &str) -> String {
    let mut catalog = catalog(SHOP);
    match apply(&mut catalog, script) {
        Ok(action) => panic!("it was planned: {action:?}"),
        Err(error) => error.render("test.sql", script),
    }
}

fn register(catalog: &mut Catalog, action: &Action) {
    let id = catalog.allocate();
    let relation = match action {
        Action::CreateSource(create) => create.relation(id, create.columns.clone()),
        Action::CreateQuery(create) => create.relation(id),
        Action::CreateView { name, columns, sql, reads, .. } => Relation {
            id,
            name: name.clone(),
            kind: RelationKind::View,
            columns: columns.clone(),
            primary_key: vec![],
            system_columns: false,
            definition: Definition::Query { sql: sql.clone() },
            reads: reads.clone(),
            window_columns: None,
            time_sources: vec![],
        },
        Action::CreateType { name, data_type } => {
            catalog.types.insert(name.clone(), data_type.clone());
            return;
        }
        Action::Set { name, value: Some(value) } => {
            catalog.settings.insert(name.clone(), value.clone());
            return;
        }
        _ => return,
    };
    catalog.insert(relation);
}

/// The incremental plan of the last statement of a script over the shop, as EXPLAIN draws it.
pub(crate) fn plan(script: &str) -> String {
    let mut catalog = catalog(SHOP);
    match apply(&mut catalog, script) {
        Ok(Some(action)) => millrace_planner::explain::plan(&action, &catalog),
        Ok(None) => "nothing".into(),
        Err(error) => panic!("{}", error.render("test.sql", script)),
    }
}
