//! The stages as spans of the crate `tracing`, where the feature of that name is on.

use crate::observe::{Stage, Subject};

/// A stage that may end on another thread than it began on.
#[derive(Debug)]
pub(crate) struct Open {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

/// A stage of the calling thread: what it does belongs to it.
pub(crate) struct Entered {
    #[cfg(feature = "tracing")]
    _span: tracing::span::EnteredSpan,
}

#[cfg(feature = "tracing")]
macro_rules! named {
    ($stage:expr, $subject:expr, $($variant:ident $name:literal),*) => {
        match $stage {
            $(Stage::$variant => tracing::trace_span!(
                target: "sigmill",
                $name,
                algorithm = %$subject.algorithm,
                items = $subject.items,
                batch = $subject.batch,
                piece = $subject.piece,
            ),)*
            // Known after the fact, by another clock or thread.
            Stage::Upload | Stage::Kernel(_) | Stage::ReadBack => tracing::Span::none(),
        }
    };
}

#[cfg(feature = "tracing")]
impl Open {
    pub fn new(stage: Stage, subject: &Subject) -> Open {
        let span = named!(
            stage, subject,
            Submit "sigmill.submit", Parse "sigmill.parse", Queue "sigmill.queue", Pack "sigmill.pack",
            Device "sigmill.device", Judge "sigmill.judge", Compare "sigmill.compare", Resolve "sigmill.resolve"
        );
        Open { span }
    }

    /// Ends it.
    pub fn end(self) {}

    pub fn entered(self) -> Entered {
        Entered { _span: self.span.entered() }
    }

    /// Whether a subscriber takes spans of this level.
    pub fn is_wanted() -> bool {
        tracing::level_enabled!(tracing::Level::TRACE)
    }
}

#[cfg(not(feature = "tracing"))]
impl Open {
    pub fn new(_: Stage, _: &Subject) -> Open {
        Open {}
    }

    /// Ends it.
    pub fn end(self) {}

    pub fn entered(self) -> Entered {
        Entered {}
    }

    pub fn is_wanted() -> bool {
        false
    }
}
