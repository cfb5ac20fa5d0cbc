//! The error bodies, as data: what each provider says in each situation.
//!
//! A row is a fact from shared/reference/providers.md, section 4. `{name}` is filled from the situation's details.

use super::flavour::Flavour as F;
use super::refusals::Situation as S;

/// Whose, when, the status and the body.
pub(crate) type Row = (F, S, u16, &'static str);

/// The documented bodies.
#[rustfmt::skip] // one row, one line: the table is read by eye
pub(crate) const ROWS: &[Row] = &[
    // Synthetic: a plain string under `error`. The texts of 401, 402 and 404 are not documented; 429 and 5xx are.
    (F::Synthetic, S::WindowSpent, 429, r#"{"error":"You've exceeded your subscription rate limits. Upgrade, or try again later. You can view your usage at https://synthetic.new/user-settings/api"}"#),
    (F::Synthetic, S::UpstreamError, 500, r#"{"error":"Error from inference backend: 500 Internal Server Error"}"#),
    (F::Synthetic, S::Unpaid, 402, r#"{"error":"Payment required: add credits or subscribe to use this model."}"#),
    // OpenAI.
    (F::Openai, S::MissingKey, 401, r#"{"error":{"message":"You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).","type":"invalid_request_error","param":null,"code":null}}"#),
    (F::Openai, S::BadKey, 401, r#"{"error":{"message":"Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#),
    (F::Openai, S::MissingScope, 403, r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have the correct role in your organization and project, and if you're using a restricted API key, that it has the necessary scopes.","type":"invalid_request_error","param":null,"code":"missing_scope"}}"#),
    (F::Openai, S::RegionBlocked, 403, r#"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}"#),
    (F::Openai, S::Unpaid, 429, r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#),
    (F::Openai, S::PlanEnded, 429, r#"{"error":{"message":"You exceeded your organization spend limit.","type":"insufficient_quota","param":null,"code":"organization_spend_limit_exceeded"}}"#),
    (F::Openai, S::RateLimited, 429, r#"{"error":{"message":"Rate limit reached for {model} on requests per min (RPM). Please try again in {seconds}s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#),
    (F::Openai, S::Overloaded, 503, r#"{"error":{"message":"The server is overloaded or not ready yet.","type":"server_error","param":null,"code":"server_is_overloaded"}}"#),
    (F::Openai, S::UpstreamError, 500, r#"{"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}"#),
    (F::Openai, S::ModelMissing, 404, r#"{"error":{"message":"The model `{model}` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#),
    (F::Openai, S::UnknownPath, 404, r#"{"error":{"message":"Invalid URL ({method} {path})","type":"invalid_request_error","param":null,"code":null}}"#),
    // Anthropic.
    (F::Anthropic, S::MissingKey, 401, r#"{"type":"error","error":{"type":"authentication_error","message":"x-api-key header is required"},"request_id":"req_sim"}"#),
    (F::Anthropic, S::BadKey, 401, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"req_sim"}"#),
    (F::Anthropic, S::NoPermission, 403, r#"{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission to use the specified resource."},"request_id":"req_sim"}"#),
    (F::Anthropic, S::EdgeBlocked, 403, r#"{"error":{"type":"forbidden","message":"Request not allowed"}}"#),
    (F::Anthropic, S::RegionBlocked, 403, r#"{"error":{"type":"forbidden","message":"Request not allowed"}}"#),
    (F::Anthropic, S::Unpaid, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."},"request_id":"req_sim"}"#),
    (F::Anthropic, S::PlanEnded, 402, r#"{"type":"error","error":{"type":"billing_error","message":"There is an issue with your billing or payment information."},"request_id":"req_sim"}"#),
    (F::Anthropic, S::WindowSpent, 429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"You have reached your enforced spend limit.","details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"req_sim"}"#),
    (F::Anthropic, S::Suspended, 400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on the first day of next month at 00:00 UTC."},"request_id":"req_sim"}"#),
    (F::Anthropic, S::RateLimited, 429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of requests per minute."},"request_id":"req_sim"}"#),
    (F::Anthropic, S::Overloaded, 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_sim"}"#),
    (F::Anthropic, S::UpstreamError, 500, r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"},"request_id":"req_sim"}"#),
    (F::Anthropic, S::ModelMissing, 404, r#"{"type":"error","error":{"type":"not_found_error","message":"model: {model}"},"request_id":"req_sim"}"#),
    (F::Anthropic, S::UnknownPath, 404, r#"{"type":"error","error":{"type":"not_found_error","message":"Not Found"},"request_id":"req_sim"}"#),
    // Gemini's OpenAI-compatible surface: a top-level array.
    (F::Gemini, S::MissingKey, 400, r#"[{"error":{"code":400,"message":"Missing or invalid Authorization header.","status":"INVALID_ARGUMENT"}}]"#),
    (F::Gemini, S::BadKey, 400, r#"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"}}]}}]"#),
    (F::Gemini, S::RegionBlocked, 400, r#"[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]"#),
    (F::Gemini, S::NoPermission, 403, r#"[{"error":{"code":403,"message":"The caller does not have permission","status":"PERMISSION_DENIED"}}]"#),
    (F::Gemini, S::Unpaid, 402, r#"[{"error":{"code":402,"message":"Your prepayment credits are depleted.","status":"FAILED_PRECONDITION"}}]"#),
    (F::Gemini, S::WindowSpent, 429, r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}]"#),
    (F::Gemini, S::RateLimited, 429, r#"[{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{seconds}s"}]}}]"#),
    (F::Gemini, S::Overloaded, 503, r#"[{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}]"#),
    (F::Gemini, S::UpstreamError, 500, r#"[{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}]"#),
    (F::Gemini, S::ModelMissing, 404, r#"[{"error":{"code":404,"message":"models/{model} is not found for API version v1main, or is not supported for generateContent.","status":"NOT_FOUND"}}]"#),
    // Moonshot.
    (F::Moonshot, S::BadKey, 401, r#"{"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}"#),
    (F::Moonshot, S::MissingKey, 401, r#"{"error":{"message":"Invalid Authentication","type":"invalid_authentication_error"}}"#),
    (F::Moonshot, S::Unpaid, 429, r#"{"error":{"message":"Your account is suspended due to insufficient balance, please recharge your account or check your plan and billing details","type":"exceeded_current_quota_error"}}"#),
    (F::Moonshot, S::Suspended, 429, r#"{"error":{"message":"Your account is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}"#),
    (F::Moonshot, S::RateLimited, 429, r#"{"error":{"message":"Your account request reached max RPM, please try again after {seconds} seconds","type":"rate_limit_reached_error"}}"#),
    (F::Moonshot, S::Overloaded, 429, r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#),
    (F::Moonshot, S::ModelMissing, 404, r#"{"error":{"message":"Not found the model {model} or Permission denied","type":"resource_not_found_error"}}"#),
    // Z.AI: numeric codes as strings; the reset has no zone and means UTC+8.
    (F::Zai, S::BadKey, 401, r#"{"error":{"code":"1000","message":"Authentication Failed"}}"#),
    (F::Zai, S::MissingKey, 401, r#"{"error":{"code":"1001","message":"Authentication parameter not received in Header, unable to authenticate"}}"#),
    (F::Zai, S::NoPermission, 434, r#"{"error":{"code":"1220","message":"You do not have permission to access this API"}}"#),
    (F::Zai, S::Unpaid, 429, r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}"#),
    (F::Zai, S::PlanEnded, 429, r#"{"error":{"code":"1309","message":"Your GLM Coding Plan package has expired and is temporarily unavailable. Please renew to restore access."}}"#),
    (F::Zai, S::WindowSpent, 429, r#"{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at {reset_utc8}"}}"#),
    (F::Zai, S::RateLimited, 429, r#"{"error":{"code":"1302","message":"Rate limit reached for requests"}}"#),
    (F::Zai, S::Overloaded, 429, r#"{"error":{"code":"1305","message":"The service may be temporarily overloaded, please try again later"}}"#),
    (F::Zai, S::ModelMissing, 400, r#"{"error":{"code":"1211","message":"Unknown Model, please check the model code."}}"#),
    // OpenRouter.
    (F::Openrouter, S::BadKey, 401, r#"{"error":{"message":"User not found.","code":401}}"#),
    (F::Openrouter, S::MissingKey, 401, r#"{"error":{"message":"No auth credentials found","code":401}}"#),
    (F::Openrouter, S::NoPermission, 403, r#"{"error":{"message":"This request is blocked by your guardrails.","code":403,"metadata":{"reasons":["guardrail"],"provider_name":"sim"}}}"#),
    (F::Openrouter, S::Unpaid, 402, r#"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 0.","code":402,"metadata":{"provider_name":null}}}"#),
    (F::Openrouter, S::Overloaded, 503, r#"{"error":{"message":"There is no available model provider that meets your routing requirements","code":503}}"#),
    (F::Openrouter, S::UpstreamError, 502, r#"{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"upstream connect error","provider_name":"sim"}}}"#),
    (F::Openrouter, S::ModelMissing, 404, r#"{"error":{"message":"No endpoints found for {model}.","code":404}}"#),
    // DeepSeek.
    (F::Deepseek, S::BadKey, 401, r#"{"error":{"message":"Authentication Fails, Your api key is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#),
    (F::Deepseek, S::Unpaid, 402, r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#),
    (F::Deepseek, S::RateLimited, 429, r#"{"error":{"message":"Too many concurrent requests","type":"rate_limit_error","param":null,"code":"concurrency_limit"}}"#),
    (F::Deepseek, S::Overloaded, 503, r#"{"error":{"message":"The server is overloaded due to high traffic.","type":"server_error","param":null,"code":"service_unavailable"}}"#),
    (F::Deepseek, S::ModelMissing, 400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#),
    // Mistral: flat.
    (F::Mistral, S::BadKey, 401, r#"{"detail":"Unauthorized"}"#),
    (F::Mistral, S::MissingKey, 401, r#"{"detail":"Unauthorized"}"#),
    (F::Mistral, S::NoPermission, 403, r#"{"object":"error","message":"This model is not available on your subscription tier.","type":"tier_not_allowed","param":null,"code":"1910"}"#),
    (F::Mistral, S::Unpaid, 402, r#"{"object":"error","message":"Payment required.","type":"payment_required","param":null,"code":"1900"}"#),
    (F::Mistral, S::RateLimited, 429, r#"{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}"#),
    (F::Mistral, S::ModelMissing, 400, r#"{"object":"error","message":"Invalid model: {model}","type":"unknown_model","param":null,"code":"1500"}"#),
    // Fireworks.
    (F::Fireworks, S::BadKey, 401, r#"{"error":{"object":"error","type":"invalid_request_error","code":"unauthorized","message":"The API key you provided is invalid."}}"#),
    (F::Fireworks, S::Suspended, 412, r#"{"error":{"object":"error","type":"invalid_request_error","code":"PRECONDITION_FAILED","message":"Account is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices."}}"#),
    (F::Fireworks, S::Unpaid, 402, r#"{"error":{"object":"error","type":"invalid_request_error","code":"PAYMENT_REQUIRED","message":"Payment required."}}"#),
    (F::Fireworks, S::Overloaded, 503, r#"{"error":{"object":"error","type":"internal_server_error","code":"SERVICE_UNAVAILABLE","message":"Service Overloaded"}}"#),
    (F::Fireworks, S::ModelMissing, 404, r#"{"error":{"object":"error","type":"invalid_request_error","code":"NOT_FOUND","message":"Model not found, inaccessible, and/or not deployed"}}"#),
    // Hugging Face.
    (F::Huggingface, S::BadKey, 401, r#"{"error":"Invalid username or password."}"#),
    (F::Huggingface, S::Unpaid, 402, r#"{"error":"You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits."}"#),
    (F::Huggingface, S::ModelMissing, 400, r#"{"error":{"message":"The requested model '{model}' is not supported by any provider you have enabled.","type":"invalid_request_error","param":"model","code":"model_not_supported"}}"#),
    (F::Huggingface, S::Overloaded, 429, r#"{"error":"Model is overloaded","error_type":"overloaded"}"#),
    // Groq.
    (F::Groq, S::BadKey, 401, r#"{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}"#),
    (F::Groq, S::Overloaded, 498, r#"{"error":{"message":"Flex tier capacity exceeded","type":"internal_server_error","code":"capacity_exceeded"}}"#),
    (F::Groq, S::WindowSpent, 429, r#"{"error":{"message":"Rate limit reached for model `{model}` on requests per day (RPD): Limit 1000, Used 1000, Requested 1. Please try again in {seconds}s.","type":"requests","code":"rate_limit_exceeded"}}"#),
    (F::Groq, S::RateLimited, 429, r#"{"error":{"message":"Rate limit reached for model `{model}` on requests per minute (RPM). Please try again in {seconds}s.","type":"requests","code":"rate_limit_exceeded"}}"#),
    // Together: capacity is a 503.
    (F::Together, S::Overloaded, 503, r#"{"error":{"message":"The server is currently overloaded with other requests.","type":"service_unavailable","param":null,"code":null}}"#),
    // Azure: a wrong deployment and a wrong URL are both 404, with different texts.
    (F::Azure, S::BadKey, 401, r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}"#),
    (F::Azure, S::ModelMissing, 404, r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."}}"#),
    (F::Azure, S::UnknownPath, 404, r#"{"error":{"code":"404","message":"Resource not found"}}"#),
    // Local servers.
    (F::Ollama, S::ModelMissing, 404, r#"{"error":"model '{model}' not found"}"#),
    (F::Ollama, S::BadKey, 401, r#"{"error":"unauthorized"}"#),
    (F::Ollama, S::Overloaded, 503, r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#),
    (F::Llamacpp, S::MissingKey, 401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#),
    (F::Llamacpp, S::BadKey, 401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#),
    (F::Llamacpp, S::Overloaded, 503, r#"{"error":{"code":503,"message":"no slot available","type":"unavailable_error"}}"#),
    (F::Llamacpp, S::UnknownPath, 404, r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#),
    (F::Llamacpp, S::ModelMissing, 400, r#"{"error":{"code":400,"message":"model '{model}' not found","type":"invalid_request_error"}}"#),
    (F::Vllm, S::BadKey, 401, r#"{"error":"Unauthorized"}"#),
    (F::Vllm, S::MissingKey, 401, r#"{"error":"Unauthorized"}"#),
    (F::Vllm, S::ModelMissing, 404, r#"{"object":"error","message":"The model `{model}` does not exist.","type":"NotFoundError","param":null,"code":404}"#),
    (F::Vllm, S::UnknownPath, 404, r#"{"detail":"Not Found"}"#),
    (F::Litellm, S::BadKey, 401, r#"{"error":{"message":"Authentication Error, Invalid proxy server token passed. Unable to find token in cache or `LiteLLM_VerificationTokenTable`","type":"token_not_found_in_db","param":"key","code":"401"}}"#),
    (F::Litellm, S::MissingKey, 401, r#"{"error":{"message":"Authentication Error, No api key passed in.","type":"auth_error","param":"None","code":"401"}}"#),
    (F::Litellm, S::Overloaded, 429, r#"{"error":{"message":"No deployments available for selected model, Try again in 5 seconds.","type":"None","param":"None","code":"429"}}"#),
    (F::Litellm, S::UnknownPath, 404, r#"{"detail":"Not Found"}"#),
];

/// Situations whose body is the same everywhere, because the signal belongs to a serving stack and not to a flavour.
#[rustfmt::skip] // as above
pub(crate) const COMMON: &[(S, u16, &str)] = &[
    (S::Loading, 503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#),
    (S::ScalingUp, 503, r#"{"error":{"object":"error","type":"invalid_request_error","code":"DEPLOYMENT_SCALING_UP","message":"The deployment is currently scaled to zero and is scaling up. Please retry in a few minutes."}}"#),
    (S::HfLoading, 503, r#"{"error":"Model {model} is currently loading","estimated_time":{estimated}}"#),
    (S::UnsupportedParameter, 400, r#"{"error":{"message":"Unsupported parameter: '{given}' is not supported with this model. Use '{wanted}' instead.","type":"invalid_request_error","param":"{given}","code":"unsupported_parameter"}}"#),
    (S::BelowMinimum, 400, r#"{"error":{"message":"Invalid '{given}': integer below minimum value. Expected a value >= {minimum}, but got {value} instead.","type":"invalid_request_error","param":"{given}","code":"integer_below_min_value"}}"#),
    (S::CouldNotFinish, 400, r#"{"error":{"message":"Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.","type":"invalid_request_error","param":null,"code":null}}"#),
];
