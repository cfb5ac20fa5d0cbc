//! The free endpoints, asked one by one even where one before has refused: what each said, and what that shows.
//!
//! The key goes nowhere that a probe would not send it: on a line that the transport has verified, to the provider's own
//! origin, and only where its shape is right.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::request::Effort;
use super::route::Way;
use crate::outcome::{Asked, Carried, CatalogueSeen, Class, Code, Listing, QuotaSeen, Stage};
use crate::probe::classify::{Context, classify};
use crate::probe::climb::shown;
use crate::probe::clock::Clock;
use crate::probe::exchange::{ReadFault, piece, whole};
use crate::probe::transport::{Answer, DialFault, DialMarks, ExchangeFault, Head, Line, Network};
use crate::probe::wire::ScanFault;
use crate::probe::wire::catalogue::{CatalogueFinding, CatalogueScan};
use crate::probe::wire::error_body::{BodyShape, ErrorFacts, has_error};
use crate::probe::wire::quota;
use crate::probe::{Job, request};
use crate::target::{Catalogue, Credential, FreeCheckProves};

/// The longest text that is told of an answer, in characters.
const SAID: usize = 400;
/// How many fields of an answer are named.
const FIELDS: usize = 12;
/// How much of a list is kept to say what came instead of one.
const BEGINNING: usize = 2048;

/// What the free endpoints said.
pub(super) struct Answers {
    pub free: Option<Asked>,
    pub catalogue: Option<CatalogueSeen>,
    pub quota: QuotaSeen,
    pub effort: Effort,
    pub not_asked: Option<String>,
}

/// Asks them. Nothing is asked after `until`.
pub(super) async fn ask(
    job: &Job,
    carried: Carried,
    network: &dyn Network,
    clock: &dyn Clock,
    until: Instant,
) -> Answers {
    let mut answers =
        Answers { free: None, catalogue: None, quota: QuotaSeen::default(), effort: Effort::Unknown, not_asked: None };
    let provider = &job.target.provider;
    let mut asking = Asking { job, network, clock, until, line: None, answers: &mut answers };
    let free = provider.free_check.as_ref();
    let list = provider.catalogue.as_ref();
    if free.is_none() && list.is_none() {
        asking.answers.not_asked = Some(format!("{} has no free endpoint", provider.title));
        return answers;
    }
    // What the rungs below have told need not be told again for each request.
    match asking.dial().await {
        Ok(line) => asking.line = Some(line),
        Err((code, _)) => {
            asking.answers.not_asked = Some(format!("there is no connection ({code})"));
            return answers;
        }
    }
    let doubles = free.zip(list).is_some_and(|(free, list)| free.path == list.path);
    let mut refused = false;
    if let Some(free) = free.filter(|_| !doubles) {
        let (asked, _) = asking.one(Stage::Authenticate, &free.path, carried, None).await;
        refused = asked.code.is_some_and(|code| code.class() == Class::Unauthorized);
        let shows = shows(&asked, free.proves);
        asking.answers.free = Some(Asked { shows, ..asked });
    }
    if let Some(list) = list {
        // A key that is refused would have a public list refused too.
        let carried = if refused && list.public { Carried::NoKey } else { carried };
        let (mut asked, finding) = asking.one(Stage::Locate, &list.path, carried, Some(list)).await;
        asked.shows = match free.filter(|_| doubles) {
            Some(free) => shows(&asked, free.proves),
            None if asked.code.is_none() && list.public => "it is public, and says nothing of the key".to_owned(),
            None => String::new(),
        };
        if let Some(finding) = &finding
            && finding.efforts.iter().any(|effort| effort == "none")
        {
            asking.answers.effort = Effort::NoneListed;
        }
        let found = finding.map(|finding| Listing {
            total: finding.total,
            listed: finding.listed,
            nearest: finding.nearest,
            first: finding.first,
        });
        if doubles {
            asking.answers.free = Some(asked.clone());
        }
        asking.answers.catalogue = Some(CatalogueSeen { asked, found });
    }
    answers
}

/// What an answer of the key check shows.
fn shows(asked: &Asked, proves: FreeCheckProves) -> String {
    let sentence;
    let text = match (asked.code, asked.carried, proves) {
        (None, Carried::Key, FreeCheckProves::Key) => "the key is accepted",
        (None, Carried::NoKey, FreeCheckProves::Key) => "it answers without a key too",
        (None, _, FreeCheckProves::Reachable) => "the server answers; it proves no key",
        (Some(code), Carried::NoKey, _) if code.class() == Class::Unauthorized && asked.status.is_some() => {
            "it was asked without a key, and wants one"
        }
        (Some(code), ..) => {
            sentence = as_a_part(code.explain().meaning);
            &sentence
        }
    };
    text.to_owned()
}

/// A sentence as a part of another: without its capital and its full stop.
fn as_a_part(sentence: &str) -> String {
    let mut characters = sentence.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

struct Asking<'a> {
    job: &'a Job,
    network: &'a dyn Network,
    clock: &'a dyn Clock,
    until: Instant,
    line: Option<Box<dyn Line>>,
    answers: &'a mut Answers,
}

impl Asking<'_> {
    /// What is left of the time, and no more than `most`.
    fn left(&self, most: Duration) -> Duration {
        self.until.saturating_duration_since(self.clock.now()).min(most)
    }

    /// One request. `list` says how its answer is scanned, where it is a list.
    async fn one(
        &mut self,
        stage: Stage,
        path: &str,
        carried: Carried,
        list: Option<&Catalogue>,
    ) -> (Asked, Option<CatalogueFinding>) {
        let mut asked = Asked {
            path: path.to_owned(),
            carried,
            status: None,
            took: None,
            request_id: None,
            says: String::new(),
            code: None,
            shows: String::new(),
        };
        let provider = &self.job.target.provider;
        let answer = match self.send(path, carried).await {
            Ok(answer) => answer,
            Err((code, says)) => {
                asked.code = Some(code);
                asked.says = shown(&says, self.job, SAID);
                return (asked, None);
            }
        };
        let now = self.clock.wall();
        self.answers.quota.read_before(quota::headers(provider.family, &answer.head, now));
        asked.status = Some(answer.head.status);
        asked.took = Some(answer.answered.saturating_duration_since(answer.sent));
        let head = answer.head.clone();
        let success = (200..300).contains(&head.status);
        let read = match list.filter(|_| success) {
            Some(list) => self.scan(answer, list).await,
            None => self.body(answer).await,
        };
        let facts = match read {
            Read::Listed(finding) => {
                asked.request_id = id(&head, self.job);
                asked.says = format!("a list of {}", finding.total);
                return (asked, Some(*finding));
            }
            Read::Broken(code, says) => {
                asked.request_id = id(&head, self.job);
                asked.code = Some(code);
                asked.says = shown(&says, self.job, SAID);
                return (asked, None);
            }
            Read::Body(body) => body,
        };
        let value: Value = serde_json::from_slice(&facts.0).unwrap_or(Value::Null);
        let inside = success && has_error(&value);
        if success && !inside && facts.1.shape == BodyShape::Json && list.is_none() {
            self.answers.quota.read_before(quota::body(provider.family, &value, now));
            asked.request_id = id(&head, self.job);
            asked.says = shown(&fields(&value), self.job, SAID);
            return (asked, None);
        }
        let context = Context {
            family: provider.family,
            stage,
            model: self.job.target.model.as_str(),
            listed: false,
            in_stream: inside,
            secret: self.job.credential.secret(),
        };
        let classified = classify(&context, &head, &facts.1, now);
        asked.code = Some(classified.code);
        asked.request_id = classified.request_id.or_else(|| id(&head, self.job));
        let says = match classified.location {
            Some(location) => format!("HTTP {} to {location}", head.status),
            None => classified.evidence,
        };
        asked.says = shown(&says, self.job, SAID);
        (asked, None)
    }

    async fn dial(&self) -> Result<Box<dyn Line>, (Code, String)> {
        let target = &self.job.target;
        let dialled = self.network.dial(&target.provider, self.left(target.expect.connect)).await;
        dialled.line.map_err(|fault| Way::of(&target.provider).judged(fault, &dialled.marks))
    }

    /// Sends one request on the line, which is made where there is none.
    async fn send(&mut self, path: &str, carried: Carried) -> Result<Answer, (Code, String)> {
        let target = &self.job.target;
        let provider = &target.provider;
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.dial().await?,
        };
        let credential = match carried {
            Carried::Key => &*self.job.credential,
            Carried::NoKey => &Credential::NotNeeded,
        };
        let request = request::get(provider, credential, &self.job.run_id, path);
        let answered = tokio::time::timeout(self.left(target.expect.answer), line.send(request)).await;
        let answer = match answered {
            Err(_) => Err((Code::AnswerTimeout, "no answer in time".to_owned())),
            Ok(Err(fault)) => Err(match fault {
                ExchangeFault::Lost(text) => (Code::ConnectionLost, text),
                ExchangeFault::NotHttp(text) => (Code::NotThisApi, text),
                ExchangeFault::ClientCertificate(text) => (Code::ClientCertificateRefused, text),
                ExchangeFault::Proxy(fault) => Way::of(provider).judged(DialFault::Proxy(fault), &DialMarks::default()),
                ExchangeFault::Redial(fault) => Way::of(provider).judged(fault, &DialMarks::default()),
            }),
            Ok(Ok(answer)) => Ok(answer),
        };
        if answer.is_ok() {
            self.line = Some(line);
        }
        answer
    }

    async fn body(&self, mut answer: Answer) -> Read {
        let until = self.end_of(&answer);
        let (body, read) = whole(&mut *answer.body, self.clock, until).await;
        match read {
            Err(fault) if (200..300).contains(&answer.head.status) => broken(fault),
            // Half an error still says more than none.
            _ => {
                let facts = ErrorFacts::read(&body);
                Read::Body((body, facts))
            }
        }
    }

    async fn scan(&self, mut answer: Answer, list: &Catalogue) -> Read {
        let until = self.end_of(&answer);
        let mut scan = CatalogueScan::new(list.shape, self.job.target.model.as_str(), list.id_prefix.as_deref());
        let mut beginning: Vec<u8> = Vec::new();
        let foreign = |beginning: Vec<u8>| {
            let facts = ErrorFacts::read(&beginning);
            Read::Body((beginning, facts))
        };
        loop {
            match piece(&mut *answer.body, self.clock, until).await {
                Err(fault) => return broken(fault),
                Ok(None) => break,
                Ok(Some(piece)) => {
                    let room = BEGINNING.saturating_sub(beginning.len());
                    beginning.extend(piece.iter().take(room));
                    match scan.push(&piece) {
                        Ok(()) => {}
                        Err(ScanFault::TooLarge) => return broken(ReadFault::TooLarge),
                        Err(ScanFault::NotJson { .. }) => return foreign(beginning),
                    }
                }
            }
        }
        match scan.finish() {
            Ok(finding) if finding.is_catalogue => Read::Listed(Box::new(finding)),
            _ => foreign(beginning),
        }
    }

    fn end_of(&self, answer: &Answer) -> Instant {
        self.until.min(answer.sent + self.job.target.expect.answer)
    }
}

/// What was read of an answer.
enum Read {
    Listed(Box<CatalogueFinding>),
    Body((Vec<u8>, ErrorFacts)),
    Broken(Code, String),
}

fn broken(fault: ReadFault) -> Read {
    match fault {
        ReadFault::Cut(text) => Read::Broken(Code::AnswerCut, format!("the answer was cut: {text}")),
        ReadFault::TooLarge => {
            Read::Broken(Code::AnswerTooLarge, "the answer is too large: more than is read".to_owned())
        }
        ReadFault::Late => Read::Broken(Code::AnswerTimeout, "the answer did not end in time".to_owned()),
    }
}

/// The names of a JSON answer's fields. Its values are an account's own business.
fn fields(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "an object without fields".to_owned(),
        Value::Object(fields) => {
            let named: Vec<&str> = fields.keys().take(FIELDS).map(String::as_str).collect();
            let more = if fields.len() > FIELDS { " and more" } else { "" };
            format!("an object with {}{more}", named.join(", "))
        }
        Value::Array(items) => format!("a list of {}", items.len()),
        _ => "JSON".to_owned(),
    }
}

fn id(head: &Head, job: &Job) -> Option<String> {
    let id = ["x-request-id", "request-id", "cf-ray"].iter().find_map(|name| head.header(name))?;
    Some(shown(id, job, 100))
}
