//! Who may write how much of a day into the log, which all organisations share.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use prost::Message as _;
use time::Date;

use super::call::Call;

/// Once the log is full, older days make room for what one organisation writes in a day up to a part
/// of `request_log_bytes`: of so many one.
const ORGANISATION_PARTS: u64 = 4;
/// And for what those write who call its proxies without a credential of theirs.
const STRANGERS_PARTS: u64 = 64;
/// What a record takes besides itself: its columns and its places in indexes. About.
const BESIDE_BYTES: u64 = 400;
/// So much of the disk is left to others, the region's store among them; of a small disk a part.
const FREE_BYTES: u64 = 1 << 30;
const FREE_PARTS: u64 = 20;

/// What was written of a day.
#[derive(Debug)]
pub(super) struct Room {
    bytes: u64,
    /// Bytes for whoever comes first.
    free: u64,
    day: Date,
    used: BTreeMap<Writer, u64>,
}

/// Whose share it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Writer {
    organisation_id: String,
    is_stranger: bool,
}

impl Room {
    /// In a log of so many bytes. What was written before this process began is nobody's.
    pub(super) fn new(bytes: u64, today: Date) -> Self {
        Self {
            bytes,
            free: 0,
            day: today,
            used: BTreeMap::new(),
        }
    }

    /// The log has so many bytes.
    pub(super) fn set_size(&mut self, size: u64, today: Date) {
        self.free = self.bytes.saturating_sub(size);
        if self.day != today {
            (self.day, self.used) = (today, BTreeMap::new());
        }
    }

    /// Takes those out that have no room today; they count as lost. Says how many.
    pub(super) fn sift(&mut self, calls: &mut Vec<Call>) -> usize {
        let all = calls.len();
        calls.retain(|call| self.has_room(call));
        all - calls.len()
    }

    fn has_room(&mut self, call: &Call) -> bool {
        let writer = Writer {
            organisation_id: call.record.organisation_id.clone(),
            is_stranger: call.record.credential_id.is_empty(),
        };
        let parts = if writer.is_stranger {
            STRANGERS_PARTS
        } else {
            ORGANISATION_PARTS
        };
        let size = u64::try_from(call.record.encoded_len()).unwrap_or(u64::MAX);
        let size = size.saturating_add(BESIDE_BYTES);
        let used = self.used.entry(writer).or_default();
        let after = used.saturating_add(size);
        let has_room = size <= self.free || after <= self.bytes / parts;
        if has_room {
            *used = after;
            self.free = self.free.saturating_sub(size);
        }
        has_room
    }
}

/// Whether the disk of that folder has room for more than is left to others.
pub(super) fn has_disk(folder: &Path) -> io::Result<bool> {
    let disk = rustix::fs::statvfs(folder)?;
    let (free, all) = (
        disk.f_bavail.saturating_mul(disk.f_frsize),
        disk.f_blocks.saturating_mul(disk.f_frsize),
    );
    Ok(leaves_enough(free, all))
}

/// With so many bytes free of so many.
fn leaves_enough(free: u64, all: u64) -> bool {
    free > FREE_BYTES.min(all / FREE_PARTS)
}

#[cfg(test)]
mod tests {
    use requestrocket_proto::record::v1::Record;
    use time::macros::date;

    use super::*;

    const TODAY: Date = date!(2026 - 11 - 29);

    fn call(organisation: &str, credential: &str) -> Call {
        Call {
            record: Record {
                organisation_id: organisation.to_owned(),
                credential_id: credential.to_owned(),
                path: "x".repeat(600),
                ..Record::default()
            },
            number: None,
        }
    }

    /// How many of a thousand have room.
    fn kept(room: &mut Room, organisation: &str, credential: &str) -> usize {
        let mut calls = vec![call(organisation, credential); 1_000];
        let taken = room.sift(&mut calls);
        assert_eq!(calls.len() + taken, 1_000);
        calls.len()
    }

    #[test]
    fn nobody_has_older_days_of_others_dropped_without_end() {
        let bytes = 1 << 20;
        let mut room = Room::new(bytes, TODAY);
        let (few, many) = (14..17, 240..260);
        // Strangers at one organisation's proxies; the organisation has its own room.
        assert!(few.contains(&kept(&mut room, "home", "")));
        assert_eq!(kept(&mut room, "home", ""), 0);
        assert!(many.contains(&kept(&mut room, "home", "key")));
        assert!(few.contains(&kept(&mut room, "other", "")));
        // What is free is anybody's.
        room.set_size(bytes / 2, TODAY);
        assert!((480..520).contains(&kept(&mut room, "home", "key")));
        assert_eq!(kept(&mut room, "home", "key"), 0);
        assert!(many.contains(&kept(&mut room, "other", "key")));
        // The next day begins anew.
        room.set_size(bytes, date!(2026 - 11 - 30));
        assert!(few.contains(&kept(&mut room, "home", "")));
    }

    #[test]
    fn some_of_the_disk_is_left_to_others() {
        let gib = 1 << 30;
        for (free, all, want) in [
            (2 * gib, 100 * gib, true),
            (gib, 100 * gib, false),
            (gib + 1, 100 * gib, true),
            (51 << 20, 1_000 << 20, true),
            (50 << 20, 1_000 << 20, false),
            (0, 0, false),
        ] {
            assert_eq!(leaves_enough(free, all), want, "{free} of {all}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(has_disk(folder.path()).is_ok());
        assert!(has_disk(&folder.path().join("none")).is_err());
    }
}
