//! CAP-M: changing what others use: the library, policy code, helpers, lists that a sandbox was made from.

use crate::bout::bout;

pub fn cap_013_the_library_is_the_same_for_everybody_whoever_patches_it() {
    let frozen = "belongs to the standard library and can't be changed";
    bout(|b| {
        for (name, patch) in [
            ("a field", "fs.rd = evil"),
            ("a computed field", "fs[\"rd\"] = evil"),
            ("a new field", "fs.extra = evil"),
            ("through another name", "g = fs\ng.rd = evil"),
            ("through a parameter", "(\\(m)\n  m.rd = evil\n)(fs)"),
            ("a field added to", "fs.rd = fs.rd == nil"),
            ("a field taken away", "use obj\nobj.del(fs, \"rd\")"),
            ("in evaluated text", "sbxev(sbxme(), \"use fs\\nfs.rd = 1\")"),
            ("what sbxus gives", "m = sbxus(sbxme(), \"fs\")\nm.fs.rd = evil"),
        ] {
            b.error(
                name,
                if matches!(name, "what sbxus gives" | "a field taken away") { "" } else { frozen },
                &format!("use fs\nevil = \\(p) \"evil\"\n{patch}"),
            );
        }
        b.twin("an object of one's own can be", "evil = \\(p) \"evil\"\nfs = {rd: \\(p) \"good\"}\nfs.rd = evil\nprn fs.rd(\"x\")", "evil");
        let helper = "use fs\nread() = fs.rd(\"/g/a.txt\")\nsay(x) = prn x\n";
        b.control("the helper", &format!("{helper}say(read())"), "alpha");
        for (name, weak) in [
            ("builtins hidden", "prn = 1\\nlen = 2\\nstr = 3\\nprn"),
            ("a module's object hidden", "use fs\\nfs2 = fs\\nfs = {rd: 1}\\n1"),
            ("the native's name hidden", "__sys_read_file = 1\\n1"),
            ("a module under another's name", "use txt as fs\\n1"),
        ] {
            // Whether the text is refused or runs, the others see nothing of it.
            b.ok(name, &format!("{helper}try(\\() sbxev(sbxmk(sbxls(sbxme())), \"{weak}\"))\nsay(read())"), "alpha");
        }
        b.ok(
            "hidden by the program itself, a module's own use stays",
            "use txt\nlen = \\(x) 0\nstr = \\(x) \"no\"\nprn txt.pad(\"a\", 3), [1, 2] | map \\(x) x",
            "a   [1, 2]",
        );
    });
}

pub fn cap_014_decisions_are_made_where_no_script_can_patch_them() {
    bout(|b| {
        for (name, patch) in [
            ("access lists", "pol.acl = \\(..x) tru"),
            ("patterns", "pol.wild = \\(..x) tru"),
            ("sets", "pol.sub = \\(..x) tru"),
            ("seals", "pol.sealok = \\(..x) tru"),
            ("a bundle", "cap.fs = \\() capex()"),
            ("concatenation", "sbx.cat = \\(..x) capex()"),
            ("making", "sbx.mk = \\(..x) sbxme()"),
            ("asking what is held", "sbx.has = \\(..x) tru"),
        ] {
            b.error(name, "can't be changed", &format!("use pol\n{patch}"));
            b.error(
                &format!("{name}, in evaluated text"),
                "can't be changed",
                &format!("sbxev(sbxme(), \"use pol\\nuse cap\\nuse sbx\\n{}\")", patch.replace('\\', "\\\\")),
            );
        }
        let decides = "use pol\nprn pol.acl([], [], \"a\", \"b\", \"c\"), polac([], [], \"a\", \"b\", \"c\"), pol.sealok(\"k\", [\"a\"], \"00\"), polwi(\"a\", \"b\")";
        b.ok(
            "hidden in one place, the same in others",
            &format!("sbxev(sbxmk(sbxls(sbxme())), \"polacl = \\\\(..x) tru\\npolwild = \\\\(..x) tru\\npolsealok = 1\\nsbxmk = 1\\n1\")\n{decides}"),
            "fls fls fls fls",
        );
        b.control("the decisions", decides, "fls fls fls fls");
        b.twin(
            "in an object of one's own the same patch decides",
            "use pol\nmine = {acl: pol.acl}\nmine.acl = \\(..x) tru\nprn mine.acl([], [], \"a\", \"b\", \"c\")",
            "tru",
        );
        let hidden = "sbxmk = \\(..x) sbxme()\ns = sbx.mk(HELD)\nprn typ(sbxrn(s, \\() __sys_time()))";
        b.duel("a name of the program's own changes nothing for the readable one", "__sys_time", ("[]", "captime()"), hidden, "num");
    });
}

pub fn cap_015_a_helper_of_the_host_is_what_it_was_whatever_weak_code_did() {
    let helper = "use trl\nuse txt\nhelp(xs) = $\"{len(xs)} {str(xs)} {xs | map \\(x) x + 1} {txt.upper(\"a\")}\"\ncollect(x, into = []) = into + [x]\nkept(into = []) = into\n";
    let good = "2 [1, 2] [2, 3] A";
    bout(|b| {
        b.control("the helper", &format!("{helper}prn help([1, 2])"), good);
        for (name, weak) in [
            ("shadowed", "len = \\\\(x) 99\\nstr = \\\\(x) 'evil'\\nmap = \\\\(xs, f) []\\nlen"),
            ("shadowed by functions", "len(x) = 99\\nstr(x) = 'evil'\\nlen(1)"),
            ("shadowed by constants", "def len = 1\\ndef map = 2\\nlen"),
            ("a module of that name", "trl = {map: 1}\\ntxt = {upper: 1}\\n1"),
        ] {
            b.ok(name, &format!("{helper}sbxev(sbxmk([]), \"{weak}\")\nprn help([1, 2])"), good);
            b.ok(
                &format!("{name}, then called inside"),
                &format!("{helper}s = sbxmk([])\nsbxev(s, \"{weak}\")\nprn sbxrn(s, \\() help([1, 2]))"),
                good,
            );
        }
        let pollute = "xs = sbxev(sbxmk([]), \"\\\\(f)\\n  xs = f()\\n  i <- 0..<len(xs): xs[i] = 'evil'\\n  xs\")";
        b.ok(
            "a default argument is new for each call",
            &format!("{helper}{pollute}(\\() collect(1))\nprn collect(2), kept(), kept() == kept()"),
            "[2] [] tru",
        );
        b.twin("what is shared on purpose is shared", &format!("shared = [1]\n{pollute}(\\() shared)\nprn shared"), "[\"evil\"]");
        b.error(
            "a program's own function is not the weak code's to replace",
            "help",
            &format!("{helper}sbxev(sbxmk([]), \"help = 1\\nnil\")\nprn help([1, 2])\nsbxev(sbxmk([]), \"help\")"),
        );
    });
}

pub fn cap_016_a_sandbox_is_made_from_what_the_list_held_then() {
    // The same change before the sandbox is made (the twin) and after.
    let around = |change: &str| {
        let make = "s = sbxmk(caps, opts)\n";
        let head = "caps = capfsro()\nopts = {env: [], calls: {}}\n";
        let call = "prn typ(sbxrn(s, \\() __sys_time()))";
        (format!("{head}{make}{change}\n{call}"), format!("{head}{change}\n{make}{call}"))
    };
    bout(|b| {
        b.control("a list", "s = sbxmk(capfsro())\nprn sbxrn(s, \\() __sys_read_file(\"/g/a.txt\"))", "alpha");
        for (name, change) in [
            ("an element put in", "caps[0] = \"__sys_time\""),
            ("all of them", "i <- 0..<len(caps): caps[i] = \"__sys_time\""),
            ("through another name", "other = caps\nother[1] = \"__sys_time\""),
            ("through a function", "(\\(xs)\n  xs[2] = \"__sys_time\"\n)(caps)"),
        ] {
            let (after, before) = around(change);
            b.denied(name, "__sys_time", &after);
            b.twin(name, &before, "num");
        }
        b.denied(
            "the list that sbxls gave",
            "__sys_time",
            "s = sbxmk(capfsro())\nl = sbxls(s)\nl[0] = \"__sys_time\"\nsbxrn(s, \\() __sys_time())",
        );
        b.denied(
            "a list that capcat gave",
            "__sys_time",
            "x = capfsro()\nc = capcat(x, [])\ns = sbxmk(x)\nc[0] = \"__sys_time\"\nsbxrn(s, \\() __sys_time())",
        );
        b.ok("capcat copies", "x = [\"a\"]\nc = capcat(x, [\"b\"])\nc[0] = \"evil\"\nprn x, capfs() == capfs()", "[\"a\"] tru");
        let options = "opts = {env: [], dir: {\"/g\": \"ro\"}}\nFIRST\ns = sbxmk(capcat(capfs(), cappr()), opts)\nTHEN\n";
        for (name, native, change, use_it, prints) in [
            ("a variable added", "__sys_getenv", "opts.env = [\"LANG\"]", "prn sbxrn(s, \\() __sys_getenv(\"LANG\"))", "C"),
            (
                "an access widened",
                "__sys_write_file",
                "opts.dir[\"/g\"] = \"rw\"",
                "sbxrn(s, \\() __sys_write_file(\"/g/n\", \"x\"))\nprn 1",
                "1",
            ),
        ] {
            b.denied(name, native, &(options.replace("FIRST", "nil").replace("THEN", change) + use_it));
            b.twin(name, &(options.replace("FIRST", change).replace("THEN", "nil") + use_it), prints);
        }
    });
}

pub fn cap_017_nothing_of_the_callers_runs_while_a_list_is_read() {
    let sneak = "caps = capfsro()\nlate()\n  caps[0] = \"__sys_time\"\n  \"__sys_read_file\"\n".replace("late()\n", "late() =\n");
    bout(|b| {
        b.error("a function for a name", "sbxmk", &format!("{sneak}s = sbxmk([late] + caps)"));
        b.error("an object with a name in it", "sbxmk", &format!("{sneak}s = sbxmk([{{str: late}}] + caps)"));
        b.error("a list in the list", "sbxmk", &format!("{sneak}s = sbxmk([[\"__sys_time\"]] + caps)"));
        b.error("a list that contains itself", "sbxmk", &format!("{sneak}caps[0] = caps\ns = sbxmk(caps)"));
        b.error("a function for an option", "sbxmk", &format!("{sneak}s = sbxmk(caps, {{fuel: late}})"));
        b.error("one unknown name spoils all", "__sys_evil", "s = sbxmk([\"__sys_time\", \"__sys_evil\", \"__sys_read_file\"])");
        b.denied(
            "what is worked out after the list was copied",
            "__sys_time",
            &format!("{sneak}copy = caps + []\ns = sbxmk(copy, {{env: try(late).val != nil and []}})\nsbxrn(s, \\() __sys_time())"),
        );
        b.twin("worked out in time it counts", &format!("{sneak}late()\ns = sbxmk(caps)\nprn typ(sbxrn(s, \\() __sys_time()))"), "num");
        b.control("a list as it is", "prn len(sbxls(sbxmk(capfsro())))", "5");
    });
}

pub fn cap_019_only_exact_names_are_capabilities() {
    let long = "x".repeat(1 << 20);
    let held = "s = sbxmk([\"__sys_read_file\", HELD], OPTS)\nprn typ(sbxrn(s, \\() __sys_time()))";
    bout(|b| {
        for odd in [
            "*",
            "__sys_*",
            "__*",
            "",
            " ",
            " __sys_time",
            "__sys_time ",
            "__SYS_TIME",
            "__sys_time\\0",
            "__sys_time\\n",
            "__sys_tim\\u{435}",
            "__sys_\\u{ff54}ime",
            "__sys_time*",
            "?",
            "__sys_tim?",
            "captime",
            "capall",
            "sbx.time",
            "time",
            &long,
        ] {
            let shown = odd.chars().take(20).collect::<String>();
            for opts in ["{}", "{lax: tru}"] {
                let script = held.replace("HELD", &format!("\"{odd}\"")).replace("OPTS", opts);
                b.error(&shown, "unknown capability", &script);
            }
        }
        for odd in ["1", "nil", "tru", "{}", "{a: 1}", "[]", "__sys_time", "\\() 1", "sbxme()", "b\"__sys_time\"", "captime"] {
            b.error(odd, "sbxmk", &held.replace("HELD", odd).replace("OPTS", "{}"));
        }
        b.twin("the exact name", &held.replace("HELD", "\"__sys_time\"").replace("OPTS", "{}"), "num");
        b.twin("an alias of the registry", &held.replace("HELD", "\"__sys_now\"").replace("OPTS", "{}"), "num");
        b.control("without it", "prn sbxls(sbxmk([\"__sys_read_file\"]))", "[\"__sys_read_file\"]");
    });
}
