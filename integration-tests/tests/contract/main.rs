//! The Core API's description: what it says of itself holds, and it is said well. Both are judged
//! by tools nobody here wrote; what is accepted although they object stands in the files of
//! `contract/`, each with its reason.
//!
//! One binary and one stack.

#[cfg(test)]
mod tools;

#[cfg(test)]
mod tests {
    use anyhow::{Context, Result};
    use requestrocket_integration_tests::external::{cache, curl};
    use requestrocket_integration_tests::gateway::Gateway;

    use crate::tools::{contract, tool};

    /// Spectral with its OWASP rules: no finding of any severity.
    #[tokio::test]
    async fn the_description_keeps_the_rules_of_its_trade() -> Result<()> {
        let gateway = Gateway::shared().await?;
        let address = format!("{}/openapi.json", gateway.file.core_api);
        let document = curl(&["--fail", &address]).await?.success()?;
        // A ruleset finds what it extends beside itself.
        let folder = tempfile::tempdir()?;
        let packages = cache()?.join("test-node/node_modules");
        std::os::unix::fs::symlink(&packages, folder.path().join("node_modules"))?;
        std::fs::copy(
            contract("spectral.yaml"),
            folder.path().join("spectral.yaml"),
        )?;
        std::fs::write(folder.path().join("openapi.json"), document)?;
        let mut spectral = tool(packages.join(".bin/spectral"));
        spectral.current_dir(folder.path()).args([
            "lint",
            "openapi.json",
            "--ruleset",
            "spectral.yaml",
            "--fail-severity",
            "hint",
        ]);
        crate::tools::succeeds(spectral).await
    }

    /// schemathesis: no server error, no answer that is not described, nothing accepted that the
    /// schemas refuse, and nothing refused that they allow.
    #[tokio::test]
    async fn the_api_does_what_its_description_says() -> Result<()> {
        let gateway = Gateway::shared().await?;
        let stack = Gateway::shared_stack().await?.data_dir().join("stack.json");
        let folder = tempfile::tempdir()?;
        let mut schemathesis = tool(cache()?.join("schemathesis/bin/schemathesis"));
        schemathesis
            .current_dir(folder.path())
            .env("PYTHONPATH", contract(""))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("CONTRACT_STACK", stack)
            .env("CONTRACT_URL", &gateway.file.core_api)
            .env("CONTRACT_TOKEN", &gateway.file.user_token)
            .arg("--config-file")
            .arg(contract("schemathesis.toml"))
            .arg("run")
            .arg(format!("{}/openapi.json", gateway.file.core_api));
        crate::tools::succeeds(schemathesis)
            .await
            .context("see integration-tests/contract/waivers.json for what is accepted")
    }
}
