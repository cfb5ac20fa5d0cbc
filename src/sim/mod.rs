//! The simulated provider: a real HTTP server on loopback, the other side of the wire. It shares no code with the prober.
