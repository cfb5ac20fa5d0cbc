//! Shows how a provider is reached. A proxy's user and password have no way into it.

use std::path::Path;

use super::show::{quoted, scalar};
use super::table_of_networks::ENVIRONMENT;
use super::words::ADDRESSES;
use crate::target::{AddressFamily, Direct, NetworkSettings, Proxy, ProxySource};

/// The keys of the settings with their values as YAML, in order.
pub(super) fn network(settings: &NetworkSettings, directory: &Path) -> Vec<(&'static str, String)> {
    // Loading puts the folder before a relative path again.
    let file = |path: &Path| scalar(&path.strip_prefix(directory).unwrap_or(path).to_string_lossy());
    let mut keys = vec![(
        "proxy",
        match &settings.proxy {
            Proxy::Direct(Direct::Written) => "none".to_owned(),
            Proxy::Direct(Direct::NothingSet | Direct::Loopback | Direct::Exempt { .. }) => ENVIRONMENT.to_owned(),
            Proxy::Through(proxy) => match &proxy.source {
                ProxySource::ProbesFile => quoted(&proxy.address.to_string()),
                ProxySource::Named(variable) => format!("{{ env: {} }}", scalar(variable)),
                ProxySource::Environment(_) => ENVIRONMENT.to_owned(),
            },
        },
    )];
    if let Some(path) = &settings.ca_file {
        keys.push(("ca_file", file(path)));
    }
    if let Some(both) = &settings.client_certificate {
        let text = format!("{{ cert: {}, key: {} }}", file(&both.certificate), file(&both.key));
        keys.push(("client_certificate", text));
    }
    if settings.family != AddressFamily::Any {
        keys.push(("addresses", ADDRESSES.word_for(settings.family).to_owned()));
    }
    if let Some(address) = settings.address {
        keys.push(("address", quoted(&address.to_string())));
    }
    keys
}

/// What the environment made of `proxy`, for the comment behind it.
pub(super) fn proxy_in_effect(proxy: &Proxy) -> Option<String> {
    match proxy {
        Proxy::Direct(Direct::Exempt { variable, entry }) => Some(format!("none, by {entry:?} in {variable}")),
        Proxy::Direct(_) => None,
        Proxy::Through(proxy) => match &proxy.source {
            ProxySource::ProbesFile => None,
            ProxySource::Named(variable) | ProxySource::Environment(variable) => {
                Some(format!("{} by {variable}", proxy.address))
            }
        },
    }
}
