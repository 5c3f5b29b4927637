//! The xDS server over the wire: real TLS, real gRPC, a small delta client.

#[cfg(test)]
mod counting;
#[cfg(test)]
mod delta_client;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod refusing;
#[cfg(test)]
mod region;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod telling;
