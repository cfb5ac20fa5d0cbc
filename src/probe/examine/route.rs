//! Where a provider's connection goes, as its settings say: the host to resolve, and whom TLS trusts.
//!
//! The one file of this folder that knows the provider's network settings.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::outcome::Route;
use crate::target::Provider;

/// The way to a provider.
pub(super) struct Way<'a> {
    pub provider: &'a Provider,
    /// The host to resolve.
    pub host: String,
    pub port: u16,
    /// An address in place of a name.
    pub literal: Option<IpAddr>,
    /// The address that the configuration says to use.
    pub pinned: Option<IpAddr>,
    pub ca_file: Option<&'a Path>,
    /// The proxy, without a password.
    pub proxy: Option<String>,
    proxy_says: Option<String>,
    direct_says: Option<String>,
}

impl<'a> Way<'a> {
    /// The way that probes of this provider take.
    pub(super) fn of(provider: &'a Provider) -> Self {
        Self {
            provider,
            host: provider.base_url.host(),
            port: provider.base_url.port(),
            literal: provider.base_url.address(),
            pinned: None,
            ca_file: provider.ca_file.as_deref(),
            proxy: None,
            proxy_says: None,
            direct_says: None,
        }
    }

    /// Our own certificate and its key.
    pub(super) fn client_certificate(&self) -> Option<(PathBuf, PathBuf)> {
        None
    }

    /// The same as a fact.
    pub(super) fn seen(&self) -> Route {
        Route {
            host: self.host.clone(),
            port: self.port,
            proxy: self.proxy_says.clone(),
            direct: self.direct_says.clone(),
        }
    }
}
