//! JSON in texts.
//!
//! A text that is not JSON, and a path that leads nowhere, give NULL. A string found is its characters; anything else
//! found is its JSON.

use std::sync::Arc;

use super::json_text::{Json, Kind};
use super::plain;
use crate::types::{list_of, map_of};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListBuilder, MapBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;

const TEXT: DataType = DataType::Utf8;

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    vec![
        plain("extractjsonfield", &[&[TEXT, TEXT]], TEXT, |args| {
            let (texts, paths) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
            let rows = (0..texts.len()).map(|i| {
                let valid = texts.is_valid(i) && paths.is_valid(i);
                valid.then(|| extract(texts.value(i), paths.value(i))).flatten()
            });
            Ok(Arc::new(rows.collect::<StringArray>()))
        }),
        plain("is_json_string", &[&[TEXT]], DataType::Boolean, |args| {
            let rows = args[0]
                .as_string::<i32>()
                .iter()
                .map(|text| Some(text.is_some_and(|text| Json::parse(text).is_some())));
            Ok(Arc::new(rows.collect::<BooleanArray>()))
        }),
        plain("json_array_length", &[&[TEXT]], DataType::Int32, |args| {
            let length = |text: &str| i32::try_from(Json::parse(text)?.items()?.len()).ok();
            let rows = args[0].as_string::<i32>().iter().map(|text| text.and_then(length));
            Ok(Arc::new(rows.collect::<Int32Array>()))
        }),
        plain("json_array_contains", &[&[TEXT, TEXT]], DataType::Boolean, |args| {
            let (texts, wanted) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
            let rows = (0..texts.len()).map(|i| {
                let array = texts.is_valid(i).then(|| Json::parse(texts.value(i))).flatten();
                let is = |item: &Json<'_>| match wanted.is_valid(i) {
                    true => item.shown().as_deref() == Some(wanted.value(i)),
                    false => item.kind == Kind::Null,
                };
                let items = array.as_ref().and_then(Json::items);
                Some(items.is_some_and(|items| items.iter().any(is)))
            });
            Ok(Arc::new(rows.collect::<BooleanArray>()))
        }),
        plain("json_keys", &[&[TEXT]], list_of(TEXT), |args| {
            lists(args, |value| Some(fields(value)?.into_iter().map(|(key, _)| Some(key)).collect()))
        }),
        plain("json_items", &[&[TEXT]], list_of(TEXT), |args| {
            lists(args, |value| Some(value.items()?.iter().map(Json::shown).collect()))
        }),
        plain("json_records", &[&[TEXT]], map_of(TEXT, TEXT), records),
    ]
}

/// Keys and values of an object; of equal keys the last, at the place of the first.
fn fields(value: &Json<'_>) -> Option<Vec<(String, Option<String>)>> {
    let Kind::Object(all) = &value.kind else { return None };
    let mut fields: Vec<(String, Option<String>)> = vec![];
    for (key, value) in all {
        match fields.iter_mut().find(|(known, _)| known == key) {
            Some(known) => known.1 = value.shown(),
            None => fields.push((key.to_string(), value.shown())),
        }
    }
    Some(fields)
}

/// What is at `$.a.b[0]`.
fn extract(text: &str, path: &str) -> Option<String> {
    let value = Json::parse(text)?;
    let mut at = &value;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix("['") {
            let (key, tail) = tail.split_once("']")?;
            at = at.field(key)?;
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (index, tail) = tail.split_once(']')?;
            at = at.items()?.get(index.trim().parse::<usize>().ok()?)?;
            rest = tail;
        } else {
            let tail = rest.strip_prefix('.')?;
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            at = at.field(&tail[..end])?;
            rest = &tail[end..];
        }
    }
    at.shown()
}

fn lists(args: &[ArrayRef], items: fn(&Json<'_>) -> Option<Vec<Option<String>>>) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in args[0].as_string::<i32>() {
        match text.and_then(|text| items(&Json::parse(text)?)) {
            Some(items) => lists.append_value(items),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn records(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut maps = super::nested::text_maps();
    for text in args[0].as_string::<i32>() {
        let value = text.and_then(Json::parse);
        append(&mut maps, value.as_ref().and_then(fields))?;
    }
    Ok(Arc::new(maps.finish()))
}

/// A map of texts, or NULL.
pub(super) fn append(
    maps: &mut MapBuilder<StringBuilder, StringBuilder>,
    entries: Option<Vec<(String, Option<String>)>>,
) -> Result<()> {
    let valid = entries.is_some();
    for (key, value) in entries.into_iter().flatten() {
        maps.keys().append_value(key);
        maps.values().append_option(value);
    }
    maps.append(valid)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_values() {
        let json = r#"{"a": {"b": [1, {"c": "x"}], "d.e": 2.50}, "n": null}"#;
        assert_eq!(extract(json, "$.a.b[1].c").as_deref(), Some("x"));
        assert_eq!(extract(json, "$.a.b").as_deref(), Some(r#"[1, {"c": "x"}]"#));
        assert_eq!(extract(json, "$.a['d.e']").as_deref(), Some("2.50"));
        assert_eq!(extract(json, "$.n"), None);
        assert_eq!(extract(json, "$.z"), None);
        assert_eq!(extract("{", "$.a"), None);
    }
}
