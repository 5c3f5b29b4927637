//! Where connected nodes take deliveries.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The doors of a region's nodes; clones are the same ones.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By node, with which stream says so.
    open: BTreeMap<Arc<str>, (u64, SocketAddr)>,
    last_stream: u64,
}

/// Keeps a door open; dropping it closes it, unless a newer stream of the node has opened it again.
#[derive(Debug)]
pub struct OpenDoor {
    doors: Doors,
    node: Arc<str>,
    stream: u64,
}

impl Doors {
    /// A node that is connected takes deliveries there.
    #[must_use]
    pub fn open(&self, node: &str, at: SocketAddr) -> OpenDoor {
        let node: Arc<str> = node.into();
        let mut state = self.state();
        state.last_stream += 1;
        let stream = state.last_stream;
        state.open.insert(Arc::clone(&node), (stream, at));
        drop(state);
        OpenDoor {
            doors: self.clone(),
            node,
            stream,
        }
    }

    /// Node and address of each.
    #[must_use]
    pub fn all(&self) -> Vec<(Arc<str>, SocketAddr)> {
        let state = self.state();
        let open = state.open.iter();
        open.map(|(node, (_, at))| (Arc::clone(node), *at))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole before its guard is dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenDoor {
    fn drop(&mut self) {
        let mut state = self.doors.state();
        let is_own = |(stream, _): &(u64, SocketAddr)| *stream == self.stream;
        if state.open.get(&self.node).is_some_and(is_own) {
            state.open.remove(&self.node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_open_as_long_as_the_newest_stream_of_its_node() {
        let (doors, at) = (Doors::default(), |port| {
            SocketAddr::from(([127, 0, 0, 1], port))
        });
        let shown = |doors: &Doors| {
            let all = doors.all().into_iter();
            all.map(|(node, at)| format!("{node}:{}", at.port()))
                .collect::<Vec<_>>()
        };
        let old = doors.open("a", at(1));
        let other = doors.open("b", at(2));
        let new = doors.open("a", at(3));
        drop(old);
        assert_eq!(shown(&doors), ["a:3", "b:2"]);
        drop(other);
        drop(new);
        assert_eq!(shown(&doors), [""; 0]);
    }
}
