//! Maps of texts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapBuilder, MapFieldNames, StringBuilder};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

use super::json::append;
use super::plain;
use crate::types::map_of;

const TEXT: DataType = DataType::Utf8;

/// SPLIT_TO_MAP(text, between entries, between key and value).
pub(crate) fn all() -> Vec<ScalarUDF> {
    vec![plain("split_to_map", &[&[TEXT, TEXT, TEXT]], map_of(TEXT, TEXT), split_to_map)]
}

/// A builder of MAP<VARCHAR, VARCHAR>.
pub(super) fn text_maps() -> MapBuilder<StringBuilder, StringBuilder> {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

fn split_to_map(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, outer, inner) = (args[0].as_string::<i32>(), args[1].as_string::<i32>(), args[2].as_string::<i32>());
    let mut maps = text_maps();
    for i in 0..texts.len() {
        let usable = args.iter().all(|arg| arg.is_valid(i)) && !outer.value(i).is_empty() && !inner.value(i).is_empty();
        let mut entries: Vec<(String, Option<String>)> = vec![];
        if usable {
            for entry in texts.value(i).split(outer.value(i)) {
                let Some((key, value)) = entry.split_once(inner.value(i)) else { continue };
                let (key, value) = (key.trim().to_string(), Some(value.trim().to_string()));
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some(known) => known.1 = value,
                    None => entries.push((key, value)),
                }
            }
        }
        append(&mut maps, usable.then_some(entries))?;
    }
    Ok(Arc::new(maps.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn the_last_of_equal_keys_counts() {
        let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
        let map = split_to_map(&[text("a:=1/b:=2/a:=3/x"), text("/"), text(":=")]).unwrap();
        let entries = map.as_map().value(0);
        assert_eq!(entries.column(0).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(entries.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["3", "2"]);
        assert_eq!(map.data_type(), &map_of(TEXT, TEXT));
    }
}
