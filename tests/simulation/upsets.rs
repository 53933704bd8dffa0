//! What befalls all at once: every device, the clock, the engine.

use sigmill::dispatch::{Event, Nanos};

use crate::faults::Kind;
use crate::host::HostQueue;
use crate::plan::MS;
use crate::post::Post;
use crate::world::{Happening, World};

impl World<'_> {
    pub fn lose_all(&mut self) {
        self.counts.add(Kind::AllLost);
        for lane in 0..self.posts.len() {
            if let Some(post) = &mut self.posts[lane] {
                post.device.lose();
                self.at(0, Happening::Poll(lane));
            }
        }
    }

    pub fn jump(&mut self) {
        self.counts.add(Kind::Jump);
        const HOUR: Nanos = 3_600_000 * MS;
        self.books.jump();
        self.now += HOUR;
        // Callers wait for the jump; what threads were at is late.
        let agenda = std::mem::take(&mut self.agenda);
        for ((at, serial), happening) in agenda {
            let caller = matches!(
                happening,
                Happening::Submit(_)
                    | Happening::Cancel(_)
                    | Happening::AllLost
                    | Happening::Restart
            );
            self.agenda.insert((if caller { at + HOUR } else { at }, serial), happening);
        }
    }

    /// The engine is given up with all that it holds; another one opens.
    pub fn restart(&mut self) {
        self.counts.add(Kind::Restart);
        self.step(Event::Abort, None);
        // Callers' own threads end what they are at.
        let agenda = std::mem::take(&mut self.agenda);
        for ((at, serial), happening) in agenda {
            match happening {
                Happening::Inlined(id, lane, busy) => self.inlined(id, lane, busy),
                Happening::Submit(_)
                | Happening::Cancel(_)
                | Happening::AllLost
                | Happening::Jump => {
                    self.agenda.insert((at, serial), happening);
                }
                _ => {}
            }
        }
        if !self.books.open.is_empty() {
            // A kernel that panicked at the end has no one to finish it.
            self.step(Event::Abort, None);
        }
        // What the last steps brought about is of the old engine.
        self.agenda.retain(|_, happening| {
            use Happening::{AllLost, Cancel, Jump, Submit};
            matches!(happening, Submit(_) | Cancel(_) | AllLost | Jump)
        });
        self.ids.iter_mut().for_each(|id| *id = None);
        (self.ticking, self.host) = (false, HostQueue::default());
        self.digests.clear();
        self.posts.iter_mut().flatten().for_each(Post::restart);
        self.books.forget();
        self.open();
    }
}
