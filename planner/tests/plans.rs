//! Statements and what is planned of them: one file per step and family.

mod plans {
    pub(crate) mod catalog;
    mod errors;
    mod everything;
    mod functions;
    mod grouping_sets;
    pub(crate) mod naive;
    mod nexmark;
    mod numbered;
    mod stages;
    mod subqueries;
    mod table_functions;
    mod talk;
    mod tpch;
}
