//! The report in depth, as it looks: wide, narrow, in ASCII, coloured, as JSON; and what a ticket must not have in it.

use jiff::SignedDuration;

use super::diagnose::{Diagnosed, render_diagnosed};
use super::sample::{failed, left_of_five_hours, look, ms, ready, refused, started, text_of};
use super::{Format, Look, Marks, Style};
use crate::exit::{Exit, Strictness};
use crate::outcome::{
    AddressSeen, Asked, Carried, CatalogueSeen, CertificateSeen, Code, Examination, HandshakeSeen, HeaderSeen, KeySeen,
    Listing, Made, NameSeen, Outcome, PrefixSeen, Proof, ProxySeen, QuotaSeen, Reached, RequestSeen, Route, Skew,
    Stage, StageTime,
};

fn certificate(subject: &str, issuer: &str, days: i64) -> CertificateSeen {
    CertificateSeen {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        from: Some(started() - SignedDuration::from_hours(24 * 40)),
        until: Some(started() + SignedDuration::from_hours(24 * days + 1)),
        key: "ECDSA P-256".to_owned(),
        names: Vec::new(),
        covers_host: None,
    }
}

fn handshake(address: &str) -> HandshakeSeen {
    HandshakeSeen {
        address: Some(address.parse().unwrap()),
        took: ms(23),
        version: Some("TLS 1.3".to_owned()),
        cipher: Some("TLS13_AES_256_GCM_SHA384".to_owned()),
        alpn: Some("http/1.1".to_owned()),
        chain: vec![
            CertificateSeen {
                names: vec!["api.example.com".to_owned(), "*.api.example.com".to_owned()],
                covers_host: Some(true),
                ..certificate("CN=api.example.com", "CN=WE1,O=Example Trust Services", 50)
            },
            certificate("CN=WE1,O=Example Trust Services", "CN=Example Root R4", 1_900),
        ],
        fault: None,
    }
}

fn asked(path: &str, status: u16, says: &str, code: Option<Code>, shows: &str) -> Asked {
    Asked {
        path: path.to_owned(),
        carried: Carried::Key,
        status: Some(status),
        took: Some(ms(34)),
        request_id: None,
        says: says.to_owned(),
        code,
        shows: shows.to_owned(),
    }
}

fn examination() -> Examination {
    let address = |text: &str, took| AddressSeen { address: text.parse().unwrap(), reached: Reached::Open(ms(took)) };
    let header = |name: &str, text: &str, variable: Option<&str>| HeaderSeen {
        name: name.to_owned(),
        text: text.to_owned(),
        variable: variable.map(str::to_owned),
    };
    let mut quota = QuotaSeen::default();
    let mut five_hours = left_of_five_hours(364.0);
    five_hours.next = Some(started() + SignedDuration::from_secs(500));
    five_hours.gives = Some(25.0);
    quota.read_before(vec![five_hours]);
    Examination {
        route: Route { host: "api.example.com".to_owned(), port: 443, proxy: None, remarks: Vec::new() },
        name: NameSeen::Found(ms(12)),
        addresses: vec![
            address("203.0.113.7:443", 11),
            address("203.0.113.8:443", 12),
            address("[2001:db8::7]:443", 14),
        ],
        more_addresses: 0,
        handshakes: vec![handshake("203.0.113.7:443"), handshake("[2001:db8::7]:443")],
        skew: Some(Skew { date: started(), ahead: SignedDuration::from_millis(-120), within: ms(517) }),
        key: KeySeen::Found {
            source: "the variable SYNTHETIC_API_KEY".to_owned(),
            length: "24 to 47 characters",
            prefix: PrefixSeen::Documented("syn_".to_owned()),
            fault: None,
        },
        free: Some(asked(
            "/v2/quotas",
            200,
            "an object with subscription, rollingFiveHourLimit, weeklyTokenLimit",
            None,
            "the key is accepted",
        )),
        catalogue: Some(CatalogueSeen {
            asked: Asked {
                carried: Carried::NoKey,
                ..asked("models", 200, "a list of 42", None, "it is public, and says nothing of the key")
            },
            found: Some(Listing { total: 42, listed: true, nearest: Vec::new(), first: Vec::new() }),
        }),
        quota,
        not_asked: None,
        request: RequestSeen {
            made: Made::Sent,
            url: "https://api.example.com/v1/chat/completions".to_owned(),
            headers: vec![
                header("user-agent", "pilotlight/0.0.0", None),
                header("authorization", "Bearer ", Some("SYNTHETIC_API_KEY")),
                header("content-type", "application/json", None),
            ],
            body: r#"{"max_tokens":16,"messages":[{"content":"ping 3f9a2c","role":"user"}],"model":"hf:zai-org/GLM-4.6","stream":true}"#.to_owned(),
            key_source: None,
            ca_file: None,
            proxy: ProxySeen::Nothing,
            only: None,
            client_certificate: None,
            address: None,
        },
    }
}

/// With the stages of a whole climb.
fn climbed(mut outcome: Outcome) -> Outcome {
    let last = outcome.stage;
    let times = [
        (Stage::Resolve, 0, 12),
        (Stage::Connect, 12, 11),
        (Stage::Tls, 23, 23),
        (Stage::Authenticate, 46, 34),
        (Stage::Locate, 80, 60),
        (Stage::Warm, 140, 422),
    ];
    let reached = times.into_iter().filter(|(stage, ..)| *stage <= last);
    outcome.stages =
        reached.map(|(stage, start, took)| StageTime { stage, start: ms(start), duration: ms(took) }).collect();
    outcome
}

fn healthy() -> Outcome {
    climbed(ready("synthetic", "glm", "hf:zai-org/GLM-4.6"))
}

fn key_refused() -> (Outcome, Examination) {
    let mut outcome = climbed(refused("synthetic", "glm", "hf:zai-org/GLM-4.6"));
    outcome.request_id = Some("req_01k9x".to_owned());
    let mut seen = examination();
    seen.free = Some(Asked {
        request_id: Some("req_01k9x".to_owned()),
        ..asked(
            "/v2/quotas",
            401,
            "HTTP 401 authentication_error: \"invalid key\"",
            Some(Code::KeyRefused),
            "the provider does not accept the key",
        )
    });
    seen.addresses[2].reached = Reached::Closed("this machine has no way there".to_owned());
    seen.handshakes.truncate(1);
    seen.request.made = Made::NotSent;
    seen.skew = Some(Skew { date: started(), ahead: SignedDuration::from_secs(192), within: ms(517) });
    (outcome, seen)
}

fn untrusted() -> (Outcome, Examination) {
    let evidence = "api.example.com:443 (203.0.113.7): invalid peer certificate: UnknownIssuer";
    let broken = super::sample::diagnosis(
        Code::TlsUntrusted,
        Stage::Tls,
        evidence,
        "Behind a company proxy that inspects TLS, give its authority as `ca_file` of the provider.",
    );
    let outcome = climbed(failed(ready("local", "own", "qwen"), broken, Proof::Nothing, None));
    let mut seen = examination();
    for handshake in &mut seen.handshakes {
        handshake.chain = vec![certificate("CN=api.example.com", "CN=api.example.com", 400)];
        handshake.fault = Some((Code::TlsUntrusted, evidence.to_owned()));
    }
    (seen.free, seen.catalogue, seen.skew) = (None, None, None);
    seen.quota = QuotaSeen::default();
    seen.not_asked = Some("there is no connection whose other end is trusted".to_owned());
    seen.request.made = Made::NotSent;
    seen.request.key_source = Some("the file /run/secrets/own.key".to_owned());
    seen.request.ca_file = Some("/etc/own/ca.pem".into());
    (outcome, seen)
}

fn rendered(outcome: &Outcome, examination: &Examination, format: Format, look: &Look) -> String {
    let view = Diagnosed {
        outcome,
        examination,
        exit: Exit::of(outcome, Strictness::Lenient),
        now: started() + SignedDuration::from_secs(1),
        quota: None,
        summary: None,
        learned: None,
        notes: &[],
        version: "0.0.0",
        system: "linux x86_64",
    };
    text_of(|out| render_diagnosed(&view, format, look, out))
}

#[test]
fn one_that_is_healthy() {
    insta::assert_snapshot!("diagnose_healthy_wide", rendered(&healthy(), &examination(), Format::Human, &look(110)));
    insta::assert_snapshot!("diagnose_healthy_json", rendered(&healthy(), &examination(), Format::Json, &look(110)));
}

#[test]
fn a_refused_key() {
    let (outcome, seen) = key_refused();
    insta::assert_snapshot!("diagnose_refused_wide", rendered(&outcome, &seen, Format::Human, &look(110)));
    let narrow = Look { marks: Marks::Ascii, ..look(48) };
    insta::assert_snapshot!("diagnose_refused_narrow_in_ascii", rendered(&outcome, &seen, Format::Human, &narrow));
    let coloured = Look { style: Style::Coloured, ..look(80) };
    insta::assert_snapshot!("diagnose_refused_coloured", rendered(&outcome, &seen, Format::Human, &coloured));
}

#[test]
fn a_certificate_that_nobody_trusts() {
    let (outcome, seen) = untrusted();
    insta::assert_snapshot!("diagnose_untrusted", rendered(&outcome, &seen, Format::Human, &look(100)));
}

#[test]
fn a_ticket_has_no_place_of_this_machine_in_it() {
    let (mut outcome, mut seen) = untrusted();
    let broken = outcome.diagnosis.as_mut().unwrap();
    broken.evidence =
        "failed to read the certificate authorities in /etc/own/ca.pem: via squid.corp.example:3128".to_owned();
    seen.route.host = "squid.corp.example".to_owned();
    seen.route.proxy = Some("http://squid.corp.example:3128, which the variable HTTPS_PROXY names".to_owned());
    let report: serde_json::Value = serde_json::from_str(&rendered(&outcome, &seen, Format::Json, &look(100))).unwrap();
    let ticket = report["ticket"].as_str().unwrap();
    for place in ["/etc/own", "/run/secrets", "squid"] {
        assert!(!ticket.contains(place), "{place}: {ticket}");
    }
    assert!(ticket.contains("tls-untrusted") && !ticket.contains('\n'), "{ticket}");
}

#[test]
fn nothing_is_wider_than_the_terminal_but_what_is_to_be_copied() {
    for (outcome, seen) in [(healthy(), examination()), key_refused(), untrusted()] {
        for width in [40, 48, 60, 80, 120, 200] {
            let text = rendered(&outcome, &seen, Format::Human, &look(width));
            let (report, _) = text.split_once("the request that").unwrap();
            for line in report.lines().filter(|line| !line.contains("://")) {
                assert!(super::layout::columns(line) <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn hostile_text_cannot_act_on_the_terminal() {
    let (mut outcome, mut seen) = key_refused();
    let evil = "a\u{1b}[2Jb\u{202e}c\nd";
    seen.key = KeySeen::Missing { fault: evil.to_owned() };
    seen.handshakes[0].chain[0].subject = evil.to_owned();
    seen.free.as_mut().unwrap().says = evil.to_owned();
    seen.catalogue.as_mut().unwrap().found.as_mut().unwrap().nearest = vec![evil.to_owned()];
    seen.request.body = serde_json::json!({ "model": evil }).to_string();
    outcome.diagnosis.as_mut().unwrap().evidence = evil.to_owned();
    outcome.notes.push(evil.to_owned());
    let text = rendered(&outcome, &seen, Format::Human, &look(100));
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(acts), "{text:?}");
}

/// The example in `docs/diagnose.md` is what the code makes; `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_example_of_the_manual_is_real() {
    const BEGIN: &str = "<!-- the example, made by a test -->\n```text\n";
    const END: &str = "```\n<!-- the end of the example -->";
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnose.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let (outcome, seen) = key_refused();
    let made = rendered(&outcome, &seen, Format::Human, &look(110));
    #[expect(clippy::disallowed_methods, reason = "the switch of a test is no setting of the program")]
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{}\n{END}{after}", made.trim_end())).unwrap();
        return;
    }
    assert_eq!(found.trim_end(), made.trim_end(), "UPDATE_DOCS=1 writes it anew");
}

#[test]
fn a_target_without_a_name_of_a_model_shows_what_there_is() {
    let mut seen = examination();
    let found =
        Listing { total: 42, listed: false, nearest: Vec::new(), first: vec!["a/one".to_owned(), "b/two".to_owned()] };
    seen.catalogue.as_mut().unwrap().found = Some(found);
    let mut outcome = climbed(ready("p", "endpoint", "(none named)"));
    (outcome.depth, outcome.stage) = (crate::target::Depth::Auth, Stage::Locate);
    let text = rendered(&outcome, &seen, Format::Human, &look(120));
    assert!(text.contains("42 models; none was named (--model ID goes on from here)"), "{text}");
    assert!(text.contains("the list begins with a/one, b/two, …"), "{text}");
    assert!(text.contains("not asked for"), "{text}");
}

#[test]
fn a_warm_up_that_was_withheld_was_not_made() {
    use crate::outcome::Withholding;
    for code in [Code::QuotaWithheld, Code::WindowSpent] {
        let spent = super::sample::diagnosis(code, Stage::Warm, "five-hour: nothing left", "");
        let mut outcome = failed(climbed(ready("p", "glm", "m")), spent, Proof::KeyAcceptedAndListed, Some(200));
        outcome.withheld = Some(Withholding::Limited);
        let mut seen = examination();
        seen.request.made = Made::NotSent;
        let text = rendered(&outcome, &seen, Format::Human, &look(200));
        assert!(text.contains("not sent: five-hour: nothing left"), "{text}");
        assert!(text.contains("; the warm-up was withheld") && !text.contains("1 attempt"), "{text}");
        assert!(!text.contains("warm-up   ") && !text.contains("first token  "), "{text}");
    }
}

#[test]
fn an_id_that_begins_with_a_bracket_is_an_id() {
    let text = rendered(&climbed(ready("p", "t", "(mine) 7b")), &examination(), Format::Human, &look(120));
    assert!(text.contains("(mine) 7b at") && !text.contains("no model"), "{text}");
}
