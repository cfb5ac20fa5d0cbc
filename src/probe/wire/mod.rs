//! Reading what comes from the wire, all of it untrusted: bounded, cleaned, never panicking. Every file here has a
//! fuzz target.
