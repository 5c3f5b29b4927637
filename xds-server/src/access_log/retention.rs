//! Which days of the log go: whole ones, the oldest first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::{Date, Duration};

/// How much of the log is kept; whichever is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// `request_log_days`
    pub days: u16,
    /// `request_log_bytes`
    pub bytes: u64,
}

/// A day's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayFile {
    pub(super) day: Date,
    pub(super) path: PathBuf,
}

/// The file of a day.
pub(super) fn path(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("{day}.db"))
}

/// The days that there are, the oldest first.
pub(super) fn days(folder: &Path) -> io::Result<Vec<DayFile>> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_database = path.extension().is_some_and(|extension| extension == "db");
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let day = stem.and_then(|stem| Date::parse(stem, &format).ok());
        if let Some(day) = day.filter(|_| is_database) {
            days.push(DayFile { day, path });
        }
    }
    days.sort_by_key(|file| file.day);
    Ok(days)
}

/// Drops what is not to be kept. Today's stays. Says how many bytes are left.
pub(super) fn drop_old(folder: &Path, retention: Retention, today: Date) -> io::Result<u64> {
    let (mut bytes, mut kept): (u64, u64) = (0, 0);
    // From the newest on, so that what is too much is the oldest.
    for DayFile { day, path } in days(folder)?.into_iter().rev() {
        let size = size(&path);
        bytes = bytes.saturating_add(size);
        if is_dropped(retention, (day, today), bytes) {
            tracing::info!(%day, "a day of the log of calls is dropped");
            for file in files(&path) {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        } else {
            kept = kept.saturating_add(size);
        }
    }
    Ok(kept)
}

/// Whether a day goes that is, with those behind it, so many bytes. Today's never does.
pub(super) fn is_dropped(retention: Retention, (day, today): (Date, Date), bytes: u64) -> bool {
    let oldest = today.saturating_sub(Duration::days(i64::from(retention.days)));
    day < today && (day <= oldest || bytes > retention.bytes)
}

/// The database and what SQLite keeps beside it.
fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

fn size(path: &Path) -> u64 {
    let files = files(path).into_iter();
    files
        .filter_map(|file| fs::metadata(file).ok())
        .map(|metadata| metadata.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn kept(retention: Retention, days_before: &[(Date, usize)]) -> (u64, Vec<Date>) {
        let folder = tempfile::tempdir().unwrap();
        for (day, bytes) in days_before {
            fs::write(path(folder.path(), *day), vec![0; *bytes]).unwrap();
        }
        fs::write(folder.path().join("numbers.db"), [0; 100]).unwrap();
        let bytes = drop_old(folder.path(), retention, date!(2026 - 11 - 29)).unwrap();
        assert!(folder.path().join("numbers.db").exists());
        let days = days(folder.path()).unwrap();
        (bytes, days.into_iter().map(|file| file.day).collect())
    }

    #[test]
    fn whole_days_go_by_age_and_by_size() {
        let days = [
            (date!(2026 - 11 - 26), 10),
            (date!(2026 - 11 - 27), 10),
            (date!(2026 - 11 - 28), 10),
            (date!(2026 - 11 - 29), 10),
        ];
        for (days_kept, bytes, first) in [
            (90, 100, date!(2026 - 11 - 26)),
            (2, 100, date!(2026 - 11 - 28)),
            (90, 30, date!(2026 - 11 - 27)),
            (90, 29, date!(2026 - 11 - 28)),
            (1, 0, date!(2026 - 11 - 29)),
        ] {
            let retention = Retention {
                days: days_kept,
                bytes,
            };
            let (left, kept) = kept(retention, &days);
            assert_eq!(left, 10 * u64::try_from(kept.len()).unwrap());
            assert_eq!(kept.first(), Some(&first), "{days_kept} {bytes}");
            assert_eq!(kept.last(), Some(&date!(2026 - 11 - 29)));
        }
    }
}
