//! A file as the body of a request: read piece by piece, when the connection takes it, and charged before it is read.

use super::exchange::Broken;
use super::failure::Failure;
use bytes::Bytes;
use cap_std::fs::File;
use http_body::{Body, Frame, SizeHint};
use ilu_sbx::Permit;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Bytes read at a time.
const PIECE: u64 = 64 << 10;

/// The file, and its length when the request was made: what is announced is what is sent.
pub struct Upload {
    file: File,
    len: u64,
}

impl Upload {
    /// Of an open file.
    pub const fn new(file: File, len: u64) -> Upload {
        Upload { file, len }
    }

    /// To its beginning again, for another hop.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }

    /// The body for the client, and the end that feeds it.
    pub fn start(&mut self) -> (FileBody, Uploading<'_>) {
        let (give, pieces) = mpsc::channel(1);
        (FileBody { pieces, left: self.len }, Uploading { left: self.len, upload: self, give: Some(give) })
    }
}

/// The end that feeds the body.
pub struct Uploading<'u> {
    upload: &'u mut Upload,
    left: u64,
    give: Option<mpsc::Sender<Bytes>>,
}

/// Room for one piece; none when nobody takes any more.
pub type Slot = Option<mpsc::OwnedPermit<Bytes>>;

impl Uploading<'_> {
    /// Waits until the connection takes another piece; for ever when there is nothing to send.
    pub async fn ready(feeding: &mut Option<Uploading<'_>>) -> Slot {
        let give = feeding.as_ref().filter(|feeding| feeding.left > 0).and_then(|feeding| feeding.give.clone());
        match give {
            Some(give) => give.reserve_owned().await.ok(),
            None => std::future::pending().await,
        }
    }

    /// Reads and sends one piece.
    pub fn feed(&mut self, permit: &mut Permit<'_>, slot: Slot) -> Result<(), Broken> {
        permit.pulse()?;
        let Some(slot) = slot else {
            // The answer came before the body was out, or the connection broke: the other end says which.
            self.give = None;
            return Ok(());
        };
        let size = self.left.min(PIECE);
        permit.charge_read(size)?;
        permit.charge_sent(size)?;
        let mut piece = vec![0; usize::try_from(size).unwrap_or(0)];
        self.upload.file.read_exact(&mut piece).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::Request("the file became shorter while it was sent".to_owned()),
            _ => Failure::Request(format!("the file can't be read: {}", ilu_sbx::permit::os_text(&error))),
        })?;
        self.left -= size;
        slot.send(Bytes::from(piece));
        if self.left == 0 {
            self.give = None;
        }
        Ok(())
    }
}

/// What a request sends.
pub enum Sent {
    /// Nothing.
    Nothing,
    /// These bytes.
    All(Bytes),
    /// A file.
    File(FileBody),
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Sent::Nothing => Poll::Ready(None),
            Sent::All(bytes) => {
                let all = std::mem::take(bytes);
                Poll::Ready((!all.is_empty()).then(|| Ok(Frame::data(all))))
            }
            Sent::File(file) => Pin::new(file).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Sent::Nothing => true,
            Sent::All(bytes) => bytes.is_empty(),
            Sent::File(file) => file.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Sent::Nothing => SizeHint::with_exact(0),
            Sent::All(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Sent::File(file) => file.size_hint(),
        }
    }
}

/// The end that the client reads.
pub struct FileBody {
    pieces: mpsc::Receiver<Bytes>,
    left: u64,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        match self.pieces.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Poll::Ready(Some(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
