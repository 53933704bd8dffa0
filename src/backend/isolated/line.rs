//! The socket between the two processes: messages of one size, and a descriptor with the first.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send, sendmsg,
};

use crate::backend::isolated::wire::{MESSAGE, Message};

/// One end. Nothing but [`Line::wait`] ever blocks.
pub(crate) struct Line {
    stream: UnixStream,
    /// What has come of the next message.
    buffer: [u8; MESSAGE],
    filled: usize,
}

/// A peer that is gone is an error here, not a signal.
#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::empty();

#[cfg(target_os = "linux")]
const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECEIVE: RecvFlags = RecvFlags::empty();

impl Line {
    /// An end of a connected socket.
    ///
    /// # Errors
    /// The system's.
    pub fn new(stream: UnixStream) -> io::Result<Line> {
        stream.set_nonblocking(true)?;
        Ok(Line { stream, buffer: [0; MESSAGE], filled: 0 })
    }

    /// Says something.
    ///
    /// # Errors
    /// The peer is gone, or reads nothing any more: only few messages are ever under way.
    pub fn send(&self, message: Message) -> io::Result<()> {
        whole(send(&self.stream, &message.write(), SEND)?)
    }

    /// Says something and hands a descriptor over.
    ///
    /// # Errors
    /// As [`Line::send`].
    pub fn send_with(&self, message: Message, file: BorrowedFd<'_>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let files = [file];
        control.push(SendAncillaryMessage::ScmRights(&files));
        let bytes = message.write();
        whole(sendmsg(&self.stream, &[IoSlice::new(&bytes)], &mut control, SEND)?)
    }

    /// The next message, if it is there.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] when the peer is gone, [`ErrorKind::InvalidData`] for what is no
    /// message, or the system's.
    pub fn receive(&mut self) -> io::Result<Option<Message>> {
        while self.filled < MESSAGE {
            match recv(&self.stream, &mut self.buffer[self.filled..], RecvFlags::empty()) {
                Ok((_, 0)) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok((_, bytes)) => self.filled += bytes,
                Err(rustix::io::Errno::AGAIN) => return Ok(None),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.filled = 0;
        Message::read(&self.buffer).map(Some).ok_or(ErrorKind::InvalidData.into())
    }

    /// Waits for the first message, which comes with a file.
    ///
    /// # Errors
    /// As [`Line::receive`], and for a message without a file.
    pub fn receive_with(&mut self) -> io::Result<(Message, File)> {
        self.wait(None)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut iov = [IoSliceMut::new(&mut self.buffer)];
        let came = recvmsg(&self.stream, &mut iov, &mut control, RECEIVE)?;
        let file = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        });
        let message = Message::read(&self.buffer).filter(|_| came.bytes == MESSAGE);
        message.zip(file.map(OwnedFd::into)).ok_or(ErrorKind::InvalidData.into())
    }

    /// Sleeps until something comes, or until the instant.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, until: Option<Instant>) -> io::Result<()> {
        wait(self.stream.as_fd(), PollFlags::IN, until)
    }

    /// Another handle of the socket, to see its end.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&self) -> io::Result<OwnedFd> {
        self.stream.as_fd().try_clone_to_owned()
    }
}

/// Sleeps until the peer is gone.
pub(crate) fn wait_for_end(socket: &OwnedFd) -> io::Result<()> {
    // An end is told whether it is asked for or not.
    wait(socket.as_fd(), PollFlags::empty(), None)
}

fn wait(socket: BorrowedFd<'_>, what: PollFlags, until: Option<Instant>) -> io::Result<()> {
    loop {
        let left = until.map(|until| {
            let left = until.saturating_duration_since(Instant::now()).min(Duration::from_hours(1));
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() }
        });
        match poll(&mut [PollFd::from_borrowed_fd(socket, what)], left.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            result => return Ok(result.map(drop)?),
        }
    }
}

fn whole(sent: usize) -> io::Result<()> {
    if sent == MESSAGE { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}
