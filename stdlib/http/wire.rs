//! The socket of a connection, of which whoever keeps the connection can see whether anything has come that nobody asked for.

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// The socket, as the connection has it.
pub struct Wire(Arc<TcpStream>);

/// A look at it that does not keep it open.
pub struct Look(Weak<TcpStream>);

impl Wire {
    /// Of a connected stream.
    pub fn new(stream: TcpStream) -> Wire {
        Wire(Arc::new(stream))
    }

    /// To look at it later.
    pub fn look(&self) -> Look {
        Look(Arc::downgrade(&self.0))
    }
}

impl Look {
    /// Is it open, and has nothing come? Between two requests neither an end nor a byte is expected: what comes then belongs to no answer, and
    /// must not be taken for the next one.
    pub fn is_quiet(&self) -> bool {
        let Some(stream) = self.0.upgrade() else { return false };
        matches!(recv(&stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT), Err(Errno::AGAIN))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            let room = buf.initialize_unfilled();
            let most = room.len();
            match self.0.try_read(room) {
                Ok(size) => {
                    buf.advance(size);
                    if (1..most).contains(&size) {
                        // There is no more for now: to ask again would only hear that. No edge is lost, since the loop that would hear of one is
                        // the one that runs this.
                        let _ = self.0.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
                    }
                    return Poll::Ready(Ok(()));
                }
                // It was not ready after all, and says so when it is.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Wire {
    fn poll_with(&self, context: &mut Context<'_>, write: impl Fn(&TcpStream) -> io::Result<usize>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(context, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.poll_with(context, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match rustix::net::shutdown(&self.0, rustix::net::Shutdown::Write) {
            // The other side was faster.
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(error) => Err(error.into()),
        })
    }
}
