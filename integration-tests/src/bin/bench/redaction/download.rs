//! A caller that reads a body as fast as it comes.

use super::document::{self, SECRET};
use super::subject::Subject;

/// What came of a body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Downloaded {
    pub(super) bytes: usize,
    has_secret: bool,
}

/// Reads a body to its end without keeping it.
pub(super) async fn download(subject: &Subject, megabytes: u64) -> anyhow::Result<Downloaded> {
    let url = subject.url.clone() + &document::path(megabytes);
    let mut answer = subject
        .http
        .get(url)
        .header("authorization", &subject.authorization)
        .send()
        .await?;
    let status = answer.status();
    anyhow::ensure!(status.is_success(), "{status}");
    let mut downloaded = Downloaded::default();
    while let Some(chunk) = answer.chunk().await? {
        // The first chunks say enough: searching all of them would take longer than Envoy does.
        if downloaded.bytes < 100_000 {
            downloaded.has_secret |= has(&chunk, SECRET);
        }
        downloaded.bytes += chunk.len();
    }
    Ok(downloaded)
}

/// Downloads once and makes sure that redaction took place, or did not.
pub(super) async fn check(subject: &Subject, megabytes: u64) -> anyhow::Result<()> {
    let downloaded = download(subject, megabytes).await?;
    anyhow::ensure!(
        downloaded.has_secret != subject.is_redacting && downloaded.bytes > 0,
        "{}: {downloaded:?}",
        subject.name
    );
    Ok(())
}

fn has(chunk: &[u8], text: &str) -> bool {
    chunk
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
