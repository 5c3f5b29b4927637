//! Hostile callers, targets, admins and neighbours against a real stack, each beside innocent
//! traffic of another organisation. Afterwards the Envoy is the same process, no innocent call
//! failed, and no secret was where it does not belong. How long the innocent waited is printed
//! (`--nocapture`) and never asserted; `make adversary` plays the long form.
//!
//! One binary and one stack: the cases take turns.

#[cfg(test)]
mod apart;
#[cfg(test)]
mod attack;
#[cfg(test)]
mod colleagues;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod costly_requests;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod heavy;
#[cfg(test)]
mod held;
#[cfg(test)]
mod hostile_admin;
#[cfg(test)]
mod hostile_caller;
#[cfg(test)]
mod hostile_target;
#[cfg(test)]
mod innocent;
#[cfg(test)]
mod interleaving;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod neighbour;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod silent;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod windows;
#[cfg(test)]
mod witness;
