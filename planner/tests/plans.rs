//! Statements and what is planned of them: one file per step and family.

mod plans {
    pub(crate) mod catalog;
    mod errors;
    mod everything;
    pub(crate) mod naive;
    mod subqueries;
    mod talk;
}
