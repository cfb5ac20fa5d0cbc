//! A whole climb over a scripted line: what is known of limits and prices afterwards, and from which answer.

use bytes::Bytes;

use super::*;
use crate::outcome::sample::{run_id, target};
use crate::outcome::{ListPrice, Reading};
use crate::probe::Free;
use crate::probe::transport::{Answer, Body, BodyFault, Boxed, DialMarks, Dialled, ExchangeFault, Request};
use crate::run::SystemClock;
use crate::target::{Catalogue, CatalogueShape, Family, FreeCheck, FreeCheckProves, Provider};

/// An answer: part of the path it is for, status, what `x-synthetic-quotas` says is left, body.
type Scripted = (&'static str, u16, Option<f64>, &'static str);

struct Script(Vec<Scripted>);

struct Whole(Option<&'static str>);

impl Body for Whole {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        Box::pin(async { Ok(self.0.take().map(Bytes::from)) })
    }
}

impl Line for Script {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(async move {
            let (path, status, left, body) = self.0.remove(0);
            assert!(request.path.contains(path), "{} where {path} was expected", request.path);
            let quota = |left| format!("{{\"rollingFiveHourLimit\":{{\"remaining\":{left},\"max\":500}}}}");
            let headers = left.map(|left| ("x-synthetic-quotas".to_owned(), quota(left))).into_iter().collect();
            let now = SystemClock.now();
            Ok(Answer { head: Head { status, headers }, sent: now, answered: now, body: Box::new(Whole(Some(body))) })
        })
    }

    fn reopened(&self) -> bool {
        false
    }
}

/// Dials once and follows the script.
struct Scene(std::sync::Mutex<Option<Vec<Scripted>>>);

impl Network for Scene {
    fn dial<'a>(&'a self, _: &'a Provider, _: Duration) -> Boxed<'a, Dialled> {
        Box::pin(async move {
            let script = Script(self.0.lock().unwrap().take().unwrap());
            Dialled { marks: DialMarks::default(), line: Ok(Box::new(script)) }
        })
    }
}

async fn climbed(script: Vec<Scripted>) -> Outcome {
    let mut target = target("synthetic", "glm", "hf:zai-org/GLM-5.2");
    let provider = Arc::make_mut(&mut target.provider);
    provider.family = Family::Synthetic;
    provider.free_check = Some(FreeCheck {
        path: "/v2/quotas".to_owned(),
        proves: FreeCheckProves::Key,
        name: "the quota endpoint".to_owned(),
    });
    provider.catalogue = Some(Catalogue {
        path: "models".to_owned(),
        shape: CatalogueShape::Data,
        public: true,
        id_prefix: None,
        partial: false,
    });
    let knobs = Knobs::of(&target);
    let credential = Arc::new(Credential::NotNeeded);
    let job = Job { target: Arc::new(target), credential, depth: Depth::Warm, run_id: run_id(), cold_until: None };
    let scene = Scene(std::sync::Mutex::new(Some(script)));
    climb(&job, &scene, &SystemClock, &Free, knobs, &|_| {}, Box::pin(std::future::pending())).await.outcome
}

fn left(readings: &[Reading]) -> Vec<(&str, Option<f64>)> {
    readings.iter().map(|reading| (reading.window.as_str(), reading.remaining)).collect()
}

const QUOTAS: &str = r#"{"rollingFiveHourLimit":{"remaining":364,"max":500,"limited":true},
    "weeklyTokenLimit":{"remainingCredits":"$11.20"}}"#;
const MODELS: &str =
    r#"{"data":[{"id":"hf:zai-org/GLM-5.2","pricing":{"prompt":"$0.00000055","completion":"$0.00000219"}}]}"#;
const PONG: &str = r#"{"choices":[{"message":{"content":"pong"},"finish_reason":"stop"}]}"#;

#[tokio::test]
async fn what_is_said_before_and_after_the_warm_up_is_kept_apart() {
    let outcome = climbed(vec![
        ("quotas", 200, None, QUOTAS),
        ("models", 200, Some(363.5), MODELS),
        ("chat/completions", 200, Some(362.5), PONG),
    ])
    .await;
    assert_eq!(outcome.proof, Proof::TokenGenerated, "{:?}", outcome.diagnosis);
    assert_eq!(left(&outcome.quota.before), [("five-hour", Some(363.5)), ("week", Some(11.2))]);
    assert_eq!(left(&outcome.quota.after), [("five-hour", Some(362.5))]);
    let price = ListPrice { input_usd_per_million: 0.55, output_usd_per_million: 2.19 };
    assert_eq!(outcome.list_price, Some(price));
}

#[tokio::test]
async fn a_refusal_tells_what_is_left_and_a_repair_counts_as_spent() {
    let outcome = climbed(vec![
        ("quotas", 200, None, "{}"),
        ("models", 200, None, MODELS),
        ("chat/completions", 400, Some(3.0), r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","code":"unsupported_parameter","param":"max_tokens"}}"#),
        ("chat/completions", 429, Some(0.0), r#"{"error":"You've exceeded your subscription rate limits."}"#),
    ])
    .await;
    assert!(outcome.diagnosis.is_some());
    assert_eq!(outcome.quota.before, []);
    assert_eq!(left(&outcome.quota.after), [("five-hour", Some(0.0))]);
}
