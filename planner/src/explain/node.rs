//! placeholder
use crate::action::Action;
use crate::catalog::Catalog;
pub(super) fn text(action: &Action, _: &Catalog) -> String {
    format!("{action:#?}")
}
pub(super) fn json(action: &Action) -> String {
    format!("{action:#?}")
}
