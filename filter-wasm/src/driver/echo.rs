//! What passes of a response is searched for what was put on its request.

use requestrocket_policy::{
    denial::Denial,
    effort::Turn,
    exchange::{BodyUse, Exchange, PartSearched, ResponseEdit},
};

use super::{Call, Chunk, Flow, Progress, Shared, response::apply};
use crate::host::{Host, HostFailure, ResponsePart};

impl Call {
    /// A part of a body that nobody changes otherwise. The chunk is all that Envoy holds of it here.
    pub(super) fn pass(&mut self, host: &impl Host, shared: &Shared, chunk: Chunk) -> Flow {
        let Progress::Answering(exchange, state) = &mut self.progress else {
            return Flow::Continue;
        };
        if state.is_searched {
            let searched = search(exchange, (host, shared), chunk);
            state.is_searched = exchange.searches_body();
            match searched {
                // It stays in Envoy's buffer, and comes again with the next part.
                Ok(PartSearched::Held) => return Flow::AwaitBody,
                Ok(PartSearched::Clean) => state.is_head_held = false,
                Ok(PartSearched::Masked(edits)) => {
                    state.is_head_held = false;
                    if edits.iter().any(|edit| apply(host, edit).is_err()) {
                        return Self::cut(host);
                    }
                }
                Ok(PartSearched::Cut) if state.is_head_held => {
                    return self.refuse(host, &Denial::ResponseTooLarge.into());
                }
                Err(HostFailure) if state.is_head_held => {
                    return self.refuse(host, &Denial::GatewayFault.into());
                }
                Ok(PartSearched::Cut) | Err(HostFailure) => return Self::cut(host),
            }
        }
        if chunk.is_end && state.body == BodyUse::Unused {
            self.progress = Progress::Done;
        }
        Flow::Continue
    }

    /// What was held back of the body passes with the trailers.
    pub(super) fn pass_trailers(
        &mut self,
        host: &impl Host,
        shared: &Shared,
    ) -> Result<(), HostFailure> {
        let Progress::Answering(exchange, _) = &mut self.progress else {
            return Ok(());
        };
        if exchange.body_search().is_none() {
            return Ok(());
        }
        let rest = Chunk {
            size: exchange.searched_and_held(),
            is_end: true,
        };
        if rest.size > 0 {
            match search(exchange, (host, shared), rest)? {
                PartSearched::Clean => {}
                PartSearched::Masked(edits) => {
                    edits.iter().try_for_each(|edit| apply(host, edit))?;
                }
                PartSearched::Held | PartSearched::Cut => return Err(HostFailure),
            }
        }
        search_trailers(exchange, host)
    }
}

/// Puts what was made of a part in its place.
fn search(
    exchange: &mut Exchange,
    (host, shared): (&impl Host, &Shared),
    chunk: Chunk,
) -> Result<PartSearched, HostFailure> {
    let organisation = exchange.organisation().ok_or(HostFailure)?;
    let mut part = host.response_chunk(chunk.size)?;
    let search = |turn: &mut Turn| exchange.search_part((&mut part, chunk.is_end), turn);
    let searched = shared.turns.at_once(organisation, host, search);
    if matches!(searched, PartSearched::Masked(_)) {
        host.replace_response_chunk(&part)?;
    }
    Ok(searched)
}

fn search_trailers(exchange: &Exchange, host: &impl Host) -> Result<(), HostFailure> {
    let trailers = host.response_lines(ResponsePart::Trailers)?;
    let edits = exchange.search_trailers(&trailers.lines()?);
    edits
        .map_err(|_| HostFailure)?
        .iter()
        .try_for_each(|edit| match edit {
            ResponseEdit::PutLines(name, lines) => {
                host.put_response_lines(ResponsePart::Trailers, name, lines)
            }
            ResponseEdit::SetHeader(..) | ResponseEdit::RemoveHeader(_) => Err(HostFailure),
        })
}
