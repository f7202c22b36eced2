//! Rows of sandboxes whose setting is tasks and channels: what is made in a task, what is handed from one to another. Values are copied between tasks,
//! so what is handed over is a copy with the same home.

use crate::bout::{Bout, bout};

const HEAD: &str = "use syn\ntasks = capsp() + capch()\nout(t) =\n  r = t.wai()\n  if r.err != nil: err(r.err)\n  r.val\n";

/// A duel whose text begins with what rows about tasks need.
fn duel(b: &mut Bout, name: &str, native: &str, held: (&str, &str), text: &str, prints: &str) {
    b.duel(name, native, held, &format!("{HEAD}{text}"), prints);
}

const READ: (&str, &str) = ("tasks", "tasks + capfsro()");
const TIME: (&str, &str) = ("tasks", "tasks + captime()");

pub fn cap_017_another_task_changes_a_list_of_its_own() {
    bout(|b| {
        let change = "caps = capfsro()\nchange() =\n  caps[0] = \"__sys_time\"\n  caps\n";
        let before = format!("{HEAD}{change}out(syn.run(change))\ns = sbxmk(caps)\nsbxrn(s, \\() __sys_time())");
        b.denied("changed by a task before", "__sys_time", &before);
        let beside = format!(
            "{HEAD}{change}t = syn.run(\\()\n  i <- 0..<2000: change()\n)\ni <- 0..<200: s = sbxmk(caps)\nout(t)\nsbxrn(sbxmk(caps), \\() __sys_time())"
        );
        b.denied("while it is made, again and again", "__sys_time", &beside);
        b.twin(
            "changed by the code itself",
            &format!("{HEAD}{change}change()\ns = sbxmk(caps)\nprn typ(sbxrn(s, \\() __sys_time()))"),
            "num",
        );
        let given = format!("{HEAD}{change}s = sbxmk(out(syn.run(change)))\nprn typ(sbxrn(s, \\() __sys_time()))");
        b.twin("made from the list that the task gave", &given, "num");
        b.control("a task that makes one", &format!("{HEAD}prn len(out(syn.run(\\() sbxls(sbxmk(capfsro())))))"), "5");
    });
}

pub fn cap_020_a_task_makes_no_more_than_its_sandbox_holds() {
    bout(|b| {
        let both = "tasks + [\"__sys_time\", \"__sys_argv\"]";
        let more = "sbxca(sbxmk([\"__sys_time\", \"__sys_argv\"]), \"__sys_argv\")";
        let inside = format!("{HEAD}s = sbxmk(HELD)\nprn typ(sbxrn(s, \\() out(syn.run(\\() {more}))))");
        b.refused("in a task", "__sys_argv", ("tasks + captime()", both), &inside, "lst");
        let deep = "s = sbxmk(HELD)\nprn typ(sbxrn(s, \\() out(syn.run(\\() out(syn.run(\\() __sys_argv()))))))";
        duel(b, "in a task of a task", "__sys_argv", ("tasks", both), deep, "lst");
        let making = format!("{HEAD}s = sbxmk(HELD)\nprn sbxrn(s, \\() len(sbxls(sbxmk(capsp()))))");
        b.refused("tasks themselves", "__sys_spawn", ("[]", "capsp()"), &making, "2");
        let start = "s = sbxmk(HELD)\nprn sbxrn(s, \\() out(syn.run(\\() 5)))";
        duel(b, "starting one", "__sys_spawn", ("[]", "tasks"), start, "5");
        duel(b, "waiting for one", "__sys_wait", ("[\"__sys_spawn\"]", "tasks"), start, "5");
        b.control("a task", &format!("{HEAD}prn out(syn.run(\\() 5))"), "5");
    });
}

pub fn cap_023_what_comes_through_a_channel_brings_no_rights_along() {
    let take = |sent: &str, used: &str| {
        format!(
            "c = syn.chan(1)\nuse fs\ns = sbxmk(HELD)\nt = sbxrn(s, \\() syn.run(\\()\n  x = c.rcv()\n  {used}\n))\nc.snd({sent})\nprn out(t)"
        )
    };
    bout(|b| {
        for (name, sent, used) in [
            ("a native", "__sys_read_file", "x(\"/g/a.txt\")"),
            ("a closure", "\\() __sys_read_file(\"/g/a.txt\")", "x()"),
            ("a function of the library", "fs.rd", "x(\"/g/a.txt\")"),
            ("a module's object", "fs", "x.rd(\"/g/a.txt\")"),
            ("functions in a list in an object", "{k: [\\() fs.rd(\"/g/a.txt\")]}", "x.k[0]()"),
            ("a wider sandbox", "sbxme()", "sbxca(x, \"__sys_read_file\", \"/g/a.txt\")"),
        ] {
            duel(b, name, "__sys_read_file", READ, &take(sent, used), "alpha");
        }
        // What a task gives is handed over, too.
        let given = "s = sbxmk(HELD)\nt = syn.run(\\() __sys_read_file)\nprn sbxrn(s, \\() out(t)(\"/g/a.txt\"))";
        duel(b, "as a task's value", "__sys_read_file", READ, given, "alpha");
        b.error(
            "an open file stays where it was opened",
            "open resource",
            &format!("{HEAD}c = syn.chan(1)\nc.snd(__sys_open_read(\"/g/a.txt\"))"),
        );
        let captured = format!("{HEAD}h = __sys_open_read(\"/g/a.txt\")\nout(syn.run(\\()\n  x <- h: nil\n))");
        b.error("in a captured variable, too", "open resource", &captured);
        let there = format!("{HEAD}prn out(syn.run(\\()\n  last = nil\n  x <- __sys_open_read(\"/g/a.txt\"): last = x\n  last\n))");
        b.twin("opened there", &there, "alpha");
        let receive = "c = syn.chan(1)\nc.snd(5)\ns = sbxmk(HELD)\nprn sbxrn(s, \\() c.rcv())";
        duel(b, "a channel itself takes its natives", "__sys_chan_recv", ("[]", "tasks"), receive, "5");
        let wait = "t = syn.run(\\() 5)\ns = sbxmk(HELD)\nprn sbxrn(s, \\() out(t))";
        duel(b, "the task of another", "__sys_wait", ("[]", "tasks"), wait, "5");
        b.control("data", &format!("{HEAD}c = syn.chan(1)\nc.snd({{a: [1]}})\nprn c.rcv()"), "{a: [1]}");
    });
}

pub fn cap_024_what_a_weak_task_sends_keeps_its_limits_when_the_strong_call_it() {
    let weak = "sbxev(sbxme(), \"\\\\(..x) __sys_time()\")";
    let strong = |call: &str| {
        format!("c = syn.chan(1)\ns = sbxmk(HELD)\nt = sbxrn(s, \\() syn.run(\\() c.snd({weak})))\nf = c.rcv()\nprn typ({call})")
    };
    bout(|b| {
        for (name, call) in [
            ("called", "f()"),
            ("by the library", "([1] | map f)[0]"),
            ("in a task of the strong", "out(syn.run(f))"),
            ("in a closure in a task of the strong", "out(syn.run(\\() f()))"),
            ("in a gate of the strong", "sbxgt(\\() f())()"),
            ("in a stronger sandbox", "sbxrn(sbxme(), f)"),
        ] {
            duel(b, name, "__sys_time", TIME, &strong(call), "num");
        }
        let given = format!("s = sbxmk(HELD)\nt = sbxrn(s, \\() syn.run(\\() {weak}))\nf = out(t)\nprn typ(f())");
        duel(b, "as a task's value", "__sys_time", TIME, &given, "num");
        let passed = format!(
            "a = syn.chan(1)\nc = syn.chan(1)\ns = sbxmk(HELD)\nsbxrn(s, \\() syn.run(\\() a.snd({weak})))\nsyn.run(\\() c.snd(a.rcv()))\nprn typ(c.rcv()())"
        );
        duel(b, "that was sent on by another", "__sys_time", TIME, &passed, "num");
        b.control("one that needs nothing", &format!("{HEAD}c = syn.chan(1)\nsyn.run(\\() c.snd(\\(x) x + 1))\nprn c.rcv()(1)"), "2");
    });
}

pub fn int_011_recursion_in_a_task_ends_the_task() {
    bout(|b| {
        b.control("a task that is not deep", &format!("{HEAD}f(n) = if n: f(n - 1) + 1 | 0\nprn out(syn.run(\\() f(100)))"), "100");
        for (name, deep) in [
            ("itself", "f() = f() + 1"),
            ("through map", "f(..x) = [1] | map f"),
            ("through try", "f() = try(f)"),
            ("through a sandbox", "f() = sbxrn(sbxme(), f)"),
        ] {
            b.tells(name, &format!("{HEAD}{deep}\nr = syn.run(\\() f()).wai()\nprn typ(r.err)"), "str");
        }
        b.twin("as deep as is allowed", &format!("{HEAD}f(n) = if n: f(n - 1) + 1 | 0\nprn out(syn.run(\\() f(5000)))"), "5000");
        let tasks = format!(
            "{HEAD}s = sbxmk(tasks, {{fuel: 200000}})\nf() = syn.run(f).wai()\nprn sbxtr(s, f).err != nil or sbxug(s).fuel <= 200000"
        );
        b.ok("tasks that start tasks use no more than there is", &tasks, "tru");
    });
}
