//! What the supervisor says to the person who started it.

use std::fmt::Write;

use crate::stack_file::{Demo, StackFile};

/// One line while things happen.
pub(crate) fn progress(text: &str) {
    eprintln!("[stack] {text}");
}

/// The greeting once everything is ready: URLs, token, lines to paste.
pub(crate) fn greeting(stack: &StackFile) -> String {
    let mut text = String::from("\nRequestRocket is running. Ctrl-C stops it.\n\n");
    let StackFile {
        core_api,
        user_token,
        setup_token,
        client_id,
        regions,
        demo,
        logs,
        ..
    } = stack;
    let token = user_token.expose();
    for (name, value) in [
        ("Core API", core_api.as_str()),
        ("API docs", &format!("{core_api}/docs")),
        (
            "Dashboard",
            &format!("{core_api}/app/set-up#token={}", setup_token.expose()),
        ),
        ("User token", token),
        ("Client id", client_id),
        ("Logs", &logs.display().to_string()),
    ] {
        line(&mut text, name, value);
    }
    for region in regions {
        line(
            &mut text,
            &format!("Region {}", region.name),
            &region.proxy_url,
        );
    }
    if let Some(demo) = demo {
        greet_demo(&mut text, demo);
        paste(
            &mut text,
            "Where the configuration stands on each Envoy",
            &format!(
                "curl -s -H 'Authorization: {token}' '{core_api}/clients/{client_id}/proxies/{}/status'",
                demo.proxy_id
            ),
        );
    }
    paste(
        &mut text,
        "The organisation's proxies",
        &format!("curl -s -H 'Authorization: {token}' '{core_api}/clients/{client_id}/proxies'"),
    );
    text
}

fn greet_demo(text: &mut String, demo: &Demo) {
    line(text, "Demo proxy", &demo.proxy_url);
    line(text, "Demo target", &demo.target_url);
    let (key, url) = (demo.proxy_credential.expose(), &demo.proxy_url);
    paste(
        text,
        "A call through the demo proxy",
        &format!("curl -i -H 'Authorization: {key}' '{url}/anything/hello?a=1'"),
    );
    paste(
        text,
        "The same without the credential is denied",
        &format!("curl -i '{url}/anything/hello'"),
    );
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:<16} {value}");
}

fn paste(text: &mut String, what: &str, command: &str) {
    let _ = writeln!(text, "\n  # {what}\n  {command}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack_file::tests::sample;

    #[test]
    fn the_greeting_names_everything_a_newcomer_needs() {
        let mut stack = sample();
        let text = greeting(&stack);
        for wanted in [
            "http://127.0.0.1:1/docs",
            "u-x",
            "http://127.0.0.1:1/app/set-up#token=p-x",
            "/api/p/anything",
            "rr_local-1_x",
            "/status",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
        assert!(
            !text.contains("o-x"),
            "the operator's token is for stack.json only"
        );
        stack.demo = None;
        assert!(!greeting(&stack).contains("Demo"));
    }
}
