//! The table behind `code.rs`: what each code means and what to do about it.
//!
//! Remedies address the person who was called at night: first what to check, then where. `{…}` is filled with the
//! target's own values; a sentence whose value is not known is left out.

use super::Stage;
use super::code::{Class, Code, Cure, Explanation};

const ANY: &[Stage] = &Stage::ALL;
const ANSWER: &[Stage] = &[Stage::Authenticate, Stage::Locate, Stage::Warm];
/// From the tunnel on, and wherever the connection has to be made again.
const VIA: &[Stage] = &[Stage::Connect, Stage::Authenticate, Stage::Locate, Stage::Warm];
/// A connection can also be closed while it shakes hands.
const SPOKEN: &[Stage] = &[Stage::Tls, Stage::Authenticate, Stage::Locate, Stage::Warm];
/// TLS 1.3 refuses a client only after the handshake.
const MUTUAL: &[Stage] = &[Stage::Tls, Stage::Authenticate, Stage::Locate, Stage::Warm];
const TLS: &[Stage] = &[Stage::Tls];
const WARM: &[Stage] = &[Stage::Warm];

const fn row(
    name: &'static str,
    class: Class,
    cure: Cure,
    stages: &'static [Stage],
    meaning: &'static str,
    remedy: &'static [&'static str],
) -> Explanation {
    Explanation { name, class, cure, stages, meaning, remedy }
}

/// The row of a code.
pub(super) fn explanation(code: Code) -> Explanation {
    use Class::{
        Internal, NotFound, Notice, Payment, ProviderError, RateLimited, TooSlow, Unauthorized, Unknown, Unreachable,
        Unusable,
    };
    use Cure::{Person, Waiting};
    match code {
        Code::CredentialMissing => row(
            "credential-missing",
            Unauthorized,
            Person,
            &[Stage::Credential],
            "There is no key where probes.yaml says it is.",
            &[
                "Set the key: {key_source} was expected to hold it.",
                "Under systemd or cron the {variable} of a shell is absent: use `api_key: { file: … }` or `--env-file`.",
                "Keys are made at {key_page}.",
            ],
        ),
        Code::CredentialMalformed => row(
            "credential-malformed",
            Unauthorized,
            Person,
            &[Stage::Credential],
            "There is a key, but it cannot be one: spaces, quotes, line breaks, a `Bearer ` prefix or a placeholder.",
            &[
                "Mend the key in {key_source}: it must be the bare key, nothing around it.",
                "Keys are made at {key_page}.",
            ],
        ),
        Code::DnsNotFound => row(
            "dns-not-found",
            Unreachable,
            Waiting,
            &[Stage::Resolve],
            "The host's name does not exist.",
            &[
                "Check the spelling of {host} in {base_url}.",
                "If the name is right, ask the resolver of this machine: `getent hosts {host}`.",
            ],
        ),
        Code::DnsFailed => row(
            "dns-failed",
            Unreachable,
            Waiting,
            &[Stage::Resolve],
            "The name could not be resolved: the resolver gave no answer.",
            &["This machine's DNS is in trouble, not {title}: try `getent hosts {host}` and look at /etc/resolv.conf."],
        ),
        Code::AddressesExcluded => row(
            "addresses-excluded",
            Unreachable,
            Person,
            &[Stage::Resolve],
            "The host has addresses, but none of those that `addresses` allows.",
            &["Remove `addresses` from the provider, or write `prefer-v4` or `prefer-v6`, which exclude none."],
        ),
        Code::ConnectRefused => row(
            "connect-refused",
            Unreachable,
            Waiting,
            &[Stage::Connect],
            "Nothing listens at that address and port.",
            &["Check the port in {base_url}, and that the server runs: a local one may still be starting."],
        ),
        Code::ConnectTimeout => row(
            "connect-timeout",
            Unreachable,
            Waiting,
            &[Stage::Resolve, Stage::Connect],
            "No connection within the deadline: packets are dropped on the way.",
            &[
                "Look for a firewall or a missing route between this machine and {host}.",
                "Where only a proxy leads out, set HTTPS_PROXY, or `proxy` at the provider.",
            ],
        ),
        Code::ConnectFailed => row(
            "connect-failed",
            Unreachable,
            Waiting,
            &[Stage::Connect],
            "The connection could not be made.",
            &["Check the route from this machine to {host}."],
        ),
        Code::ProxyUnreachable => row(
            "proxy-unreachable",
            Unreachable,
            Waiting,
            &[Stage::Connect],
            "The proxy on the way could not be reached itself.",
            &[
                "Check the proxy {proxy} (by {proxy_source}), and the way to it.",
                "Where {host} needs no proxy, write `proxy: none` at the provider, or put the host into NO_PROXY.",
            ],
        ),
        Code::ProxyRefused => row(
            "proxy-refused",
            Unreachable,
            Person,
            VIA,
            "The proxy does not let us through: it wants a password, or its rules forbid the host.",
            &[
                "Have {host} allowed at the proxy {proxy} (by {proxy_source}).",
                "Where it wants a user and a password, they stand in the URL of a variable: HTTPS_PROXY, or one that `proxy: { env: … }` names.",
            ],
        ),
        Code::ProxyFailed => row(
            "proxy-failed",
            Unreachable,
            Waiting,
            VIA,
            "The proxy was reached, but did not get through to the host.",
            &[
                "Ask whoever runs the proxy {proxy} (by {proxy_source}): where it says so with a status, it does not know the name {host}, or has no way to it.",
                "Where it gave no answer, or none in HTTP, check its scheme and its port: `https://` is only for a proxy that speaks TLS itself.",
                "See {status_page}.",
            ],
        ),
        Code::ConnectionLost => row(
            "connection-lost",
            Unreachable,
            Waiting,
            SPOKEN,
            "The connection was made, then closed before an answer came.",
            &[
                "Something between here and {host} cuts connections: a proxy, a load balancer, or a server that is restarting.",
                "Where it is closed during the TLS handshake and stays so, check that {base_url} is an https address.",
                "See {status_page}.",
            ],
        ),
        Code::TlsUntrusted => row(
            "tls-untrusted",
            Unreachable,
            Person,
            TLS,
            "The certificate is not signed by an authority that this machine trusts.",
            &[
                "Behind a company proxy that inspects TLS, give its authority as `ca_file` of the provider.",
                "Otherwise install `ca-certificates`, and be sure that {host} is who it says.",
            ],
        ),
        Code::TlsNameMismatch => row(
            "tls-name-mismatch",
            Unreachable,
            Person,
            TLS,
            "The certificate is for another name.",
            &["Use the name that the certificate is for in `base_url`, or find out who answers at {host}."],
        ),
        Code::TlsExpired => row(
            "tls-expired",
            Unreachable,
            Person,
            TLS,
            "The certificate has ended.",
            &[
                "Renew the certificate of {host}, or tell its owner.",
                "If it is valid elsewhere, this machine's clock is wrong: `timedatectl`.",
            ],
        ),
        Code::TlsNotYetValid => row(
            "tls-not-yet-valid",
            Unreachable,
            Person,
            TLS,
            "The certificate is not valid yet.",
            &["This machine's clock is most likely behind: `timedatectl`."],
        ),
        Code::TlsTimeout => row(
            "tls-timeout",
            Unreachable,
            Waiting,
            TLS,
            "The connection was made, but the TLS handshake did not end within the deadline.",
            &[
                "Something at {host} accepts connections without serving them: a stuck server, or a firewall that inspects TLS.",
            ],
        ),
        Code::TlsFailed => row(
            "tls-failed",
            Unreachable,
            Person,
            TLS,
            "The TLS handshake failed.",
            &[
                "Check that {https_url} is an https address: a plain http port cannot answer a TLS handshake. An inspecting proxy or a very old server fails like this too.",
                "Mend the `ca_file` {ca_file}: it has to be a regular file with at least one certificate in PEM form.",
            ],
        ),
        Code::ClientCertificateUnusable => row(
            "client-certificate-unusable",
            Unauthorized,
            Person,
            TLS,
            "Our own certificate cannot be used: a file cannot be read, or the key is encrypted or not the certificate's.",
            &[
                "Mend {client_certificate}: PEM files that the service can read, and a key without a passphrase.",
                "`openssl x509 -noout -pubkey -in CERT` and `openssl pkey -pubout -in KEY` print the same where they belong together.",
            ],
        ),
        Code::ClientCertificateRefused => row(
            "client-certificate-refused",
            Unauthorized,
            Person,
            MUTUAL,
            "The server asks who we are, and got no certificate, or one that it does not accept.",
            &[
                "Give the certificate that {host} knows us by: `client_certificate: { cert: client.pem, key: client.key }`.",
                "Where there is one, ask whoever runs {host}: it has ended, was revoked, or comes from another authority.",
            ],
        ),
        Code::CertificateExpiring => row(
            "certificate-expiring",
            Notice,
            Person,
            TLS,
            "The certificate ends soon.",
            &["Renew the certificate of {host}, or tell its owner."],
        ),
        Code::AnswerTimeout => row(
            "answer-timeout",
            TooSlow,
            Waiting,
            &[Stage::Authenticate, Stage::Locate],
            "A free endpoint gave no complete answer within the deadline.",
            &[
                "The connection is good, but the server does not answer.",
                "Raise `expect.answer` if it is merely slow.",
                "See {status_page}.",
            ],
        ),
        Code::AnswerCut => row(
            "answer-cut",
            Unusable,
            Waiting,
            ANSWER,
            "The connection ended in the middle of an answer.",
            &[
                "Something between here and {host} cuts answers short: try again, then ask whoever runs the proxy in between.",
            ],
        ),
        Code::AnswerTooLarge => row(
            "answer-too-large",
            Unusable,
            Person,
            ANSWER,
            "The answer is larger than pilotlight is willing to read.",
            &["Check that {base_url} is the API and not a website."],
        ),
        Code::KeyRefused => row(
            "key-refused",
            Unauthorized,
            Person,
            ANSWER,
            "The provider does not accept the key.",
            &[
                "Check that {key_source} holds the key you think: revoked, of another account, or of another region look the same.",
                "Make a new one at {key_page}.",
            ],
        ),
        Code::PermissionDenied => row(
            "permission-denied",
            Unauthorized,
            Person,
            ANSWER,
            "The key is known, but may not do this.",
            &[
                "Give the key the permission for {model}, or use one of a project that has it.",
                "Permissions are set at {key_page}.",
            ],
        ),
        Code::RegionBlocked => row(
            "region-blocked",
            Unauthorized,
            Person,
            ANSWER,
            "The provider does not serve the country or region that this machine calls from.",
            &["The key is not at fault: call from a supported region."],
        ),
        Code::EdgeBlocked => row(
            "edge-blocked",
            Unauthorized,
            Person,
            ANSWER,
            "The provider's edge (a firewall in front of the API) refused the request before the key was looked at.",
            &[
                "The key is not at fault: the address this machine calls from is blocked or challenged.",
                "Try from another network, then ask {title} to allow it.",
            ],
        ),
        Code::ModelNotFound => row(
            "model-not-found",
            NotFound,
            Person,
            &[Stage::Locate, Stage::Warm],
            "The provider has no such model, or this key has no access to it.",
            &[
                "Nearest in the catalogue: {nearest}.",
                "Model ids are case-sensitive and are retired often: compare {model} with the provider's list.",
            ],
        ),
        Code::BaseUrlWrong => row(
            "base-url-wrong",
            NotFound,
            Person,
            ANSWER,
            "The server answers, but this API is not at that path.",
            &[
                "Check `base_url` of the provider: {base_url} is not where the API is.",
                "An `openai` base URL usually ends in /v1.",
            ],
        ),
        Code::Redirected => row(
            "redirected",
            NotFound,
            Person,
            ANSWER,
            "The server answered with a redirect, which is never followed: a key must not travel.",
            &["Set `base_url` to the address that the API really has: {location}."],
        ),
        Code::WindowSpent => row(
            "window-spent",
            RateLimited,
            Waiting,
            ANSWER,
            "The quota of a time window is used up.",
            &["It refills by itself {wait}.", "Retrying sooner only spends more of it."],
        ),
        Code::RateLimited => row(
            "rate-limited",
            RateLimited,
            Waiting,
            ANSWER,
            "Too many requests in a short time. The key and the model are good.",
            &["Try again {wait}.", "Probe less often, or share the limit with fewer users."],
        ),
        Code::BalanceSpent => row(
            "balance-spent",
            Payment,
            Person,
            ANSWER,
            "The account has no credit left, or has reached a spending limit.",
            &["Waiting does not help: add credit or raise the limit.", "Billing is at {billing_page}."],
        ),
        Code::PlanEnded => row(
            "plan-ended",
            Payment,
            Person,
            ANSWER,
            "The subscription has ended, is suspended, or does not include this.",
            &["Waiting does not help: renew or change the plan.", "Plans are at {billing_page}."],
        ),
        Code::Overloaded => row(
            "overloaded",
            ProviderError,
            Waiting,
            ANSWER,
            "The provider has no capacity for the request now. The key is good.",
            &["Try again {wait}.", "See {status_page}."],
        ),
        Code::UpstreamFailed => row(
            "upstream-failed",
            ProviderError,
            Waiting,
            ANSWER,
            "The provider failed on its own side.",
            &["Try again {wait}.", "If it lasts, give its support the request id.", "See {status_page}."],
        ),
        Code::Loading => row(
            "loading",
            TooSlow,
            Waiting,
            ANSWER,
            "The provider says that the model is still loading.",
            &[
                "Try again {wait}: loading goes on meanwhile.",
                "`expect.cold_start` says how long pilotlight waits ({cold_start}).",
            ],
        ),
        Code::FirstTokenTimeout => row(
            "first-token-timeout",
            TooSlow,
            Waiting,
            WARM,
            "No token came before the deadline: the model is still cold, queued, or hanging.",
            &[
                "The server accepted the request and stayed silent: try once more, as loading may have gone on.",
                "If it answers then, raise `expect.cold_start` ({cold_start}).",
                "If it hangs again, see {status_page}.",
            ],
        ),
        Code::StreamCut => row(
            "stream-cut",
            Unusable,
            Waiting,
            WARM,
            "The stream ended before the answer was complete.",
            &[
                "Try again; if it repeats, a proxy between here and {host} cuts long answers, or the model crashed.",
                "See {status_page}.",
            ],
        ),
        Code::StreamStalled => row(
            "stream-stalled",
            TooSlow,
            Waiting,
            WARM,
            "The stream began and then fell silent.",
            &[
                "The model hangs in the middle of an answer: try again.",
                "Raise `expect.stall` if it is merely slow.",
                "See {status_page}.",
            ],
        ),
        Code::EmptyAnswer => row(
            "empty-answer",
            Unusable,
            Waiting,
            WARM,
            "The answer holds no content and no reason for having none.",
            &[
                "Try again; if it repeats, the model is broken at the provider.",
                "For an embedding model set `kind: embedding`.",
                "See {status_page}.",
            ],
        ),
        Code::NotThisApi => row(
            "not-this-api",
            Unusable,
            Person,
            ANSWER,
            "Something answered that is not this API: HTML, broken JSON, or another protocol.",
            &[
                "Check `base_url` and `dialect`: {base_url} answers, but not as this API.",
                "A login page or a captive portal of the network in between looks like this too.",
            ],
        ),
        Code::BadRequest => row(
            "bad-request",
            Unusable,
            Person,
            ANSWER,
            "The provider refuses the request that pilotlight sends.",
            &[
                "The evidence names the field: override it for the provider (`cap_field`, `reasoning_off`, `max_output_tokens`).",
                "Otherwise please report it with the evidence: the preset is wrong.",
            ],
        ),
        Code::ColdStart => row(
            "cold-start",
            Notice,
            Waiting,
            WARM,
            "The model answered, but later than a warm one would: it had to load, or the request was queued.",
            &["It is warm now.", "Schedule a warm-up so that no user meets this."],
        ),
        Code::Offline => row(
            "offline",
            Unknown,
            Waiting,
            &[Stage::Resolve, Stage::Connect, Stage::Tls],
            "The target could not be reached, and neither could anything else that was asked: the trouble is on this side.",
            &["Nothing can be said of {title}: look at this machine's own network, name server and firewall."],
        ),
        Code::QuotaWithheld => row(
            "quota-withheld",
            Unknown,
            Waiting,
            WARM,
            "The model was not warmed, so that users keep their quota. All that is free was checked, and held.",
            &[
                "Nothing is wrong with {model}; the evidence says when it is warmed again.",
                "To warm less often: a longer `every`, or fewer targets; `pilotlight plan` shows what a schedule takes.",
                "To allow more: `share`, `floor`, `limits` and `daily_cap` of the provider; `--ignore-quota` once, by hand.",
            ],
        ),
        Code::Interrupted => row(
            "interrupted",
            Unknown,
            Waiting,
            ANY,
            "The probe was stopped before it could tell: a signal, or the deadline of the whole run.",
            &["Nothing can be said of {model}: ask again.", "Raise {timeout} to give it longer."],
        ),
        Code::ProbePanicked => row(
            "probe-panicked",
            Internal,
            Person,
            ANY,
            "pilotlight itself failed in this probe. The other probes went on.",
            &["Please report it with the evidence; it says nothing about {title}."],
        ),
    }
}
