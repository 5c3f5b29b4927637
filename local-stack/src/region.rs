//! Starts one region's xds-server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use tokio::process::Child;

use crate::child::Recipe;
use crate::core_api::CoreApi;
use crate::files::DataDir;
use crate::options::{Options, RegionName};
use crate::ports::PortBook;
use crate::regions_database::schema_of;
use crate::server::{Listener, Server, ask, port_of};

const ENROLMENT_TOKEN: &str = "REQUESTROCKET_XDS_SERVER_ENROLMENT_TOKEN";
/// There once the region server was enrolled.
const IDENTITY: &str = "pki/identity.pem";

/// A region server that is ready.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) ads_port: u16,
    pub(crate) server_url: String,
    folder: PathBuf,
    program: PathBuf,
}

/// What a region server needs to know of its surroundings.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) options: &'a Options,
    pub(crate) data: &'a DataDir,
    pub(crate) core: &'a CoreApi,
    pub(crate) program: &'a Path,
    pub(crate) filter: &'a Path,
}

/// Starts it and waits until it serves Envoys.
pub(crate) async fn start(
    region: &RegionName,
    base_url: &str,
    around: &Surroundings<'_>,
    ports: &mut PortBook,
) -> anyhow::Result<(Region, Recipe, Child)> {
    let Surroundings { core, program, .. } = *around;
    let folder = around.data.folder(&format!("regions/{region}"))?;
    let mut server = server(region, base_url, around, &folder)?;
    if !folder.join(IDENTITY).exists() {
        server
            .environment
            .push((ENROLMENT_TOKEN, core.enrolment_token(region).await?));
    }
    let ready = server.start(ports).await?;
    let ads_port = port_of(&ready.address("adsAddress")?)?;
    let region = Region {
        ads_port,
        server_url: ready.address("httpUrl")?,
        folder,
        program: program.to_path_buf(),
    };
    Ok((region, ready.recipe, ready.child))
}

fn server(
    region: &RegionName,
    base_url: &str,
    around: &Surroundings<'_>,
    folder: &Path,
) -> anyhow::Result<Server> {
    let Surroundings {
        options,
        data,
        core,
        program,
        filter,
    } = *around;
    let database = options
        .database_url
        .as_ref()
        .map(|url| url.with_schema(&schema_of(region)));
    let target_ca = match &options.target_ca {
        Some(path) => Some(
            path.canonicalize()
                .with_context(|| format!("`{}`", path.display()))?,
        ),
        None => None,
    };
    let listener = |setting, ready, part: &str| {
        let name = format!("{region}/{part}");
        Listener {
            setting,
            ready,
            name,
        }
    };
    Ok(Server {
        name: format!("region.{region}"),
        program: program.to_path_buf(),
        folder: folder.to_path_buf(),
        logs: data.folder("logs")?,
        settings: vec![
            ("region", json!(region.as_str())),
            ("base_url", json!(base_url)),
            ("data_dir", json!(folder)),
            ("database_url", json!(database)),
            ("control_plane_url", json!(core.region_link_url)),
            ("control_plane_ca", json!(core.authority)),
            ("filter_wasm", json!(filter)),
            (
                "allow_private_targets",
                json!(options.allow_private_targets.texts()),
            ),
            ("target_ca", json!(target_ca)),
            ("envoy_otlp_url", json!(options.envoy_otlp_url)),
            ("otlp_sample", json!(options.otlp_sample)),
            ("log", json!(options.log)),
        ],
        listeners: vec![
            listener("ads_listen", "adsAddress", "ads"),
            listener("http_listen", "httpUrl", "http"),
        ],
        further: None,
        environment: Vec::new(),
    })
}

impl Region {
    /// The key ring, as the filter gets it.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("region.keys")
    }

    /// Makes the certificate that tells the region server which Envoy calls.
    pub(crate) async fn node_certificate(&self, node: &str, out: &Path) -> anyhow::Result<()> {
        let out = out
            .to_str()
            .context("the data directory's path is no UTF-8")?;
        let words = ["node-certificate", "--node-id", node, "--out", out];
        ask(&self.program, &self.folder, &words).await?;
        Ok(())
    }
}
