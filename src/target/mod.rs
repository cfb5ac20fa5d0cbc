//! What is probed: the nouns that everything else speaks of.
//!
//! A [`Provider`] is one account at one API; a [`Target`] is one LLM there, with what is expected of it. Nothing here
//! acts: values are made by `config/` and read by every other room.

mod credential;
mod dialect;
mod endpoint;
mod expectation;
mod id;
mod network;
mod provider;

pub use credential::{Credential, CredentialFault, CredentialSource, KeyHeader, Secret};
pub use dialect::{CapField, Depth, Dialect, Kind, ReasoningOff};
pub use endpoint::{BaseUrl, BaseUrlError};
pub use expectation::Expectation;
pub use id::{IdError, ModelId, NO_MODEL, ProviderId, TargetId};
pub use network::{
    AddressFamily, ClientCertificate, Direct, ForwardProxy, LARGEST_PEM, NetworkSettings, Proxy, ProxyAddress,
    ProxySource, ProxyUrlError, authority, parse_proxy,
};
pub use provider::{
    Catalogue, CatalogueShape, Family, FreeCheck, FreeCheckProves, KeepAlive, Provider, StateEndpoint, Target,
};
