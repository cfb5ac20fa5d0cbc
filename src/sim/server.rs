//! The simulator as a running thing: doors bound, connections accepted, stopped when asked.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::connection;
use super::counts::{Counts, RequestRecord};
use super::faults::FaultBook;
use super::models::Found;
use super::provider::{Door, Listener, Provider};
use super::proxy::ProxiedRequest;
use super::scenario::{ListenerSpec, OnConnect, Scenario};
use super::tls::{self, Authority, TlsError, TlsMode};

/// How to run a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Where the first door listens; port 0 takes a free one. Only loopback addresses are bound.
    pub listen: SocketAddr,
    /// How many times faster than real time the scenario passes. Finite and more than zero.
    pub speed: f64,
    /// What the only door of a scenario without `listeners` does about TLS.
    pub tls: TlsMode,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), speed: 1.0, tls: TlsMode::Off }
    }
}

/// Why a simulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The address would be reachable from other machines.
    #[error("bind {0}: the simulator only listens on loopback addresses")]
    NotLoopback(IpAddr),
    /// The speed is not a positive number.
    #[error("run at speed {0}: it must be a positive number")]
    Speed(f64),
    /// The address could not be bound.
    #[error("bind the listener `{name}` at {address}")]
    Bind {
        /// The listener's name.
        name: String,
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A running simulator. Dropping it stops it; [`Simulator::stop`] also waits until it has stopped.
#[derive(Debug)]
pub struct Simulator {
    provider: Arc<Provider>,
    doors: Vec<Door>,
    authority: Authority,
    stop: watch::Sender<bool>,
    acceptors: JoinSet<()>,
}

impl Simulator {
    /// Binds all doors of a scenario and serves them on the current tokio runtime.
    ///
    /// # Errors
    /// When an address is not a loopback one or cannot be bound, the speed is not positive, or a certificate cannot be
    /// made.
    pub async fn start(scenario: Scenario, options: Options) -> Result<Self, SimError> {
        if !tls::is_loopback(options.listen.ip()) {
            return Err(SimError::NotLoopback(options.listen.ip()));
        }
        if !options.speed.is_finite() || options.speed <= 0.0 {
            return Err(SimError::Speed(options.speed));
        }
        let clock = Clock::start(options.speed);
        let provider = Arc::new(Provider::new(scenario, clock));
        let authority = Authority::new("pilotlight sim authority", SystemTime::from(clock.timestamp()))?;
        let (stop, stopped) = watch::channel(false);
        let mut doors = Vec::new();
        let mut bound = Vec::new();
        for (index, spec) in specs(&provider.scenario, options.tls).iter().enumerate() {
            let asked = if index == 0 { options.listen.port() } else { 0 };
            let address = SocketAddr::new(options.listen.ip(), spec.port.unwrap_or(asked));
            let failed = |source| SimError::Bind { name: spec.name.clone(), address, source };
            let socket = TcpListener::bind(address).await.map_err(failed)?;
            let address = socket.local_addr().map_err(failed)?;
            let scheme = if spec.tls.is_encrypted() { "https" } else { "http" };
            let base_url = format!("{scheme}://{address}");
            doors.push(Door { name: spec.name.clone(), address, base_url, tls: spec.tls });
            bound.push((socket, Arc::new(listener(spec, &provider, &authority)?)));
        }
        // Set once, here: redirects between doors need every address.
        let _first = provider.doors.set(doors.clone());
        let mut acceptors = JoinSet::new();
        for (socket, listener) in bound {
            acceptors.spawn(accept(socket, listener, Arc::clone(&provider), stopped.clone()));
        }
        Ok(Self { provider, doors, authority, stop, acceptors })
    }

    /// The address of the first door.
    pub fn address(&self) -> SocketAddr {
        self.doors.first().map_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |door| door.address)
    }

    /// The root URL of the first door, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.doors.first().map_or("", |door| &door.base_url)
    }

    /// All doors, in the scenario's order.
    pub fn listeners(&self) -> &[Door] {
        &self.doors
    }

    /// The door of that name.
    pub fn listener(&self, name: &str) -> Option<&Door> {
        self.doors.iter().find(|door| door.name == name)
    }

    /// The certificate of the authority that signs the good certificates, in PEM.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// A certificate that the doors of `client-certificate` accept, with its private key, in PEM.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn client_pem(&self) -> Result<String, SimError> {
        Ok(self.authority.client_pem()?)
    }

    /// What the doors that are proxies were asked, oldest first.
    pub fn proxied(&self) -> Vec<ProxiedRequest> {
        self.provider.asked()
    }

    /// A snapshot of the counters.
    pub fn counts(&self) -> Counts {
        self.provider.counts()
    }

    /// The newest requests (at most 20,000), oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.provider.ledger.records()
    }

    /// The state of models and accounts, as `GET /_sim/state` answers it.
    pub fn state(&self) -> serde_json::Value {
        self.provider.state()
    }

    /// How many times faster than real time the scenario passes.
    pub fn speed(&self) -> f64 {
        self.provider.clock.speed()
    }

    /// Another user runs a model. Returns when that generation ends; `Some(true)` when the model was warm, `None` when
    /// the scenario has no such model.
    pub async fn use_model(&self, id: &str) -> Option<bool> {
        self.provider.use_model(id, None).await.map(|found| found == Found::Warm)
    }

    /// Unloads a model as an eviction would; one that is in use stays.
    pub fn unload(&self, id: &str) {
        if let Some(entry) = self.provider.models.find(id) {
            self.provider.models.evict(entry);
        }
    }

    /// Puts models, quotas, counters and faults back to the start.
    pub fn reset(&self) {
        self.provider.reset();
    }

    /// The provider's wall clock, for tests that compare stamps with it.
    #[cfg(test)]
    pub(crate) fn provider_timestamp(&self) -> jiff::Timestamp {
        self.provider.clock.timestamp()
    }

    /// The provider's clock, for tests that measure.
    #[cfg(test)]
    pub(crate) fn test_clock(&self) -> Clock {
        self.provider.clock
    }

    /// Stops: no new connections, and those that are open are dropped.
    pub async fn stop(mut self) {
        // Nobody listens any more only when every acceptor has already ended.
        let _none_left = self.stop.send(true);
        while self.acceptors.join_next().await.is_some() {}
    }
}

/// Runs a scenario until `until` is done: what `pilotlight sim` calls.
///
/// `ready` is called once, when all doors are open. Returns the final counts.
///
/// # Errors
/// As [`Simulator::start`].
pub async fn serve(
    scenario: Scenario,
    options: Options,
    ready: impl FnOnce(&Simulator),
    until: impl Future<Output = ()>,
) -> Result<Counts, SimError> {
    let simulator = Simulator::start(scenario, options).await?;
    ready(&simulator);
    until.await;
    let counts = simulator.counts();
    simulator.stop().await;
    Ok(counts)
}

/// The scenario's listeners, or the one that it has by default.
fn specs(scenario: &Scenario, tls: TlsMode) -> Vec<ListenerSpec> {
    if !scenario.listeners.is_empty() {
        return scenario.listeners.clone();
    }
    let on_connect = OnConnect::Serve;
    vec![ListenerSpec {
        name: "plain".to_owned(),
        tls,
        port: None,
        flavour: None,
        on_connect,
        proxy: None,
        faults: None,
    }]
}

fn listener(spec: &ListenerSpec, provider: &Provider, authority: &Authority) -> Result<Listener, SimError> {
    let own: Option<&Arc<FaultBook>> =
        provider.own_faults.iter().find(|(name, _)| *name == spec.name).map(|(_, book)| book);
    Ok(Listener {
        name: spec.name.clone(),
        flavour: spec.flavour.unwrap_or(provider.scenario.flavour),
        tls: spec.tls,
        acceptor: authority.acceptor(spec.tls)?,
        on_connect: spec.on_connect,
        proxy: spec.proxy.clone(),
        faults: Arc::clone(own.unwrap_or(&provider.faults)),
    })
}

/// Accepts connections at one door until the simulator stops.
async fn accept(
    socket: TcpListener,
    listener: Arc<Listener>,
    provider: Arc<Provider>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Also when the handle was dropped.
            _ = stopped.changed() => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    // The handshake happens in the task, so that a slow one holds up nobody.
                    connections.spawn(connection::serve(stream, Arc::clone(&listener), Arc::clone(&provider)));
                }
                // Out of file descriptors: give those that are open time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}
