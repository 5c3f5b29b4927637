//! Nodes by id (pure).

use std::collections::BTreeMap;

use requestrocket_proto::region::v1::{NodeStatus, Rejection};
use tokio_util::sync::CancellationToken;

use crate::xds::stream::Standing;

/// A node that is gone for so long is left out.
const GONE_MS: u64 = 10 * 60 * 1000;

/// All nodes that are or were connected lately.
#[derive(Debug, Default)]
pub(super) struct Roll {
    nodes: BTreeMap<String, Node>,
    last_stream_id: u64,
}

#[derive(Debug)]
struct Node {
    /// None: not connected.
    stream: Option<LiveStream>,
    standing: Standing,
    changed_at_ms: u64,
}

#[derive(Debug)]
struct LiveStream {
    id: u64,
    replaced: CancellationToken,
}

impl Roll {
    /// A stream of the node began; returns its id. It starts with what is known of it: nothing.
    pub(super) fn join(&mut self, node_id: &str, now_ms: u64, replaced: CancellationToken) -> u64 {
        self.last_stream_id += 1;
        let id = self.last_stream_id;
        let node = Node {
            stream: Some(LiveStream { id, replaced }),
            standing: Standing::default(),
            changed_at_ms: now_ms,
        };
        let former = self.nodes.insert(node_id.to_owned(), node);
        // An Envoy that dials again may be here before the end of its broken connection is seen.
        if let Some(LiveStream { replaced, .. }) = former.and_then(|node| node.stream) {
            replaced.cancel();
        }
        id
    }

    /// The stream ended; what the node had reached stays, for it still runs with that.
    pub(super) fn leave(&mut self, node_id: &str, stream_id: u64, now_ms: u64) {
        // A former stream ends late: by then a newer one has the seat.
        if let Some(node) = self.of_stream(node_id, stream_id) {
            node.stream = None;
            node.changed_at_ms = now_ms;
        }
    }

    /// Takes in how far the node has come; returns whether that is news.
    pub(super) fn stand(
        &mut self,
        node_id: &str,
        stream_id: u64,
        standing: Standing,
        now_ms: u64,
    ) -> bool {
        let Some(node) = self.of_stream(node_id, stream_id) else {
            return false;
        };
        if node.standing == standing {
            return false;
        }
        if node.standing.settled_revision != standing.settled_revision {
            node.changed_at_ms = now_ms;
        }
        node.standing = standing;
        true
    }

    /// Forgets nodes that are gone for good.
    pub(super) fn expire(&mut self, now_ms: u64) {
        self.nodes.retain(|_, node| {
            node.stream.is_some() || now_ms.saturating_sub(node.changed_at_ms) < GONE_MS
        });
    }

    pub(super) fn connected(&self) -> usize {
        self.nodes
            .values()
            .filter(|node| node.stream.is_some())
            .count()
    }

    /// All nodes, sorted by id.
    pub(super) fn statuses(&self) -> Vec<NodeStatus> {
        self.nodes
            .iter()
            .map(|(node_id, node)| status(node_id, node))
            .collect()
    }

    fn of_stream(&mut self, node_id: &str, stream_id: u64) -> Option<&mut Node> {
        let node = self.nodes.get_mut(node_id)?;
        let is_its_own = node
            .stream
            .as_ref()
            .is_some_and(|stream| stream.id == stream_id);
        is_its_own.then_some(node)
    }
}

fn status(node_id: &str, node: &Node) -> NodeStatus {
    let Standing {
        revision,
        settled_revision,
        refusals,
    } = &node.standing;
    let rejections = refusals.iter().filter_map(|refusal| {
        Some(Rejection {
            proxy_id: refusal.proxy_id.as_deref()?.to_owned(),
            // It is the present state that is refused, whichever revision brought it.
            revision: *revision,
            brought_by: refusal.revision,
            detail: refusal.detail.clone(),
        })
    });
    NodeStatus {
        node_id: node_id.to_owned(),
        is_connected: node.stream.is_some(),
        settled_revision: *settled_revision,
        changed_at_ms: node.changed_at_ms,
        rejections: rejections.collect(),
    }
}
