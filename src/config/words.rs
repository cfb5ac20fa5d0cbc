//! The words that values are chosen from, each with what it stands for.

use super::keys::{Choice, Choices};
use crate::target::{
    AddressFamily, CapField, CatalogueShape, Depth, Dialect, Family, FreeCheckProves, Kind, ReasoningOff, StateEndpoint,
};
use crate::warmth::Keep;

/// A row of a table of words.
const fn choice<T>(word: &'static str, value: T, doc: &'static str) -> Choice<T> {
    Choice { word, doc, value }
}

pub(super) static DIALECTS: Choices<Dialect> = Choices(&[
    choice("openai", Dialect::OpenAi, "chat completions and embeddings, as most providers speak"),
    choice("anthropic", Dialect::Anthropic, "Anthropic messages"),
    choice("ollama", Dialect::Ollama, "Ollama's own API, which preloads without generating"),
]);

pub(super) static DEPTHS: Choices<Depth> = Choices(&[
    choice("connect", Depth::Connect, "name, connection and TLS; no HTTP request"),
    choice("auth", Depth::Auth, "the key and the list of models; free"),
    choice("warm", Depth::Warm, "a generated token; costs a request"),
]);

pub(super) static KEEPS: Choices<Keep> = Choices(&[
    choice("while-used", Keep::WhileUsed, "it is given up after about 50 warm-ups without a use, until there is one"),
    choice("always", Keep::Always, "it is kept warm whether anybody uses it or not"),
]);

pub(super) static KINDS: Choices<Kind> = Choices(&[
    choice("chat", Kind::Chat, "generates text"),
    choice("embedding", Kind::Embedding, "turns text into vectors; warmed through `/embeddings`"),
]);

pub(super) static CAP_FIELDS: Choices<CapField> = Choices(&[
    choice("max_tokens", CapField::MaxTokens, "what every compatible server knows"),
    choice("max_completion_tokens", CapField::MaxCompletionTokens, "what OpenAI's newer models want"),
]);

pub(super) static REASONING: Choices<ReasoningOff> = Choices(&[
    choice("not-sent", ReasoningOff::NotSent, "nothing is sent"),
    choice(
        "effort-none-if-listed",
        ReasoningOff::EffortNoneIfListed,
        "`reasoning_effort: none`, where the catalogue lists it for the model",
    ),
    choice("effort-none", ReasoningOff::EffortNone, "`reasoning_effort: none`"),
    choice("effort-minimal", ReasoningOff::EffortMinimal, "`reasoning_effort: minimal`"),
    choice("thinking-disabled", ReasoningOff::ThinkingDisabled, "`thinking: {type: disabled}`"),
    choice("reasoning-disabled", ReasoningOff::ReasoningDisabled, "`reasoning: {enabled: false}`"),
    choice("think-false", ReasoningOff::ThinkFalse, "`think: false` (Ollama)"),
]);

pub(super) static PROVES: Choices<FreeCheckProves> = Choices(&[
    choice("key", FreeCheckProves::Key, "the key is accepted: the endpoint refuses a wrong one"),
    choice("reachable", FreeCheckProves::Reachable, "only that the server answers"),
]);

pub(super) static SHAPES: Choices<CatalogueShape> = Choices(&[
    choice("data", CatalogueShape::Data, "`{\"data\": [{\"id\": …}]}`, or the bare list"),
    choice("ollama-tags", CatalogueShape::OllamaTags, "`{\"models\": [{\"name\": …}]}`"),
]);

pub(super) static STATES: Choices<StateEndpoint> = Choices(&[
    choice("ollama-ps", StateEndpoint::OllamaPs, "Ollama's `/api/ps`"),
    choice("llama-cpp-router", StateEndpoint::LlamaCppRouter, "llama.cpp's router: `/models`"),
    choice("llama-swap", StateEndpoint::LlamaSwap, "llama-swap's `/running`"),
]);

pub(super) static FAMILIES: Choices<Family> = Choices(&[
    choice("synthetic", Family::Synthetic, "Synthetic"),
    choice("openai", Family::OpenAi, "OpenAI"),
    choice("anthropic", Family::Anthropic, "Anthropic"),
    choice("moonshot", Family::Moonshot, "Moonshot"),
    choice("fireworks", Family::Fireworks, "Fireworks"),
    choice("together", Family::Together, "Together"),
    choice("groq", Family::Groq, "Groq"),
    choice("zai", Family::Zai, "Z.AI"),
    choice("deepseek", Family::DeepSeek, "DeepSeek"),
    choice("openrouter", Family::OpenRouter, "OpenRouter"),
    choice("mistral", Family::Mistral, "Mistral"),
    choice("gemini", Family::Gemini, "Gemini"),
    choice("huggingface", Family::HuggingFace, "Hugging Face"),
    choice("ollama", Family::Ollama, "Ollama"),
    choice("llamacpp", Family::LlamaCpp, "llama.cpp and llama-swap"),
    choice("vllm", Family::Vllm, "vLLM"),
    choice("lmstudio", Family::LmStudio, "LM Studio"),
    choice("litellm", Family::LiteLlm, "LiteLLM"),
    choice("generic", Family::Generic, "any other"),
]);

pub(super) static ADDRESSES: Choices<AddressFamily> = Choices(&[
    choice("any", AddressFamily::Any, "all, in the resolver's order"),
    choice("prefer-v4", AddressFamily::PreferV4, "IPv4 first"),
    choice("prefer-v6", AddressFamily::PreferV6, "IPv6 first"),
    choice("v4", AddressFamily::V4, "IPv4 only"),
    choice("v6", AddressFamily::V6, "IPv6 only"),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_log() {
        for depth in Depth::ALL {
            assert_eq!(DEPTHS.word_for(depth), depth.name());
        }
        for dialect in Dialect::ALL {
            assert_eq!(DIALECTS.word_for(dialect), dialect.name());
        }
        for reasoning in ReasoningOff::ALL {
            assert_eq!(REASONING.word_for(reasoning), reasoning.name());
        }
        for field in [CapField::MaxTokens, CapField::MaxCompletionTokens] {
            assert_eq!(CAP_FIELDS.word_for(field), field.name());
        }
        for kind in [Kind::Chat, Kind::Embedding] {
            assert_eq!(KINDS.word_for(kind), kind.name());
        }
    }
}
