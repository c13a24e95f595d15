//! The scripts of a run as one list of statements.
//!
//! Statements are numbered from 1 through all scripts. A script that cannot be read to its end gives the statements
//! before its first mistake; they run, and then the mistake is the error of the statement that it stands in.

use millrace_planner::error::PlanError;
use millrace_planner::sql::parse_partial;
use millrace_planner::sql::statement::Parsed;

use crate::error::SessionError;

/// A text with statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What errors call it: a file name, `-e`.
    pub name: String,
    /// The statements.
    pub text: String,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Program {
    scripts: Vec<Script>,
    statements: Vec<Parsed>,
    /// The script of each statement, and of the mistake behind them.
    places: Vec<usize>,
    mistake: Option<PlanError>,
}

impl Program {
    /// Parses the scripts in order, up to the first mistake.
    pub fn parse(scripts: Vec<Script>) -> Self {
        let (mut statements, mut places, mut mistake) = (vec![], vec![], None);
        for (i, script) in scripts.iter().enumerate() {
            let (parsed, error) = parse_partial(&script.text);
            places.extend(parsed.iter().map(|_| i));
            statements.extend(parsed);
            if error.is_some() {
                places.push(i);
                mistake = error;
                break;
            }
        }
        Program { scripts, statements, places, mistake }
    }

    /// The statements that could be read.
    pub fn statements(&self) -> &[Parsed] {
        &self.statements
    }

    /// What cannot be read behind them.
    pub fn mistake(&self) -> Option<&PlanError> {
        self.mistake.as_ref()
    }

    /// The script of statement `number`, counted from 1.
    pub fn script_of(&self, number: usize) -> Option<&Script> {
        self.places.get(number.checked_sub(1)?).map(|i| &self.scripts[*i])
    }

    /// The error as a person reads it, with the line that it points into.
    pub fn render(&self, error: &SessionError) -> String {
        self.render_plan_error(error.statement, &error.error)
    }

    /// The same for a warning or an error of a statement.
    pub fn render_plan_error(&self, statement: Option<usize>, error: &PlanError) -> String {
        match statement.and_then(|number| self.script_of(number)) {
            Some(script) => error.render(&script.name, &script.text),
            None => PlanError { span: None, ..error.clone() }.render("", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_count_through_all_scripts() {
        let script = |name: &str, text: &str| Script { name: name.to_owned(), text: text.to_owned() };
        let scripts = vec![script("a.sql", "SELECT 1; SELECT 2"), script("-e", "SELECT 3; SELEC 4; SELECT 5")];
        let program = Program::parse(scripts);
        assert_eq!(program.statements().len(), 3);
        assert_eq!(program.script_of(2).map(|s| s.name.as_str()), Some("a.sql"));
        assert_eq!(program.script_of(4).map(|s| s.name.as_str()), Some("-e"));
        assert_eq!(program.script_of(5), None);
        let mistake = program.mistake().expect("SELEC is none").clone();
        let error = SessionError::from(mistake).in_statement(4);
        assert!(program.render(&error).contains("--> -e:1:11"), "{}", program.render(&error));
    }
}
