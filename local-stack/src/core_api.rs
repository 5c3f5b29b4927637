//! Starts core-api and asks it for enrolment tokens.

use std::path::PathBuf;

use serde_json::json;
use tokio::process::Child;

use crate::child::Recipe;
use crate::files::DataDir;
use crate::options::{DatabaseUrl, Options, Plan, RegionName};
use crate::ports::PortBook;
use crate::server::{Listener, Server, ask};
use crate::stack_file::Shown;
use crate::tokens;

/// A core-api that is ready.
#[derive(Debug)]
pub(crate) struct CoreApi {
    pub(crate) rest_url: String,
    pub(crate) region_link_url: String,
    /// Certificate authority of the region link.
    pub(crate) authority: PathBuf,
    program: PathBuf,
    folder: PathBuf,
}

/// Starts it and waits until it is ready.
pub(crate) async fn start(
    options: &Options,
    program: PathBuf,
    data: &DataDir,
    ports: &mut PortBook,
) -> anyhow::Result<(CoreApi, Recipe, Child)> {
    let folder = data.folder("core")?;
    let listener = |setting, ready, name: &str| Listener {
        setting,
        ready,
        name: name.to_owned(),
    };
    let server = Server {
        name: "core-api".to_owned(),
        program: program.clone(),
        folder: folder.clone(),
        logs: data.folder("logs")?,
        settings: vec![
            ("data_dir", json!(folder)),
            (
                "database_url",
                json!(options.database_url.as_ref().map(DatabaseUrl::expose)),
            ),
            ("bootstrap_file", json!(data.file(tokens::GIVEN))),
            (
                "bootstrap_plan",
                json!(options.plan.unwrap_or(Plan::Business).as_str()),
            ),
            (
                "allow_private_targets",
                json!(options.allow_private_targets.texts()),
            ),
            ("log", json!(options.log)),
        ],
        listeners: vec![
            listener("listen", "restUrl", "core-api/rest"),
            listener("region_listen", "regionLinkUrl", "core-api/region-link"),
        ],
        further: options.core_api_settings.clone(),
        environment: Vec::new(),
    };
    tokens::take(data)?;
    let ready = server.start(ports).await?;
    tokens::take(data)?;
    let core = CoreApi {
        rest_url: ready.address("restUrl")?,
        region_link_url: ready.address("regionLinkUrl")?,
        authority: folder.join("pki/ca.pem"),
        program,
        folder,
    };
    Ok((core, ready.recipe, ready.child))
}

impl CoreApi {
    /// A one-time token for a region server's first contact.
    pub(crate) async fn enrolment_token(&self, region: &RegionName) -> anyhow::Result<String> {
        let words = ["region-token", "--region", region.as_str()];
        let token = ask(&self.program, &self.folder, &words).await?;
        anyhow::ensure!(!token.is_empty(), "core-api region-token printed nothing");
        Ok(token)
    }

    /// A token with which the owner chooses an address and a password for the browser.
    pub(crate) async fn setup_token(&self) -> anyhow::Result<Shown> {
        let token = ask(&self.program, &self.folder, &["setup-token"]).await?;
        anyhow::ensure!(!token.is_empty(), "core-api setup-token printed nothing");
        Ok(token.into())
    }
}
