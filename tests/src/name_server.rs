//! A name server that says what a test wants it to say, and remembers what it was asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Questions in the order in which they came: `NAME TYPE`.
pub type Log = Arc<Mutex<Vec<String>>>;

/// What one question is answered with.
#[derive(Clone, Debug)]
enum Answer {
    Addresses(Vec<IpAddr>),
    NoName,
    Failure,
    Silence,
    Alias(String),
    Many(u32),
    Text(usize),
}

/// Names and their answers, one for each question after the other; the last stays.
#[derive(Debug, Default)]
pub struct Zone {
    names: HashMap<String, Vec<Answer>>,
    asked: HashMap<(String, u16), usize>,
}

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;
/// More does not go into one datagram here.
const DATAGRAM: usize = 1200;

fn answer(text: &str) -> Answer {
    let mut words = text.split_whitespace();
    let (first, second) = (words.next().unwrap_or("NX"), words.next().unwrap_or_default());
    match first {
        "NX" => Answer::NoName,
        "SERVFAIL" => Answer::Failure,
        "SILENT" => Answer::Silence,
        "CNAME" => Answer::Alias(second.to_owned()),
        "MANY" => Answer::Many(second.parse().expect("a count")),
        "TXT" => Answer::Text(second.parse().expect("a size")),
        _ => Answer::Addresses(text.split_whitespace().map(|word| word.parse().expect("an address")).collect()),
    }
}

impl Zone {
    /// Reads lines of `NAME ANSWER | ANSWER`.
    #[must_use]
    pub fn read(lines: &[String]) -> Zone {
        let line = |line: &String| {
            let (name, answers) = line.split_once(' ').expect("NAME ANSWER");
            (name.to_owned(), answers.split('|').map(|text| answer(text.trim())).collect())
        };
        Zone { names: lines.iter().map(line).collect(), asked: HashMap::new() }
    }

    /// Answers on this address until the process ends.
    ///
    /// # Panics
    /// When it can't listen there.
    pub fn serve(self, at: &str, log: &Log) {
        let zone = Arc::new(Mutex::new(self));
        let socket = UdpSocket::bind(at).expect("a name server can listen");
        let listener = TcpListener::bind(at).expect("a name server can listen");
        let (by_datagram, by_stream) = (Arc::clone(&zone), zone);
        let (log, other) = (Arc::clone(log), Arc::clone(log));
        std::thread::spawn(move || {
            let mut question = [0; 2048];
            while let Ok((got, from)) = socket.recv_from(&mut question) {
                let reply = by_datagram.lock().expect("not poisoned").reply(question.get(..got).unwrap_or_default(), &log, DATAGRAM);
                if let Some(reply) = reply {
                    let _ = socket.send_to(&reply, from);
                }
            }
        });
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
                let mut size = [0; 2];
                while stream.read_exact(&mut size).is_ok() {
                    let mut question = vec![0; usize::from(u16::from_be_bytes(size))];
                    if stream.read_exact(&mut question).is_err() {
                        break;
                    }
                    let Some(reply) = by_stream.lock().expect("not poisoned").reply(&question, &other, 65_000) else { break };
                    let length = u16::try_from(reply.len()).unwrap_or(u16::MAX).to_be_bytes();
                    if stream.write_all(&[&length, reply.as_slice()].concat()).is_err() {
                        break;
                    }
                }
            }
        });
    }

    /// The reply to a question; none when there is to be silence.
    fn reply(&mut self, question: &[u8], log: &Log, most: usize) -> Option<Vec<u8>> {
        let (name, kind, end) = asked(question)?;
        log.lock().expect("not poisoned").push(format!("{name} {}", if kind == AAAA { "AAAA" } else { "A" }));
        let count = self.asked.entry((name.clone(), kind)).or_default();
        let answers = self.names.get(&name);
        let answer = answers.and_then(|all| all.get((*count).min(all.len().saturating_sub(1)))).cloned().unwrap_or(Answer::NoName);
        *count += 1;
        let (code, records): (u8, Vec<Vec<u8>>) = match answer {
            Answer::Silence => return None,
            Answer::Failure => (2, Vec::new()),
            Answer::NoName => (3, Vec::new()),
            Answer::Alias(other) => (0, self.chain(&name, &other, kind)),
            Answer::Addresses(addresses) => {
                (0, addresses.into_iter().filter_map(|address| address_record(&[0xc0, 12], address, kind)).collect())
            }
            Answer::Many(count) => {
                let numbered = |n: u32| address_record(&[0xc0, 12], IpAddr::V4((0x5db8_0000 + n).into()), kind);
                (0, (0..count).filter_map(numbered).collect())
            }
            Answer::Text(size) => (0, vec![record(&[0xc0, 12], TXT, &[vec![255; 1], vec![b'x'; 255]].concat().repeat(size / 256))]),
        };
        let mut reply = Vec::from(question.get(..2)?);
        reply.extend([0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0]);
        reply.extend(question.get(12..end)?);
        let mut count: u16 = 0;
        for record in records {
            if reply.len() + record.len() > most {
                // Cut: whoever wants the rest asks by a stream.
                reply[2] |= 2;
                break;
            }
            reply.extend(record);
            count += 1;
        }
        reply[6..8].copy_from_slice(&count.to_be_bytes());
        Some(reply)
    }

    /// The aliases from one name to the next, as far as they go, and the addresses at the end.
    fn chain(&self, from: &str, to: &str, kind: u16) -> Vec<Vec<u8>> {
        let (mut name, mut next) = (from.to_owned(), to.to_owned());
        let mut records = Vec::new();
        for _ in 0..64 {
            records.push(record(&encoded(&name), CNAME, &encoded(&next)));
            match self.names.get(&next).and_then(|answers| answers.first()) {
                Some(Answer::Alias(further)) => (name, next) = (next.clone(), further.clone()),
                Some(Answer::Addresses(addresses)) => {
                    let at = encoded(&next);
                    records.extend(addresses.iter().filter_map(|address| address_record(&at, *address, kind)));
                    break;
                }
                _ => break,
            }
        }
        records
    }
}

/// The name that a question is about, the type that it wants, and where the question ends.
fn asked(question: &[u8]) -> Option<(String, u16, usize)> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let size = usize::from(*question.get(at)?);
        at += 1;
        if size == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + size)?).to_lowercase());
        at += size;
    }
    let kind = u16::from_be_bytes([*question.get(at)?, *question.get(at + 1)?]);
    Some((labels.join("."), kind, at + 4))
}

fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap_or(63));
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn address_record(name: &[u8], address: IpAddr, kind: u16) -> Option<Vec<u8>> {
    match (address, kind) {
        (IpAddr::V4(v4), A) => Some(record(name, A, &v4.octets())),
        (IpAddr::V6(v6), AAAA) => Some(record(name, AAAA, &v6.octets())),
        _ => None,
    }
}

/// A record that may be kept for no time at all.
fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let data = data.get(..data.len().min(64_000)).unwrap_or_default();
    let size = u16::try_from(data.len()).unwrap_or(u16::MAX);
    [name, &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 0], &size.to_be_bytes(), data].concat()
}
