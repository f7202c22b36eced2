//! A scripted HTTP server for tests: it sends exactly the bytes it is told to, whatever they are, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The target.
    pub path: String,
    /// Line and header, as sent.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The value of a header field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The next request on the same connection.
    Keep,
    /// The connection is closed.
    Close,
}

/// A server on a port of its own; gone when it is dropped.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Listens on loopback and answers each request by a function that writes what it likes.
    pub fn start(answer: impl Fn(&Asked, &mut TcpStream) -> After + Send + Sync + 'static) -> Server {
        Server::at("127.0.0.1:0", answer)
    }

    /// The same at an address.
    pub fn at(addr: &str, answer: impl Fn(&Asked, &mut TcpStream) -> After + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind(addr).unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Server { addr, asked: Arc::default(), connections: Arc::default(), open: Arc::default(), stop: Arc::default() };
        let (asked, connections, open, stop) =
            (Arc::clone(&server.asked), Arc::clone(&server.connections), Arc::clone(&server.open), Arc::clone(&server.stop));
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                connections.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let (asked, open, answer) = (Arc::clone(&asked), Arc::clone(&open), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                    let _ = stream.set_nodelay(true);
                    while let Some(request) = receive(&mut stream) {
                        asked.lock().unwrap().push(request.clone());
                        if answer(&request, &mut stream) == After::Close {
                            break;
                        }
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    /// Serves fixed answers by path; anything else is 404.
    #[must_use]
    pub fn fixed(answers: &[(&str, &str)]) -> Server {
        let answers: Vec<(String, String)> = answers.iter().map(|(path, raw)| ((*path).to_owned(), (*raw).to_owned())).collect();
        Server::start(move |asked, stream| {
            let raw = answers.iter().find(|(path, _)| *path == asked.path).map_or(NOT_FOUND, |(_, raw)| raw.as_str());
            let _ = stream.write_all(raw.as_bytes());
            After::Keep
        })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Connections made to it so far, requests or none.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connections that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect_timeout(&self.addr, Duration::from_millis(200));
    }
}

/// The answer to what is not there.
pub const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// A whole answer with a body.
#[must_use]
pub fn answer(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let mut raw = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    raw.extend_from_slice(body);
    raw
}

/// A 200 with text.
#[must_use]
pub fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/plain\r\n", body.as_bytes())
}

/// Reads one request; none at the end of the connection.
fn receive(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 1 << 20 || stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, path, head, body: Vec::new() };
    let length = asked.field("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    if length > 64 << 20 {
        // A large one is counted by whoever wants to; here it is only read.
        std::io::copy(&mut stream.take(length), &mut std::io::sink()).ok()?;
        return Some(asked);
    }
    asked.body = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

/// The server of the examples in the pages: `/hello`, and `/echo`, which gives back what it was sent.
#[must_use]
pub fn of_the_pages() -> Server {
    Server::start(|asked, stream| {
        let raw = match asked.path.as_str() {
            "/hello" => ok("hello"),
            "/echo" => answer("200 OK", "Content-Type: text/plain\r\n", &asked.body),
            _ => NOT_FOUND.as_bytes().to_vec(),
        };
        let _ = stream.write_all(&raw);
        After::Keep
    })
}
