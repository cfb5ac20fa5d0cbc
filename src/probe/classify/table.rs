//! What answers mean, as data. Each row says which answers it is about and which code they get; the first row that
//! fits decides. The facts behind the rows, with their sources, are in `answers.yaml`, which tests every one of them.

use crate::outcome::Code;
use crate::target::Family;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Whose answers; empty for everybody's.
    pub(super) families: &'static [Family],
    /// The status, from and to; `ANY` for all.
    pub(super) status: (u16, u16),
    /// A machine-readable word: the body's code, type, status or reason. Capitals do not matter.
    pub(super) word: Option<&'static str>,
    /// Words for people, in lower case, all of which the message must hold.
    pub(super) says: &'static [&'static str],
    /// A part of the name of the quota or parameter that the error is about.
    pub(super) about: Option<&'static str>,
    /// What it means. `RateLimited` becomes `WindowSpent` where the limit ends late.
    pub(super) code: Code,
    /// What the evidence must say beside the provider's words; mostly what cannot be told apart.
    pub(super) note: &'static str,
}

/// Every status.
pub(super) const ANY: (u16, u16) = (0, u16::MAX);

impl Rule {
    const fn code(code: Code) -> Self {
        Self { families: &[], status: ANY, word: None, says: &[], about: None, code, note: "" }
    }

    const fn of(self, families: &'static [Family]) -> Self {
        Self { families, ..self }
    }

    const fn at(self, status: u16) -> Self {
        self.between(status, status)
    }

    const fn between(self, from: u16, to: u16) -> Self {
        Self { status: (from, to), ..self }
    }

    const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    const fn about(self, about: &'static str) -> Self {
        Self { about: Some(about), ..self }
    }

    const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }
}

const fn typed(word: &'static str, code: Code) -> Rule {
    Rule { word: Some(word), ..Rule::code(code) }
}

const fn prose(says: &'static [&'static str], code: Code) -> Rule {
    Rule::code(code).says(says)
}

const fn zai(word: &'static str, code: Code) -> Rule {
    typed(word, code).of(&[Family::Zai])
}

const fn status(status: u16, code: Code) -> Rule {
    Rule::code(code).at(status)
}

/// Rows with a machine-readable word. Where one word has several meanings, the rows that look at the message too stand
/// before the one that does not; and codes stand before the types that they refine.
pub(super) const TYPED: &[Rule] = &[
    // Where we call from.
    typed("unsupported_country_region_territory", Code::RegionBlocked),
    typed("request_forbidden", Code::RegionBlocked).at(403),
    typed("FAILED_PRECONDITION", Code::RegionBlocked).says(&["location"]),
    typed("forbidden", Code::EdgeBlocked).at(403).says(&["request not allowed"]).note(EDGE),
    // The key.
    typed("PERMISSION_DENIED", Code::KeyRefused).says(&["leaked"]),
    typed("API_KEY_INVALID", Code::KeyRefused),
    typed("ip_not_authorized", Code::PermissionDenied).note("the key is good, but not from this address"),
    typed("invalid_api_key", Code::KeyRefused),
    typed("incorrect_api_key_error", Code::KeyRefused).note(MOONSHOT_REGION),
    typed("invalid_authentication_error", Code::KeyRefused).note(MOONSHOT_REGION),
    typed("authentication_error", Code::KeyRefused),
    typed("UNAUTHENTICATED", Code::KeyRefused),
    typed("expired_key", Code::KeyRefused),
    typed("token_not_found_in_db", Code::KeyRefused),
    typed("auth_error", Code::KeyRefused).at(401),
    // What LiteLLM's proxy says to any key but its master key, where it has no database of keys (litellm 1.106.2).
    typed("no_db_connection", Code::KeyRefused).of(&[Family::LiteLlm]).note(LITELLM_NO_KEYS),
    // Money. Kimi Code uses the words for missing permission and for a spent quota alike.
    typed("access_terminated_error", Code::BalanceSpent).says(&["usage limit", "billing cycle"]),
    typed("permission_error", Code::BalanceSpent).says(&["usage limit", "billing cycle"]),
    typed("access_terminated_error", Code::WindowSpent).says(&["usage limit"]),
    typed("permission_error", Code::WindowSpent).says(&["usage limit"]),
    typed("access_terminated_error", Code::PermissionDenied).says(&["coding agents"]).note(CODING_AGENTS),
    typed("permission_error", Code::PermissionDenied).says(&["coding agents"]).note(CODING_AGENTS),
    typed("RESOURCE_EXHAUSTED", Code::BalanceSpent).says(&["credits are depleted"]),
    typed("credit_balance_exhausted", Code::BalanceSpent),
    typed("organization_spend_limit_exceeded", Code::BalanceSpent),
    typed("project_spend_limit_exceeded", Code::BalanceSpent),
    typed("organization_usage_limit_exceeded", Code::BalanceSpent),
    typed("billing_hard_limit_reached", Code::BalanceSpent),
    typed("billing_not_active", Code::BalanceSpent),
    typed("insufficient_quota", Code::BalanceSpent),
    typed("insufficient_balance", Code::BalanceSpent),
    typed("enforced_spend_limit_reached", Code::BalanceSpent),
    typed("billing_error", Code::BalanceSpent),
    typed("exceeded_current_quota_error", Code::BalanceSpent),
    typed("budget_exceeded", Code::BalanceSpent),
    typed("BILLING_DISABLED", Code::BalanceSpent),
    typed("account_deactivated", Code::PlanEnded),
    // Permission.
    typed("permission_error", Code::PermissionDenied),
    typed("permission_denied_error", Code::PermissionDenied),
    typed("PERMISSION_DENIED", Code::PermissionDenied),
    typed("PermissionDenied", Code::PermissionDenied),
    typed("access_terminated_error", Code::PermissionDenied),
    typed("insufficient_permissions", Code::PermissionDenied),
    typed("missing_scope", Code::PermissionDenied),
    typed("key_model_access_denied", Code::PermissionDenied),
    typed("team_model_access_denied", Code::PermissionDenied),
    // Z.AI's numbers (docs.z.ai/api-reference/api-code); their HTTP status says less.
    zai("1113", Code::BalanceSpent).note("the coding plan says the same of a model outside the plan"),
    zai("1309", Code::PlanEnded),
    zai("1311", Code::PlanEnded).note("the plan does not include this model"),
    zai("1304", Code::WindowSpent),
    zai("1308", Code::WindowSpent),
    zai("1310", Code::WindowSpent),
    zai("1302", Code::RateLimited),
    zai("1303", Code::RateLimited),
    zai("1313", Code::RateLimited),
    zai("1305", Code::Overloaded),
    zai("1312", Code::Overloaded),
    zai("1211", Code::ModelNotFound),
    zai("1220", Code::PermissionDenied),
    zai("1221", Code::BaseUrlWrong),
    zai("1222", Code::BaseUrlWrong),
    zai("1230", Code::UpstreamFailed),
    zai("1234", Code::UpstreamFailed),
    zai("1110", Code::PlanEnded),
    zai("1112", Code::PlanEnded),
    zai("1121", Code::PlanEnded),
    zai("1111", Code::KeyRefused).note(ZAI_REGION),
    zai("1000", Code::KeyRefused).note(ZAI_REGION),
    zai("1001", Code::KeyRefused).note(ZAI_REGION),
    zai("1002", Code::KeyRefused).note(ZAI_REGION),
    zai("1003", Code::KeyRefused).note(ZAI_REGION),
    zai("1004", Code::KeyRefused).note(ZAI_REGION),
    // The LLM, and the path.
    typed("model_not_found", Code::ModelNotFound),
    typed("model_not_supported", Code::ModelNotFound),
    typed("unknown_model", Code::ModelNotFound),
    typed("invalid_model", Code::ModelNotFound),
    typed("DeploymentNotFound", Code::ModelNotFound),
    typed("resource_not_found_error", Code::ModelNotFound).note("a model that this key may not use is answered alike"),
    typed("unknown_url", Code::BaseUrlWrong),
    typed("url.not_found", Code::BaseUrlWrong),
    // Loading.
    typed("DEPLOYMENT_SCALING_UP", Code::Loading),
    typed("ModelNotReadyException", Code::Loading),
    typed("unavailable_error", Code::Loading).says(&["loading"]),
    // No capacity. `slow_down` comes with the type of a rate limit.
    typed("slow_down", Code::Overloaded),
    typed("server_is_overloaded", Code::Overloaded),
    typed("overloaded_error", Code::Overloaded),
    typed("engine_overloaded_error", Code::Overloaded),
    typed("capacity_exceeded", Code::Overloaded),
    typed("overloaded", Code::Overloaded),
    typed("UNAVAILABLE", Code::Overloaded),
    // LiteLLM answers 429 where every deployment is in its cool-down.
    typed("throttling_error", Code::Overloaded).says(&["no deployments available"]),
    // Limits that end by themselves.
    typed("RESOURCE_EXHAUSTED", Code::WindowSpent).about("PerDay").note(GEMINI_DAY),
    typed("RESOURCE_EXHAUSTED", Code::RateLimited),
    typed("rate_limit_exceeded", Code::WindowSpent).says(&["requests per day"]),
    typed("rate_limit_exceeded", Code::RateLimited),
    typed("rate_limit_error", Code::RateLimited),
    typed("rate_limit_reached_error", Code::RateLimited),
    typed("throttling_error", Code::RateLimited),
    typed("token_quota_exceeded", Code::RateLimited),
    typed("request_quota_exceeded", Code::RateLimited),
    // The provider's own trouble.
    typed("healthcheck", Code::UpstreamFailed),
    typed("api_error", Code::UpstreamFailed),
    typed("timeout_error", Code::UpstreamFailed),
    typed("server_error", Code::UpstreamFailed),
    typed("INTERNAL", Code::UpstreamFailed),
    typed("DEADLINE_EXCEEDED", Code::UpstreamFailed),
    // Our request.
    typed("unsupported_parameter", Code::BadRequest),
    typed("unknown_parameter", Code::BadRequest),
    typed("integer_below_min_value", Code::BadRequest),
];

/// Rows on words for people, each bound to a family or a status. They come after every other sign but the bare status.
pub(super) const PROSE: &[Rule] = &[
    prose(&["exceeded your subscription rate limits"], Code::WindowSpent).of(&[Family::Synthetic]),
    prose(&["error from inference backend"], Code::UpstreamFailed).of(&[Family::Synthetic]),
    prose(&["request not allowed"], Code::EdgeBlocked).of(&[Family::Anthropic]).at(403).note(EDGE),
    // OpenAI's and Anthropic's 400s and 401s share one type, `invalid_request_error`.
    prose(&["credit balance is too low"], Code::BalanceSpent).at(400),
    prose(&["reached your specified", "usage limits"], Code::BalanceSpent).at(400),
    prose(&["exceededbudget"], Code::BalanceSpent).at(400),
    prose(&["missing scopes"], Code::PermissionDenied).between(401, 403).note(SCOPES),
    prose(&["insufficient permissions"], Code::PermissionDenied).between(401, 403),
    prose(&["member of an organization"], Code::PermissionDenied).of(&[Family::OpenAi]).at(401),
    prose(&["ip ", "not authorized"], Code::PermissionDenied).of(&[Family::OpenAi]).at(401),
    prose(&["ip ", "allowlist"], Code::PermissionDenied).of(&[Family::OpenAi]).between(401, 403),
    prose(&["location is not supported"], Code::RegionBlocked).at(400),
    prose(&["country, region, or territory"], Code::RegionBlocked).at(403),
    prose(&["api key not valid"], Code::KeyRefused).of(&[Family::Gemini]).at(400),
    prose(&["authorization header"], Code::KeyRefused).of(&[Family::Gemini]).at(400),
    prose(&["incorrect api key"], Code::KeyRefused).at(400),
    prose(&["error code: 10"], Code::EdgeBlocked).at(403),
    // Kimi Code, where the type is left out.
    prose(&["membership"], Code::PlanEnded).of(&[Family::Moonshot]).at(402),
    prose(&["usage limit", "billing cycle"], Code::BalanceSpent).of(&[Family::Moonshot]).at(403),
    prose(&["coding agents"], Code::PermissionDenied).of(&[Family::Moonshot]).at(403).note(CODING_AGENTS),
    prose(&["not supported by any provider"], Code::ModelNotFound).at(400),
    prose(&["no deployments available"], Code::Overloaded).at(429),
    prose(&["no healthy deployments"], Code::Overloaded).at(429),
    prose(&["free-models-per-day"], Code::WindowSpent).of(&[Family::OpenRouter]).at(429),
    prose(&["usage limit"], Code::WindowSpent).of(&[Family::Ollama]).at(429),
    prose(&["currently loading"], Code::Loading).at(503),
    prose(&["loading model"], Code::Loading).at(503),
    prose(&["model is loading"], Code::Loading).at(503),
    prose(&["scaling up"], Code::Loading).at(503),
    prose(&["loading model"], Code::Loading).of(&[Family::Ollama]),
];

/// What a bare status means. `404`, `410` and `429` are decided in code, with more to look at.
pub(super) const STATUS: &[Rule] = &[
    status(401, Code::KeyRefused).of(&[Family::Moonshot]).note(MOONSHOT_REGION),
    status(401, Code::KeyRefused).of(&[Family::Zai]).note(ZAI_REGION),
    status(401, Code::KeyRefused),
    status(402, Code::BalanceSpent),
    status(403, Code::KeyRefused).of(&[Family::Fireworks]).note("a key without permission is answered alike"),
    status(403, Code::PermissionDenied),
    status(405, Code::BaseUrlWrong),
    status(407, Code::EdgeBlocked).note("a proxy in between asks for credentials"),
    status(408, Code::UpstreamFailed),
    status(412, Code::PlanEnded).of(&[Family::Fireworks]),
    status(421, Code::BaseUrlWrong),
    status(434, Code::PermissionDenied).of(&[Family::Zai]),
    status(451, Code::RegionBlocked),
    status(498, Code::Overloaded).of(&[Family::Groq]),
    status(503, Code::Loading).of(&[Family::HuggingFace]).note(HUGGING_FACE),
    status(503, Code::Overloaded),
    status(529, Code::Overloaded),
    Rule::code(Code::UpstreamFailed).between(500, 599),
    Rule::code(Code::BadRequest).between(400, 499),
];

const LITELLM_NO_KEYS: &str = "the proxy has no database of keys, so it takes its master key alone";
const MOONSHOT_REGION: &str = "a key of the other region (api.moonshot.ai or api.moonshot.cn) is refused alike";
const ZAI_REGION: &str = "a key of the other region (api.z.ai or open.bigmodel.cn) is refused alike";
const CODING_AGENTS: &str = "the provider admits only some programs, by their User-Agent";
const EDGE: &str = "this is said before the key is looked at, sometimes only to some of the caller's addresses";
const SCOPES: &str = "a restricted key may still be allowed to chat";
const GEMINI_DAY: &str = "a day's quota; its retry delay is for shorter limits";
const HUGGING_FACE: &str = "an endpoint scaled to zero answers like this while it starts, an overloaded one too";

/// Parts of a message that say that a path is unknown, in lower case.
pub(super) const UNKNOWN_PATH: &[&str] = &[
    "unknown url",
    "unknown request url",
    "unrecognized request url",
    "invalid url",
    "requested url",
    "cannot post",
    "cannot get",
    "no route",
    "route not found",
    "path not found",
    "page not found",
    "file not found",
    "endpoint not found",
    "no static resource",
    "no message available",
];

/// Whole messages that say only that something is not there, in lower case: FastAPI's, Azure's, Spring's.
pub(super) const ONLY_NOT_FOUND: &[&str] = &["not found", "resource not found", "404 not found", "404: not found"];

/// Parts of a message that, together with "model" or the model's id, say that there is no such model.
pub(super) const NO_SUCH: &[&str] = &[
    "not found",
    "does not exist",
    "not exist",
    "doesn't exist",
    "unknown model",
    "invalid model",
    "not a valid model",
    "no such model",
    "no endpoints found",
    "not supported by any provider",
    "not deployed",
];
