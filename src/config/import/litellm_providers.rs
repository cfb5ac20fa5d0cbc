//! What LiteLLM's providers are here: the first part of `model`, before its slash.
//!
//! The base URLs and the variables are those of litellm 1.106.2, `litellm_core_utils/get_llm_provider_logic.py` and the
//! `get_openai_compatible_provider_info` of each provider.

/// A provider of LiteLLM.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Its name there.
    pub(super) name: &'static str,
    /// What it is here.
    pub(super) home: Home,
    /// Where LiteLLM takes the key from when none is written, the first that is set.
    pub(super) keys: &'static [&'static str],
}

/// Where a provider is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// At the preset's base URL, unless `api_base` says another.
    Preset(&'static str),
    /// An OpenAI-compatible API at this base URL.
    Url(&'static str),
    /// An OpenAI-compatible API at `api_base`, which has to be there.
    Yours,
}

const fn known(name: &'static str, home: Home, keys: &'static [&'static str]) -> Known {
    Known { name, home, keys }
}

/// The providers that can be mapped.
pub(super) static KNOWN: [Known; 33] = [
    known("openai", Home::Preset("openai"), &["OPENAI_API_KEY"]),
    known("anthropic", Home::Preset("anthropic"), &["ANTHROPIC_API_KEY"]),
    known("gemini", Home::Preset("gemini"), &["GEMINI_API_KEY", "GOOGLE_API_KEY"]),
    known("synthetic", Home::Preset("synthetic"), &["SYNTHETIC_API_KEY"]),
    known("moonshot", Home::Preset("moonshot"), &["MOONSHOT_API_KEY"]),
    known(
        "fireworks_ai",
        Home::Preset("fireworks"),
        &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
    ),
    known(
        "together_ai",
        Home::Preset("together"),
        &["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"],
    ),
    known("groq", Home::Preset("groq"), &["GROQ_API_KEY"]),
    known("zai", Home::Preset("zai"), &["ZAI_API_KEY"]),
    known("deepseek", Home::Preset("deepseek"), &["DEEPSEEK_API_KEY"]),
    known("openrouter", Home::Preset("openrouter"), &["OPENROUTER_API_KEY", "OR_API_KEY"]),
    known("mistral", Home::Preset("mistral"), &["MISTRAL_API_KEY"]),
    known("huggingface", Home::Preset("huggingface"), &["HF_TOKEN", "HUGGINGFACE_API_KEY"]),
    known("ollama", Home::Preset("ollama"), &["OLLAMA_API_KEY"]),
    known("ollama_chat", Home::Preset("ollama"), &["OLLAMA_API_KEY"]),
    known("hosted_vllm", Home::Yours, &["HOSTED_VLLM_API_KEY"]),
    known("lm_studio", Home::Yours, &["LM_STUDIO_API_KEY"]),
    known("llamafile", Home::Yours, &["LLAMAFILE_API_KEY"]),
    known("litellm_proxy", Home::Yours, &["LITELLM_PROXY_API_KEY"]),
    known("openai_like", Home::Yours, &["OPENAI_LIKE_API_KEY"]),
    known("custom_openai", Home::Yours, &["OPENAI_API_KEY"]),
    known("xai", Home::Url("https://api.x.ai/v1"), &["XAI_API_KEY"]),
    known("cerebras", Home::Url("https://api.cerebras.ai/v1"), &["CEREBRAS_API_KEY"]),
    known("sambanova", Home::Url("https://api.sambanova.ai/v1"), &["SAMBANOVA_API_KEY"]),
    known("nvidia_nim", Home::Url("https://integrate.api.nvidia.com/v1"), &["NVIDIA_NIM_API_KEY"]),
    known("perplexity", Home::Url("https://api.perplexity.ai"), &["PERPLEXITYAI_API_KEY"]),
    known("deepinfra", Home::Url("https://api.deepinfra.com/v1/openai"), &["DEEPINFRA_API_KEY"]),
    known("nebius", Home::Url("https://api.studio.nebius.ai/v1"), &["NEBIUS_API_KEY"]),
    known("novita", Home::Url("https://api.novita.ai/v3/openai"), &["NOVITA_API_KEY"]),
    known("baseten", Home::Url("https://inference.baseten.co/v1"), &["BASETEN_API_KEY"]),
    known("volcengine", Home::Url("https://ark.cn-beijing.volces.com/api/v3"), &["VOLCENGINE_API_KEY"]),
    known("codestral", Home::Url("https://codestral.mistral.ai/v1"), &["CODESTRAL_API_KEY"]),
    known("wandb", Home::Url("https://api.inference.wandb.ai/v1"), &["WANDB_API_KEY"]),
];

/// The provider of that name.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Why a provider cannot be mapped, and what to do.
pub(super) fn why_not(name: &str) -> String {
    let through = "it can be probed through the proxy: --through URL";
    match name {
        "bedrock" | "bedrock_converse" | "sagemaker" | "sagemaker_chat" => {
            format!("`{name}` signs each request with AWS keys, which pilotlight does not; {through}")
        }
        "vertex_ai" | "vertex_ai_beta" => {
            format!("`{name}` wants tokens made from a Google account, which pilotlight does not make; {through}")
        }
        "azure" | "azure_text" | "azure_ai" => format!(
            "`{name}` takes its key and version its own way; write a provider by hand (`dialect: openai`, \
             `base_url: https://RESOURCE.openai.azure.com/openai/v1`, `key_header: api-key`, and the deployment as \
             `model`), or {through}"
        ),
        "text-completion-openai" | "text-completion-codestral" => {
            format!("`{name}` is the old completions API, which pilotlight does not speak; {through}")
        }
        _ => format!(
            "pilotlight does not know LiteLLM's provider {}; where its API is OpenAI's, write a provider by hand with \
             `dialect: openai` and its `base_url`, or {through}",
            crate::config::mask::quote(name)
        ),
    }
}

/// The provider that LiteLLM takes for a bare model id, for the families that leave no doubt.
pub(super) fn inferred(model: &str) -> Option<&'static str> {
    let begins = |words: &[&str]| words.iter().any(|word| model.starts_with(word));
    if begins(&["gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "ft:gpt-"]) {
        Some("openai")
    } else if begins(&["claude-"]) {
        Some("anthropic")
    } else if begins(&["gemini-"]) {
        Some("vertex_ai")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::presets;
    use crate::target::BaseUrl;

    #[test]
    fn each_leads_to_a_preset_or_to_a_url() {
        for known in &KNOWN {
            match known.home {
                Home::Preset(preset) => assert!(presets::names().any(|name| name == preset), "{preset}"),
                Home::Url(url) => assert!(BaseUrl::parse(url).is_ok(), "{url}"),
                Home::Yours => {}
            }
            assert!(!known.keys.is_empty(), "{}", known.name);
        }
    }
}
