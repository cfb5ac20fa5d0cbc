//! What a target's provider turned out to accept: learned from its refusals, remembered by `run/`.

use crate::target::{CapField, Target};

/// How the next warm-up of a target is worded. Repairs change it, one step each, and each step at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knobs {
    /// The field that caps the output.
    pub cap_field: CapField,
    /// The cap.
    pub cap: u32,
    /// Whether the provider's switch for reasoning is sent.
    pub reasoning_switch: bool,
    /// Whether `stream_options` is sent, which asks for the usage at the end of a stream.
    pub stream_options: bool,
}

impl Knobs {
    /// What the configuration says, before anything was learned.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        Self {
            cap_field: target.provider.cap_field,
            cap: target.max_output_tokens,
            reasoning_switch: true,
            // Mistral validates its requests strictly and reports the usage without being asked.
            stream_options: target.provider.family != crate::target::Family::Mistral,
        }
    }
}
