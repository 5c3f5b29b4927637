//! The order in which a stack comes up: core-api, demo target, then region by region its server and
//! its Envoys, then the demo proxy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::client::Client;
use crate::core_api::{self, CoreApi};
use crate::demo;
use crate::envoy::{self, Planned};
use crate::files::DataDir;
use crate::keeper::{Keeper, Restart};
use crate::options::{Options, RegionName};
use crate::own;
use crate::ports::{PortBook, Reservation};
use crate::region::{self, Surroundings};
use crate::regions_database;
use crate::report::progress;
use crate::stack_file::{Demo, Pids, Region, StackFile};
use crate::tokens;

const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A stack on its way up; what it has started so far is in the keeper.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    options: &'a Options,
    data: &'a DataDir,
    programs: Programs,
    ports: PortBook,
    keeper: Keeper,
    reservations: Vec<Reservation>,
}

/// Everything that is not ours to make.
#[derive(Debug)]
struct Programs {
    core_api: PathBuf,
    xds_server: PathBuf,
    envoy: PathBuf,
    filter: PathBuf,
}

impl Programs {
    fn find(options: &Options) -> anyhow::Result<Self> {
        let own = own::executable()?;
        let mut builds = own
            .parent()
            .context("own executable has no folder")?
            .to_path_buf();
        let target = builds.parent().map(Path::to_path_buf).unwrap_or_default();
        if options.release {
            builds = target.join("release");
        }
        let given = options.filter_wasm.clone();
        let programs = Self {
            core_api: builds.join("requestrocket-core-api"),
            xds_server: builds.join("requestrocket-xds-server"),
            envoy: envoy::find_program(options)?,
            filter: given.unwrap_or_else(|| target.join("filter/requestrocket_filter.wasm")),
        };
        for (path, remedy) in [
            (&programs.core_api, "cargo build"),
            (&programs.xds_server, "cargo build"),
            (&programs.envoy, "scripts/setup run"),
            (&programs.filter, "make wasm"),
        ] {
            anyhow::ensure!(path.is_file(), "no `{}`: {remedy} makes it", path.display());
        }
        Ok(Self {
            filter: programs.filter.canonicalize()?,
            ..programs
        })
    }
}

impl<'a> Starting<'a> {
    pub(crate) fn new(options: &'a Options, data: &'a DataDir) -> anyhow::Result<Self> {
        let restart = if options.no_restart {
            Restart::WhenTold
        } else {
            Restart::AtOnce
        };
        Ok(Self {
            options,
            data,
            programs: Programs::find(options)?,
            ports: PortBook::open(options.ports, data.file("ports.json"))?,
            keeper: Keeper::new(restart),
            reservations: Vec::new(),
        })
    }

    /// What must live as long as the stack.
    pub(crate) fn into_parts(self) -> (Keeper, Vec<Reservation>) {
        (self.keeper, self.reservations)
    }

    /// Starts everything; the process ids of the answer are still to be filled in.
    pub(crate) async fn everything(&mut self) -> anyhow::Result<StackFile> {
        if let Some(url) = &self.options.database_url {
            regions_database::prepare(url, &self.options.regions).await?;
        }
        let core = self.core_api().await?;
        let tokens = tokens::kept(self.data)?;
        let client = Client::new(core.rest_url.clone(), tokens.clone())?;
        if let Some(plan) = self.options.plan {
            client.set_plan(plan.as_str()).await?;
        }
        let target = if self.options.no_demo {
            None
        } else {
            Some(self.demo_target().await?)
        };
        let mut regions = Vec::new();
        for name in &self.options.regions {
            regions.push(self.region(&core, name).await?);
        }
        wait_for_fleet(&client, &regions).await?;
        let demo = match (target, self.options.regions.first(), regions.first()) {
            (Some(target), Some(name), Some(region)) => {
                Some(self.demo(&client, name, &region.proxy_url, &target).await?)
            }
            _ => None,
        };
        // Last, as it is good for a quarter of an hour only.
        let setup_token = core.setup_token().await?;
        Ok(StackFile {
            core_api: core.rest_url,
            user_token: tokens.user_token,
            operator_token: tokens.operator_token,
            setup_token,
            client_id: tokens.client_id,
            regions,
            demo,
            pids: Pids::default(),
            logs: self.data.file("logs"),
        })
    }

    async fn core_api(&mut self) -> anyhow::Result<CoreApi> {
        progress("starting core-api");
        let program = self.programs.core_api.clone();
        let (core, recipe, child) =
            core_api::start(self.options, program, self.data, &mut self.ports).await?;
        self.keeper.keep(recipe, child);
        Ok(core)
    }

    async fn demo_target(&mut self) -> anyhow::Result<String> {
        progress("starting the demo target");
        let (url, recipe, child) = demo::start_target(self.data, &mut self.ports).await?;
        self.keeper.keep(recipe, child);
        Ok(url)
    }

    async fn region(&mut self, core: &CoreApi, name: &RegionName) -> anyhow::Result<Region> {
        let planned = envoy::plan(name, self.options.envoys_per_region, &mut self.ports)?;
        let proxy_url = planned
            .first()
            .map(Planned::listener_url)
            .context("no Envoy is planned")?;
        progress(&format!("starting region {name}"));
        let around = Surroundings {
            options: self.options,
            data: self.data,
            core,
            program: &self.programs.xds_server,
            filter: &self.programs.filter,
        };
        let (region, recipe, child) =
            region::start(name, &proxy_url, &around, &mut self.ports).await?;
        self.keeper.keep(recipe, child);
        let envoys = self.envoys(&region, planned).await?;
        Ok(Region {
            name: name.to_string(),
            proxy_url,
            server_url: region.server_url,
            envoys,
        })
    }

    async fn envoys(
        &mut self,
        region: &region::Region,
        planned: Vec<Planned>,
    ) -> anyhow::Result<Vec<crate::stack_file::Envoy>> {
        let mut started = Vec::new();
        for planned in planned {
            progress(&format!("starting Envoy {}", planned.node));
            let program = &self.programs.envoy;
            started.push(envoy::start(self.options, program, region, self.data, planned).await?);
        }
        let mut envoys = Vec::new();
        for mut started in started {
            envoys.push(started.ready(&mut self.ports).await?);
            let (recipe, child, reservations) = started.into_parts();
            self.keeper.keep(recipe, child);
            self.reservations.extend(reservations);
        }
        Ok(envoys)
    }

    async fn demo(
        &self,
        client: &Client,
        region: &RegionName,
        proxy_url: &str,
        target: &str,
    ) -> anyhow::Result<Demo> {
        progress("making the demo proxy");
        let demo = demo::ensure(client, self.data, region, proxy_url, target).await?;
        demo::wait_for_success(&demo, &self.data.file("logs")).await?;
        Ok(demo)
    }
}

/// Waits until core-api sees every region with all its Envoys.
async fn wait_for_fleet(client: &Client, regions: &[Region]) -> anyhow::Result<()> {
    progress("waiting for the regions to report their Envoys");
    let complete = async {
        loop {
            let seen = client.regions().await?;
            let whole = |region: &Region| {
                seen.iter().any(|state| {
                    state.region_name == region.name
                        && state.region_connected
                        && state.envoys >= region.envoys.len()
                })
            };
            if regions.iter().all(whole) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, complete)
        .await
        .with_context(|| {
            format!(
                "core-api did not see every Envoy within {} s",
                PATIENCE.as_secs()
            )
        })?
}
