//! One JSON value into one column.
//!
//! | column | from |
//! |---|---|
//! | BOOLEAN | `true`, `false` |
//! | INT, BIGINT | a number without fraction, however it is written (`1e3`, `5.0`) |
//! | DOUBLE | a number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | DECIMAL | a number, or one in a text |
//! | VARCHAR | a text; of any other value its JSON text, without whitespace |
//! | BYTES | base64 |
//! | DATE, TIME, TIMESTAMP | days, milliseconds, milliseconds as a number; ISO text |
//! | ARRAY, MAP, STRUCT | an array, an object, an object |
//!
//! `null` is NULL in every column. Anything else is of the wrong type.

use hashbrown::HashMap;

use crate::column::{Bytes, Column, Data, List, Map};
use crate::error::{Expected, Found, Reason, SqlType};
use crate::json::cursor::{Cursor, Quoted};
use crate::limits::NESTING_LEVELS_MAX;
use crate::number::{Number, scan_plain};
use crate::text::{decode_base64, parse_special, push_text, time_of_number, timestamp_of_number, whole_number};
use crate::time::{parse_date, parse_time, parse_timestamp};

/// Reads the value at the cursor, `level` levels deep, into the column.
///
/// # Errors
/// If it is broken or of another type. Nested columns may keep parts of it then.
#[inline(always)]
pub(crate) fn push_value(column: &mut Column, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    match &mut column.data {
        Data::Int64(values) if let Some((value, end)) = scan_plain(cursor.bytes, cursor.pos) => {
            values.push(value);
            cursor.pos = end;
            return Ok(());
        }
        Data::Int32(values)
            if let Some((value, end)) = scan_plain(cursor.bytes, cursor.pos)
                && let Ok(value) = i32::try_from(value) =>
        {
            values.push(value);
            cursor.pos = end;
            return Ok(());
        }
        _ => {}
    }
    cursor.skip_whitespace();
    if cursor.peek() == b'n' {
        cursor.literal(b"null")?;
        column.push_null();
        return Ok(());
    }
    match &mut column.data {
        Data::Utf8(bytes) if cursor.peek() == b'"' => {
            let quoted = cursor.quoted()?;
            if quoted.escaped {
                bytes.push(cursor.scratch);
            } else {
                bytes.push_range(cursor.bytes, quoted.start, quoted.end);
            }
        }
        Data::Float64(values) if cursor.peek() != b'"' => values.push(number(cursor, SqlType::Double)?.to_f64()?),
        Data::Timestamp(values) if cursor.peek() == b'"' => {
            let quoted = cursor.quoted()?;
            values.push(parse_timestamp(cursor.text(quoted))?);
        }
        _ => return push_other(column, cursor, level),
    }
    Ok(())
}

fn push_other(column: &mut Column, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    match &mut column.data {
        Data::Boolean(values) => values.append(boolean(cursor)?),
        Data::Int32(values) => values.push(number(cursor, SqlType::Int)?.to_i32(SqlType::Int)?),
        Data::Int64(values) => values.push(number(cursor, SqlType::Bigint)?.to_i64(SqlType::Bigint)?),
        Data::Float64(values) => values.push(match cursor.kind()? {
            Found::Text => {
                let text = text(cursor, SqlType::Double)?;
                parse_special(text).ok_or(Reason::WrongType { expected: SqlType::Double, found: Found::Text })?
            }
            _ => number(cursor, SqlType::Double)?.to_f64()?,
        }),
        Data::Decimal(d) => {
            let number = match cursor.kind()? {
                Found::Text => whole_number(text(cursor, SqlType::Decimal)?, SqlType::Decimal)?,
                _ => number(cursor, SqlType::Decimal)?,
            };
            d.values.push(number.to_decimal(d.precision, d.scale)?);
        }
        Data::Utf8(bytes) => push_json_text(bytes, cursor, level)?,
        Data::Binary(bytes) => {
            let text = text(cursor, SqlType::Bytes)?;
            bytes.push_with(|out| decode_base64(text, out))?;
        }
        Data::Date(values) => values.push(match cursor.kind()? {
            Found::Text => parse_date(text(cursor, SqlType::Date)?)?,
            _ => number(cursor, SqlType::Date)?.to_i32(SqlType::Date)?,
        }),
        Data::Time(values) => values.push(match cursor.kind()? {
            Found::Text => parse_time(text(cursor, SqlType::Time)?)?,
            _ => time_of_number(number(cursor, SqlType::Time)?)?,
        }),
        Data::Timestamp(values) => values.push(match cursor.kind()? {
            Found::Text => parse_timestamp(text(cursor, SqlType::Timestamp)?)?,
            _ => timestamp_of_number(number(cursor, SqlType::Timestamp)?)?,
        }),
        Data::List(list) => push_list(list, cursor, level)?,
        Data::Map(map) => push_map(map, cursor, level)?,
        Data::Struct(s) => {
            check_kind(cursor, SqlType::Struct, Found::Object)?;
            check_level(level)?;
            s.object.push_object(cursor, level + 1)?;
        }
    }
    Ok(())
}

fn check_kind(cursor: &Cursor<'_>, expected: SqlType, wanted: Found) -> Result<(), Reason> {
    let found = cursor.kind()?;
    if found == wanted { Ok(()) } else { Err(Reason::WrongType { expected, found }) }
}

fn check_level(level: usize) -> Result<(), Reason> {
    if level < NESTING_LEVELS_MAX { Ok(()) } else { Err(Reason::TooDeep) }
}

#[inline(always)]
fn number<'a>(cursor: &mut Cursor<'a>, t: SqlType) -> Result<Number<'a>, Reason> {
    if !matches!(cursor.peek(), b'0'..=b'9' | b'-') {
        check_kind(cursor, t, Found::Number)?;
    }
    cursor.number()
}

fn text<'c>(cursor: &'c mut Cursor<'_>, t: SqlType) -> Result<&'c [u8], Reason> {
    check_kind(cursor, t, Found::Text)?;
    let quoted = cursor.quoted()?;
    Ok(cursor.text(quoted))
}

fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, Reason> {
    match cursor.peek() {
        b't' => cursor.literal(b"true").map(|()| true),
        b'f' => cursor.literal(b"false").map(|()| false),
        _ => {
            check_kind(cursor, SqlType::Boolean, Found::Boolean)?;
            Err(Reason::Syntax(Expected::Value))
        }
    }
}

/// A value that is not a text, as a text: its bytes without the whitespace between its parts.
fn push_json_text(bytes: &mut Bytes, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    let start = cursor.pos;
    cursor.skip_value(level)?;
    let value = &cursor.bytes[start..cursor.pos];
    bytes.push_with(|out| {
        let (mut quoted, mut escaped) = (false, false);
        for byte in value {
            if quoted || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                out.push(*byte);
            }
            quoted ^= *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
        }
        Ok(())
    })
}

fn push_list(list: &mut List, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    check_kind(cursor, SqlType::Array, Found::Array)?;
    check_level(level)?;
    cursor.pos += 1;
    cursor.skip_whitespace();
    if cursor.peek() == b']' {
        cursor.pos += 1;
        list.end();
        return Ok(());
    }
    loop {
        push_value(&mut list.child, cursor, level + 1)?;
        cursor.skip_whitespace();
        match cursor.peek() {
            b',' => cursor.pos += 1,
            b']' => break,
            _ => return Err(Reason::Syntax(Expected::CommaOrArrayEnd)),
        }
    }
    cursor.pos += 1;
    list.end();
    Ok(())
}

fn push_map(map: &mut Map, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    check_kind(cursor, SqlType::Map, Found::Object)?;
    check_level(level)?;
    let start = cursor.pos;
    for_each_entry(cursor, |cursor, key| {
        push_text(&mut map.keys, cursor.text(key))?;
        push_value(&mut map.values, cursor, level + 1)
    })?;
    if has_equal_keys(map) {
        map.restart();
        cursor.pos = start;
        push_last_entries(map, cursor, level)?;
    }
    map.end();
    Ok(())
}

/// Calls `entry` at the value of each field of the object at the cursor, and goes behind the object.
fn for_each_entry<'a>(
    cursor: &mut Cursor<'a>,
    mut entry: impl FnMut(&mut Cursor<'a>, Quoted) -> Result<(), Reason>,
) -> Result<(), Reason> {
    cursor.pos += 1;
    cursor.skip_whitespace();
    if cursor.peek() == b'}' {
        cursor.pos += 1;
        return Ok(());
    }
    loop {
        let key = cursor.field_name()?;
        entry(cursor, key)?;
        cursor.skip_whitespace();
        match cursor.peek() {
            b',' => cursor.pos += 1,
            b'}' => break,
            _ => return Err(Reason::Syntax(Expected::CommaOrObjectEnd)),
        }
    }
    cursor.pos += 1;
    Ok(())
}

/// Whether two keys of the map in progress are equal.
fn has_equal_keys(map: &mut Map) -> bool {
    const FEW: usize = 8;
    let keys = map.start()..map.keys.len();
    if keys.len() < 2 {
        return false;
    }
    if keys.len() <= FEW {
        return keys.clone().any(|a| (a + 1..keys.end).any(|b| map.keys.compare(a, b).is_eq()));
    }
    map.order.clear();
    map.order.extend(keys);
    map.order.sort_unstable_by(|a, b| map.keys.compare(*a, *b));
    map.order.windows(2).any(|pair| map.keys.compare(pair[0], pair[1]).is_eq())
}

/// Reads the object at the cursor, of two equal keys the last one with its value.
#[cold]
fn push_last_entries(map: &mut Map, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
    // The texts may differ where the keys are equal (`1`, `1.0`), so keys are compared as values, pushed once for that.
    let first = map.start();
    let mut values_at: Vec<usize> = Vec::new();
    for_each_entry(cursor, |cursor, key| {
        push_text(&mut map.keys, cursor.text(key))?;
        values_at.push(cursor.pos);
        cursor.skip_value(level + 1)
    })?;
    let end = cursor.pos;
    let mut order: Vec<usize> = (0..values_at.len()).collect();
    order.sort_by(|a, b| map.keys.compare(first + a, first + b));
    let mut last: HashMap<usize, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut kept: Vec<usize> = Vec::new();
    for group in order.chunk_by(|a, b| map.keys.compare(first + a, first + b).is_eq()) {
        // The sort is stable, so a group is in order of the text: its first entry has the place, its last the value.
        kept.push(group[0]);
        last.insert(group[0], group[group.len() - 1]);
    }
    kept.sort_unstable();
    map.keys.keep_from(first, &kept);
    for entry in kept {
        cursor.pos = values_at[last[&entry]];
        push_value(&mut map.values, cursor, level + 1)?;
    }
    cursor.pos = end;
    Ok(())
}
