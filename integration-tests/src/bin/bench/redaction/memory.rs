//! What a body takes of memory on its way.

use std::fmt::Write as _;
use std::time::Duration;

use super::document;
use super::download::check;
use super::subject::Subject;
use crate::process::{forget_peak, peak_kib, rss_kib};
use crate::raw;

/// Long enough for a body to pile up where it can.
const STALL: Duration = Duration::from_secs(2);

/// A row a subject, bodies in the given order; the last one is also asked for without reading.
pub(super) async fn table(sizes: &[u64], subjects: &[Subject]) -> anyhow::Result<String> {
    let mut text = String::from("| variant | before, MiB |");
    for megabytes in sizes {
        let _ = write!(text, " {megabytes} MB: peak, MiB |");
    }
    let _ = writeln!(text, " caller does not read: peak, MiB |");
    let _ = writeln!(text, "{}", "|---".repeat(sizes.len() + 3) + "|");
    for subject in subjects {
        let _ = write!(text, "| {} |", subject.name);
        let _ = write!(text, " {:.0} |", mebibytes(rss_kib(subject.envoy_pid)?));
        for &megabytes in sizes {
            let _ = write!(text, " {} |", peak(subject, megabytes).await?);
        }
        if let Some(&last) = sizes.last() {
            let _ = writeln!(text, " {:.0} |", stalled(subject, last)?);
        }
    }
    Ok(text)
}

/// What does not come through is a result too.
async fn peak(subject: &Subject, megabytes: u64) -> anyhow::Result<String> {
    forget_peak(subject.envoy_pid)?;
    let failure = check(subject, megabytes).await.err();
    Ok(match (peak_kib(subject.envoy_pid), failure) {
        (Ok(peak), None) => format!("{:.0}", mebibytes(peak)),
        (Ok(peak), Some(error)) => format!("{:.0}, fails: {error:#}", mebibytes(peak)),
        (Err(_), _) => "Envoy ended".to_owned(),
    })
}

fn stalled(subject: &Subject, megabytes: u64) -> anyhow::Result<f64> {
    forget_peak(subject.envoy_pid)?;
    let url = subject.url.clone() + &document::path(megabytes);
    let _unread = raw::ask(&url, &subject.authorization)?;
    std::thread::sleep(STALL);
    Ok(mebibytes(peak_kib(subject.envoy_pid)?))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
