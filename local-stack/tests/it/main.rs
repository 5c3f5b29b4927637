//! The supervisor alone: real processes and signals, stand-ins for the programs it starts.

mod harness;

use std::fs;

use harness::{Place, is_alive, wait_until};
use nix::sys::signal::Signal;

#[test]
fn a_stack_comes_up_says_where_and_goes_down() {
    let place = Place::new();
    let mut stack = place.start(&["--regions", "eu-1,us-1", "--envoys-per-region", "2"]);
    let file = stack.wait_for_file();
    assert!(file.user_token.expose().starts_with("u-"));
    let names: Vec<&str> = file
        .regions
        .iter()
        .map(|region| region.name.as_str())
        .collect();
    assert_eq!(names, ["eu-1", "us-1"]);
    for region in &file.regions {
        assert_eq!(region.envoys.len(), 2);
        assert_eq!(region.proxy_url, region.envoys[0].listener);
    }
    let pids = stack.child_pids();
    assert_eq!(pids.len(), 1 + 2 + 4);
    assert!(pids.iter().all(|pid| is_alive(*pid)));

    stack.signal(Signal::SIGTERM);
    assert!(stack.wait_for_end().0.success());
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    assert!(!place.stack_file().exists());
}

#[test]
fn a_second_run_keeps_ports_and_tokens() {
    let place = Place::new();
    let known = || {
        let mut stack = place.start(&[]);
        let file = stack.wait_for_file();
        stack.signal(Signal::SIGINT);
        stack.wait_for_end();
        (file.core_api, file.regions, file.user_token)
    };
    assert_eq!(known(), known());
}

#[test]
fn tokens_are_taken_out_of_the_file_that_core_api_wrote() {
    let place = Place::new();
    let run = || {
        let mut stack = place.start(&[]);
        let file = stack.wait_for_file();
        let tokens = place.kept_tokens();
        assert_eq!(tokens["userToken"], file.user_token.expose());
        assert!(!place.data().join("bootstrap.json").exists());
        for name in ["tokens.json", "stack.json"] {
            assert_eq!(place.mode_of(name), 0o600, "{name}");
        }
        stack.signal(Signal::SIGTERM);
        stack.wait_for_end();
        tokens
    };
    let first = run();
    let names: Vec<_> = first.as_object().unwrap().keys().collect();
    assert_eq!(names, ["clientId", "operatorToken", "userToken"]);
    assert_eq!(run(), first);

    // Whoever stopped before that, and a version that left the file.
    let given = r#"{"clientId":"c","userId":"u","userToken":"u-2","operatorToken":"o-2"}"#;
    fs::write(place.data().join("bootstrap.json"), given).unwrap();
    assert_eq!(run()["userToken"], "u-2");

    // A new store has new tokens.
    fs::remove_dir_all(place.data().join("core")).unwrap();
    let renewed = run();
    assert!(renewed["userToken"] != "u-2" && renewed["userToken"] != first["userToken"]);

    fs::remove_file(place.data().join("tokens.json")).unwrap();
    let (status, said) = place.start(&[]).wait_for_end();
    assert!(!status.success());
    assert!(said.contains("tokens.json` is gone"), "{said}");
}

#[test]
fn a_child_that_dies_is_started_again() {
    let place = Place::new();
    let mut stack = place.start(&[]);
    let first = stack.wait_for_file().pids;
    harness::kill(first.core_api);
    let second = stack.wait_for_pids(|pids| pids.core_api != first.core_api);
    assert!(is_alive(second.core_api));
    assert_eq!(second.regions, first.regions);
    assert_eq!(second.envoys, first.envoys);
}

#[test]
fn a_child_is_started_again_after_a_build_replaced_the_supervisor() {
    let place = Place::new();
    let mut stack = place.start(&[]);
    let first = stack.wait_for_file().pids;
    place.replace_supervisor();
    harness::kill(first.core_api);
    let second = stack.wait_for_pids(|pids| pids.core_api != first.core_api);
    assert!(is_alive(second.core_api));
}

#[test]
fn with_no_restart_a_child_stays_down_until_it_is_told() {
    let place = Place::new();
    let mut stack = place.start(&["--no-restart"]);
    let first = stack.wait_for_file().pids;
    for (pid, name) in [(first.envoys[0], "envoy-1"), (first.core_api, "core-api")] {
        harness::kill(pid);
        wait_until("the death is noticed", || {
            stack.said().contains(&format!("{name} ended"))
        });
    }
    assert!(!stack.said().contains("started again"));
    stack.signal(Signal::SIGHUP);
    let second =
        stack.wait_for_pids(|pids| pids.envoys != first.envoys && pids.core_api != first.core_api);
    assert_eq!(second.regions, first.regions);
}

#[test]
fn nothing_outlives_a_killed_supervisor() {
    let place = Place::new();
    let mut stack = place.start(&[]);
    stack.wait_for_file();
    let pids = stack.child_pids();
    stack.signal(Signal::SIGKILL);
    stack.wait_for_end();
    wait_until("every child is gone", || {
        !pids.iter().any(|pid| is_alive(*pid))
    });
}

#[test]
fn a_child_that_dies_at_its_start_is_named_with_the_end_of_its_log() {
    let place = Place::new();
    fs::create_dir_all(place.data().join("regions/local-1")).unwrap();
    fs::write(place.data().join("regions/local-1/fail"), "").unwrap();
    let (status, said) = place.start(&[]).wait_for_end();
    assert!(!status.success());
    assert!(
        said.contains("region.local-1 ended at its start (exit code 1)"),
        "{said}"
    );
    assert!(said.contains("the reason why it died"), "{said}");
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let place = Place::new();
    fs::remove_file(place.program("requestrocket-xds-server")).unwrap();
    let (status, said) = place.start(&[]).wait_for_end();
    assert!(!status.success());
    assert!(
        said.contains("requestrocket-xds-server`: cargo build makes it"),
        "{said}"
    );
}

#[test]
fn two_stacks_do_not_share_a_data_directory() {
    let place = Place::new();
    let mut first = place.start(&[]);
    first.wait_for_file();
    let (status, said) = place.start(&[]).wait_for_end();
    assert!(!status.success());
    assert!(said.contains("another stack runs"), "{said}");
    assert!(
        place.stack_file().exists(),
        "the running stack's file was touched"
    );
}
