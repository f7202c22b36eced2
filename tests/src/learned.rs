//! What `ilu learn` tells, taken apart: a profile of TOML whose lists are texts.

/// The keys whose values are lists of grants.
pub const LISTS: [&str; 6] = ["grant", "dir", "run", "env", "secret", "net"];

/// The list of a key in a learned profile: a TOML list of plain texts is one of JSON.
#[must_use]
pub fn list(profile: &str, key: &str) -> Vec<String> {
    let start = format!("{key} = [");
    let line = profile.lines().find(|line| line.starts_with(&start));
    line.map_or_else(Vec::new, |line| serde_json::from_str(line.split_once(" = ").unwrap().1).unwrap())
}

/// The same profile with another list for a key that it has.
#[must_use]
pub fn with_list(profile: &str, key: &str, items: &[String]) -> String {
    let new = format!("{key} = {}", serde_json::to_string(items).unwrap());
    with_line(profile, &format!("{key} = ["), &new)
}

/// The same profile with time enough for a machine that is busy: what is in question is grants.
#[must_use]
pub fn unhurried(profile: &str) -> String {
    with_line(profile, "time = ", "time = \"120s\"")
}

fn with_line(profile: &str, start: &str, new: &str) -> String {
    profile.lines().map(|line| if line.starts_with(start) { new } else { line }).collect::<Vec<_>>().join("\n") + "\n"
}

/// Each grant of a profile, with the profile that lacks it and nothing else.
#[must_use]
pub fn each_one_less(profile: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for key in LISTS {
        let items = list(profile, key);
        for at in 0..items.len() {
            let mut less = items.clone();
            let gone = less.remove(at);
            all.push((format!("{key} {gone}"), with_list(profile, key, &less)));
        }
    }
    all
}
