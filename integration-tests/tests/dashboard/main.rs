//! The dashboard that core-api has in it, in a real Chromium, with nothing but the real API behind it.
//!
//! A binary of its own: a browser beside all the other tests of a machine is too slow to tell what it
//! waits for from what does not come.

#[cfg(test)]
mod tests {
    use anyhow::{Result, ensure};
    use requestrocket_integration_tests::browser::use_dashboard;
    use requestrocket_integration_tests::external::curl;
    use requestrocket_integration_tests::stack::Stack;
    use requestrocket_integration_tests::target::Target;
    use serde_json::json;

    #[tokio::test]
    async fn from_the_set_up_link_to_the_first_call_and_on() -> Result<()> {
        let (stack, target) = (Stack::start(&[]).await?, Target::start().await?);
        let core = &stack.file.core_api;
        let page = curl(&["--include", "--compressed", &format!("{core}/app/")]).await?;
        let page = page.success()?;
        ensure!(
            page.starts_with("HTTP/1.1 200"),
            "core-api is built without the dashboard: run `make it`; {page}"
        );
        let given = json!({
            "link": format!("{core}/app/set-up#token={}", stack.file.setup_token),
            "target": target.url(),
        });
        let seen = use_dashboard(&given).await?;
        ensure!(seen["violations"] == json!([]), "of the policy: {seen}");
        ensure!(seen["errors"] == json!([]), "in the console: {seen}");
        // The line that the page shows reached the target with what the target is given.
        let call = target.last()?;
        let given = call.head.all("authorization");
        ensure!(given == ["Bearer t-secret-of-the-target"], "{given:?}");
        Ok(())
    }
}
