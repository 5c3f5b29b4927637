//! A provider where people sign in, oidc-provider, and the browsers that they do so with.

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::Child;

use crate::external::{curl, serving_node};

/// Pages that a browser sees before it is where it was to go.
const MAX_PAGES: usize = 20;

/// Its client is `gateway`; whoever logs in as NAME is NAME@example.com.
#[derive(Debug)]
pub struct SignInProvider {
    pub url: String,
    _process: Child,
}

/// A browser of somebody: what it keeps are cookies.
#[derive(Debug)]
pub struct Browser {
    jar: TempDir,
}

/// What a browser got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub status: u16,
    pub text: String,
    /// Where it was sent on to, or empty.
    pub redirect: String,
}

impl SignInProvider {
    /// One that sends browsers back to these addresses alone.
    pub async fn start(redirect_uris: &[String]) -> Result<Self> {
        let (process, port) = serving_node("sso.mjs", redirect_uris).await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            _process: process,
        })
    }

    /// Has somebody be in this group from now on; empty: in none.
    pub async fn put_into(&self, name: &str, group: &str) -> Result<()> {
        self.post(&format!("groups?{name}={group}")).await
    }

    /// Has another key from now on, and no other.
    pub async fn roll(&self) -> Result<()> {
        self.post("roll").await
    }

    async fn post(&self, what: &str) -> Result<()> {
        let url = format!("{}/{what}", self.url);
        curl(&["--request", "POST", &url]).await?.success()?;
        Ok(())
    }
}

impl Browser {
    /// One that was nowhere yet.
    pub fn new() -> Result<Self> {
        Ok(Self {
            jar: tempfile::tempdir()?,
        })
    }

    /// One request, with these arguments of curl.
    pub async fn ask(&self, arguments: &[&str]) -> Result<Seen> {
        let jar = self.jar.path().join("cookies");
        let jar = jar.to_string_lossy();
        let mut all = vec!["--cookie", &jar, "--cookie-jar", &jar];
        all.extend(["--write-out", "\n%{http_code} %{redirect_url}"]);
        all.extend(arguments);
        let seen = curl(&all).await?.success()?;
        let (text, end) = seen.rsplit_once('\n').context("no line")?;
        let (status, redirect) = end.split_once(' ').context("no status")?;
        Ok(Seen {
            status: status.parse()?,
            text: text.to_owned(),
            redirect: redirect.to_owned(),
        })
    }

    /// Goes to an address, logs in as `name` wherever that is asked for, and stops where it would be
    /// sent to an address that begins with `end`.
    pub async fn go(&self, address: &str, name: &str, end: &str) -> Result<String> {
        let mut next = vec![address.to_owned()];
        for _ in 0..MAX_PAGES {
            let arguments: Vec<&str> = next.iter().map(String::as_str).collect();
            let seen = self.ask(&arguments).await?;
            ensure!(seen.status < 400, "{next:?}: {} {}", seen.status, seen.text);
            if seen.redirect.starts_with(end) {
                return Ok(seen.redirect);
            }
            next = if seen.redirect.is_empty() {
                form(&seen.text, name)?
            } else {
                vec![seen.redirect]
            };
        }
        bail!("never sent to {end}")
    }
}

/// How a form is filled in and sent: arguments of curl.
fn form(page: &str, name: &str) -> Result<Vec<String>> {
    let action = page.split_once("action=\"");
    let action = action.with_context(|| format!("no form: {page}"))?.1;
    let (action, _) = action.split_once('"').context("no form")?;
    let login = format!("login={name}");
    let fields: &[&str] = if page.contains("name=\"login\"") {
        &["prompt=login", &login, "password=x"]
    } else {
        &["prompt=consent"]
    };
    let data = fields.iter().flat_map(|field| ["--data", *field]);
    Ok(data.chain([action]).map(str::to_owned).collect())
}
