//! A plan as JSON: `{"query": …, "plan": {"operator", "detail", "columns", "append_only", "unique_key", "inputs"}}`.

use super::line::line;
use crate::eval::types::type_name;
use crate::plan::{Node, Query};

/// A query.
pub(super) fn query(head: &str, query: &Query) -> String {
    format!("{{\"query\":{},\"visible\":{},\"plan\":{}}}", text(head), query.visible, node(&query.root))
}

fn node(at: &Node) -> String {
    let shown = line(at);
    let (operator, detail) = shown.split_once(' ').unwrap_or((&shown, ""));
    let columns =
        at.schema.fields().iter().map(|field| {
            format!("{{\"name\":{},\"type\":{}}}", text(field.name()), text(&type_name(field.data_type())))
        });
    let unique_key = match &at.unique_key {
        Some(key) => format!("[{}]", key.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
        None => "null".into(),
    };
    let inputs: Vec<String> = at.children().into_iter().map(node).collect();
    format!(
        "{{\"operator\":{},\"detail\":{},\"columns\":[{}],\"append_only\":{},\"unique_key\":{unique_key},\"inputs\":[{}]}}",
        text(operator),
        text(detail.trim_start()),
        columns.collect::<Vec<_>>().join(","),
        at.append_only,
        inputs.join(",")
    )
}

/// A string with its quotes.
pub(super) fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(text("a\"b\\\n\u{1}"), "\"a\\\"b\\\\\\n\\u0001\"");
    }
}
