//! Where a provider's connection goes, as its settings say: the host to resolve, and whom TLS trusts.
//!
//! The one file of this folder that knows the provider's network settings, and what a failed dial means.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::outcome::{Code, ProxySeen, Route};
use crate::probe::dial::judge;
use crate::probe::transport::{DialFault, DialMarks};
use crate::target::{AddressFamily, Direct, Provider, Proxy};

/// The way to a provider.
pub(super) struct Way<'a> {
    pub provider: &'a Provider,
    /// The host to resolve: the proxy's, where there is one.
    pub host: String,
    pub port: u16,
    /// An address in place of a name.
    pub literal: Option<IpAddr>,
    /// The address that the configuration says to use.
    pub pinned: Option<IpAddr>,
    pub ca_file: Option<&'a Path>,
}

impl<'a> Way<'a> {
    /// The way that probes of this provider take.
    pub(super) fn of(provider: &'a Provider) -> Self {
        let (network, url) = (&provider.network, &provider.base_url);
        let ca_file = network.ca_file.as_deref();
        match network.proxy.forward() {
            Some(proxy) => {
                let (host, port) = (proxy.address.host.clone(), proxy.address.port);
                let literal = host.parse().ok();
                Self { provider, host, port, literal, pinned: None, ca_file }
            }
            None => {
                let (literal, pinned) = (url.address(), network.address);
                Self { provider, host: url.host(), port: url.port(), literal, pinned, ca_file }
            }
        }
    }

    /// Whether a proxy stands in between.
    pub(super) fn is_proxied(&self) -> bool {
        self.provider.network.proxy.forward().is_some()
    }

    /// The proxy, as a client of its own would be told of it.
    pub(super) fn proxy(&self) -> ProxySeen {
        match &self.provider.network.proxy {
            Proxy::Through(proxy) => ProxySeen::Through(proxy.address.to_string()),
            Proxy::Direct(Direct::Written | Direct::Loopback) => ProxySeen::Avoided,
            Proxy::Direct(Direct::NothingSet | Direct::Exempt { .. }) => ProxySeen::Nothing,
        }
    }

    /// Our own certificate and its key.
    pub(super) fn client_certificate(&self) -> Option<(PathBuf, PathBuf)> {
        let own = self.provider.network.client_certificate.as_ref()?;
        Some((own.certificate.clone(), own.key.clone()))
    }

    /// The one family of addresses that is used, where it is one.
    pub(super) fn only(&self) -> Option<&'static str> {
        match self.provider.network.family {
            AddressFamily::V4 => Some("v4"),
            AddressFamily::V6 => Some("v6"),
            AddressFamily::Any | AddressFamily::PreferV4 | AddressFamily::PreferV6 => None,
        }
    }

    /// Whether probes use addresses of this family.
    pub(super) fn uses(&self, family: &str) -> bool {
        self.only().is_none_or(|only| only == family)
    }

    /// The same as a fact.
    pub(super) fn seen(&self) -> Route {
        let network = &self.provider.network;
        let proxy = network.proxy.forward().map(|proxy| format!("{}, which {} names", proxy.address, proxy.source));
        let mut remarks = Vec::new();
        match &network.proxy {
            Proxy::Direct(Direct::Exempt { variable, entry }) => {
                remarks.push(format!("no proxy is used: {variable} has {entry}"));
            }
            Proxy::Direct(Direct::Written) => remarks.push("no proxy is used: probes.yaml says so".to_owned()),
            Proxy::Direct(Direct::NothingSet | Direct::Loopback) | Proxy::Through(_) => {}
        }
        if let Some(family) = self.only() {
            remarks.push(format!("probes use {family} alone, as probes.yaml says"));
        }
        Route { host: self.host.clone(), port: self.port, proxy, remarks }
    }

    /// What a failed dial means: its code, and the evidence.
    pub(super) fn judged(&self, fault: DialFault, marks: &DialMarks) -> (Code, String) {
        let (_, fault) = judge(fault, self.provider, marks);
        (fault.code, fault.evidence)
    }
}
