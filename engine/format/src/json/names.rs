//! Which field of an object is which column: by exact name, then case-insensitively, and first of all by habit.
//!
//! Records of one producer have their fields in the same order, with the same bytes between two values. [`Names`] keeps
//! these bytes (`,"price":`) with the column that follows them, so that the next record is compared and not parsed. What
//! was not foreseen is parsed, looked up and remembered.
//!
//! # Contract
//! Habit changes no result: what is remembered is the outcome of parsing the same bytes at the same place in an object.
//! A field that is exactly a column's name is that column's and nobody else's. Any other field is that of the first
//! column whose name is the same in lower case, if there is one.

use hashbrown::HashMap;

use crate::error::{Expected, Reason};
use crate::json::cursor::Cursor;
use crate::limits::{PREDICTED_FIELDS_MAX, SPELLINGS_MAX};

/// Where the value of a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Position of the column; [`Target::UNKNOWN`] if there is none.
    pub(crate) column: u32,
    /// The field has exactly the column's name.
    pub(crate) exact: bool,
}

impl Target {
    pub(crate) const UNKNOWN: u32 = u32::MAX;
}

/// Bytes between two values, in a form that is compared without a loop.
#[derive(Clone, Copy, Debug)]
struct Glue {
    bytes: [u8; Glue::LEN_MAX],
    len: u8,
}

impl Glue {
    const LEN_MAX: usize = 32;

    fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; Glue::LEN_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Glue { bytes, len: text.len() as u8 })
    }

    /// Passes over these bytes if they are what comes next.
    #[inline(always)]
    fn eat(&self, cursor: &mut Cursor<'_>) -> bool {
        let len = usize::from(self.len);
        let found = match cursor.bytes.get(cursor.pos..).and_then(|rest| rest.first_chunk::<{ Glue::LEN_MAX }>()) {
            Some(chunk) if len <= 8 => self.same_word(chunk, 0),
            Some(chunk) if len <= 16 => self.same_word(chunk, 0) & self.same_word(chunk, 1),
            Some(chunk) => (0..4).fold(true, |same, i| same & self.same_word(chunk, i)),
            None => cursor.bytes.get(cursor.pos..cursor.pos + len) == Some(&self.bytes[..len]),
        };
        let found = found && cursor.pos + len <= cursor.end;
        cursor.pos += if found { len } else { 0 };
        found
    }

    /// Whether bytes `8 i..8 i + 8` are the same, as far as there are any.
    #[inline(always)]
    fn same_word(&self, chunk: &[u8; Glue::LEN_MAX], i: usize) -> bool {
        let word =
            |bytes: &[u8; Glue::LEN_MAX]| bytes[8 * i..].first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
        let bits = (8 * usize::from(self.len)).saturating_sub(64 * i);
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        (word(chunk) ^ word(&self.bytes)) & mask == 0
    }
}

/// The field names of one type of objects; see the module.
#[derive(Debug)]
pub(crate) struct Names {
    /// Names of the columns in lower case.
    folded: Vec<String>,
    /// Spellings seen, without escapes.
    spellings: HashMap<Box<[u8]>, Target, foldhash::fast::RandomState>,
    /// What is expected before the first, second, … value; `None` where it is too long to be remembered.
    steps: Vec<Option<(Glue, Target)>>,
}

impl Names {
    /// For these columns. Of two with the same name the last one has the field.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut spellings = HashMap::default();
        let mut folded = Vec::new();
        for (i, name) in names.enumerate() {
            folded.push(name.to_lowercase());
            spellings.insert(name.as_bytes().into(), Target { column: i as u32, exact: true });
        }
        Names { folded, spellings, steps: Vec::new() }
    }

    /// Goes on to the value of the next field: from `{` to the first, from behind a value to the next one. `None` behind
    /// the closing brace. `step` counts the fields that were foreseen or passed over.
    #[inline(always)]
    pub(crate) fn next(&mut self, cursor: &mut Cursor<'_>, step: &mut usize) -> Result<Option<Target>, Reason> {
        if let Some(Some((glue, target))) = self.steps.get(*step)
            && glue.eat(cursor)
        {
            *step += 1;
            return Ok(Some(*target));
        }
        if *step > 0 && cursor.peek() == b'}' {
            cursor.pos += 1;
            return Ok(None);
        }
        self.next_unforeseen(cursor, step)
    }

    #[cold]
    fn next_unforeseen(&mut self, cursor: &mut Cursor<'_>, step: &mut usize) -> Result<Option<Target>, Reason> {
        // A field that this record leaves out.
        let ahead = self.steps.iter().enumerate().skip(*step + 1).take(4);
        for (i, known) in ahead {
            if let Some((glue, target)) = known
                && glue.eat(cursor)
            {
                *step = i + 1;
                return Ok(Some(*target));
            }
        }
        let start = cursor.pos;
        if *step == 0 {
            cursor.expect(b'{', Expected::Object)?;
            cursor.skip_whitespace();
            if cursor.peek() == b'}' {
                cursor.pos += 1;
                return Ok(None);
            }
        } else {
            cursor.skip_whitespace();
            match cursor.peek() {
                b',' => cursor.pos += 1,
                b'}' => {
                    cursor.pos += 1;
                    return Ok(None);
                }
                _ => return Err(Reason::Syntax(Expected::CommaOrObjectEnd)),
            }
        }
        let name = cursor.field_name()?;
        let target = self.look_up(cursor.text(name));
        if *step < PREDICTED_FIELDS_MAX {
            self.steps.resize(self.steps.len().max(*step + 1), None);
            self.steps[*step] = Glue::new(&cursor.bytes[start..cursor.pos]).map(|glue| (glue, target));
        }
        *step += 1;
        Ok(Some(target))
    }

    fn look_up(&mut self, name: &[u8]) -> Target {
        if let Some(target) = self.spellings.get(name) {
            return *target;
        }
        let lower = String::from_utf8_lossy(name).to_lowercase();
        let column = self.folded.iter().position(|folded| *folded == lower);
        let target = Target { column: column.map_or(Target::UNKNOWN, |c| c as u32), exact: false };
        if self.spellings.len() < SPELLINGS_MAX + self.folded.len() {
            self.spellings.insert(name.into(), target);
        }
        target
    }
}
