//! How far the present state of one proxy came, node by node.

use requestrocket_proto::region::v1::NodeStatus;

use super::RegionState;

/// The word the API has for a proxy's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyStatus {
    /// A connected node is outstanding, or none is connected.
    Pending,
    /// Every connected node has it.
    Applied,
    /// A connected node refused it, or the region cannot use some of it.
    Rejected,
    /// Its target or target credential is gone.
    Incomplete,
    /// Switched off.
    Inactive,
}

/// What a proxy's records say of it, whatever the nodes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyCondition {
    /// It is to serve.
    Serving,
    /// Its target or target credential is gone.
    Incomplete,
    /// Switched off.
    Inactive,
}

/// What one node has of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Envoy's `node.id`.
    pub node_id: String,
    /// To its region, while the region is connected to us.
    pub is_connected: bool,
    /// Everything up to this revision is settled on the node.
    pub revision: u64,
    /// Of the proxy's desired revision.
    pub state: NodeState,
    /// When the node's state last changed; Unix time in milliseconds.
    pub changed_at_ms: u64,
    /// Envoy's error text, when the node refused the proxy; or what the region cannot use.
    pub rejection: Option<String>,
}

/// What a node did with the desired revision of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Took it.
    Acknowledged,
    /// Refused it and keeps the last good one, or got it without what the region cannot use.
    Rejected,
    /// Has not answered yet.
    Pending,
}

impl ProxyStatus {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Applied,
        Self::Rejected,
        Self::Incomplete,
        Self::Inactive,
    ];

    /// Its word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Incomplete => "incomplete",
            Self::Inactive => "inactive",
        }
    }
}

impl NodeState {
    /// Its word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
        }
    }
}

impl RegionState {
    /// What every present node has of the proxy whose newest change is `desired`.
    #[must_use]
    pub fn nodes_of_proxy(&self, proxy_id: &str, desired: u64, now_ms: u64) -> Vec<NodeView> {
        let view = |node: &NodeStatus| self.view(node, proxy_id, desired);
        self.present_nodes(now_ms).map(view).collect()
    }

    /// The word for the proxy whose newest change is `desired`.
    #[must_use]
    pub fn proxy_status(
        &self,
        condition: ProxyCondition,
        proxy_id: &str,
        desired: u64,
    ) -> ProxyStatus {
        match condition {
            ProxyCondition::Inactive => ProxyStatus::Inactive,
            ProxyCondition::Incomplete => ProxyStatus::Incomplete,
            ProxyCondition::Serving => self.serving_status(proxy_id, desired),
        }
    }

    fn serving_status(&self, proxy_id: &str, desired: u64) -> ProxyStatus {
        if self.connected_nodes() == 0 {
            return ProxyStatus::Pending;
        }
        let mut status = ProxyStatus::Applied;
        for node in self.nodes.iter().filter(|node| node.is_connected) {
            match self.state_of(node, proxy_id, desired).0 {
                NodeState::Rejected => return ProxyStatus::Rejected,
                NodeState::Pending => status = ProxyStatus::Pending,
                NodeState::Acknowledged => {}
            }
        }
        status
    }

    fn view(&self, node: &NodeStatus, proxy_id: &str, desired: u64) -> NodeView {
        let (state, rejection) = self.state_of(node, proxy_id, desired);
        NodeView {
            node_id: node.node_id.clone(),
            is_connected: self.is_connected() && node.is_connected,
            revision: node.settled_revision,
            state,
            changed_at_ms: node.changed_at_ms,
            rejection: rejection.map(str::to_owned),
        }
    }

    /// What the node did, and why. What the region cannot use no node has, whatever it took.
    fn state_of<'a>(
        &'a self,
        node: &'a NodeStatus,
        proxy_id: &str,
        desired: u64,
    ) -> (NodeState, Option<&'a str>) {
        let refused = node
            .rejections
            .iter()
            .find(|rejection| rejection.proxy_id == proxy_id && rejection.revision >= desired);
        match (refused, self.unusable.get(proxy_id)) {
            (Some(rejection), _) => (NodeState::Rejected, Some(&rejection.detail)),
            (None, _) if node.settled_revision < desired => (NodeState::Pending, None),
            (None, Some(unusable)) => (NodeState::Rejected, Some(&unusable.detail)),
            (None, None) => (NodeState::Acknowledged, None),
        }
    }
}
