//! The gRPC face of the link: who called what; the work is in [`super::enrol`] and
//! [`super::attach`].

use std::sync::Arc;

use requestrocket_proto::region::v1::region_link_server::RegionLink as Calls;
use requestrocket_proto::region::v1::{ControlMessage, EnrolRequest, EnrolResponse, RegionMessage};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::RegionLink;
use super::attach::Session;
use super::enrol;
use super::gate::Peer;
use super::links::Links;

/// Shared by all calls.
#[derive(Clone, Debug)]
pub(super) struct LinkService {
    link: Arc<RegionLink>,
    links: Links,
}

impl LinkService {
    pub(super) fn new(link: RegionLink) -> Self {
        Self {
            link: Arc::new(link),
            links: Links::default(),
        }
    }
}

#[tonic::async_trait]
impl Calls for LinkService {
    type AttachStream = ReceiverStream<Result<ControlMessage, Status>>;

    async fn enrol(
        &self,
        request: Request<EnrolRequest>,
    ) -> Result<Response<EnrolResponse>, Status> {
        let RegionLink {
            db,
            authority,
            clock,
            ..
        } = &*self.link;
        enrol::enrol(db, authority, clock, &self.links, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn attach(
        &self,
        request: Request<Streaming<RegionMessage>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let peer = peer.ok_or_else(|| Status::unauthenticated("no region"))?;
        let session = Session::open(self.link.clone(), self.links.clone(), peer);
        session
            .start(request.into_inner())
            .await
            .map(|batches| Response::new(batches.into()))
    }
}
