//! How fast bodies pass.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context;

use super::download::{check, download};
use super::subject::Subject;
use crate::load::median;
use crate::plan::Plan;
use crate::process::{cpu_us, now};

/// One round of one subject, in MB a second.
#[derive(Clone, Copy, Debug)]
struct Measured {
    by_cpu: f64,
    by_wall: f64,
}

pub(super) async fn table(plan: &Plan, subjects: &[Subject]) -> anyhow::Result<String> {
    let mut text = String::from(
        "| body | variant | MB/s per core | × bare CPU (min–max) | MB/s |\n|---|---|---|---|---|\n",
    );
    for &megabytes in &plan.bodies {
        for subject in subjects {
            check(subject, megabytes)
                .await
                .with_context(|| subject.name)?;
        }
        let mut rounds: Vec<Vec<Measured>> = subjects.iter().map(|_| Vec::new()).collect();
        for _ in 0..plan.rounds {
            for (subject, measured) in subjects.iter().zip(&mut rounds) {
                measured.push(round(subject, megabytes, plan.seconds).await?);
            }
        }
        for (subject, own) in subjects.iter().zip(&rounds) {
            row(&mut text, (megabytes, subject.name), own, &rounds[0]);
        }
    }
    Ok(text)
}

/// Downloads again and again until the time is over, at least once.
async fn round(subject: &Subject, megabytes: u64, seconds: u64) -> anyhow::Result<Measured> {
    let (cpu, begun) = (cpu_us(subject.envoy_pid)?, now());
    let mut sent_megabytes = 0.0;
    while sent_megabytes == 0.0 || begun.elapsed() < Duration::from_secs(seconds) {
        download(subject, megabytes).await?;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let size = megabytes as f64;
        sent_megabytes += size;
    }
    let cpu_seconds = (cpu_us(subject.envoy_pid)? - cpu) / 1e6;
    Ok(Measured {
        by_cpu: sent_megabytes / cpu_seconds,
        by_wall: sent_megabytes / begun.elapsed().as_secs_f64(),
    })
}

fn row(text: &mut String, (megabytes, name): (u64, &str), own: &[Measured], bare: &[Measured]) {
    let mut ratios: Vec<f64> = bare
        .iter()
        .zip(own)
        .map(|(bare, own)| bare.by_cpu / own.by_cpu)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let _ = writeln!(
        text,
        "| {megabytes} MB | {name} | {:.0} | {:.1} ({:.1}–{:.1}) | {:.0} |",
        median(own.iter().map(|m| m.by_cpu)),
        median(ratios.iter().copied()),
        ratios.first().unwrap_or(&f64::NAN),
        ratios.last().unwrap_or(&f64::NAN),
        median(own.iter().map(|m| m.by_wall)),
    );
}
