//! A list over a scripted line: what is sent, what is shown, and why there is none.

use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::*;
use crate::outcome::sample::{run_id, target};
use crate::probe::transport::{Body, BodyFault, Boxed, Dialled};
use crate::run::SystemClock;
use crate::target::{CatalogueShape, CredentialFault, CredentialSource, Depth, Provider, Secret};

const KEY: &str = "syn_hunter2hunter2";

/// Answers one request, and keeps what it was.
struct Scene {
    status: u16,
    body: &'static str,
    asked: Arc<Mutex<Vec<Request>>>,
}

struct Script {
    status: u16,
    body: &'static str,
    asked: Arc<Mutex<Vec<Request>>>,
}

/// A body in pieces of a few bytes.
struct Pieces(&'static [u8]);

impl Body for Pieces {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        let (piece, rest) = self.0.split_at(self.0.len().min(7));
        self.0 = rest;
        Box::pin(async move { Ok((!piece.is_empty()).then(|| Bytes::from_static(piece))) })
    }
}

impl Line for Script {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        self.asked.lock().unwrap().push(request);
        let now = SystemClock.now();
        let head = Head { status: self.status, headers: Vec::new() };
        let body = Box::new(Pieces(self.body.as_bytes()));
        Box::pin(async move { Ok(Answer { head, sent: now, answered: now, body }) })
    }

    fn reopened(&self) -> bool {
        false
    }
}

impl Network for Scene {
    fn dial<'a>(&'a self, _: &'a Provider, _: Duration) -> Boxed<'a, Dialled> {
        let script = Script { status: self.status, body: self.body, asked: Arc::clone(&self.asked) };
        Box::pin(async move { Dialled { marks: DialMarks::default(), line: Ok(Box::new(script)) } })
    }
}

/// Public or not, with this key; what came of it, and the headers that were sent.
async fn asked(
    public: bool,
    credential: Credential,
    status: u16,
    body: &'static str,
) -> (Result<Listing, NoList>, Vec<(String, String)>) {
    let mut target = target("synthetic", "glm", "hf:zai-org/GLM-5.2");
    let provider = Arc::make_mut(&mut target.provider);
    provider.catalogue = Some(Catalogue {
        path: "models".to_owned(),
        shape: CatalogueShape::Data,
        public,
        id_prefix: None,
        partial: false,
    });
    let credential = Arc::new(credential);
    let job = Job { target: Arc::new(target), credential, depth: Depth::Auth, run_id: run_id(), cold_until: None };
    let scene = Scene { status, body, asked: Arc::default() };
    let listing = list(&job, &scene, &SystemClock).await;
    let requests = scene.asked.lock().unwrap();
    (listing, requests.iter().flat_map(|request| request.headers.clone()).collect())
}

fn found() -> Credential {
    Credential::Found { source: CredentialSource::Env("K".to_owned()), secret: Secret::new(KEY.to_owned()) }
}

fn missing() -> Credential {
    let fault = CredentialFault::VariableUnset("K".to_owned());
    Credential::Missing { source: CredentialSource::Env("K".to_owned()), fault }
}

#[track_caller]
fn diagnosis(listing: Result<Listing, NoList>) -> Diagnosis {
    match listing {
        Err(NoList::Failed(diagnosis)) => *diagnosis,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_is_echoed_is_not_shown() {
    let body = r#"{"data":[{"id":"for-syn_hunter2hunter2"},{"id":"glm"}]}"#;
    let (listing, headers) = asked(false, found(), 200, body).await;
    let ids: Vec<String> = listing.unwrap().entries.into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["for-***", "glm"]);
    assert!(headers.contains(&("authorization".to_owned(), format!("Bearer {KEY}"))));
    let refusal = r#"{"error":{"message":"Incorrect API key provided: syn_hunter2hunter2","code":"invalid_api_key"}}"#;
    let found = diagnosis(asked(false, found(), 401, refusal).await.0);
    assert_eq!((found.code, found.stage), (Code::KeyRefused, Stage::Locate));
    assert!(!found.evidence.contains("hunter2") && !found.remedy.contains("hunter2"), "{found:?}");
}

#[tokio::test]
async fn a_public_list_needs_no_key() {
    let body = r#"{"data":[{"id":"glm"}]}"#;
    let (listing, headers) = asked(true, missing(), 200, body).await;
    assert_eq!(listing.unwrap().total, 1);
    assert!(!headers.iter().any(|(name, _)| name == "authorization"));
    let found = diagnosis(asked(false, missing(), 200, body).await.0);
    assert_eq!((found.code, found.stage), (Code::CredentialMissing, Stage::Credential));
}

#[tokio::test]
async fn what_is_no_list_is_said() {
    for (status, body, code) in [
        (200, "<html><title>Sign in</title></html>", Code::NotThisApi),
        (200, r#"{"data":[{"id":"a""#, Code::NotThisApi),
        (404, r#"{"detail":"Not Found"}"#, Code::BaseUrlWrong),
        (503, "", Code::Overloaded),
    ] {
        assert_eq!(diagnosis(asked(false, found(), status, body).await.0).code, code, "{status} {body}");
    }
    let inside = r#"{"error":{"message":"no","code":"invalid_api_key"}}"#;
    assert_eq!(diagnosis(asked(false, found(), 200, inside).await.0).code, Code::KeyRefused);
}
