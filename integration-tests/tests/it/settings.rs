//! A configuration file with a mistake ends the program with a text that names it.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::binaries;
use requestrocket_integration_tests::external::run;

const PROGRAMS: [&str; 2] = ["requestrocket-core-api", "requestrocket-xds-server"];

/// What each program needs at least.
fn good(program: &str, folder: &std::path::Path) -> String {
    let data_dir = folder.display();
    if program.ends_with("core-api") {
        return format!("data_dir = \"{data_dir}\"\n");
    }
    // The region's certificate authority must be readable before the first enrolment.
    let ca = folder.join("ca.pem");
    let pem = requestrocket_integration_tests::certificates::trusted().map_or("", |ca| ca.pem());
    // A file that cannot be written shows in the check of the good configuration.
    let _ = std::fs::write(&ca, pem);
    format!(
        "region = \"eu-1\"\nbase_url = \"http://127.0.0.1:1\"\ndata_dir = \"{data_dir}\"\ncontrol_plane_url = \"https://127.0.0.1:2\"\n\
         control_plane_ca = \"{}\"\nenrolment_token = \"token\"\nfilter_wasm = \"/filter.wasm\"\n",
        ca.display()
    )
}

/// Mistakes, each with the word that the error must name.
fn mistakes(right: &str) -> Vec<(String, &'static str)> {
    let with = |line: &str| format!("{right}{line}\n");
    vec![
        (with("data_dirr = \"x\""), "data_dirr"),
        (with("ready_fil = \"x\""), "ready_fil"),
        (
            right.replace("data_dir = ", "data_dir == "),
            "settings.toml",
        ),
        (with("log = 7"), "log"),
        (
            with("allow_private_targets = [\"not a range\"]"),
            "allow_private_targets",
        ),
        (with("database_url = \"mongodb://x\""), "database_url"),
    ]
}

#[tokio::test]
async fn check_config_accepts_what_is_right_and_names_what_is_wrong() -> Result<()> {
    for program in PROGRAMS {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("settings.toml");
        let path = binaries::path(program)?;
        let check = async |text: &str| {
            std::fs::write(&file, text)?;
            run(
                &path.to_string_lossy(),
                &["--config", &file.to_string_lossy(), "--check-config"],
            )
            .await
        };
        let right = good(program, folder.path());
        let outcome = check(&right).await?;
        ensure!(
            outcome.code == Some(0) && outcome.stdout.trim() == "ok",
            "{program}: {outcome:?}"
        );
        for (wrong, named) in mistakes(&right) {
            let outcome = check(&wrong).await?;
            let said = &outcome.stderr;
            ensure!(
                !matches!(outcome.code, Some(0) | None),
                "{program} accepted `{named}`: {outcome:?}"
            );
            ensure!(
                said.contains(named) && !said.contains("panicked"),
                "{program}, `{named}`: {said}"
            );
        }
        let missing = run(
            &path.to_string_lossy(),
            &["--config", "no-such-file.toml", "--check-config"],
        )
        .await?;
        ensure!(
            missing.code != Some(0) && missing.stderr.contains("no-such-file.toml"),
            "{program}: {missing:?}"
        );
    }
    Ok(())
}
