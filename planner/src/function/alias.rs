//! KSQL's and PostgreSQL's names for functions that DataFusion has under others.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;

use crate::bind::coerce::Typed;

/// Names and what they mean.
const ALIASES: [(&str, &str); 47] = [
    ("ucase", "upper"),
    ("lcase", "lower"),
    ("len", "character_length"),
    ("length", "character_length"),
    ("char_length", "character_length"),
    ("instr", "instr"),
    ("position", "strpos"),
    ("ifnull", "coalesce"),
    ("nvl", "coalesce"),
    ("substring", "substr"),
    ("sign", "signum"),
    ("ceiling", "ceil"),
    ("pow", "power"),
    ("random_uuid", "uuid"),
    ("regexp_replace", "regexp_replace"),
    ("replace", "replace"),
    ("split", "string_to_array"),
    ("array_length", "array_length"),
    ("array_contains", "array_has"),
    ("array_join", "array_to_string"),
    ("array_except", "array_except"),
    ("array_intersect", "array_intersect"),
    ("array_union", "array_union"),
    ("array_distinct", "array_distinct"),
    ("array_remove", "array_remove_all"),
    ("array_concat", "array_concat"),
    ("array_sort", "array_sort"),
    ("array_min", "array_min"),
    ("array_max", "array_max"),
    ("slice", "array_slice"),
    ("generate_series", "generate_series"),
    ("entries", "map_entries"),
    ("to_base64", "encode_base64"),
    ("from_base64", "decode_base64"),
    ("datepart", "date_part"),
    ("datetrunc", "date_trunc"),
    ("stringtotimestamp", "string_to_timestamp"),
    ("timestamptostring", "timestamp_to_string"),
    ("datetostring", "date_to_string"),
    ("stringtodate", "string_to_date"),
    ("mid", "substr"),
    ("every_match", "array_all_match"),
    ("truncate", "trunc"),
    ("lead_zeros", "lpad"),
    ("elt", "elt"),
    ("as_map", "map"),
    ("array", "make_array"),
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
    match (name, args.len()) {
        // NULL is the text of NULL elements
        ("array_to_string", 1) => args.push(Typed::literal(ScalarValue::Utf8(Some(",".into())))),
        _ => {}
    }
    for arg in &mut args {
        if arg.data_type == DataType::Null && !matches!(name, "coalesce" | "nullif") {
            *arg = Typed::literal(ScalarValue::Utf8(None));
        }
    }
    args
}
