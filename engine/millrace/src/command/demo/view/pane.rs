//! The panes: their names, their counts, their order for the tab key.

use crate::command::demo::model::{Model, grouped};

/// A part of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command::demo) enum Pane {
    /// The sources.
    Arrives,
    /// POSSIBLE_FRAUD.
    Fraud,
    /// UNHAPPY_PLATINUM_CUSTOMERS.
    Unhappy,
    /// VIP_ACTIONS.
    Vip,
    /// SYSLOG_INVALID_USERS.
    Invalid,
    /// BALANCES.
    Balances,
    /// RATINGS_BY_CLUB.
    Clubs,
    /// What the script does.
    Story,
}

/// As the tab key goes through them.
const ORDER: [Pane; 8] =
    [Pane::Arrives, Pane::Fraud, Pane::Unhappy, Pane::Vip, Pane::Invalid, Pane::Balances, Pane::Clubs, Pane::Story];

impl Pane {
    /// The pane behind this one; `None` is the picture of all, which comes first and last.
    pub(in crate::command::demo) fn next(focus: Option<Pane>) -> Option<Pane> {
        let at = focus.and_then(|pane| ORDER.iter().position(|p| *p == pane));
        ORDER.get(at.map_or(0, |at| at + 1)).copied()
    }

    /// The pane before this one.
    pub(in crate::command::demo) fn previous(focus: Option<Pane>) -> Option<Pane> {
        match focus.and_then(|pane| ORDER.iter().position(|p| *p == pane)) {
            Some(at) => at.checked_sub(1).map(|at| ORDER[at]),
            None => ORDER.last().copied(),
        }
    }

    /// The relation that it shows.
    pub(super) fn relation(self) -> Option<&'static str> {
        match self {
            Pane::Arrives | Pane::Story => None,
            Pane::Fraud => Some("POSSIBLE_FRAUD"),
            Pane::Unhappy => Some("UNHAPPY_PLATINUM_CUSTOMERS"),
            Pane::Vip => Some("VIP_ACTIONS"),
            Pane::Invalid => Some("SYSLOG_INVALID_USERS"),
            Pane::Balances => Some("BALANCES"),
            Pane::Clubs => Some("RATINGS_BY_CLUB"),
        }
    }

    /// What stands above it: its name, and how much there is.
    pub(super) fn title(self, model: &Model, width: u16) -> (&'static str, String) {
        let counted = |count: u64| grouped(count as i64);
        let right = match self {
            Pane::Arrives => format!("{} rows", counted(model.sources.rows())),
            Pane::Fraud => format!("{} cards", counted(model.fraud.count)),
            Pane::Unhappy => {
                let poor = if width < 50 { "" } else { " POOR_RATINGS" };
                format!("{} of {}{poor}", counted(model.unhappy.count), counted(model.poor_ratings))
            }
            Pane::Vip => counted(model.vip_actions.count),
            Pane::Invalid => counted(model.invalid_users.count),
            Pane::Balances => {
                format!("{} accounts, {} in all", counted(model.balances.len() as u64), grouped(model.balances.total()))
            }
            Pane::Clubs => "revised for ever".to_owned(),
            Pane::Story => "− goes  + comes".to_owned(),
        };
        let left = match self {
            Pane::Arrives => "WHAT ARRIVES",
            Pane::Story => "WHAT THE SCRIPT DOES, AND WHAT CHANGES BY IT",
            _ => self.relation().unwrap_or_default(),
        };
        (left, right)
    }
}
