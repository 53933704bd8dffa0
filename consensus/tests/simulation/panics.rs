//! Panics of tasks, where they may be: parts of commonware panic when the disk fails them.

use std::cell::RefCell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// What panics of this thread said, while they are kept.
    static KEPT: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// From now on, panics of this thread are kept and not printed, or printed.
pub fn keep(keep: bool) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info| {
            let keep =
                |kept: &mut Option<Vec<_>>| kept.as_mut().map(|kept| kept.push(info.to_string()));
            if KEPT.with_borrow_mut(keep).is_none() {
                print(info);
            }
        }));
    });
    KEPT.set(keep.then(Vec::new));
}

/// What was kept; panics are printed again.
pub fn kept() -> Vec<String> {
    KEPT.take().unwrap_or_default()
}
