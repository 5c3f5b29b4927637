//! Scripted requests and the commands they come to, as text beside this file.
//!
//! `UPDATE=1 cargo test -p requestrocket-policy golden` writes them anew; read the difference.

use std::fmt::Write as _;

use super::*;

const POLICIES: &str = include_str!("golden/requests.txt");

/// The policies that scripts name.
fn policy(name: &str) -> Resolved {
    let fixture = match name {
        "plain" => PolicyFixture::new().api_key("key"),
        "bearer" => PolicyFixture::new()
            .bearer("Bearer ", "token")
            .base_path("/v1")
            .header("Authorization", "Bearer ours"),
        "mixed" => PolicyFixture::new()
            .api_key("key")
            .basic_auth("user:pass")
            .jwt("h.c.s")
            .header("X-Api-Key", "ours")
            .query("api_key", "our key"),
        "suspended" => {
            let mut fixture = PolicyFixture::new().api_key("key");
            fixture.wire.is_suspended = true;
            fixture
        }
        "incomplete" => {
            let mut fixture = PolicyFixture::new().api_key("key");
            fixture.wire.target = None;
            fixture
        }
        "unknown" => return Resolved::UnknownProxy,
        "fault" => return Resolved::Fault,
        other => panic!("no policy `{other}`"),
    };
    resolved(&fixture)
}

/// One script: policy and request line, then header lines.
fn run(script: &str) -> String {
    let mut script_lines = script.lines();
    let request_line = script_lines.next().unwrap();
    let mut words = request_line.splitn(3, ' ');
    let mut word = || words.next().unwrap();
    let (name, method, path) = (word(), word(), word().replace("{p}", &api("")));
    let headers: Vec<_> = script_lines
        .map(|line| line.split_once(": ").unwrap_or((line, "")))
        .collect();
    let mut shown = format!("{script}\n");
    match decide(&policy(name), method, &path, &headers) {
        Ok(edits) => edits
            .iter()
            .for_each(|edit| writeln!(shown, "  > {edit}").unwrap()),
        Err(denial) => {
            let response = denial.response("ID");
            writeln!(shown, "  < {}", response.status).unwrap();
            for (name, value) in response.headers {
                writeln!(shown, "  < {name}: {value}").unwrap();
            }
            if !response.body.is_empty() {
                let body = String::from_utf8(response.body).unwrap();
                writeln!(shown, "  < {body}").unwrap();
            }
        }
    }
    shown
}

/// The scripts of a file, without the commands.
fn scripts(text: &str) -> Vec<String> {
    text.split("\n\n")
        .map(|block| {
            let lines = block
                .lines()
                .filter(|line| !line.starts_with("  ") && !line.is_empty());
            lines.collect::<Vec<_>>().join("\n")
        })
        .filter(|script| !script.is_empty())
        .collect()
}

#[test]
fn scripted_requests_come_to_the_commands_on_file() {
    let shown: Vec<String> = scripts(POLICIES).iter().map(|script| run(script)).collect();
    let shown = shown.join("\n");
    if option_env!("UPDATE").is_some() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/exchange/tests/golden/requests.txt"
        );
        std::fs::write(file, &shown).unwrap();
        return;
    }
    assert_eq!(shown, POLICIES, "run with UPDATE=1 and read the difference");
}
