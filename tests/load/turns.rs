//! Whose turn it is, and whether an equation pays.

use std::collections::HashMap;

use sigmill::{Class, Form, Limits};

use crate::machine::Machine;
use crate::stream::Kind;

/// One combined batch of a source, whole; gives the form in which it ran.
fn combine(machine: &mut Machine, source: u64, kind: Kind) -> Form {
    let submitted = machine.submit(kind, Form::Combined, 200, Class::Mempool, source);
    let (id, form) = submitted.expect("room");
    assert_eq!(machine.next(), Some(id));
    form
}

#[test]
fn equations_that_stop_paying_are_left_out_for_that_source_and_come_back() {
    let mut machine = Machine::new(Limits::default());
    for _ in 0..10 {
        assert_eq!(combine(&mut machine, 1, Kind::Good), Form::Combined);
    }
    let forms: Vec<_> = (0..200).map(|_| combine(&mut machine, 1, Kind::OneBad)).collect();
    let equations = forms.iter().filter(|&&form| form == Form::Combined).count();
    assert!((2..12).contains(&equations), "{equations} of 200 that do not pay");
    // Others are not affected.
    assert_eq!(combine(&mut machine, 2, Kind::Good), Form::Combined);
    // Once they pay again, the next trial brings them back for good.
    let forms: Vec<_> = (0..2_000).map(|_| combine(&mut machine, 1, Kind::Good)).collect();
    let back = forms.iter().position(|&form| form == Form::Combined).expect("tried again");
    assert!(back <= 1_024 && forms[back..].iter().all(|&form| form == Form::Combined), "{back}");
}

#[test]
fn votes_go_first_and_the_others_have_their_turn() {
    let mut machine = Machine::new(Limits::default());
    let mut ids = HashMap::new();
    let mut submit = |machine: &mut Machine, class| {
        let submitted = machine.submit(Kind::Good, Form::Single, 400, class, class as u64);
        ids.insert(submitted.expect("room").0, class);
    };
    for _ in 0..50 {
        submit(&mut machine, Class::Sync);
    }
    for _ in 0..10 {
        submit(&mut machine, Class::Consensus);
    }
    let mut order = Vec::new();
    for _ in 0..400 {
        // The flood of votes does not end.
        submit(&mut machine, Class::Consensus);
        order.push(machine.next().expect("something runs"));
    }
    let is_sync: Vec<_> = order.iter().map(|id| ids[id] == Class::Sync).collect();
    // What was in the lane before the votes came.
    let after = &is_sync[2..];
    let late = after.iter().filter(|&&sync| sync).count();
    assert!(late * 10 < after.len(), "{late} of {} went before a vote", after.len());
    let longest = after.split(|&sync| sync).map(<[bool]>::len).max();
    assert!(late >= 10 && longest <= Some(40), "{late} in all, {longest:?} votes in a row");
}
