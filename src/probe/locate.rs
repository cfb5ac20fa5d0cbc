//! Stage `locate`: the LLM is in the provider's catalogue; when it is not, the nearest names are.

use super::authenticate::drain;
use super::climb::{Authenticated, Climb, Fault, Located};
use super::exchange::{ReadFault, leaves_it_open, piece, refusal, refusal_inside, send, unread, whole};
use super::request;
use super::transport::Answer;
use super::wire::ScanFault;
use super::wire::catalogue::{CatalogueFinding, CatalogueScan};
use super::wire::error_body::{BodyShape, ErrorFacts, has_error};
use crate::outcome::{Code, Proof, Stage};
use crate::target::{Catalogue, Depth, Family, NO_MODEL};

/// Looks for the LLM in the catalogue, where there is one.
pub(super) async fn locate(climb: &mut Climb<'_>, authenticated: Authenticated) -> Result<Located, Fault> {
    let Authenticated { mut line, finding } = authenticated;
    let target = climb.job.target.clone();
    let provider = &target.provider;
    let Some(catalogue) = &provider.catalogue else {
        return Ok(Located { line, listed: false, effort_none: false, nearest: Vec::new() });
    };
    let already_read = finding.is_some();
    let asked_by_authenticate = provider.free_check.as_ref().is_some_and(|check| check.path == catalogue.path);
    if asked_by_authenticate && !already_read {
        // The list was withheld or failed there already; asking again would only cost time.
        return Ok(Located { line, listed: false, effort_none: false, nearest: Vec::new() });
    }
    climb.enter(Stage::Locate);
    let finding = match finding {
        Some(finding) => Ok(Scanned::Read(finding)),
        None => {
            let wanted = request::get(provider, &climb.job.credential, &climb.job.run_id, &catalogue.path);
            match send(climb, &mut *line, wanted, target.expect.answer, Code::AnswerTimeout).await {
                Ok(answer) => scan(climb, answer, Stage::Locate).await,
                Err(fault) => Err(fault),
            }
        }
    };
    let finding = match finding {
        Ok(Scanned::Read(finding)) => finding,
        Ok(Scanned::Withheld(note)) => {
            climb.facts.notes.push(note);
            return Ok(Located { line, listed: false, effort_none: false, nearest: Vec::new() });
        }
        Err(fault) if climb.job.depth == Depth::Warm && leaves_it_open(&fault) => {
            climb.facts.notes.push(format!("the catalogue could not be read: {}", fault.evidence));
            return Ok(Located { line, listed: false, effort_none: false, nearest: Vec::new() });
        }
        Err(fault) => return Err(fault),
    };
    judge(climb, catalogue, &finding)?;
    let effort_none = finding.efforts.iter().any(|effort| effort == "none");
    Ok(Located { line, listed: finding.listed, effort_none, nearest: finding.nearest })
}

fn judge(climb: &mut Climb<'_>, catalogue: &Catalogue, finding: &CatalogueFinding) -> Result<(), Fault> {
    let model = climb.job.target.model.as_str();
    if finding.listed {
        climb.facts.list_price = finding.list_price;
        let proven = climb.facts.proof == Proof::KeyAccepted;
        climb.prove(if proven {
            Proof::KeyAcceptedAndListed
        } else if catalogue.public {
            Proof::CatalogueOnly
        } else {
            Proof::Answered
        });
        return Ok(());
    }
    // Of an id that is none, its absence is no news.
    if model == NO_MODEL {
        return Ok(());
    }
    if catalogue.partial {
        climb.facts.notes.push(format!("{model} is not in the catalogue, which does not list everything"));
        return Ok(());
    }
    let mut fault =
        Fault::new(Code::ModelNotFound, format!("{model} is not among the {} models of the catalogue", finding.total));
    fault.nearest.clone_from(&finding.nearest);
    Err(fault)
}

/// What reading a catalogue led to.
pub(super) enum Scanned {
    Read(CatalogueFinding),
    /// The list is not to be had, and that says nothing about key or LLM; the note says why.
    Withheld(String),
}

/// Reads a catalogue as it comes, holding no more than one name of it.
pub(super) async fn scan(climb: &mut Climb<'_>, mut answer: Answer, stage: Stage) -> Result<Scanned, Fault> {
    let target = climb.job.target.clone();
    let Some(catalogue) = &target.provider.catalogue else {
        return Ok(Scanned::Withheld(String::new()));
    };
    let until = answer.sent + target.expect.answer;
    if !(200..300).contains(&answer.head.status) {
        let (body, _) = whole(&mut *answer.body, climb.clock, until).await;
        let facts = ErrorFacts::read(&body);
        return withheld(climb, &answer, &facts, stage);
    }
    let mut scan = CatalogueScan::new(catalogue.shape, target.model.as_str(), catalogue.id_prefix.as_deref());
    // The beginning is kept to say what came instead of a catalogue.
    let mut beginning: Vec<u8> = Vec::new();
    loop {
        match piece(&mut *answer.body, climb.clock, until).await {
            Err(fault @ (ReadFault::Cut(_) | ReadFault::Late | ReadFault::TooLarge)) => {
                return Err(unread(fault, &catalogue.path));
            }
            Ok(None) => break,
            Ok(Some(piece)) => {
                let room = 2048_usize.saturating_sub(beginning.len());
                beginning.extend(piece.iter().take(room));
                match scan.push(&piece) {
                    Ok(()) => {}
                    Err(ScanFault::TooLarge) => return Err(unread(ReadFault::TooLarge, &catalogue.path)),
                    Err(ScanFault::NotJson { .. }) => return Err(foreign(climb, &answer, &beginning, stage)),
                }
            }
        }
    }
    match scan.finish() {
        Ok(finding) if finding.is_catalogue => Ok(Scanned::Read(finding)),
        _ => {
            drain(&mut answer, climb).await;
            Err(foreign(climb, &answer, &beginning, stage))
        }
    }
}

/// A 2xx that is no catalogue: an error inside a 200, a web page, or something else altogether.
fn foreign(climb: &mut Climb<'_>, answer: &Answer, beginning: &[u8], stage: Stage) -> Fault {
    let facts = ErrorFacts::read(beginning);
    let inside = serde_json::from_slice(beginning).is_ok_and(|value| has_error(&value));
    let refusal = if inside { refusal_inside } else { refusal };
    refusal(climb, stage, false, &answer.head, &facts)
}

/// A refused list: sometimes it says nothing about the key.
fn withheld(climb: &mut Climb<'_>, answer: &Answer, facts: &ErrorFacts, stage: Stage) -> Result<Scanned, Fault> {
    let fault = refusal(climb, stage, false, &answer.head, facts);
    let family = climb.job.target.provider.family;
    let warming = climb.job.depth == Depth::Warm;
    match fault.code {
        // A restricted key may be refused the list although it may generate (OpenAI's scopes).
        Code::PermissionDenied if facts.shape == BodyShape::Json && lacks_a_scope(facts) => {
            Ok(Scanned::Withheld(format!("the key may not list models, which is inconclusive: {}", fault.evidence)))
        }
        // Not every compatible server has a list; the warm-up finds out whether the URL is wrong.
        Code::BaseUrlWrong | Code::ModelNotFound if family == Family::Generic && warming => {
            Ok(Scanned::Withheld(format!("there is no list of models at this base URL: {}", fault.evidence)))
        }
        _ => Err(fault),
    }
}

fn lacks_a_scope(facts: &ErrorFacts) -> bool {
    let texts = [&facts.code, &facts.kind, &facts.message];
    texts.iter().any(|text| text.as_deref().is_some_and(|text| text.to_lowercase().contains("scope")))
}
