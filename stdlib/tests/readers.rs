//! The readers of the event record: the audit file and its chain, the log, usage, the ledger. They tell the same story, each in bounded room.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::cast_precision_loss,
    reason = "tests"
)]
mod rig;

use ilu_sbx::chain::{Break, How, Verified, verify};
use ilu_sbx::{Access, Arg, Plain, ROOT, Sealed, Verdict, What};
use proptest::prelude::*;
use rig::Rig;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

const READ: &str = "__sys_read_file";

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines of a record of so many events, newlines included, and how it was sealed.
fn record(events: usize) -> (Vec<String>, Sealed) {
    let mut rig = Rig::new(Access::Read);
    let sink = Sink::default();
    rig.realm.set_sink(Box::new(sink.clone()));
    for n in 0..events {
        let _ = rig.call(READ, &[Arg::Str(["a.txt", "/etc/passwd", "none"][n % 3])]);
    }
    let sealed = rig.realm.close_sink().unwrap().unwrap();
    assert_eq!(rig.realm.close_sink().unwrap(), None, "a record is closed once");
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    (text.split_inclusive('\n').map(str::to_owned).collect(), sealed)
}

fn verified(lines: &[String]) -> Verified {
    verify(&mut Cursor::new(lines.concat())).unwrap()
}

#[track_caller]
fn broken(lines: &[String]) -> (u64, How) {
    match verified(lines) {
        Verified::Broken(Break { line, how, message }) => {
            assert!(!message.is_empty());
            (line, how)
        }
        whole => panic!("taken for {whole:?}: {lines:#?}"),
    }
}

#[test]
fn a_record_is_whole_as_it_was_written() {
    for events in [0, 1, 2, 9] {
        let (lines, sealed) = record(events);
        assert_eq!(lines.len(), events + 1);
        assert_eq!(sealed.events, events as u64);
        assert_eq!(verified(&lines), Verified::Whole { events: events as u64, head: sealed.head });
    }
}

#[test]
fn a_line_that_was_edited_shows() {
    let (lines, _) = record(8);
    for at in 0..lines.len() {
        let mut edited = lines.clone();
        edited[at] = edited[at].replace(":1700000000000", ":1700000000001");
        // An event is vouched for by the next line; the closing line by nothing but its count, and by its head.
        if at + 1 < lines.len() {
            assert_eq!(broken(&edited), (at as u64 + 1, How::Edited), "line {}", at + 1);
        } else {
            let Verified::Whole { head, .. } = verified(&edited) else { panic!() };
            assert_ne!(head, record(8).1.head);
        }
    }
    for (at, from, to) in [
        (3, "\"denied\"", "\"allowed\""),
        (2, "{\"v\":1,", "{ \"v\":1,"),
        (2, "}\n", "} \n"),
        (4, "\"seq\":5", "\"seq\":6"),
        (4, "\"seq\":5", "\"seq\":05"),
        (8, "\"events\":8", "\"events\":7"),
        (0, "{\"v\":1,", "{\"v\":2,"),
    ] {
        let mut edited = lines.clone();
        let at = if from == "\"denied\"" { 4 } else { at };
        assert!(edited[at].contains(from), "{from} in {}", edited[at]);
        edited[at] = edited[at].replace(from, to);
        assert_eq!(broken(&edited), (at as u64 + 1, How::Edited), "{from} -> {to}");
    }
    let mut edited = lines.clone();
    edited[5] = "x".repeat(1 << 20) + "\n";
    assert_eq!(broken(&edited), (6, How::Edited));
    // The same edit in lines that follow each other: the first of them is told.
    let edited: Vec<String> = lines.iter().map(|line| line.replace("main.ilu", "mine.ilu")).collect();
    assert_eq!(broken(&edited), (1, How::Edited));
}

#[test]
fn lines_that_were_cut_out_show() {
    let (lines, _) = record(9);
    for from in 0..lines.len() {
        for to in from + 1..=lines.len() {
            let mut cut = lines.clone();
            cut.drain(from..to);
            assert_eq!(broken(&cut), (from as u64 + 1, How::Cut), "lines {}..={to}", from + 1);
        }
    }
    let whole = lines.concat();
    for at in whole.len() - 20..whole.len() {
        let Verified::Broken(found) = verify(&mut Cursor::new(&whole[..at])).unwrap() else { panic!() };
        assert_eq!((found.line, found.how), (10, How::Cut));
    }
}

#[test]
fn lines_that_were_put_in_show() {
    let (lines, _) = record(6);
    let (other, _) = record(9);
    // A line of the record once more, at every place.
    for copied in 0..lines.len() {
        for at in 0..=lines.len() {
            let mut longer = lines.clone();
            longer.insert(at, lines[copied].clone());
            // Beside itself nobody can say which of the two came later.
            let at = if at == copied { copied + 1 } else { at };
            assert_eq!(broken(&longer), (at as u64 + 1, How::Inserted), "line {} once more as line {}", copied + 1, at + 1);
        }
    }
    for at in 0..=lines.len() {
        for foreign in ["\n", "{}\n", "not a line\n"] {
            let mut longer = lines.clone();
            longer.insert(at, foreign.to_owned());
            assert_eq!(broken(&longer), (at as u64 + 1, How::Inserted), "{foreign:?} as line {}", at + 1);
        }
        // Made to fit what is before it, as only someone who knows the form can.
        let mut longer = lines.clone();
        let made = match lines.get(at) {
            Some(next) => next.replace("main.ilu", "made.ilu").replace(":1700000000000", ":1700000000001"),
            None => other[8].clone(),
        };
        longer.insert(at, made);
        assert_eq!(broken(&longer), (at as u64 + 1, How::Inserted), "made line {}", at + 1);
    }
}

#[test]
fn lines_that_were_moved_show() {
    let (lines, _) = record(7);
    for from in 0..lines.len() {
        for to in 0..lines.len() {
            if from == to {
                continue;
            }
            let mut moved = lines.clone();
            let line = moved.remove(from);
            moved.insert(to, line);
            assert_eq!(broken(&moved), (from.min(to) as u64 + 1, How::Reordered), "line {} to {}", from + 1, to + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever is done to the bytes of a record, it is whole only if they are the same, or if nothing but the end of its last line was
    /// touched, which shows in the head.
    #[test]
    fn no_change_of_bytes_goes_unseen(at in 0_usize..3000, with in proptest::collection::vec(any::<u8>(), 0..4), drop in 0_usize..300) {
        let (lines, sealed) = record(6);
        let mut bytes = lines.concat().into_bytes();
        let from = at % bytes.len();
        let to = (from + drop).min(bytes.len());
        let before = bytes.clone();
        bytes.splice(from..to, with);
        match verify(&mut Cursor::new(&bytes)).unwrap() {
            Verified::Whole { head, .. } => prop_assert!(bytes == before || head != sealed.head),
            Verified::Broken(found) => {
                let line = before[..from].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                // An edited `prev` can't be told from an edited line before it.
                prop_assert!(bytes != before && found.line.abs_diff(line) <= 1, "told line {}, changed line {line}", found.line);
            }
        }
    }
}

fn num(object: &Plain, name: &str) -> f64 {
    let Plain::Object(fields) = object else { panic!() };
    match fields.iter().find(|(key, _)| key == name) {
        Some((_, Plain::Num(n))) => *n,
        _ => 0.0,
    }
}

#[test]
fn all_readers_tell_the_same_story() {
    let mut rig = Rig::new(Access::ReadWrite);
    let sink = Sink::default();
    rig.realm.set_sink(Box::new(sink.clone()));
    rig.realm.summarise();
    for _ in 0..3 {
        rig.ok(READ, &[Arg::Str("a.txt")]);
    }
    rig.ok("__sys_write_file", &[Arg::Str("w"), Arg::Str("four")]);
    rig.ok("__sys_copy", &[Arg::Str("a.txt"), Arg::Str("c")]);
    rig.fails(READ, &[Arg::Str("none")]);
    for _ in 0..4 {
        rig.denied(READ, &[Arg::Str("/etc/passwd")]);
        rig.denied("__sys_getenv", &[Arg::Str("HOME")]);
    }
    rig.ok("__sys_getenv", &[Arg::Str("LANG")]);
    let used = rig.realm.used(ROOT);
    let rows = rig.realm.log(ROOT);
    rig.realm.close_sink().unwrap();
    let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let lines = |of: &str| written.lines().filter(|line| line.contains(of)).count() as u64;
    let ledger = rig.realm.take_ledger();
    let summary = ledger.summary.unwrap();

    let counts = summary.verdicts;
    for (verdict, n) in [("allowed", counts.allowed), ("failed", counts.failed), ("denied", counts.denied), ("limit", counts.limit)] {
        assert_eq!(lines(&format!("\"verdict\":\"{verdict}\"")), n, "{verdict}");
    }
    assert_eq!(counts.total(), summary.total);
    assert_eq!(num(&used, "denied") as u64, counts.denied);
    let logged: f64 = rows.iter().map(|row| num(row, "times").max(1.0)).sum();
    assert_eq!(logged as u64, summary.total);
    let shown: u64 = summary.first.iter().map(|row| row.times).sum();
    assert_eq!(shown, summary.total);
    let moved = |field: &str| rows.iter().map(|row| num(row, field)).sum::<f64>();
    assert_eq!((num(&used, "read"), num(&used, "written")), (moved("read"), moved("written")));
    assert_eq!(summary.touched.iter().map(|row| row.read).sum::<u64>() as f64, moved("read"));
    assert_eq!(summary.touched.iter().map(|row| row.written).sum::<u64>() as f64, moved("written"));
    let Plain::Object(fields) = &used else { panic!() };
    let calls = &fields.iter().find(|(key, _)| key == "calls").unwrap().1;
    for (native, counts) in &summary.natives {
        assert_eq!(num(calls, native) as u64, counts.total() - denied_before_the_native(&summary.first, native), "{native}");
    }
    // Denials: each kind once, in order, and how often.
    let told: Vec<_> = ledger.denied.iter().map(|event| (event.native, event.subjects[0].as_str(), event.times)).collect();
    assert_eq!(told, [(READ, "/etc/passwd", 4), ("__sys_getenv", "HOME", 4)]);
    assert_eq!(ledger.denied[0].denial.as_ref().unwrap().grant.as_deref(), Some("--dir /etc/passwd:ro"));
    // What was touched: the copy's source was read and its target written.
    let touched = |name: &str| summary.touched.iter().find(|row| row.subject == name).unwrap();
    assert_eq!((touched("a.txt").read, touched("a.txt").written, touched("c").read, touched("c").written), (24, 0, 0, 6));
    assert_eq!((touched("LANG").what, touched("c").what), (What::Variable, What::File));
    assert_eq!(touched("none").verdicts.failed, 1);
}

/// Calls that were refused at the door, which are no calls of the native.
fn denied_before_the_native(rows: &[ilu_sbx::Event], native: &str) -> u64 {
    rows.iter().filter(|row| row.native == native && row.rule == "not-held").map(|row| row.times).sum()
}

#[test]
fn a_log_that_a_sandbox_can_read_names_no_grant() {
    let mut rig = Rig::new(Access::Read);
    let s = rig.make(&[READ], Arg::Object(vec![("dir", Arg::Object(vec![]))])).unwrap();
    rig.enter(s);
    // The host holds the first and not the second: code inside must not learn which.
    let held = rig.denied(READ, &[Arg::Str("/r/a.txt")]);
    let not_held = rig.denied(READ, &[Arg::Str("/x/a.txt")]);
    assert_ne!(held.grant, not_held.grant);
    let rows = rig.realm.log(s);
    assert!(!format!("{rows:?}").contains("sbxmk") && !format!("{rows:?}").contains("--dir"), "{rows:?}");
    assert_eq!(
        format!("{:?}", rows[0]).replace("/r/", "/x/").replace("Num(2", "Num(3"),
        format!("{:?}", rows[1]).replace("Num(2", "Num(3")
    );
}

#[test]
fn agt_005_a_flood_of_denials_is_counted_and_the_first_of_each_kind_is_kept() {
    let mut rig = Rig::new(Access::Read);
    rig.realm.summarise();
    rig.denied("__sys_getenv", &[Arg::Str("FIRST")]);
    for n in 0..5000 {
        rig.denied(READ, &[Arg::Str(&format!("/x/{}", n % 1000))]);
    }
    rig.denied("__sys_getenv", &[Arg::Str("FIRST")]);
    let ledger = rig.realm.take_ledger();
    assert_eq!(ledger.denied[0].subjects, ["FIRST"]);
    assert_eq!(ledger.denied[0].times, 2);
    assert_eq!(ledger.denied.len(), ilu_sbx::limits::MAX_DENIAL_KINDS);
    let kept: u64 = ledger.denied.iter().map(|event| event.times).sum();
    assert_eq!(kept + ledger.denied_more, 5002);
    assert!(ledger.denied.iter().all(|event| event.verdict == Verdict::Denied && event.denial.is_some()));
}

#[test]
fn what_a_run_touched_is_kept_in_bounded_room() {
    use ilu_sbx::limits::{MAX_TIMELINE_ROWS, MAX_TOUCHED};
    let mut rig = Rig::new(Access::Read);
    rig.realm.summarise();
    let long = "n".repeat(4000);
    for n in 0..3000 {
        rig.fails(READ, &[Arg::Str(&format!("{n}/{long}"))]);
    }
    let summary = rig.realm.take_ledger().summary.unwrap();
    assert_eq!((summary.first.len(), summary.last.len()), (MAX_TIMELINE_ROWS, MAX_TIMELINE_ROWS));
    assert_eq!(summary.left_out, 3000 - 2 * MAX_TIMELINE_ROWS as u64);
    assert_eq!((summary.first[0].seq, summary.last.back().unwrap().seq), (1, 3000));
    assert_eq!((summary.touched.len(), summary.touched_more), (MAX_TOUCHED, 3000 - MAX_TOUCHED as u64));
    assert!(summary.touched.iter().all(|row| row.subject.len() < 300));
    assert_eq!(summary.scale.slots.len(), 1, "the clock of the tests stands still");
}
