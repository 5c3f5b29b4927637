//! What JSONPaths select in a call's body and claims: read once a call, looked up once a layer, and
//! only when a condition asks.

use std::cell::OnceCell;

use super::{call::Call, document::Document};
use crate::json::{
    find::{Node, find},
    path::JsonPath,
};

/// The paths that conditions of one layer look up; conditions hold places in these lists.
#[derive(Debug, Default)]
pub struct Paths {
    pub(crate) body: Box<[JsonPath]>,
    pub(crate) claims: Box<[JsonPath]>,
}

/// A call on which conditions of one layer are tried.
#[derive(Debug)]
pub struct Probe<'c, 'a> {
    call: &'c Call<'a>,
    paths: &'c Paths,
    body: OnceCell<Nodes<'c>>,
    claims: OnceCell<Nodes<'c>>,
}

/// The nodes of a document.
#[derive(Debug)]
pub(super) enum Nodes<'c> {
    /// In the order of the paths.
    Found(Vec<Node<'c>>),
    /// None that we could read; whether somebody else might, by path.
    Suspected(Box<[bool]>),
    Unreadable,
}

impl<'c, 'a> Probe<'c, 'a> {
    /// Nothing is looked up yet.
    pub fn new(call: &'c Call<'a>, paths: &'c Paths) -> Self {
        Self {
            call,
            paths,
            body: OnceCell::new(),
            claims: OnceCell::new(),
        }
    }

    pub(super) fn call(&self) -> &'c Call<'a> {
        self.call
    }

    /// None as long as the body is not there.
    pub(super) async fn body(&self) -> Option<&Nodes<'c>> {
        if let Some(nodes) = self.body.get() {
            return Some(nodes);
        }
        let nodes = match self.call.document().await? {
            Document::Text { text, claims_json } => {
                let found = self.call.find(&self.paths.body, text).await;
                match (found, claims_json) {
                    (Some(nodes), _) => Nodes::Found(nodes),
                    (None, true) => Nodes::Unreadable,
                    (None, false) => self.suspected(text.as_bytes()).await,
                }
            }
            Document::Loose(bytes) => self.suspected(bytes).await,
            Document::NoNodes => Nodes::NONE,
            Document::Unreadable => Nodes::Unreadable,
        };
        Some(self.body.get_or_init(|| nodes))
    }

    async fn suspected(&self, body: &[u8]) -> Nodes<'c> {
        Nodes::Suspected(self.call.suspected(&self.paths.body, body).await)
    }

    pub(super) fn claims(&self) -> &Nodes<'c> {
        self.claims.get_or_init(|| match self.call.claims() {
            Some(text) => Nodes::find(&self.paths.claims, text),
            // Who was not let in by a token has no claims.
            None => Nodes::NONE,
        })
    }
}

impl<'c> Nodes<'c> {
    const NONE: Self = Self::Found(Vec::new());

    fn find(paths: &[JsonPath], text: &'c str) -> Self {
        match find(paths, text.as_bytes()) {
            Ok(nodes) => Self::Found(nodes),
            Err(_) => Self::Unreadable,
        }
    }

    /// The nodes of one path; none when the document cannot be read.
    pub(super) fn at(&self, path: usize) -> Option<impl Iterator<Item = &Node<'c>>> {
        let nodes = match self {
            Self::Found(nodes) => {
                let start = nodes.partition_point(|node| node.path < path);
                nodes.get(start..).unwrap_or_default()
            }
            Self::Suspected(by_path) if by_path.get(path) == Some(&false) => &[],
            Self::Suspected(_) | Self::Unreadable => return None,
        };
        Some(nodes.iter().take_while(move |node| node.path == path))
    }
}
