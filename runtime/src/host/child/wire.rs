//! Messages between the process that runs scripts, the warden and the helper: a list of byte strings, and open handles beside it.
//!
//! A message comes whole or not at all (`SOCK_SEQPACKET`). What is read here may come from an interpreter that somebody has taken over: every
//! count is checked against what is there.

use ilu_wall::{Gap, Report};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recvmsg, sendmsg, socketpair, sockopt,
};
use std::borrow::Cow;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Handles that go with one message; the kernel's own bound is 253.
pub(super) const MAX_HANDLES: usize = 200;
/// Bytes of one message.
pub(super) const MAX_MESSAGE: usize = 192 << 10;

/// A message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) fields: Vec<Vec<u8>>,
    pub(super) handles: Vec<OwnedFd>,
}

/// Two ends of a connection.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (a, b) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    // The usual size would refuse a message of the greatest length.
    for end in [&a, &b] {
        let _ = sockopt::set_socket_send_buffer_size(end, 2 * MAX_MESSAGE);
    }
    Ok((a, b))
}

/// Sends one.
pub(super) fn send(to: impl AsFd, fields: &[Vec<u8>], handles: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_how(to, fields, handles, SendFlags::NOSIGNAL)
}

/// Sends one to somebody who may not want to hear it: whoever has filled his end up gets none, and nobody waits for him.
pub(super) fn answer(to: impl AsFd, fields: &[Vec<u8>], handles: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_how(to, fields, handles, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

fn send_how(to: impl AsFd, fields: &[Vec<u8>], handles: &[BorrowedFd<'_>], how: SendFlags) -> io::Result<()> {
    let mut bytes = Vec::new();
    for field in fields {
        let length = u32::try_from(field.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(field);
    }
    if bytes.len() > MAX_MESSAGE || handles.len() > MAX_HANDLES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut space = vec![MaybeUninit::uninit(); SendAncillaryMessage::ScmRights(handles).size().max(64)];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !handles.is_empty() && !control.push(SendAncillaryMessage::ScmRights(handles)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    loop {
        match sendmsg(&to, &[IoSlice::new(&bytes)], &mut control, how) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// Receives one; nothing when the other end is gone.
pub(super) fn receive(from: impl AsFd, flags: RecvFlags) -> io::Result<Option<Message>> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_HANDLES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(&from, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags | RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(received) => break received,
        }
    };
    let mut message = Message::default();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(handles) = part {
            message.handles.extend(handles);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    let mut rest = bytes.get(..received.bytes).unwrap_or_default();
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let field = more.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(io::ErrorKind::InvalidData)?;
        message.fields.push(field.0.to_vec());
        rest = field.1;
    }
    Ok(Some(message))
}

/// Reads fields one after the other.
pub(super) struct Reader {
    fields: std::vec::IntoIter<Vec<u8>>,
    handles: std::vec::IntoIter<OwnedFd>,
}

impl Reader {
    pub(super) fn new(message: Message) -> Reader {
        Reader { fields: message.fields.into_iter(), handles: message.handles.into_iter() }
    }

    pub(super) fn bytes(&mut self) -> io::Result<Vec<u8>> {
        self.fields.next().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    pub(super) fn number(&mut self) -> io::Result<u64> {
        self.text()?.parse().map_err(|_| io::ErrorKind::InvalidData.into())
    }

    pub(super) fn handle(&mut self) -> io::Result<OwnedFd> {
        self.handles.next().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// As many as the next field says.
    pub(super) fn many<T>(&mut self, mut one: impl FnMut(&mut Reader) -> io::Result<T>) -> io::Result<Vec<T>> {
        let count = self.number()?;
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(one(self)?);
        }
        Ok(all)
    }
}

/// What a wall lacks, as fields.
pub(super) fn told(report: &Report) -> Vec<Vec<u8>> {
    let mut fields = vec![number(u8::from(report.broken)), number(report.gaps.len())];
    for gap in &report.gaps {
        fields.extend([gap.lost.as_bytes().to_vec(), gap.why.clone().into_bytes()]);
    }
    fields
}

/// The same read again.
pub(super) fn report(read: &mut Reader) -> io::Result<Report> {
    let broken = read.number()? == 1;
    let gaps = read.many(|read| Ok(Gap { lost: Cow::Owned(read.text()?), why: read.text()? }))?;
    Ok(Report { gaps, broken, ..Report::default() })
}

/// A number as a field.
pub(super) fn number(n: impl ToString) -> Vec<u8> {
    n.to_string().into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_as_it_was_sent_with_its_handles() {
        let (a, b) = pair().unwrap();
        let long = vec![b'x'; MAX_MESSAGE - 100];
        send(&a, &[b"one".to_vec(), Vec::new(), number(7), long.clone()], &[a.as_fd(), b.as_fd()]).unwrap();
        let mut reader = Reader::new(receive(&b, RecvFlags::empty()).unwrap().unwrap());
        assert_eq!(reader.text().unwrap(), "one");
        assert!(reader.bytes().unwrap().is_empty());
        assert_eq!(reader.number().unwrap(), 7);
        assert_eq!(reader.bytes().unwrap(), long);
        assert!(reader.handle().is_ok() && reader.handle().is_ok() && reader.handle().is_err() && reader.bytes().is_err());
        drop(reader);
        assert!(send(&a, &[vec![0; MAX_MESSAGE]], &[]).is_err());
        drop(a);
        assert!(receive(&b, RecvFlags::empty()).unwrap().is_none());
    }

    #[test]
    fn nobody_waits_for_whoever_does_not_listen() {
        let (a, _b) = pair().unwrap();
        let long = [vec![0; MAX_MESSAGE - 100]];
        let full = (0..100).find_map(|_| answer(&a, &long, &[]).err()).unwrap();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn counts_that_lie_are_refused() {
        let (a, b) = pair().unwrap();
        rustix::net::send(&a, &[9, 0, 0, 0, 1], SendFlags::empty()).unwrap();
        assert!(receive(&b, RecvFlags::empty()).is_err());
        send(&a, &[number(u64::MAX)], &[]).unwrap();
        let mut reader = Reader::new(receive(&b, RecvFlags::empty()).unwrap().unwrap());
        assert!(reader.many(Reader::text).is_err());
    }
}
