//! Aggregate functions, one by one.

use millrace_planner::plan::{Aggregate, AggregateFunction as F};

use crate::harness::{Case, Relation};
use crate::nodes::{aggregate, by, reduce};

/// One group over `v`, a column of this type; t, p and o stand beside it.
fn over(data_type: &str, aggregates: Vec<Aggregate>) -> Case {
    let t = Relation::new("T", &format!("v {data_type}, t bool, p int, o bigint"));
    let plan = reduce(t.source(), &[], aggregates);
    Case::new(&[t], plan)
}

fn with(aggregate: Aggregate, change: impl FnOnce(&mut Aggregate)) -> Aggregate {
    let mut aggregate = aggregate;
    change(&mut aggregate);
    aggregate
}

#[test]
fn counts() {
    let distinct = with(aggregate(F::Count, &[0], "bigint"), |a| a.distinct = true);
    let filtered = with(aggregate(F::Count, &[], "bigint"), |a| a.filter = Some(1));
    let both = aggregate(F::Count, &[0, 1], "bigint");
    over("int", vec![aggregate(F::Count, &[0], "bigint"), distinct, filtered, both])
        .tick("", "+0,0,0,0")
        .tick("T +1,true,0,0 | +1,false,0,1 | +NULL,true,0,2 | +2,NULL,0,3", "-0,0,0,0 | +3,2,2,2")
        .tick("T -1,true,0,0", "-3,2,2,2 | +2,2,1,1")
        .tick("T -1,false,0,1", "-2,2,1,1 | +1,1,1,0")
        .check();
}

#[test]
fn sums_of_doubles_are_exact() {
    over("double", vec![aggregate(F::Sum, &[0], "double"), aggregate(F::Avg, &[0], "double")])
        .tick("", "+NULL,NULL")
        .tick("T +1e300,true,0,0 | +1,true,0,1 | +-1e300,true,0,2", "-NULL,NULL | +1.0,0.3333333333333333")
        .tick("T -1,true,0,1 | +0.1,true,0,3 *10", "-1.0,0.3333333333333333 | +1.0,0.08333333333333334")
        .tick("T +NaN,true,0,4", "-1.0,0.08333333333333334 | +NaN,NaN")
        .tick("T -NaN,true,0,4 | +inf,true,0,5", "-NaN,NaN | +inf,inf")
        .tick("T -inf,true,0,5", "-inf,inf | +1.0,0.08333333333333334")
        .check();
}

#[test]
fn decimals() {
    let sum = aggregate(F::Sum, &[0], "dec38.2");
    let avg = aggregate(F::Avg, &[0], "dec38.6");
    over("dec2", vec![sum, avg])
        .tick("T +0.01,true,0,0 | +0.01,true,0,1 | +0.03,true,0,2", "+0.05,0.016667")
        .tick("T -0.03,true,0,2 | +-0.07,true,0,2", "-0.05,0.016667 | +-0.05,-0.016667")
        .check();
    over("dec38.2", vec![aggregate(F::Sum, &[0], "dec38.2")])
        .tick("T +999999999999999999999999999999999999.99,true,0,0", "+999999999999999999999999999999999999.99")
        .tick("T +0.01,true,0,1", "-999999999999999999999999999999999999.99")
        .error("+aggregate: SUM is out of the range of DECIMAL(38, 2): ()")
        .tick("T -0.01,true,0,1", "+999999999999999999999999999999999999.99")
        .error("-aggregate: SUM is out of the range of DECIMAL(38, 2): ()")
        .check();
}

#[test]
fn averages_of_integers_are_doubles() {
    over("bigint", vec![aggregate(F::Avg, &[0], "double")])
        .tick("T +1,true,0,0 | +2,true,0,1 | +NULL,true,0,2", "+1.5")
        .tick("T +9223372036854775807,true,0,0 *2", "-1.5 | +4.611686018427388e18")
        .check();
}

#[test]
fn spread() {
    let functions = [
        F::Variance { population: true },
        F::Variance { population: false },
        F::Stddev { population: true },
        F::Stddev { population: false },
    ];
    over("double", functions.into_iter().map(|f| aggregate(f, &[0], "double")).collect())
        .tick("T +1,true,0,0", "+0.0,NULL,0.0,NULL")
        .tick("T +3,true,0,1", "-0.0,NULL,0.0,NULL | +1.0,2.0,1.0,1.4142135623730951")
        .tick("T -1,true,0,0 | -3,true,0,1", "-1.0,2.0,1.0,1.4142135623730951 | +NULL,NULL,NULL,NULL")
        .check();
}

#[test]
fn extremes_come_back_when_they_are_retracted() {
    over("text", vec![aggregate(F::Min, &[0], "text"), aggregate(F::Max, &[0], "text")])
        .tick("T +b,true,0,0 | +é,true,0,1 | +NULL,true,0,2", "+b,é")
        .tick("T +a,true,0,3 *2", "-b,é | +a,é")
        .tick("T -a,true,0,3 | -é,true,0,1", "-a,é | +a,b")
        .tick("T -a,true,0,3", "-a,b | +b,b")
        .check();
    over("double", vec![aggregate(F::Min, &[0], "double"), aggregate(F::Max, &[0], "double")])
        .tick("T +NaN,true,0,0 | +-inf,true,0,1 | +0,true,0,2", "+-inf,NaN")
        .check();
}

#[test]
fn booleans() {
    over("bool", vec![aggregate(F::BoolAnd, &[0], "bool"), aggregate(F::BoolOr, &[0], "bool")])
        .tick("", "+NULL,NULL")
        .tick("T +true,true,0,0 | +NULL,true,0,1", "-NULL,NULL | +true,true")
        .tick("T +false,true,0,2", "-true,true | +false,true")
        .tick("T -true,true,0,0", "-false,true | +false,false")
        .check();
}

#[test]
fn lists_by_value() {
    let list = aggregate(F::CollectList, &[0], "[int]");
    let set = aggregate(F::CollectSet, &[0], "[int]");
    let distinct = with(aggregate(F::CollectList, &[0], "[int]"), |a| {
        a.distinct = true;
        a.order = vec![by(0, true, true)];
    });
    over("int", vec![list, set, distinct])
        .tick("", "+[],[],[]")
        .tick(
            "T +2,true,0,0 | +1,true,0,1 *2 | +NULL,true,0,2",
            "-[],[],[] | +[1, 1, 2, NULL],[1, 2, NULL],[NULL, 2, 1]",
        )
        .tick("T -2,true,0,0", "-[1, 1, 2, NULL],[1, 2, NULL],[NULL, 2, 1] | +[1, 1, NULL],[1, NULL],[NULL, 1]")
        .check();
}

#[test]
fn texts_in_an_order() {
    let agg = aggregate(F::StringAgg { separator: "-".to_owned() }, &[0], "text");
    let ordered = with(agg.clone(), |a| a.order = vec![by(3, true, false)]);
    over("text", vec![agg, ordered])
        .tick("", "+NULL,NULL")
        .tick("T +b,true,0,1 | +a,true,0,2 | +NULL,true,0,3", "-NULL,NULL | +a-b,a-b")
        .tick("T +c,true,0,0 | +c,true,0,5", "-a-b,a-b | +a-b-c-c,c-a-b-c")
        .check();
}

#[test]
fn first_and_last_by_value_over_tables() {
    let latest = |n, ignore_nulls| F::Latest { n, ignore_nulls };
    let earliest = |n, ignore_nulls| F::Earliest { n, ignore_nulls };
    let aggregates = vec![
        aggregate(latest(None, true), &[0], "int"),
        aggregate(latest(None, false), &[0], "int"),
        aggregate(latest(Some(2), true), &[0], "[int]"),
        aggregate(earliest(None, true), &[0], "int"),
        aggregate(earliest(Some(2), false), &[0], "[int]"),
    ];
    over("int", aggregates)
        .tick("", "+NULL,NULL,NULL,NULL,NULL")
        .tick("T +3,true,0,0 | +1,true,0,0 | +NULL,true,0,0", "-NULL,NULL,NULL,NULL,NULL | +3,NULL,[1, 3],1,[1, 3]")
        .check();
}

#[test]
fn first_and_last_by_arrival_over_streams() {
    let arriving = |f, data_type| with(aggregate(f, &[0], data_type), |a| a.arrival = Some((2, 3)));
    let aggregates = || {
        vec![
            arriving(F::Latest { n: None, ignore_nulls: true }, "text"),
            arriving(F::Earliest { n: None, ignore_nulls: true }, "text"),
            arriving(F::CollectList, "[text]"),
        ]
    };
    let t = Relation::new("T", "v text, t bool, p int, o bigint");
    let plan = reduce(t.stream(), &[], aggregates());
    Case::new(std::slice::from_ref(&t), plan)
        .tick("T +c,true,1,0 | +b,true,0,9 | +a,true,0,10", "+c,b,[b, a, c]")
        .tick("T +z,true,0,11", "-c,b,[b, a, c] | +z,b,[b, a, c, z]")
        .tick("T +y,true,0,12 | +x,true,2,0", "-z,b,[b, a, c, z] | +x,b,[b, a, c, z, y, x]")
        .check();
    // where rows are retracted, those that stay keep the tick at which they came
    let plan = reduce(t.source(), &[], aggregates());
    Case::new(&[t], plan)
        .tick("T +c,true,1,0 | +b,true,0,9", "+c,b,[b, c]")
        .tick("T +a,true,0,1 | +b,true,0,9", "-c,b,[b, c] | +b,b,[b, c, a, b]")
        .tick("T -b,true,0,9", "-b,b,[b, c, a, b] | +b,c,[c, a, b]")
        .tick("T -c,true,1,0 | +c,true,1,0", "")
        .check();
}

#[test]
fn order_within_equal_ticks_is_partition_then_offset() {
    let list = with(aggregate(F::CollectList, &[0], "[text]"), |a| {
        a.arrival = Some((2, 3));
        a.order = vec![by(1, false, false)];
    });
    let t = Relation::new("T", "v text, t bool, p int, o bigint");
    let plan = reduce(t.stream(), &[], vec![list]);
    Case::new(&[t], plan)
        .tick("T +c,true,0,1 | +b,false,0,9 | +a,true,0,0", "+[b, a, c]")
        .tick("T +d,false,0,10", "-[b, a, c] | +[b, d, a, c]")
        .check();
}
