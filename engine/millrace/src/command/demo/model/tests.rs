//! What the model says after outputs of the session.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use millrace_session::ResultId;

use super::*;

/// A result of these columns and diffs.
pub(in crate::command::demo) fn result(columns: Vec<(&str, ArrayRef)>, diffs: &[i64]) -> ResultRows {
    let rows = arrow::record_batch::RecordBatch::try_from_iter(columns).expect("columns of one length");
    ResultRows { id: ResultId(1), tick: 1, rows, changes: Changes::Diffs(diffs.to_vec()) }
}

pub(in crate::command::demo) fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(in crate::command::demo) fn whole(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub(in crate::command::demo) fn at(ms: u64) -> Now {
    Now { us: ms * 1_000, wall_ms: 1_700_000_000_000 + ms as i64 }
}

pub(in crate::command::demo) fn fraud(cards: &[&str], windows: &[i64], counts: &[i64], diffs: &[i64]) -> ResultRows {
    let columns = vec![("CARD_NUMBER", texts(cards)), ("WINDOWSTART", whole(windows)), ("KSQL_COL_0", whole(counts))];
    result(columns, diffs)
}

pub(in crate::command::demo) fn clubs(names: &[&str], ratings: &[i64], stars: &[f64], diffs: &[i64]) -> ResultRows {
    let stars: ArrayRef = Arc::new(Float64Array::from(stars.to_vec()));
    result(vec![("CLUB_STATUS", texts(names)), ("RATINGS", whole(ratings)), ("STARS", stars)], diffs)
}

#[test]
fn a_card_lights_up_once_a_window_and_is_revised() {
    let mut model = Model::new(5.0);
    model.rows(Panel::Fraud, &fraud(&["4000123412341234"], &[0], &[4], &[1]), at(100));
    model.rows(Panel::Fraud, &fraud(&["4000123412341234"; 2], &[0, 0], &[4, 5], &[-1, 1]), at(130));
    model.rows(Panel::Fraud, &fraud(&["4000123412341234"], &[5_000], &[4], &[1]), at(5_200));
    assert_eq!(model.fraud.count, 2);
    let card = &model.fraud.cards[0];
    assert_eq!((card.attempts, card.lit_ms, card.changed_ms, card.after_us), (5, 100, 130, None));
    let number = "4000 1234 1234 1234".to_owned();
    let lit = Happening::Card { number, attempts: 4 };
    assert_eq!(model.take_happenings(), [lit.clone(), lit]);
    assert!(model.take_happenings().is_empty());
}

#[test]
fn a_step_owns_what_changes_until_its_end() {
    let mut model = Model::new(5.0);
    model.rows(Panel::Clubs, &clubs(&["gold", "platinum"], &[10, 5], &[3.5, 3.0], &[1, 1]), at(900));
    model.step(Some("A correction"), "UPDATE customers …", "", at(1_000));
    let changed =
        clubs(&["gold", "platinum", "gold", "platinum"], &[10, 5, 8, 7], &[3.5, 3.0, 3.25, 3.5], &[-1, -1, 1, 1]);
    model.rows(Panel::Clubs, &changed, at(1_004));
    model.step_done();
    model.rows(Panel::Clubs, &clubs(&["gold"; 2], &[8, 9], &[3.25, 3.0], &[-1, 1]), at(1_010));

    let gold = model.clubs["gold"];
    assert_eq!((gold.ratings, gold.stars, gold.corrected_ms), (9, 3.0, Some(1_004)));
    let story = model.stories.back().expect("one story");
    assert_eq!((story.title, story.lines.len()), ("A correction", 5));
    let text = "platinum 7 ratings, 3.500 ★".to_owned();
    let last = StoryLine::Change { view: "RATINGS_BY_CLUB", diff: 1, text, after_us: 4_000 };
    assert_eq!(story.lines[4], last);
    assert_eq!(model.take_happenings().len(), 6, "a title and five lines");
}

#[test]
fn busy_lists_are_thinned_but_counted() {
    let mut model = Model::new(5.0);
    for i in 0..100 {
        let columns = vec![("USERID", whole(&[i])), ("ACTION", texts(&["view"])), ("PAGE", texts(&["/home"]))];
        model.rows(Panel::VipActions, &result(columns, &[1]), at(i as u64 * 10));
    }
    assert_eq!((model.vip_actions.count, model.vip_actions.lines.len()), (100, 4));
    model.step(None, "INSERT …", "", at(1_000));
    let columns = vec![("USERID", whole(&[4242])), ("ACTION", texts(&["view"])), ("PAGE", texts(&["/home"]))];
    model.rows(Panel::VipActions, &result(columns, &[1]), at(1_001));
    let last = model.vip_actions.lines.back().expect("a line");
    assert_eq!((last.lead.as_str(), last.text.as_str(), last.scripted), ("user 4242", "view /home", true));
}

#[test]
fn names_may_carry_their_alias() {
    let stars: ArrayRef = Arc::new(Int32Array::from(vec![2]));
    let columns = vec![
        ("R_STARS", stars),
        ("R_MESSAGE", texts(&["Cold pasta, warm beer."])),
        ("C_FIRST_NAME", texts(&["Zoë"])),
        ("C_LAST_NAME", texts(&["Meier"])),
    ];
    let mut model = Model::new(5.0);
    model.rows(Panel::Unhappy, &result(columns, &[1]), at(1));
    let line = &model.unhappy.lines[0];
    assert_eq!((line.lead.as_str(), line.text.as_str()), ("★★☆☆☆", "Zoë Meier: Cold pasta, warm beer."));
    model.rows(Panel::PoorCount, &result(vec![("N", whole(&[7, 9]))], &[-1, 1]), at(2));
    assert_eq!((model.poor_ratings, model.changes), (9, 3));
    assert_eq!((grouped(-1_234_567), grouped(999)), ("-1,234,567".to_owned(), "999".to_owned()));
}
