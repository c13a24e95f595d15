//! JSON in texts.
//!
//! A text that is not JSON, and a path that leads nowhere, give NULL. A string found is its characters; anything else
//! found is its JSON.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListBuilder, MapBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::ScalarUDF;
use serde_json::Value;

use super::plain;
use crate::bind::types::{list_of, map_of};

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
            let rows =
                args[0].as_string::<i32>().iter().map(|text| Some(text.is_some_and(|text| parsed(text).is_some())));
            Ok(Arc::new(rows.collect::<BooleanArray>()))
        }),
        plain("json_array_length", &[&[TEXT]], DataType::Int32, |args| {
            let length = |text: &str| parsed(text)?.as_array().and_then(|items| i32::try_from(items.len()).ok());
            let rows = args[0].as_string::<i32>().iter().map(|text| text.and_then(length));
            Ok(Arc::new(rows.collect::<Int32Array>()))
        }),
        plain("json_array_contains", &[&[TEXT, TEXT]], DataType::Boolean, |args| {
            let (texts, wanted) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
            let rows = (0..texts.len()).map(|i| {
                let items = texts.is_valid(i).then(|| parsed(texts.value(i))).flatten();
                let is = |item: &Value| match wanted.is_valid(i) {
                    true => text_of(item).as_deref() == Some(wanted.value(i)),
                    false => item.is_null(),
                };
                Some(items.is_some_and(|items| items.as_array().is_some_and(|items| items.iter().any(is))))
            });
            Ok(Arc::new(rows.collect::<BooleanArray>()))
        }),
        plain("json_keys", &[&[TEXT]], list_of(TEXT), |args| {
            lists(args, |value| Some(value.as_object()?.keys().map(|key| Some(key.clone())).collect()))
        }),
        plain("json_items", &[&[TEXT]], list_of(TEXT), |args| {
            lists(args, |value| Some(value.as_array()?.iter().map(text_of).collect()))
        }),
        plain("json_records", &[&[TEXT]], map_of(TEXT, TEXT), records),
    ]
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A string's characters, anything else's JSON; `None` for null.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What is at `$.a.b[0]`.
fn extract(text: &str, path: &str) -> Option<String> {
    let value = parsed(text)?;
    let mut at = &value;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix("['") {
            let (key, tail) = tail.split_once("']")?;
            at = at.get(key)?;
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix('[') {
            let (index, tail) = tail.split_once(']')?;
            at = at.get(index.trim().parse::<usize>().ok()?)?;
            rest = tail;
        } else {
            let tail = rest.strip_prefix('.')?;
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            at = at.get(&tail[..end])?;
            rest = &tail[end..];
        }
    }
    text_of(at)
}

fn lists(args: &[ArrayRef], items: fn(&Value) -> Option<Vec<Option<String>>>) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in args[0].as_string::<i32>() {
        match text.and_then(|text| items(&parsed(text)?)) {
            Some(items) => lists.append_value(items),
            None => lists.append_null(),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn records(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut maps = super::nested::text_maps();
    for text in args[0].as_string::<i32>() {
        let value = text.and_then(parsed);
        let fields = value.as_ref().and_then(Value::as_object);
        append(
            &mut maps,
            fields.map(|fields| fields.iter().map(|(key, value)| (key.clone(), text_of(value))).collect()),
        )?;
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
        assert_eq!(extract(json, "$.a.b").as_deref(), Some(r#"[1,{"c":"x"}]"#));
        assert_eq!(extract(json, "$.a['d.e']").as_deref(), Some("2.50"));
        assert_eq!(extract(json, "$.n"), None);
        assert_eq!(extract(json, "$.z"), None);
        assert_eq!(extract("{", "$.a"), None);
    }
}
