use commonware_runtime::{Runner as _, Storage as _, Supervisor as _, deterministic};
use commonware_utils::{NZU16, NZUsize};

use super::*;

type Context = deterministic::Context;

async fn open(context: &Context) -> Journals<Context> {
    let page_cache = CacheRef::new(NZU16!(1_024), NZUsize!(64));
    let context = context.child("journals");
    Journals::open(context, "votes".into(), page_cache, NZUsize!(4_096)).await.unwrap()
}

/// Begins epochs, one after the other, each time after a restart.
async fn begin(context: &Context, epochs: &[u64], height: u64) -> Result<String, NodeError> {
    let mut last = Err(NodeError::NoHeight(0));
    for epoch in epochs {
        last = open(context).await.begin(*epoch, height).await;
    }
    last
}

fn lost(result: Result<String, NodeError>) -> bool {
    matches!(result, Err(NodeError::NoJournal { .. }))
}

async fn lose(context: &Context, partition: &str) {
    context.remove(partition, None).await.unwrap();
}

async fn is_there(context: &Context, partition: &str) -> bool {
    context.scan(partition).await.is_ok_and(|files| !files.is_empty())
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Context) -> F) {
    deterministic::Runner::default().start(test);
}

#[test]
fn epochs_begin_and_are_found_again() {
    run(|context| async move {
        assert_eq!(begin(&context, &[0, 0], 0).await.unwrap(), "votes-0");
        assert_eq!(begin(&context, &[0, 1, 1], 15).await.unwrap(), "votes-1");
        assert!(is_there(&context, "votes-0").await, "kept until the epoch after the next");
        assert_eq!(begin(&context, &[2, 3], 47).await.unwrap(), "votes-3");
        for (epoch, kept) in [(0, false), (1, false), (2, true), (3, true)] {
            assert_eq!(is_there(&context, &format!("votes-{epoch}")).await, kept, "{epoch}");
        }
    });
}

#[test]
fn without_the_journal_of_an_epoch_that_has_begun_nobody_votes() {
    run(|context| async move {
        begin(&context, &[0], 0).await.unwrap();
        lose(&context, "votes-0").await;
        assert!(lost(begin(&context, &[0], 0).await), "before the first block");
        assert!(lost(begin(&context, &[0], 7).await), "after it");
        begin(&context, &[1], 15).await.unwrap();
        lose(&context, "votes-1").await;
        assert!(lost(begin(&context, &[1], 15).await), "as the epoch has begun");
    });
}

#[test]
fn without_mark_or_with_a_later_one_nobody_votes() {
    run(|context| async move {
        assert!(lost(begin(&context, &[1], 15).await), "a state and nothing else");
        begin(&context, &[0], 0).await.unwrap();
        begin(&context, &[1], 15).await.unwrap();
        assert!(lost(begin(&context, &[0], 9).await), "the state is older than the votes");
        lose(&context, "votes-mark").await;
        assert!(lost(begin(&context, &[1], 20).await), "the mark is lost");
    });
}

#[test]
fn a_journal_without_its_mark_is_begun_again() {
    run(|context| async move {
        begin(&context, &[0], 0).await.unwrap();
        open(&context).await.write_first(1).await.unwrap(); // and the power goes
        assert_eq!(begin(&context, &[1], 15).await.unwrap(), "votes-1");
        assert!(is_there(&context, "votes-1").await);
    });
}
