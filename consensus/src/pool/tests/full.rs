//! Who gets in where there is little room.

use super::*;

#[test]
fn a_peer_fills_its_share_only() {
    let mut pool = pool_of(10 * SHORTEST, 8, 50);
    let from =
        |pool: &mut Pool, peer, one| pool.admit(one, Source::Peer(peer), NEXT, standing(1_000, 0));
    for sender in 1..5 {
        from(&mut pool, 7, pay(sender, 0, 1)).unwrap(); // 4 of 8
    }
    assert_eq!(from(&mut pool, 7, pay(5, 0, 1)), Err(Refusal::Full));
    from(&mut pool, 8, pay(5, 0, 1)).unwrap();
    // What leaves makes room.
    settle(&mut pool, NEXT, &[pay(1, 0, 1)]);
    from(&mut pool, 7, pay(1, 1, 1)).unwrap();
    assert_eq!(from(&mut pool, 7, pay(6, 0, 1)), Err(Refusal::Full));

    let mut pool = pool_of(10 * SHORTEST, 100, 50);
    for sender in 1..5 {
        from(&mut pool, 7, pay(sender, 0, 1)).unwrap();
    }
    assert_eq!(from(&mut pool, 7, note(5, 0)), Err(Refusal::Full)); // 36 bytes too many
    from(&mut pool, 7, pay(5, 0, 1)).unwrap();
    assert_eq!(from(&mut pool_of(1 << 20, 100, 0), 7, pay(5, 0, 1)), Err(Refusal::Full));
    let mut pool = pool_of(5 * SHORTEST, 5, 255); // as 100
    for sender in 1..6 {
        from(&mut pool, 7, pay(sender, 0, 1)).unwrap();
    }
}

#[test]
fn a_full_pool_keeps_who_has_most_behind_each() {
    let mut pool = pool_of(1 << 20, 4, 50);
    let mut ask = |one, balance| pool.admit(one, Source::Client, NEXT, standing(balance, 0));
    for nonce in [1, 0, 2] {
        ask(pay(1, nonce, 1), 300).unwrap(); // 100 each
    }
    ask(pay(2, 0, 1), 150).unwrap();
    assert_eq!(ask(pay(3, 0, 1), 100), Err(Refusal::Full));
    // A refusal that has another reason evicts nothing.
    assert_eq!(ask(pay(3, 9, 1), 500), Err(Refusal::NonceTooFar { nonce: 9, limit: 3 }));
    ask(pay(3, 0, 1), 101).unwrap(); // against the last nonce of 1, who has 150 each now
    assert_eq!(ask(pay(3, 1, 1), 101), Err(Refusal::Full));
    ask(pay(4, 0, 1), 102).unwrap(); // against 3
    assert_eq!(ask(pay(1, 2, 1), 300), Err(Refusal::Full)); // it would be 100 each again
    assert_eq!(offered(&pool, NEXT), [(1, 0), (1, 1), (2, 0), (4, 0)]);
    assert_eq!((pool.len(), pool.bytes()), (4, 4 * SHORTEST));
}

#[test]
fn eviction_is_all_or_nothing() {
    // Room for two transfers; a record takes the place of both.
    let mut pool = pool_of(2 * SHORTEST, 9, 50);
    let mut ask = |one, balance| pool.admit(one, Source::Client, NEXT, standing(balance, 0));
    ask(pay(1, 0, 1), 100).unwrap();
    ask(pay(2, 0, 1), 200).unwrap();
    let one = note(3, 0);
    let standing = |balance| Standing { target: false, ..standing(balance, 0) };
    let refused = pool.admit(one.clone(), Source::Client, NEXT, standing(150));
    assert_eq!(refused, Err(Refusal::Full));
    assert_eq!(offered(&pool, NEXT), [(1, 0), (2, 0)]);
    pool.admit(one.clone(), Source::Client, NEXT, standing(201)).unwrap();
    assert_eq!((offered(&pool, NEXT), pool.bytes()), (vec![(3, 0)], RECORD));
    // What is larger than the pool is refused.
    let mut small = pool_of(RECORD - 1, 9, 50);
    let refused = small.admit(one, Source::Client, NEXT, standing(201));
    assert_eq!(refused, Err(Refusal::Full));
}

#[test]
fn what_was_spent_stands_behind_nothing() {
    let mut pool = pool_of(1 << 20, 3, 50);
    let ask =
        |pool: &mut Pool, one, balance| pool.admit(one, Source::Client, NEXT, standing(balance, 0));
    ask(&mut pool, pay(1, 0, 900), 1_000).unwrap();
    ask(&mut pool, pay(1, 1, 1), 1_000).unwrap();
    ask(&mut pool, pay(2, 0, 1), 200).unwrap();
    settle(&mut pool, NEXT - 1, &[pay(1, 0, 900)]);
    ask(&mut pool, pay(3, 0, 1), 300).unwrap();
    ask(&mut pool, pay(4, 0, 1), 150).unwrap(); // against 1, who has 100 left
    assert_eq!(offered(&pool, NEXT), [(2, 0), (3, 0), (4, 0)]);
}
