//! Working memory of kernels: one a thread and kind, kept from call to call, since fresh pages cost
//! more than a small batch. What a kernel keeps is bounded by its pieces.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static KEPT: RefCell<HashMap<TypeId, Box<dyn Any>>> = RefCell::default();
}

/// Takes this thread's memory of a kind out, or makes one; [`put`] gives it back. A call within a
/// call gets one of its own.
pub(crate) fn take<T: Default + 'static>() -> Box<T> {
    let kept = KEPT.with_borrow_mut(|kept| kept.remove(&TypeId::of::<T>()));
    kept.and_then(|kept| kept.downcast().ok()).unwrap_or_default()
}

/// Gives memory back for the next call.
pub(crate) fn put<T: Default + 'static>(memory: Box<T>) {
    KEPT.with_borrow_mut(|kept| kept.insert(TypeId::of::<T>(), memory));
}
