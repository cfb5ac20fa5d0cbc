//! A provider and its targets, with everything that a preset can say as plain data.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{
    BaseUrl, CapField, CredentialSource, Depth, Dialect, Expectation, KeyHeader, Kind, ModelId, NetworkSettings,
    ProviderId, ReasoningOff, Secret, TargetId, authority,
};

/// One account at one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in probes.yaml.
    pub id: ProviderId,
    /// The preset it was made from, `openai`, `anthropic` or `ollama` where it only names a dialect.
    pub preset: String,
    /// Whose error bodies and headers it speaks.
    pub family: Family,
    /// What people call it: "Synthetic". For sentences.
    pub title: String,
    /// The wire format.
    pub dialect: Dialect,
    /// What one would paste into the dialect's SDK.
    pub base_url: BaseUrl,
    /// Where the key comes from.
    pub key: CredentialSource,
    /// The header that carries it.
    pub key_header: KeyHeader,
    /// How its keys begin (`syn_`), where that is documented. A key that begins otherwise is only hinted at, never
    /// refused: providers change this without notice.
    pub key_prefix: Option<String>,
    /// Where a person makes a key, for the remedy.
    pub key_page: Option<String>,
    /// Where a person pays, for the remedy.
    pub billing_page: Option<String>,
    /// Where the provider reports its own incidents, for the remedy.
    pub status_page: Option<String>,
    /// Further request headers (name, value). Values are the user's and may be keys, so they cannot be printed.
    pub headers: Vec<(String, Secret)>,
    /// The free request that proves the key, where there is one.
    pub free_check: Option<FreeCheck>,
    /// The list of LLMs, where there is one.
    pub catalogue: Option<Catalogue>,
    /// A free endpoint that tells which LLMs are loaded, where there is one.
    pub state: Option<StateEndpoint>,
    /// The field that caps a chat completion's output.
    pub cap_field: CapField,
    /// How reasoning is switched off for a warm-up.
    pub reasoning_off: ReasoningOff,
    /// Whether LLMs of this provider unload when idle. Where they do not, warming buys nothing.
    pub unloads: bool,
    /// How many probes may run at once against this provider. At least 1. Probes at the same LLM never overlap.
    pub concurrency: usize,
    /// How it is reached.
    pub network: NetworkSettings,
    /// For how long Ollama is asked to keep the LLM loaded after a preload; the server's own default where absent.
    pub keep_alive: Option<KeepAlive>,
}

impl Provider {
    /// `host:port` of what is connected to: the proxy, the pinned address, or the host of the base URL.
    #[must_use]
    pub fn first_hop(&self) -> String {
        match (self.network.proxy.forward(), self.network.address) {
            (Some(proxy), _) => proxy.address.authority(),
            (None, Some(address)) => authority(&address.to_string(), self.base_url.port()),
            (None, None) => authority(&self.base_url.host(), self.base_url.port()),
        }
    }
}

/// For how long a server is asked to keep an LLM loaded after its last request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// For this time; a second at least.
    For(Duration),
    /// Until the server stops, or needs the room.
    Forever,
}

/// Whose error bodies, codes and headers a provider speaks. Only the classification of answers looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the name of a provider or server")]
pub enum Family {
    Synthetic,
    #[serde(rename = "openai")]
    OpenAi,
    Anthropic,
    Moonshot,
    Fireworks,
    Together,
    Groq,
    Zai,
    DeepSeek,
    OpenRouter,
    Mistral,
    Gemini,
    HuggingFace,
    Ollama,
    LlamaCpp,
    Vllm,
    LmStudio,
    LiteLlm,
    /// Any other compatible server.
    Generic,
}

/// A request that costs nothing and needs a valid key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeCheck {
    /// Path of the GET: relative to the base URL, or to its origin when it begins with a slash. Never another host.
    pub path: String,
    /// What a 2xx answer proves.
    pub proves: FreeCheckProves,
    /// What it is called in evidence: "the quota endpoint".
    pub name: String,
}

/// What a 2xx answer of a free check proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FreeCheckProves {
    /// The key is accepted: the endpoint refuses a wrong one.
    Key,
    /// Only that the server answers: it has no keys, or the endpoint is public.
    Reachable,
}

/// The list of LLMs that a provider offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Path of the GET, as in [`FreeCheck::path`].
    pub path: String,
    /// How the list is laid out.
    pub shape: CatalogueShape,
    /// Whether it also answers without a valid key; then it proves nothing about one.
    pub public: bool,
    /// Text before every id that a request does not need (`models/` at Gemini).
    pub id_prefix: Option<String>,
    /// Whether an LLM that is not listed can still be asked for (aliases, deployments, ids with a suffix). Then its
    /// absence is a note, and the warm-up decides.
    pub partial: bool,
}

/// How a list of LLMs is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatalogueShape {
    /// `{"data": [{"id": …}]}`, or the bare array that Together answers with. Both are accepted.
    Data,
    /// `{"models": [{"name": …}]}` (Ollama's `/api/tags`).
    OllamaTags,
}

/// A free endpoint that tells which LLMs are loaded now. Reading it neither loads one nor resets its idle timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateEndpoint {
    /// Ollama `GET /api/ps`.
    OllamaPs,
    /// llama.cpp in router mode: `GET /models` at the origin, `data[].status.value`.
    LlamaCppRouter,
    /// llama-swap: `GET /running`.
    LlamaSwap,
}

/// *What* is probed: an LLM at a provider, with its expectations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub id: TargetId,
    /// The provider it belongs to.
    pub provider: Arc<Provider>,
    /// The LLM.
    pub model: ModelId,
    /// What the LLM does.
    pub kind: Kind,
    /// How far a probe climbs when nothing else is asked for.
    pub depth: Depth,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Its deadlines.
    pub expect: Expectation,
    /// How many tokens a warm-up asks for: 16 unless said. Fewer are refused by some LLMs (OpenAI's Responses API has
    /// a floor of 16; a reasoning LLM answers 400 to 1).
    pub max_output_tokens: u32,
    /// The line of probes.yaml that names it, from 1.
    pub line: u32,
}
