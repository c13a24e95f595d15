//! The tree keeps its own rules: which crate may depend on which, who may name what, how long files and functions get.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a file, at most.
const FILE_LINES_MAX: usize = 1000;
/// Lines of a function, at most.
const FUNCTION_LINES_MAX: usize = 70;

/// Longer than they should be: (file, lines, since). None may grow, and none may be added without a date.
const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Functions longer than they should be: (file, function, lines, since).
const LONG_FUNCTIONS: &[(&str, &str, usize, &str)] = &[
    ("planner/src/bind/set_operation.rs", "set_operation", 74, "2026-11-25"),
    ("planner/src/bind/window.rs", "bind_window", 72, "2026-11-25"),
    ("planner/src/explain/line.rs", "line", 72, "2026-11-25"),
];

/// Tests are tables of cases with what must come of them: they may be as long as their tables.
fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// What each crate of the workspace may depend on, of the workspace. The order of the layers is the order of the lines.
const MAY_DEPEND: &[(&str, &[&str])] = &[
    ("millrace-eval", &[]),
    ("millrace-planner", &["millrace-eval"]),
    ("millrace-world", &[]),
    ("millrace-topic", &["millrace-world"]),
    ("millrace-allocator", &[]),
    ("millrace-data", &[]),
    ("millrace-arrange", &["millrace-data"]),
    ("millrace-bench-input", &["millrace-data"]),
    ("millrace-format", &["millrace-data"]),
    ("millrace-connect", &["millrace-data", "millrace-format", "millrace-world"]),
    ("millrace-dataflow", &["millrace-arrange", "millrace-data", "millrace-planner", "millrace-world"]),
    (
        "millrace-session",
        &[
            "millrace-connect",
            "millrace-data",
            "millrace-dataflow",
            "millrace-format",
            "millrace-planner",
            "millrace-world",
        ],
    ),
    (
        "millrace",
        &[
            "millrace-allocator",
            "millrace-connect",
            "millrace-data",
            "millrace-dataflow",
            "millrace-format",
            "millrace-planner",
            "millrace-session",
            "millrace-world",
        ],
    ),
];

/// Crates at the edge that may depend on everything.
const UNRESTRICTED: &[&str] = &["millrace-tests", "millrace-bench"];

/// Outside crates that only these crates of the workspace may name.
const ONLY_NAMED_BY: &[(&str, &[&str])] = &[
    ("differential-dataflow", &["millrace-dataflow", "millrace-bench"]),
    ("datafusion-sql", &["millrace-planner"]),
    ("datafusion-optimizer", &["millrace-planner"]),
    ("sqlparser", &["millrace-planner"]),
    ("rdkafka", &[]),
    ("wasmtime", &[]),
    ("tonic", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Direct dependencies (not those for tests only) of each package of the workspace.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            let direct = package["dependencies"].as_array().unwrap();
            let direct = direct.iter().filter(|d| d["kind"].is_null()).map(|d| text(&d["name"])).collect();
            (text(&package["name"]), direct)
        })
        .collect()
}

#[test]
fn dependencies_point_the_right_way() {
    let mut wrong = vec![];
    for (package, direct) in dependencies() {
        if UNRESTRICTED.contains(&package.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_DEPEND.iter().find(|(name, _)| *name == package) else {
            wrong.push(format!("{package} is in no layer: add it to MAY_DEPEND"));
            continue;
        };
        for dependency in direct.iter().filter(|d| d.starts_with("millrace")) {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{package} depends on {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_are_named_where_they_belong() {
    let mut wrong = vec![];
    for (package, direct) in dependencies() {
        for (outside, allowed) in ONLY_NAMED_BY {
            if direct.iter().any(|d| d == outside) && !allowed.contains(&package.as_str()) {
                wrong.push(format!("{package} names {outside}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The Rust files that git tracks, relative to the root.
fn sources() -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> = names.lines().map(PathBuf::from).filter(|p| root().join(p).exists()).collect();
    assert!(!files.is_empty(), "no sources were found");
    files
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    let mut wrong = vec![];
    for file in sources() {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        let name = file.display().to_string();
        let lines = text.lines().count();
        let allowed = LONG_FILES.iter().find(|(f, ..)| *f == name).map_or(FILE_LINES_MAX, |(_, lines, _)| *lines);
        if lines > allowed {
            wrong.push(format!("{name} has {lines} lines, more than {allowed}"));
        }
        if !text.trim_start().starts_with("//!") {
            wrong.push(format!("{name} does not open with a module doc"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Functions of a formatted file with their lengths: from `fn` to the closing brace at the same indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = vec![];
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(rest) = ["pub ", "pub(crate) ", "pub(super) ", "const ", "unsafe ", ""]
            .iter()
            .find_map(|prefix| code.strip_prefix(prefix).filter(|rest| rest.starts_with("fn ")))
        else {
            continue;
        };
        // a trait says what its functions are like; those have no body to measure
        if lines[at..].iter().find(|l| l.ends_with('{') || l.ends_with(';')).is_some_and(|l| l.ends_with(';')) {
            continue;
        }
        let name: String = rest[3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let close = format!("{}}}", &line[..line.len() - code.len()]);
        if let Some(length) = lines[at..].iter().position(|l| **l == close) {
            found.push((name, length + 1));
        }
    }
    found
}

#[test]
fn functions_stay_short() {
    let mut wrong = vec![];
    for file in sources() {
        let name = file.display().to_string();
        if is_test(&name) {
            continue;
        }
        for (function, lines) in functions(&fs::read_to_string(root().join(&file)).unwrap()) {
            let allowed = LONG_FUNCTIONS
                .iter()
                .find(|(f, g, ..)| *f == name && *g == function)
                .map_or(FUNCTION_LINES_MAX, |(_, _, lines, _)| *lines);
            if lines > allowed {
                wrong.push(format!("{name}: {function} has {lines} lines, more than {allowed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_measure_of_functions_measures() {
    let declared = "trait T {\n    fn t(\n    );\n}\n";
    let defined = "fn a() {\n    1\n}\nimpl X {\n    pub fn b() {\n        if x {\n        }\n    }\n}\n";
    let text = &format!("{declared}{defined}");
    assert_eq!(functions(text), [("a".to_owned(), 3), ("b".to_owned(), 4)]);
}

#[test]
fn the_top_level_is_fixed() {
    let output = Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(root()).output().unwrap();
    let folders = ["planner", "engine", "udf-sdk", "wasm-examples", "tests", "bench", ".ci", ".cargo"];
    let entries = String::from_utf8(output.stdout).unwrap();
    let stray: Vec<&str> = entries.lines().filter(|e| root().join(e).is_dir() && !folders.contains(e)).collect();
    assert!(stray.is_empty(), "folders at the top level that do not belong there: {stray:?}");
}
