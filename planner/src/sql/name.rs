//! Names and texts of a statement, with their places.
//!
//! An [`Ident`] is folded already: upper case unless it was quoted with `"` or `` ` ``. Identifiers inside sqlparser's
//! trees are as written; [`fold`] folds one.

use sqlparser::ast;

use crate::error::Span;

/// A name, folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// Upper case unless quoted.
    pub value: String,
    /// It was written in `"` or `` ` ``.
    pub quoted: bool,
    /// Where.
    pub span: Span,
}

/// A name with dots: `ratings`, `millrace.errors`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// At least one.
    pub parts: Vec<Ident>,
    /// From the first part to the last.
    pub span: Span,
}

impl Name {
    /// The name under which a catalog keeps the relation: parts joined by dots. Relations of the schema `millrace` are
    /// the engine's own and written in lower case, so unquoted names in it fold down.
    pub fn catalog_name(&self) -> String {
        let system = self.parts.len() > 1 && self.parts[0].value.eq_ignore_ascii_case("millrace");
        let part = |ident: &Ident| match system && !ident.quoted {
            true => ident.value.to_lowercase(),
            false => ident.value.clone(),
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join(".")
    }
}

/// A string literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its value, quotes and escapes resolved.
    pub value: String,
    /// With its quotes.
    pub span: Span,
}

/// The value of an identifier of sqlparser's, folded: upper case unless quoted.
pub fn fold(ident: &ast::Ident) -> String {
    match ident.quote_style {
        None => ident.value.to_uppercase(),
        Some(_) => ident.value.clone(),
    }
}

impl Text {
    /// The text as a name: folded if it could have been written without quotes.
    pub(super) fn into_name(self) -> Name {
        let quoted = !self.value.starts_with(|c: char| c.is_alphabetic() || c == '_')
            || self.value.contains(|c: char| !c.is_alphanumeric() && c != '_');
        let value = if quoted { self.value } else { self.value.to_uppercase() };
        let part = Ident { value, quoted, span: self.span };
        Name { parts: vec![part], span: self.span }
    }
}
