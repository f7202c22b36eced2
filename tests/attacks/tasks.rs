//! Attack rows about tasks and channels: what one task could get by starting others, by handing things over, or by keeping others waiting.

use ilu_tests::watched::{Row, check_all};

const SYN: &[&str] = &["--grant", "capsp,capch,capstdout,capio,captm"];

pub fn prc_032_tasks_of_code_without_rights_have_none_and_no_crowd_stops_the_host() {
    let denied = "use syn\nuse sbx\nuse cap\nsb = sbxmk(sbx.cat(capsp(), capch()))\n\
         r = sbxtr(sb, \\() syn.run(\\() __sys_time()).wai())\nprn r.val.val, typ(r.val.err), len(r.denied)";
    let many = "use syn\nn = 0\nwhl n < 100000:\n    syn.run(\\() 1).wai()\n    n += 1\nprn n";
    let crowd = "use syn\nc = syn.chan()\nr = try(\\()\n    whl tru: syn.run(\\() c.rcv())\n)\nprn r.err";
    let nested = "use syn\nspawn() = syn.run(spawn2)\nspawn2() = syn.run(spawn)\nspawn()\nsyn.chan().rcv(300)\nprn \"on\"";
    let itself = "use syn\nc = syn.chan(1)\nt = syn.run(\\() c.rcv().wai())\nc.snd(t)\nprn t.wai().err";
    let cycle = "use syn\na = syn.chan(1)\nb = syn.chan(1)\nt = syn.run(\\() a.rcv().wai())\nu = syn.run(\\() b.rcv().wai())\na.snd(u)\nb.snd(t)\nt.wai()";
    check_all(&[
        Row::new("control: a task that calls what it holds", "use syn\nprn syn.run(\\() typ(__sys_time())).wai().val", 0, "num").flags(SYN),
        Row::new("a native that its sandbox does not hold", denied, 0, "nil str 1").flags(SYN),
        Row::new("twin: the sandbox holds it", denied.replace("capch())", "capch(), [\"__sys_time\"])"), 0, "nil 0").flags(SYN),
        Row::new("one after the other", many, 0, "100000").flags(SYN).within(120_000),
        Row::new("more than there is memory for", crowd, 4, "memory ran out").flags(SYN).within(60_000),
        Row::new("tasks that start tasks without end", nested, 0, "on").flags(SYN).within(60_000),
        Row::new("waiting for itself", itself, 0, "a task can't wait for itself").flags(SYN),
        Row::new("waiting for each other", cycle, 1, "deadlock").flags(SYN),
    ]);
}

pub fn cap_028_tasks_of_two_sandboxes_that_take_turns_share_no_rights() {
    let script = "use syn\nuse sbx\nuse cap\nuse trl\n\
         weak = sbxmk(sbx.cat(capsp(), capch()))\nstrong = sbxmk(sbx.cat(capsp(), capch(), [\"__sys_time\"]))\nstop = syn.chan()\n\
         work(n) =\n    got = 0\n    i <- 0..<300:\n        if try(__sys_time).err == nil: got += 1\n        stop.rcv(0)\n    got\n\
         run(sb) = sbxrn(sb, \\() trl.map(0..7, \\(n) syn.run(\\() sbxrn(sbxme(), \\() work(n)))))\n\
         ws = run(weak)\nss = run(strong)\n\
         prn trl.sum(trl.map(ws, \\(t) t.wai().val)), trl.sum(trl.map(ss, \\(t) t.wai().val))";
    check_all(&[
        Row::new("interleaved on few threads", script, 0, "0 2400").flags(SYN).within(60_000),
        Row::new(
            "twin: both hold it",
            script.replace("weak = sbxmk(sbx.cat(capsp(), capch()))", "weak = sbxmk(sbx.cat(capsp(), capch(), [\"__sys_time\"]))"),
            0,
            "2400 2400",
        )
        .flags(SYN)
        .within(60_000),
    ]);
}

pub fn cap_030_revoking_ends_tasks_that_run_and_tasks_that_wait() {
    // A task of a sandbox that is revoked 50 ms later. When it has ended nobody is left but the script, which then waits for nobody.
    let ends = |body: &str| {
        format!(
            "use syn\nuse sbx\nuse cap\nuse tim\nuse txt\nsb = sbxmk(sbx.cat(capsp(), capch(), captm()))\nc = syn.chan()\n\
             t = sbxrn(sb, \\() syn.run(\\()\n    {body}\n))\ntim.slp(0.05)\nREVOKE\ntim.slp(0.1)\n\
             e = try(\\() c.rcv()).err\nprn txt.has(e, \"deadlock\"), txt.has(e, \"task 1\")"
        )
    };
    let row = |name, body: &str| Row::new(name, ends(body).replace("REVOKE", "sbxrv(sb)"), 0, "tru fls").flags(SYN);
    let waiting = "use syn\nuse sbx\nuse cap\nuse tim\nsb = sbxmk(sbx.cat(capsp(), capch()))\n\
         t = sbxrn(sb, \\() syn.run(\\() syn.chan().rcv(60000)))\nsyn.run(\\()\n    tim.slp(0.05)\n    sbxrv(sb)\n)\nt.wai()";
    check_all(&[
        Row::new("control: a task that is let be", ends("1").replace("REVOKE", ""), 0, "tru fls").flags(SYN),
        row("one that computes", "whl tru: 0"),
        row("one that waits for a value", "c.rcv()"),
        row("one that waits to send", "c.snd(1)"),
        row("one that sleeps", "tim.slp(60)"),
        row("one that waits for another", "syn.run(\\() c.rcv()).wai()"),
        row("one that catches everything", "whl tru: try(\\() c.rcv())"),
        Row::new("twin: not revoked", ends("d = syn.chan()\n    d.rcv()").replace("REVOKE", ""), 0, "tru tru").flags(SYN),
        Row::new("who waits for a task of a sandbox that is revoked", waiting, 3, "the sandbox was revoked").flags(SYN).within(5000),
    ]);
}

pub fn cap_032_tasks_draw_from_one_budget_however_many_there_are() {
    let fuel = "use syn\nuse sbx\nuse cap\nuse trl\nsb = sbxmk(capsp(), {fuel: 200000})\n\
         r = sbxtr(sb, \\() trl.map(trl.map(1..50, \\(n) syn.run(\\()\n    whl tru: 0\n)), \\(t) t.wai().err))\n\
         prn r.err, r.used.fuel <= 210000";
    let memory = "use syn\nuse trl\nts = trl.map(1..40, \\(n) syn.run(\\()\n    xs = []\n    i <- 0..<400000: trl.push(xs, i)\n    syn.chan().rcv(1500)\n    len(xs)\n))\n\
         prn trl.sum(trl.map(ts, \\(t) if t.wai().err == nil: 1 | 0)) < 25";
    let channel = "use syn\nc = syn.chan(1000)\ns = \"x\"\ni <- 1..20: s = s + s\nn = 0\nwhl tru:\n    c.snd(s)\n    n += 1";
    let out = "use syn\nuse trl\nts = trl.map(1..20, \\(n) syn.run(\\()\n    i <- 1..1000: prn \"0123456789\"\n))\nts | map \\(t) t.wai()\nprn \"end\"";
    check_all(&[
        Row::new(
            "control: tasks within their budget",
            fuel.replace("whl tru: 0", "i <- 1..10: 0").replace("r.err,", "r.err, len(r.val),"),
            0,
            "nil 50 tru",
        )
        .flags(SYN),
        Row::new("fuel of a sandbox with fifty tasks", fuel, 0, "fuel ran out (limit 200000) tru").flags(SYN),
        Row::new("memory of forty tasks at once", memory, 0, "tru").flags(SYN).within(60_000),
        Row::new("values on their way", channel, 4, "memory ran out").flags(SYN),
        Row::new("output", out, 4, "output ran out").flags(&["--grant", "capsp,capch,capio", "--out", "10000"]),
        Row::new("twin: output for all of them", out, 0, "end").flags(SYN),
    ]);
}

pub fn int_039_channels_used_wrongly_are_errors_and_end_nothing_else() {
    let sizes = "use syn\nsize <- [-1, 1.5, 1e18, \"a\", nil, []]:\n    prn typ(try(\\() syn.chan(size)).err)\nprn typ(syn.chan(0))";
    let many = "use syn\nn = 0\nwhl n < 1000000:\n    syn.chan(1).snd(n)\n    n += 1\nprn n";
    let keep = "use syn\nuse trl\nkept = []\nwhl tru: trl.push(kept, syn.chan(1))";
    let huge = "use syn\nc = syn.chan(1)\ns = \"x\"\ni <- 1..24: s = s + s\nc.snd(s + s + s)";
    let ring = "use syn\nc = syn.chan(2)\nc.snd(c)\nc.snd([c, c])\nprn c.rcv() == c, c.rcv() == [c, c]";
    check_all(&[
        Row::new("sizes that are none", sizes, 0, "str\nstr\nstr\nstr\nnil\nstr\nchn").flags(SYN),
        Row::new("a million of them, dropped", many, 0, "1000000").flags(SYN).within(60_000),
        Row::new("as many as fit, kept", keep, 4, "memory ran out").flags(SYN).within(60_000),
        Row::new("twin: not kept for ever", keep.replace("whl tru: trl", "i <- 1..1000: trl") + "\nprn len(kept)", 0, "1000").flags(SYN),
        Row::new("a value as large as the memory", huge, 4, "memory ran out").flags(SYN),
        Row::new("a channel in itself", ring, 0, "tru tru").flags(SYN),
        Row::new("receiving with no sender", "use syn\nsyn.chan().rcv()", 1, "deadlock").flags(SYN),
        Row::new("sending to full", "use syn\nc = syn.chan(1)\nc.snd(1)\nc.snd(1)", 1, "deadlock").flags(SYN),
        Row::new("sending after close", "use syn\nc = syn.chan(1)\nc.cls()\nc.cls()\nc.snd(1)", 1, "the channel is closed").flags(SYN),
        Row::new("control: used rightly", "use syn\nc = syn.chan(1)\nc.snd(1)\nprn c.rcv()", 0, "1").flags(SYN),
    ]);
}

/// Ten thousand tasks that wait hold less than 100 MiB together.
pub fn prc_032_ten_thousand_tasks_that_wait_are_cheap() {
    let script =
        "use syn\nc = syn.chan()\nn = 0\nwhl n < 10000:\n    syn.run(\\() c.rcv())\n    n += 1\nsyn.chan().rcv(1000)\nprn \"ready\"";
    let mut row = Row::new("ten thousand", script, 0, "ready").flags(&["--grant", "capsp,capch,capstdout", "--mem", "1G"]).within(60_000);
    row.memory = 100 + 16;
    check_all(&[row]);
}
