//! Starts Envoys from the bootstrap template.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use requestrocket_process::file::write_private;
use tokio::process::Child;

use crate::child::{Recipe, Sign, until_ready};
use crate::files::{DataDir, remove};
use crate::options::{Options, RegionName};
use crate::ports::{PortBook, Reservation, loopback};
use crate::region::Region;
use crate::server::port_of;
use crate::stack_file;

const TEMPLATE: &str = include_str!("../../envoy/bootstrap.yaml");
const VERSION: &str = "1.40.0";
const PATIENCE: Duration = Duration::from_mins(1);

/// An Envoy that is to be: its name and the port callers will use.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) node: String,
    region: RegionName,
    reservation: Reservation,
    admin_port: u16,
    /// Where the region server brings asynchronous requests.
    deliveries: Reservation,
}

/// Plans the Envoys of a region, so that its base URL is known before anything runs.
pub(crate) fn plan(
    region: &RegionName,
    count: u16,
    ports: &mut PortBook,
) -> anyhow::Result<Vec<Planned>> {
    (1..=count)
        .map(|number| {
            let node = format!("{region}-envoy-{number}");
            let reservation = Reservation::take(ports.assign(&node)?)?;
            ports.learn(&node, reservation.port())?;
            let admin_port = ports.assign(&admin_listener(&node))?;
            let delivery_listener = format!("{node}/deliveries");
            let deliveries = Reservation::take(ports.assign(&delivery_listener)?)?;
            ports.learn(&delivery_listener, deliveries.port())?;
            Ok(Planned {
                node,
                region: region.clone(),
                reservation,
                admin_port,
                deliveries,
            })
        })
        .collect()
}

fn admin_listener(node: &str) -> String {
    format!("{node}/admin")
}

impl Planned {
    /// Base URL for callers.
    pub(crate) fn listener_url(&self) -> String {
        format!("http://{}", loopback(self.reservation.port()))
    }
}

/// The Envoy program: the given one, or the one that `scripts/setup` installed.
pub(crate) fn find_program(options: &Options) -> anyhow::Result<PathBuf> {
    if let Some(given) = &options.envoy_bin {
        return Ok(given.clone());
    }
    let cache = match (&options.cache_home, &options.home) {
        (Some(cache), _) if !cache.as_os_str().is_empty() => cache.clone(),
        (_, Some(home)) => home.join(".cache"),
        (_, None) => anyhow::bail!("neither XDG_CACHE_HOME nor HOME is set; give --envoy-bin"),
    };
    let found = cache.join(format!("requestrocket/envoy-{VERSION}/envoy"));
    anyhow::ensure!(
        found.is_file(),
        "no Envoy at `{}`: run scripts/setup run, or set ENVOY_BIN",
        found.display()
    );
    Ok(found)
}

/// An Envoy that runs but may not have its configuration yet.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) recipe: Recipe,
    pub(crate) child: Child,
    bootstrap: Bootstrap,
    admin_file: PathBuf,
    planned: Planned,
}

/// Starts it.
pub(crate) async fn start(
    options: &Options,
    program: &Path,
    region: &Region,
    data: &DataDir,
    planned: Planned,
) -> anyhow::Result<Started> {
    let folder = data.folder(&format!("envoys/{}", planned.node))?;
    region.node_certificate(&planned.node, &folder).await?;
    let bootstrap = Bootstrap {
        path: folder.join("bootstrap.yaml"),
        values: vec![
            ("node_id", planned.node.clone()),
            ("region", planned.region.to_string()),
            ("listener_address", loopback(0).ip().to_string()),
            ("listener_port", planned.reservation.port().to_string()),
            ("delivery_address", loopback(0).ip().to_string()),
            ("delivery_port", planned.deliveries.port().to_string()),
            ("admin_address", loopback(0).ip().to_string()),
            ("ads_address", loopback(0).ip().to_string()),
            ("ads_port", region.ads_port.to_string()),
            (
                "node_certificate",
                folder.join("node.pem").display().to_string(),
            ),
            ("node_key", folder.join("node.key").display().to_string()),
            ("region_ca", folder.join("ca.pem").display().to_string()),
        ],
    };
    bootstrap.write(planned.admin_port)?;
    let admin_file = folder.join("admin.address");
    // An old one would be taken for this run's.
    remove(&admin_file)?;
    let recipe = Recipe {
        name: planned.node.clone(),
        program: program.to_path_buf(),
        arguments: arguments(options, &bootstrap.path, &admin_file),
        environment: vec![("REQUESTROCKET_WORKERS", options.envoy_threads.to_string())],
        environment_files: vec![("REQUESTROCKET_REGION_KEYS", region.key_file())],
        logs: data.folder("logs")?,
        ready: Sign::Listener(loopback(planned.reservation.port())),
    };
    let child = recipe.spawn()?;
    Ok(Started {
        recipe,
        child,
        bootstrap,
        admin_file,
        planned,
    })
}

fn arguments(options: &Options, bootstrap: &Path, admin_file: &Path) -> Vec<OsString> {
    vec![
        "-c".into(),
        bootstrap.into(),
        // Envoys of one machine would share their hot restart's memory.
        "--use-dynamic-base-id".into(),
        // Of port 0 only Envoy knows what became of it.
        "--admin-address-path".into(),
        admin_file.into(),
        "--concurrency".into(),
        options.envoy_threads.to_string().into(),
        "--log-level".into(),
        "warn".into(),
        // It warns once for each address range of the SSRF guard, and writes whole resources that it
        // refuses, of which the region server logs the reason.
        "--component-log-level".into(),
        "misc:error,config:error".into(),
    ]
}

impl Started {
    /// Waits until callers can connect, and fixes the admin port for later starts.
    pub(crate) async fn ready(
        &mut self,
        ports: &mut PortBook,
    ) -> anyhow::Result<stack_file::Envoy> {
        until_ready(&self.recipe, &mut self.child, PATIENCE).await?;
        let address = std::fs::read_to_string(&self.admin_file);
        let admin = port_of(address.context("Envoy wrote no admin address")?.trim())?;
        ports.learn(&admin_listener(&self.planned.node), admin)?;
        self.bootstrap.write(admin)?;
        Ok(stack_file::Envoy {
            listener: self.planned.listener_url(),
            admin: format!("http://{}", loopback(admin)),
        })
    }

    /// What the keeper needs, and the reservations that must stay.
    pub(crate) fn into_parts(self) -> (Recipe, Child, [Reservation; 2]) {
        let Planned {
            reservation,
            deliveries,
            ..
        } = self.planned;
        (self.recipe, self.child, [reservation, deliveries])
    }
}

/// The template's values; the admin port is known only after the first start.
#[derive(Debug)]
struct Bootstrap {
    path: PathBuf,
    values: Vec<(&'static str, String)>,
}

impl Bootstrap {
    fn write(&self, admin_port: u16) -> anyhow::Result<()> {
        let mut values = self.values.clone();
        values.push(("admin_port", admin_port.to_string()));
        let text = render(TEMPLATE, &values)?;
        write_private(&self.path, text.as_bytes())
            .with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}

/// Puts values in the places of `{{name}}`.
fn render(template: &str, values: &[(&str, String)]) -> anyhow::Result<String> {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    if let Some((_, rest)) = text.split_once("{{") {
        let name = rest.split("}}").next().unwrap_or(rest);
        anyhow::bail!("the bootstrap template wants `{name}`, which nobody knows");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_its_value_and_an_unknown_one_is_an_error() {
        let values = [("a", "1".to_owned()), ("b", "2".to_owned())];
        assert_eq!(
            render("x: {{a}}\ny: {{b}}{{a}}", &values).unwrap(),
            "x: 1\ny: 21"
        );
        let problem = render("{{a}} {{other}}", &values).unwrap_err().to_string();
        assert!(problem.contains("`other`"), "{problem}");
    }

    #[test]
    fn the_planned_ports_are_reserved_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports.json");
        let open = || PortBook::open(crate::options::Ports::Auto, path.clone()).unwrap();
        let region: RegionName = "local-1".parse().unwrap();
        let first = plan(&region, 2, &mut open()).unwrap();
        let names: Vec<&str> = first.iter().map(|planned| planned.node.as_str()).collect();
        assert_eq!(names, ["local-1-envoy-1", "local-1-envoy-2"]);
        let urls: Vec<String> = first.iter().map(Planned::listener_url).collect();
        drop(first);
        let second = plan(&region, 2, &mut open()).unwrap();
        assert_eq!(
            second.iter().map(Planned::listener_url).collect::<Vec<_>>(),
            urls
        );
    }
}
