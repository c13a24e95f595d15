//! The functions that SQL can call, by name.
//!
//! A name is looked up in lower case. Scalar functions are DataFusion's, under their own names and KSQL's, and ours
//! where the meaning differs ([`scalar`](crate::eval::scalar)); aggregates are descriptions that the engine carries out ([`aggregate`]).

pub mod aggregate;
pub(crate) mod alias;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use datafusion_expr::{HigherOrderUDF, ScalarUDF};

/// Names of the functions that SQL can call, in lower case: scalar ones and aggregates, each in order.
pub fn names() -> (Vec<String>, Vec<String>) {
    let callable = scalars().keys().chain(higher_order().keys()).filter(|name| volatile(name).is_none());
    let scalars: std::collections::BTreeSet<&String> = callable.collect();
    let mut aggregates: Vec<String> = crate::bind::aggregate::NAMES.iter().map(|name| (*name).to_owned()).collect();
    aggregates.sort_unstable();
    (scalars.into_iter().cloned().collect(), aggregates)
}

/// All scalar functions by lower-case name.
pub(crate) fn scalars() -> &'static BTreeMap<String, Arc<ScalarUDF>> {
    static SCALARS: OnceLock<BTreeMap<String, Arc<ScalarUDF>>> = OnceLock::new();
    SCALARS.get_or_init(|| {
        let mut functions = BTreeMap::new();
        let theirs = datafusion_functions::all_default_functions().into_iter();
        for function in theirs.chain(datafusion_functions_nested::all_default_nested_functions()) {
            for name in std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)) {
                functions.insert(name.to_lowercase(), Arc::clone(&function));
            }
        }
        for function in crate::eval::scalar::all() {
            let function = Arc::new(function);
            for name in std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)) {
                functions.insert(name.to_lowercase(), Arc::clone(&function));
            }
        }
        functions
    })
}

/// All functions with lambda arguments by lower-case name.
pub(crate) fn higher_order() -> &'static BTreeMap<String, Arc<HigherOrderUDF>> {
    static FUNCTIONS: OnceLock<BTreeMap<String, Arc<HigherOrderUDF>>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let mut functions = BTreeMap::new();
        for function in datafusion_functions_nested::all_default_higher_order_functions() {
            for name in std::iter::once(function.name()).chain(function.aliases().iter().map(String::as_str)) {
                functions.insert(name.to_lowercase(), Arc::clone(&function));
            }
        }
        functions
    })
}

/// Functions whose value is not one of their arguments alone, with the reason why they are refused.
pub(crate) fn volatile(name: &str) -> Option<&'static str> {
    match name {
        "random" | "rand" | "uuid" => {
            Some("a retraction must find the row that it takes back, so that every function gives one answer for ever")
        }
        "version" => Some("SHOW SETTINGS tells the version"),
        _ => None,
    }
}
