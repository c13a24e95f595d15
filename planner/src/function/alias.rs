//! KSQL's and PostgreSQL's names for functions that DataFusion has under others.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use crate::bind::coerce::Typed;

/// Names and what they mean.
const ALIASES: [(&str, &str); 26] = [
    ("ucase", "upper"),
    ("lcase", "lower"),
    ("len", "character_length"),
    ("length", "character_length"),
    ("char_length", "character_length"),
    ("ifnull", "coalesce"),
    ("nvl", "coalesce"),
    ("substring", "substr"),
    ("mid", "substr"),
    ("sign", "signum"),
    ("ceiling", "ceil"),
    ("pow", "power"),
    ("truncate", "trunc"),
    ("array_contains", "array_has"),
    ("array_join", "array_to_string"),
    ("array_remove", "array_remove_all"),
    ("slice", "array_slice"),
    ("entries", "map_entries"),
    ("as_map", "map"),
    ("array", "make_array"),
    ("datepart", "date_part"),
    ("datetrunc", "date_trunc"),
    ("stringtotimestamp", "string_to_timestamp"),
    ("timestamptostring", "timestamp_to_string"),
    ("stringtodate", "string_to_date"),
    ("datetostring", "date_to_string"),
];

/// All such names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|(name, _)| *name)
}

/// The function that a name means, if it is another's.
pub(crate) fn target(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, target)| *target)
}

/// From which argument on the arguments of a function take their common type.
pub(crate) fn arguments_have_one_type(name: &str) -> Option<usize> {
    match name {
        "coalesce" | "greatest" | "least" | "nullif" | "make_array" => Some(0),
        "nvl2" => Some(1),
        _ => None,
    }
}

/// Arguments in the types that DataFusion's signature does not ask for by itself.
pub(crate) fn adapt(name: &str, mut args: Vec<Typed>) -> Vec<Typed> {
    if name == "array_to_string" && args.len() == 1 {
        args.push(Typed::literal(ScalarValue::Utf8(Some(",".into()))));
    }
    for arg in &mut args {
        if arg.data_type == DataType::Null && !matches!(name, "coalesce" | "nullif") {
            *arg = Typed::literal(ScalarValue::Utf8(None));
        }
    }
    args
}
