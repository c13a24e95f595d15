//! The system relations: names, columns, types, units. Whoever reads the state of the engine reads these, so a change
//! here is a change of an interface; the golden test at the end holds it.

use arrow::datatypes::DataType;

/// A system relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SystemRelation {
    Columns,
    Connectors,
    DecodeErrors,
    Errors,
    Frontiers,
    Functions,
    Late,
    Operators,
    Queries,
    Relations,
    Settings,
    Types,
}

/// Its declaration.
pub(crate) struct Declaration {
    pub(crate) relation: SystemRelation,
    /// Without `millrace.`.
    pub(crate) name: &'static str,
    /// Its rows depend on what has flowed: who reads them once waits for the sources.
    pub(crate) measured: bool,
    pub(crate) columns: &'static [(&'static str, DataType)],
}

const TEXT: DataType = DataType::Utf8;
const INT: DataType = DataType::Int32;
const BIGINT: DataType = DataType::Int64;

/// All of them, by name.
pub(crate) const DECLARATIONS: [Declaration; 12] = [
    Declaration {
        relation: SystemRelation::Columns,
        name: "columns",
        measured: false,
        // POSITION counts from 1; KEY is PRIMARY KEY, KEY or NULL
        columns: &[("RELATION", TEXT), ("POSITION", INT), ("NAME", TEXT), ("TYPE", TEXT), ("KEY", TEXT)],
    },
    Declaration {
        relation: SystemRelation::Connectors,
        name: "connectors",
        measured: false,
        columns: &[("NAME", TEXT), ("SOURCE", DataType::Boolean), ("SINK", DataType::Boolean), ("ABOUT", TEXT)],
    },
    Declaration {
        relation: SystemRelation::DecodeErrors,
        name: "decode_errors",
        measured: true,
        columns: &[
            ("SOURCE", TEXT),
            ("PARTITION", INT),
            ("OFFSET", BIGINT),
            ("REASON", TEXT),
            ("BYTES", DataType::Binary),
        ],
    },
    Declaration {
        relation: SystemRelation::Errors,
        name: "errors",
        measured: true,
        // KIND: expression, aggregate, cardinality, event_time
        columns: &[("QUERY", TEXT), ("OPERATOR", TEXT), ("KIND", TEXT), ("MESSAGE", TEXT), ("ROW", TEXT)],
    },
    Declaration {
        relation: SystemRelation::Frontiers,
        name: "frontiers",
        measured: true,
        // STREAM_TIME in epoch ms, NULL before the first record; ENDED: nothing will come any more
        columns: &[("RELATION", TEXT), ("TICK", BIGINT), ("STREAM_TIME", BIGINT), ("ENDED", DataType::Boolean)],
    },
    Declaration {
        relation: SystemRelation::Functions,
        name: "functions",
        measured: false,
        // KIND: SCALAR, AGGREGATE
        columns: &[("NAME", TEXT), ("KIND", TEXT)],
    },
    Declaration {
        relation: SystemRelation::Late,
        name: "late",
        measured: true,
        // SOURCE: the stream that the query reads; times in epoch ms
        columns: &[
            ("QUERY", TEXT),
            ("SOURCE", TEXT),
            ("PARTITION", INT),
            ("OFFSET", BIGINT),
            ("WINDOW_START", BIGINT),
            ("WINDOW_END", BIGINT),
            ("ROW_TIME", BIGINT),
            ("ROW", TEXT),
        ],
    },
    Declaration {
        relation: SystemRelation::Operators,
        name: "operators",
        measured: true,
        // NODE: position in the plan, from 0, as EXPLAIN prints it; BYTES: state held
        columns: &[
            ("QUERY", TEXT),
            ("NODE", INT),
            ("OPERATOR", TEXT),
            ("WORKER", INT),
            ("ROWS_OUT", BIGINT),
            ("BYTES", BIGINT),
            ("BUSY_MS", DataType::Float64),
        ],
    },
    Declaration {
        relation: SystemRelation::Queries,
        name: "queries",
        measured: true,
        // KIND: PERSISTENT, PUSH; STATE: STARTING, BACKFILLING, RUNNING, PAUSED, STALLED, FAILED, COMPLETED; FRONTIER:
        // its last tick; ROWS_OUT: changes written for readers outside
        columns: &[
            ("NAME", TEXT),
            ("KIND", TEXT),
            ("STATE", TEXT),
            ("MESSAGE", TEXT),
            ("RELATION", TEXT),
            ("FRONTIER", BIGINT),
            ("ROWS_IN", BIGINT),
            ("ROWS_OUT", BIGINT),
            ("ERROR_ROWS", BIGINT),
            ("SQL", TEXT),
        ],
    },
    Declaration {
        relation: SystemRelation::Relations,
        name: "relations",
        measured: false,
        // KIND: STREAM, TABLE, MATERIALIZED VIEW, VIEW; SYSTEM: one of these
        columns: &[
            ("NAME", TEXT),
            ("KIND", TEXT),
            ("CONNECTOR", TEXT),
            ("PRIMARY_KEY", TEXT),
            ("SYSTEM", DataType::Boolean),
            ("SQL", TEXT),
        ],
    },
    Declaration {
        relation: SystemRelation::Settings,
        name: "settings",
        measured: false,
        // ORIGIN: default, environment, flag, SET
        columns: &[
            ("NAME", TEXT),
            ("VALUE", TEXT),
            ("UNIT", TEXT),
            ("DEFAULT_VALUE", TEXT),
            ("ORIGIN", TEXT),
            ("POSSIBLE_VALUES", TEXT),
            ("ABOUT", TEXT),
        ],
    },
    Declaration {
        relation: SystemRelation::Types,
        name: "types",
        measured: false,
        columns: &[("NAME", TEXT), ("TYPE", TEXT)],
    },
];

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use millrace_planner::eval::types::type_name;

    use super::*;

    #[test]
    fn golden() {
        let column = |(name, t): &(&str, DataType)| format!("{name} {}", type_name(t));
        let line = |d: &Declaration| {
            let columns = d.columns.iter().map(column).collect::<Vec<_>>().join(", ");
            format!("{}{} ({columns})\n", d.name, if d.measured { "*" } else { "" })
        };
        let text: String = DECLARATIONS.iter().map(line).collect();
        expect![[r#"
            columns (RELATION VARCHAR, POSITION INT, NAME VARCHAR, TYPE VARCHAR, KEY VARCHAR)
            connectors (NAME VARCHAR, SOURCE BOOLEAN, SINK BOOLEAN, ABOUT VARCHAR)
            decode_errors* (SOURCE VARCHAR, PARTITION INT, OFFSET BIGINT, REASON VARCHAR, BYTES BYTES)
            errors* (QUERY VARCHAR, OPERATOR VARCHAR, KIND VARCHAR, MESSAGE VARCHAR, ROW VARCHAR)
            frontiers* (RELATION VARCHAR, TICK BIGINT, STREAM_TIME BIGINT, ENDED BOOLEAN)
            functions (NAME VARCHAR, KIND VARCHAR)
            late* (QUERY VARCHAR, SOURCE VARCHAR, PARTITION INT, OFFSET BIGINT, WINDOW_START BIGINT, WINDOW_END BIGINT, ROW_TIME BIGINT, ROW VARCHAR)
            operators* (QUERY VARCHAR, NODE INT, OPERATOR VARCHAR, WORKER INT, ROWS_OUT BIGINT, BYTES BIGINT, BUSY_MS DOUBLE)
            queries* (NAME VARCHAR, KIND VARCHAR, STATE VARCHAR, MESSAGE VARCHAR, RELATION VARCHAR, FRONTIER BIGINT, ROWS_IN BIGINT, ROWS_OUT BIGINT, ERROR_ROWS BIGINT, SQL VARCHAR)
            relations (NAME VARCHAR, KIND VARCHAR, CONNECTOR VARCHAR, PRIMARY_KEY VARCHAR, SYSTEM BOOLEAN, SQL VARCHAR)
            settings (NAME VARCHAR, VALUE VARCHAR, UNIT VARCHAR, DEFAULT_VALUE VARCHAR, ORIGIN VARCHAR, POSSIBLE_VALUES VARCHAR, ABOUT VARCHAR)
            types (NAME VARCHAR, TYPE VARCHAR)
        "#]]
        .assert_eq(&text);
    }
}
