//! BALANCES: which accounts move most at present.

use std::collections::BTreeMap;

/// In such a time what an account has moved is worth half.
const HALF_LIFE_MS: f64 = 4_000.0;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(in crate::command::demo) struct Balances {
    accounts: BTreeMap<String, Account>,
    settled_ms: u64,
}

/// An account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::command::demo) struct Account {
    pub(in crate::command::demo) balance: i64,
    /// What the last tick that touched it did to it.
    pub(in crate::command::demo) moved: i64,
    /// When that was.
    pub(in crate::command::demo) moved_ms: u64,
    /// What it has moved of late.
    activity: f64,
    /// Its balance before the tick at hand.
    before: Option<i64>,
}

impl Balances {
    /// A change of a tick.
    pub(super) fn change(&mut self, account: &str, balance: i64, diff: i64) {
        let account = match self.accounts.get_mut(account) {
            Some(known) => known,
            None => self.accounts.entry(account.to_owned()).or_default(),
        };
        account.before.get_or_insert(account.balance);
        if diff > 0 {
            account.balance = balance;
        }
    }

    /// The changes of the tick are in.
    pub(super) fn settle(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.settled_ms) as f64;
        let faded = 0.5_f64.powf(passed_ms / HALF_LIFE_MS);
        self.settled_ms = now_ms;
        for account in self.accounts.values_mut() {
            account.activity *= faded;
            let Some(before) = account.before.take() else { continue };
            (account.moved, account.moved_ms) = (account.balance - before, now_ms);
            account.activity += account.moved.unsigned_abs() as f64;
        }
    }

    /// Accounts so far.
    pub(in crate::command::demo) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// The sum of all balances.
    pub(in crate::command::demo) fn total(&self) -> i64 {
        self.accounts.values().map(|account| account.balance).sum()
    }

    /// The `n` accounts that move most.
    pub(in crate::command::demo) fn movers(&self, n: usize) -> Vec<(&str, Account)> {
        let mut movers: Vec<(&str, Account)> = self.accounts.iter().map(|(name, a)| (name.as_str(), *a)).collect();
        movers.sort_by(|a, b| b.1.activity.total_cmp(&a.1.activity));
        movers.truncate(n);
        movers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_most_leads_until_it_fades() {
        let mut balances = Balances::default();
        balances.change("a", 50, 1);
        balances.change("b", 900, 1);
        balances.settle(0);
        balances.change("a", 50, -1);
        balances.change("a", 75, 1);
        balances.settle(10);
        let names = |balances: &Balances| balances.movers(2).iter().map(|m| m.0.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&balances), ["b", "a"]);
        assert_eq!((balances.movers(2)[1].1.moved, balances.total(), balances.len()), (25, 975, 2));
        balances.change("a", 75, -1);
        balances.change("a", 15, 1);
        balances.settle(60_000);
        assert_eq!(names(&balances), ["a", "b"]);
        assert_eq!(balances.movers(1)[0].1.moved, -60);
    }
}
