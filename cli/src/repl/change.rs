//! `:grant` and `:drop`: from what was typed to the grant flags that the session has from then on, as if it had been started with them.

use crate::args::GrantFlags;
use crate::grants;
use crate::profile;
use clap::Parser;
use ilu_cap::{CapSet, parse_list};

/// What `:grant` takes.
#[derive(Debug, Parser)]
#[command(name = ":grant", no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
struct Words {
    /// Bundles and natives.
    #[arg(value_name = "LIST")]
    list: Vec<String>,
    /// Flags.
    #[command(flatten)]
    flags: GrantFlags,
}

/// The flags with what was typed among them.
///
/// # Errors
/// It can't be read, names nothing, or can't be granted while a session runs.
pub fn grant(now: &GrantFlags, typed: &str) -> Result<GrantFlags, String> {
    let words = words(typed)?;
    if words.is_empty() {
        return Err("say what: `:grant capio`, `:grant --dir data:/in:ro`, `:grant --env LANG`".to_string());
    }
    let Words { list, mut flags } = Words::try_parse_from(words).map_err(|error| first_line(&error))?;
    let fixed = [
        ("--run", !flags.run.is_empty()),
        ("--ca", !flags.ca.is_empty()),
        ("--config", flags.config.is_some()),
        ("--profile", flags.profile.is_some()),
        ("--audit", flags.audit.is_some()),
        ("--report", flags.report.is_some()),
    ];
    if let Some((flag, _)) = fixed.iter().find(|(_, given)| *given) {
        return Err(format!("{flag} is settled when a session starts: ilu repl {flag} …"));
    }
    let list = list.into_iter().chain(flags.grant.take()).collect::<Vec<_>>().join(",");
    let asked = parse_list(&list).map_err(|unknown| unknown.to_string())?;
    // What the flags bring by themselves when there is no exact list.
    let brought = grants::caps(&flags)?.difference(grants::caps(&GrantFlags::default())?);
    let held = grants::caps(now)?;
    // What is settled at the start stays: what is written may not come to lie where the script may write.
    let settled = GrantFlags {
        config: now.config.clone(),
        profile: now.profile.clone(),
        audit: now.audit.clone(),
        report: now.report.clone(),
        ..flags
    };
    let mut flags = profile::add(now.clone(), &settled);
    if now.grant.is_some() || !asked.is_empty() {
        flags.grant = Some(names(held.union(asked).union(brought)));
    }
    Ok(flags)
}

/// The flags without what was typed.
///
/// # Errors
/// It can't be read, or names something that is not granted.
pub fn drop(now: &GrantFlags, typed: &str) -> Result<GrantFlags, String> {
    let mut flags = now.clone();
    let mut words = words(typed)?.into_iter();
    let mut without = CapSet::EMPTY;
    let mut some = false;
    while let Some(word) = words.next() {
        some = true;
        let (flag, value) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word.clone(), None),
        };
        if word == "all" {
            flags = GrantFlags { grant: Some(String::new()), ..budgets(now) };
            continue;
        }
        if !flag.starts_with("--") {
            without = without.union(parse_list(&word).map_err(|unknown| unknown.to_string())?);
            continue;
        }
        let Some(value) = value.or_else(|| words.next()) else { return Err(format!("{flag}: say which")) };
        let before = count(&flags);
        match flag.as_str() {
            "--dir" => flags.dir.retain(|spec| spec.guest != value && spec.host != value),
            "--env" => flags.env.retain(|(name, _)| *name != value),
            "--net" => flags.net.retain(|rule| *rule != value),
            "--pol" => flags.pol.retain(|path| *path != value),
            "--secret" => flags.secret.retain(|(name, _)| *name != value),
            other => return Err(format!("{other} can't be dropped; --dir, --env, --net, --pol and --secret can, and natives and bundles")),
        }
        if count(&flags) == before {
            return Err(format!("{flag} {value} is not granted; `:caps` shows what is"));
        }
    }
    if !some {
        return Err("say what: `:drop capio`, `:drop --dir /in`, `:drop all`".to_string());
    }
    if !without.is_empty() {
        let held = grants::caps(&flags)?;
        flags.grant = Some(names(held.difference(without)));
    }
    Ok(flags)
}

fn count(flags: &GrantFlags) -> usize {
    flags.dir.len() + flags.env.len() + flags.net.len() + flags.pol.len() + flags.secret.len()
}

/// What is no grant.
fn budgets(now: &GrantFlags) -> GrantFlags {
    GrantFlags {
        fuel: now.fuel,
        mem: now.mem,
        time: now.time,
        out: now.out,
        depth: now.depth,
        audit: now.audit.clone(),
        report: now.report.clone(),
        config: now.config.clone(),
        ..GrantFlags::default()
    }
}

fn names(set: CapSet) -> String {
    set.names().join(",")
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The words of a line; quotes hold one together, a backslash takes the next sign as it is.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_string());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(flags: &GrantFlags) -> Vec<&'static str> {
        grants::caps(flags).unwrap().names()
    }

    #[test]
    fn what_is_granted_is_added_to_what_is_held() {
        let start = GrantFlags::default();
        let more = grant(&start, "caprn --dir data:/in").unwrap();
        assert!(list(&start).iter().all(|native| list(&more).contains(native)));
        assert!(list(&more).contains(&"__sys_random") && list(&more).contains(&"__sys_read_file"));
        assert!(!list(&more).contains(&"__sys_write_file"));
        assert_eq!((more.dir.len(), more.dir[0].guest.as_str()), (1, "/in"));
        // Without a list the flags bring what they need by themselves.
        assert_eq!(grant(&start, "--env LANG=x").unwrap().grant, None);
        let exact = GrantFlags { grant: Some("capstdout".into()), ..GrantFlags::default() };
        let more = grant(&exact, "--dir data:/in --fuel 5").unwrap();
        assert!(list(&more).contains(&"__sys_read_file") && !list(&more).contains(&"__sys_time") && more.fuel == Some(5));
        let quoted = grant(&start, "--dir \"a b:/in\"").unwrap();
        assert_eq!(quoted.dir[0].host, "a b");
    }

    #[test]
    fn what_was_settled_at_the_start_stays_so() {
        let path = |text: &str| Some(text.to_owned());
        let start = GrantFlags { audit: path("a"), report: path("r.html"), config: path("c"), profile: path("p"), ..GrantFlags::default() };
        for flags in [grant(&start, "caprn --dir data:/in:rw").unwrap(), drop(&start, "all").unwrap(), drop(&start, "__sys_time").unwrap()]
        {
            assert_eq!((flags.audit.as_deref(), flags.report.as_deref(), flags.config.as_deref()), (Some("a"), Some("r.html"), Some("c")));
        }
    }

    #[test]
    fn what_is_dropped_is_gone_and_the_rest_stays() {
        let start = grant(&GrantFlags::default(), "caprn --dir a:/in --dir b:/out:rw --env X=1 --net a.test").unwrap();
        let less = drop(&start, "__sys_random").unwrap();
        assert!(!list(&less).contains(&"__sys_random") && list(&less).contains(&"__sys_stdout") && less.dir.len() == 2);
        let less = drop(&start, "--dir /in --env X").unwrap();
        assert_eq!((less.dir.len(), less.dir[0].guest.as_str(), less.env.len(), less.net.len()), (1, "/out", 0, 1));
        let none = drop(&start, "all").unwrap();
        assert!(list(&none).is_empty() && count(&none) == 0);
    }

    #[test]
    fn what_can_not_be_is_said() {
        let start = GrantFlags::default();
        for (typed, told) in [
            ("", "say what"),
            ("capfoo", "capfoo"),
            ("--dri x", "unexpected argument '--dri' found"),
            ("--run /bin/ls", "--run is settled when a session starts"),
            ("--audit x", "--audit is settled"),
            ("--fuel no", "--fuel"),
            ("'open", "a quote is not closed"),
        ] {
            let why = grant(&start, typed).unwrap_err();
            assert!(why.contains(told), "{typed}: {why}");
        }
        for (typed, told) in [
            ("", "say what"),
            ("--dir /nope", "not granted"),
            ("--dir", "say which"),
            ("--fuel 5", "can't be dropped"),
            ("capfoo", "capfoo"),
        ] {
            let why = drop(&start, typed).unwrap_err();
            assert!(why.contains(told), "{typed}: {why}");
        }
    }
}
