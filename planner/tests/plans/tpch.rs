//! The 22 questions of TPC-H, in words of our own, each planned as a view: one line says by which operators.

use expect_test::expect;
use millrace_planner::action::Action;
use millrace_planner::plan::{JoinKind, Node, Op};

use super::catalog::{apply, catalog};

const TABLES: &str = "
CREATE TABLE region (r_regionkey INT PRIMARY KEY, r_name VARCHAR, r_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE nation (n_nationkey INT PRIMARY KEY, n_name VARCHAR, n_regionkey INT, n_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE supplier (s_suppkey BIGINT PRIMARY KEY, s_name VARCHAR, s_address VARCHAR, s_nationkey INT, s_phone VARCHAR, s_acctbal DECIMAL(15,2), s_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE customer (c_custkey BIGINT PRIMARY KEY, c_name VARCHAR, c_address VARCHAR, c_nationkey INT, c_phone VARCHAR, c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR, c_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE part (p_partkey BIGINT PRIMARY KEY, p_name VARCHAR, p_mfgr VARCHAR, p_brand VARCHAR, p_type VARCHAR, p_size INT, p_container VARCHAR, p_retailprice DECIMAL(15,2), p_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE partsupp (ps_partkey BIGINT PRIMARY KEY, ps_suppkey BIGINT PRIMARY KEY, ps_availqty INT, ps_supplycost DECIMAL(15,2), ps_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE orders (o_orderkey BIGINT PRIMARY KEY, o_custkey BIGINT, o_orderstatus VARCHAR, o_totalprice DECIMAL(15,2), o_orderdate DATE, o_orderpriority VARCHAR, o_clerk VARCHAR, o_shippriority INT, o_comment VARCHAR) WITH (CONNECTOR='memory');
CREATE TABLE lineitem (l_orderkey BIGINT PRIMARY KEY, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INT PRIMARY KEY, l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR, l_shipmode VARCHAR, l_comment VARCHAR) WITH (CONNECTOR='memory');
";

/// Question by question; a `;` ends each.
const QUESTIONS: &str = include_str!("tpch.sql");

/// The operators of a plan, the root first, equal neighbours once.
fn operators(node: &Node, into: &mut Vec<String>) {
    let name = match &node.op {
        Op::Source { name, .. } => name.to_lowercase(),
        Op::Constant { .. } => "Constant".into(),
        Op::Map { .. } => "Map".into(),
        Op::Unnest { .. } => "Unnest".into(),
        Op::Union { .. } => "Union".into(),
        Op::Join(join) => match join.kind {
            JoinKind::Anti if join.null_aware => "NotIn".into(),
            kind if join.on.is_empty() => format!("{kind:?} cross"),
            kind => format!("{kind:?}"),
        },
        Op::Reduce { aggregates, .. } if aggregates.is_empty() => "Distinct".into(),
        Op::Reduce { .. } => "Reduce".into(),
        Op::TopK { .. } => "TopK".into(),
        Op::SetOp { kind, .. } => format!("{kind:?}"),
        Op::AtMostOne { .. } => "AtMostOne".into(),
        other => format!("{other:?}"),
    };
    into.push(name);
    match node.children().as_slice() {
        [] => {}
        [only] => operators(only, into),
        several => {
            into.push("(".into());
            several.iter().for_each(|child| operators(child, into));
            into.push(")".into());
        }
    }
}

#[test]
fn each_question_is_maintained() {
    let mut lines = vec![];
    for (i, question) in QUESTIONS.split(';').map(str::trim).filter(|question| !question.is_empty()).enumerate() {
        let sql = format!("CREATE MATERIALIZED VIEW q{} AS {question}", i + 1);
        let mut catalog = catalog(TABLES);
        let planned = match apply(&mut catalog, &sql) {
            Ok(Some(Action::CreateQuery(create))) => create.query.root,
            Ok(other) => panic!("no query: {other:?}"),
            Err(error) => panic!("{}", error.render("tpch.sql", &sql)),
        };
        let mut names = vec![];
        operators(&planned, &mut names);
        lines.push(format!("{}: {}", i + 1, names.join(" ").replace("( ", "(").replace(" )", ")")));
    }
    expect![[r#"
        1: Reduce Map Map lineitem
        2: Map TopK Map Inner (Map Inner (Map Inner (Inner (Inner (Map part partsupp) supplier) nation) Map region) Reduce Map Inner (Map Inner (Map Inner (partsupp supplier) nation) Map region))
        3: TopK Map Reduce Map Inner (Map Inner (Map customer Map orders) Map lineitem)
        4: Reduce Map Semi (Map orders Map lineitem)
        5: Reduce Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (customer Map orders) lineitem) supplier) nation) Map region)
        6: Reduce Map lineitem
        7: Reduce Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (supplier Map lineitem) orders) customer) Map nation) Map nation)
        8: Map Reduce Map Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (Map part lineitem) supplier) Map orders) customer) nation) nation) Map region)
        9: Reduce Map Inner (Map Inner (Map Inner (Map Inner (Map Inner (Map part lineitem) supplier) partsupp) orders) nation)
        10: TopK Map Reduce Map Inner (Map Inner (Map Inner (customer Map orders) Map lineitem) nation)
        11: Map Inner cross (Reduce Map Inner (Map Inner (partsupp supplier) Map nation) Map Reduce Map Inner (Map Inner (partsupp supplier) Map nation))
        12: Reduce Map Inner (orders Map lineitem)
        13: Reduce Map Reduce Map Left (customer Map orders)
        14: Map Reduce Map Map Inner (Map lineitem part)
        15: Map Inner (Map Inner (supplier Reduce Map lineitem) Reduce Map Reduce Map lineitem)
        16: Reduce Map NotIn (Map Inner (partsupp Map part) Map supplier)
        17: Map Reduce Map Inner (Map Inner (lineitem Map part) Reduce lineitem)
        18: TopK Reduce Map Semi (Map Inner (Map Inner (customer orders) lineitem) Map Reduce lineitem)
        19: Reduce Map Inner (Map lineitem Map part)
        20: Map Semi (Map Inner (supplier Map nation) Map Inner (Semi (partsupp Map part) Reduce Map lineitem))
        21: TopK Reduce Map Anti (Semi (Map Inner (Map Inner (Map Inner (supplier Map lineitem) Map orders) Map nation) lineitem) Map lineitem)
        22: Reduce Map Anti (Map Inner cross (Map customer Reduce Map customer) orders)"#]].assert_eq(&lines.join("\n"));
}
