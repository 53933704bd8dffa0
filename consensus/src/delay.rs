//! A network whose messages take longer: experiments on one machine.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::PublicKey;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients, Sender as _};
use commonware_runtime::{Clock, IoBufs, Spawner};
use tokio::sync::mpsc;

/// A message that leaves later: when, to whom, whether before others.
type Held<P> = (SystemTime, Recipients<P>, IoBufs, bool);

/// A sender whose messages leave later, in order. Without a delay it is the sender itself.
#[derive(Clone)]
pub struct Delayed<S: LimitedSender> {
    inner: S,
    line: Option<Line<S::PublicKey>>,
}

#[derive(Clone)]
struct Line<P: PublicKey> {
    peers: Vec<P>,
    /// When what is sent now will leave.
    due: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    held: mpsc::UnboundedSender<Held<P>>,
}

impl<S: LimitedSender> Delayed<S> {
    /// Holds each message back for `delay`; `peers` are those that a message to all goes to.
    pub fn new<E: Clock + Spawner>(
        context: E,
        inner: S,
        delay: Duration,
        peers: Vec<S::PublicKey>,
    ) -> Self {
        if delay.is_zero() {
            return Delayed { inner, line: None };
        }
        let (held, mut leaving) = mpsc::unbounded_channel::<Held<S::PublicKey>>();
        let clock = context.child("clock");
        let due = Arc::new(move || clock.current() + delay);
        let mut outlet = inner.clone();
        context.spawn(move |context| async move {
            while let Some((due, recipients, message, priority)) = leaving.recv().await {
                context.sleep_until(due).await;
                outlet.send(recipients, message, priority);
            }
        });
        Delayed { inner, line: Some(Line { peers, due, held }) }
    }
}

impl<S: LimitedSender> LimitedSender for Delayed<S> {
    type PublicKey = S::PublicKey;
    type Checked<'a> = Checked<'a, S>;

    fn check(
        &mut self,
        recipients: Recipients<S::PublicKey>,
    ) -> Result<Checked<'_, S>, SystemTime> {
        match &self.line {
            None => self.inner.check(recipients).map(Checked::Now),
            Some(line) => Ok(Checked::Later(line.clone(), recipients)),
        }
    }
}

/// A message that may be sent: at once, or later, when the sender's own limits apply to it.
pub enum Checked<'a, S: LimitedSender + 'a> {
    /// At once.
    Now(S::Checked<'a>),
    /// Later.
    #[expect(private_interfaces, reason = "it is made here alone")]
    Later(Line<S::PublicKey>, Recipients<S::PublicKey>),
}

impl<S: LimitedSender> CheckedSender for Checked<'_, S> {
    type PublicKey = S::PublicKey;

    fn recipients(&self) -> Vec<S::PublicKey> {
        match self {
            Checked::Now(sender) => sender.recipients(),
            Checked::Later(line, Recipients::All) => line.peers.clone(),
            Checked::Later(_, Recipients::Some(peers)) => peers.clone(),
            Checked::Later(_, Recipients::One(peer)) => vec![peer.clone()],
        }
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        match self {
            Checked::Now(sender) => sender.send(message, priority),
            Checked::Later(line, recipients) => {
                let held = ((line.due)(), recipients, message.into(), priority);
                let sent = line.held.send(held);
                Unreliable::Outcome(if sent.is_ok() { Feedback::Ok } else { Feedback::Closed })
            }
        }
    }
}
