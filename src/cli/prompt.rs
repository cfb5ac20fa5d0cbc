//! The questions of `pilotlight init`: plain lines, numbers and words to filter by. Nothing here knows a terminal.

use std::io;

use crate::config::import::{Answers, Offer, is_key_variable};
use crate::report::{Look, ModelRow, model_lines};

/// How many models are shown at once.
const SHOWN: usize = 20;
/// How often something may be answered wrongly before it is given up: a script that answers nonsense must end.
const PATIENCE: usize = 50;

/// Somebody to ask.
pub(super) trait Console {
    /// Says a line.
    fn say(&mut self, text: &str);
    /// Asks, and waits for a line. `None` when nobody is there any more.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;
}

/// What the questions need to know.
pub(super) struct Known<'a> {
    /// The presets.
    pub(super) offers: &'a [Offer],
    /// Whether a variable is set.
    pub(super) is_set: &'a dyn Fn(&str) -> bool,
    /// The time zone of this machine, where it is known.
    pub(super) zone: Option<String>,
    /// The live list of what has been answered so far, or why there is none, in one sentence.
    pub(super) models: &'a dyn Fn(&Answers) -> Result<Vec<ModelRow>, String>,
    /// Whether the answers make a probes.yaml; else what is wrong.
    pub(super) check: &'a dyn Fn(&Answers) -> Result<(), String>,
    /// How a list is to look.
    pub(super) look: &'a Look,
}

/// Nobody answers any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// The end of the input.
    #[error("the answers ended; nothing was written")]
    End,
    /// Nothing sensible came.
    #[error("no answer could be understood; nothing was written")]
    Nonsense,
    /// The input failed.
    #[error("failed to read an answer: {0}")]
    Failed(#[from] io::Error),
}

/// Asks everything.
pub(super) fn interview(console: &mut dyn Console, known: &Known<'_>, begun: Answers) -> Result<Answers, Unanswered> {
    let mut talk = Talk { console, known, wrong: 0 };
    let mut answers = begun;
    if answers.preset.is_empty() {
        answers.preset = talk.preset()?.preset.to_owned();
    }
    let offer = known.offers.iter().find(|offer| offer.preset == answers.preset);
    let offer = offer.ok_or(Unanswered::Nonsense)?;
    if answers.base_url.is_none() {
        answers.base_url = talk.base_url(offer, &answers)?;
    }
    if answers.key_env.is_none() {
        answers.key_env = talk.key(offer)?;
    }
    if answers.models.is_empty() {
        answers.models = talk.models(&answers)?;
    }
    if answers.warm.is_none() && offer.unloads {
        answers.warm = talk.warm(&answers)?;
    }
    Ok(answers)
}

struct Talk<'t, 'k> {
    console: &'t mut dyn Console,
    known: &'t Known<'k>,
    wrong: usize,
}

impl Talk<'_, '_> {
    fn ask(&mut self, question: &str) -> Result<String, Unanswered> {
        self.console.ask(question)?.ok_or(Unanswered::End)
    }

    /// Says what was wrong, and lets it be answered again.
    fn again(&mut self, why: &str) -> Result<(), Unanswered> {
        self.console.say(&format!("  {why}"));
        self.wrong += 1;
        if self.wrong > PATIENCE { Err(Unanswered::Nonsense) } else { Ok(()) }
    }

    fn preset(&mut self) -> Result<Offer, Unanswered> {
        let offers = self.known.offers;
        self.console.say("Which provider? (* its key is set)");
        let names: Vec<String> = (1..)
            .zip(offers)
            .map(|(number, offer)| {
                let set = offer.key_variable.as_deref().is_some_and(self.known.is_set);
                let mark = if set { "*" } else { " " };
                format!("{number:>3} {mark} {:<22} {}", offer.preset, offer.title)
            })
            .collect();
        for line in names {
            self.console.say(&line);
        }
        loop {
            let answer = self.ask("number or name:")?;
            let by_number = answer.parse::<usize>().ok().and_then(|number| offers.get(number.checked_sub(1)?));
            let exact = || offers.iter().find(|offer| offer.preset == answer.to_lowercase());
            let word = answer.to_lowercase();
            let like: Vec<&Offer> = offers
                .iter()
                .filter(|offer| offer.preset.contains(&word) || offer.title.to_lowercase().contains(&word))
                .collect();
            let only = if let [only] = like.as_slice() { Some(*only) } else { None };
            match by_number.or_else(exact).or(only.filter(|_| !word.is_empty())) {
                Some(offer) => {
                    self.console.say(&format!("  {}", offer.title));
                    return Ok(offer.clone());
                }
                None => self.again("write one of the numbers, or a name; any other API is openai-compatible")?,
            }
        }
    }

    fn base_url(&mut self, offer: &Offer, answers: &Answers) -> Result<Option<String>, Unanswered> {
        // A hosted provider's address is known; a server of one's own may stand anywhere.
        let local = offer.base_url.as_deref().is_none_or(|url| url.starts_with("http://"));
        if !local {
            return Ok(None);
        }
        loop {
            let question = match &offer.base_url {
                Some(url) => format!("base URL [{url}]:"),
                None => "base URL, as for its SDK (https://host/v1):".to_owned(),
            };
            let answer = self.ask(&question)?;
            if answer.is_empty() && offer.base_url.is_some() {
                return Ok(None);
            }
            // A stand-in for what is asked later, so that only the address can be wrong.
            let trial = Answers {
                base_url: Some(answer.clone()),
                key_env: Some(String::new()),
                models: vec!["m".to_owned()],
                ..answers.clone()
            };
            match (self.known.check)(&trial) {
                Ok(()) => return Ok(Some(answer)),
                Err(why) => self.again(&why)?,
            }
        }
    }

    fn key(&mut self, offer: &Offer) -> Result<Option<String>, Unanswered> {
        loop {
            let question = match (&offer.key_variable, offer.key_required) {
                (Some(name), true) => format!("variable with the key [{name}, {}]:", self.set(name)),
                (Some(name), false) => format!("variable with the key [{name} if it is set, {}]:", self.set(name)),
                (None, _) => "variable with the key [none]:".to_owned(),
            };
            let answer = self.ask(&question)?;
            if answer.is_empty() {
                return Ok(if offer.key_variable.is_some() { None } else { Some(String::new()) });
            }
            if answer == "none" {
                return Ok(Some(String::new()));
            }
            if is_key_variable(&answer) {
                self.console.say(&format!("  {answer} is {}", self.set(&answer)));
                return Ok(Some(answer));
            }
            self.again("name the variable, such as LLM_API_KEY, not the key: the key is never written into the file")?;
        }
    }

    fn set(&self, name: &str) -> &'static str {
        if (self.known.is_set)(name) { "set" } else { "not set" }
    }

    fn models(&mut self, answers: &Answers) -> Result<Vec<String>, Unanswered> {
        let rows = match (self.known.models)(answers) {
            Ok(rows) => {
                self.console.say(&format!("  {} models are listed", rows.len()));
                rows
            }
            Err(why) => {
                self.console.say(&format!("  there is no list to choose from: {why}"));
                Vec::new()
            }
        };
        let mut chosen: Vec<String> = Vec::new();
        let mut shown: Vec<ModelRow> = rows.iter().take(SHOWN).cloned().collect();
        self.show(&shown, rows.len());
        loop {
            let question = match (rows.is_empty(), chosen.is_empty()) {
                (true, true) => "model id:",
                (true, false) => "another id, as a fallback [no more]:",
                (false, true) => "model: a number, an id, or a word to filter by:",
                (false, false) => "a fallback: a number, an id, a word to filter by [no more]:",
            };
            let answer = self.ask(question)?;
            if answer.is_empty() {
                if chosen.is_empty() {
                    self.again("one is needed")?;
                    continue;
                }
                return Ok(chosen);
            }
            let by_number = answer.parse::<usize>().ok().and_then(|number| shown.get(number.checked_sub(1)?));
            let by_id = || rows.iter().find(|row| row.id == answer);
            let id = by_number.or_else(by_id).map(|row| row.id.clone());
            let id = id.or_else(|| rows.is_empty().then(|| answer.clone()));
            if let Some(id) = id {
                let trial = Answers { models: vec![id.clone()], key_env: Some(String::new()), ..answers.clone() };
                match (self.known.check)(&trial) {
                    Err(why) => self.again(&why)?,
                    Ok(()) if chosen.contains(&id) => self.again("that one is chosen already")?,
                    Ok(()) => {
                        self.console.say(&format!("  {id}"));
                        chosen.push(id);
                    }
                }
                continue;
            }
            let word = answer.to_lowercase();
            let found: Vec<&ModelRow> = rows.iter().filter(|row| row.id.to_lowercase().contains(&word)).collect();
            if found.is_empty() {
                self.again("no model of the list has that in its id; a full id that is not listed goes into probes.yaml by hand")?;
                continue;
            }
            let count = found.len();
            shown = found.into_iter().take(SHOWN).cloned().collect();
            self.show(&shown, count);
        }
    }

    fn show(&mut self, rows: &[ModelRow], count: usize) {
        for (number, line) in (1..).zip(model_lines(rows, self.known.look)) {
            self.console.say(&format!("{number:>3}   {line}"));
        }
        if count > rows.len() {
            self.console.say(&format!("      and {} more: a word filters", count - rows.len()));
        }
    }

    fn warm(&mut self, answers: &Answers) -> Result<Option<(String, Option<String>)>, Unanswered> {
        self.console.say("Keep it warm on a schedule? Each warm-up costs one small request.");
        loop {
            let during = self.ask("when, such as Mon-Fri 08:00-19:00 [no schedule]:")?;
            if during.is_empty() {
                return Ok(None);
            }
            let usual = self.known.zone.clone();
            let question = match &usual {
                Some(zone) => format!("time zone [{zone}]:"),
                None => "time zone, such as Europe/Berlin [this machine's]:".to_owned(),
            };
            let zone = self.ask(&question)?;
            let zone = if zone.is_empty() { usual } else { Some(zone) };
            let trial =
                Answers { warm: Some((during.clone(), zone.clone())), key_env: Some(String::new()), ..answers.clone() };
            match (self.known.check)(&trial) {
                Ok(()) => return Ok(Some((during, zone))),
                Err(why) => self.again(&why)?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::config::import::{offers, started};
    use crate::report::{Marks, Style};

    /// Answers from a list, and keeps all that was said.
    struct Script {
        answers: Vec<&'static str>,
        said: String,
    }

    impl Console for Script {
        fn say(&mut self, text: &str) {
            self.said.push_str(text);
            self.said.push('\n');
        }

        fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
            let answer = if self.answers.is_empty() { None } else { Some(self.answers.remove(0)) };
            self.said.push_str(&format!("{question} {}\n", answer.unwrap_or("(nothing)")));
            Ok(answer.map(str::to_owned))
        }
    }

    fn asked(answers: &[&'static str], models: &[&str]) -> (Result<Answers, Unanswered>, String) {
        let offers = offers();
        let row = |id: &&str| ModelRow {
            id: (*id).to_owned(),
            context: Some(8192),
            input_usd_per_million: None,
            output_usd_per_million: None,
            targets: Vec::new(),
        };
        let rows: Vec<ModelRow> = models.iter().map(row).collect();
        let known = Known {
            offers: &offers,
            is_set: &|name| name == "SYNTHETIC_API_KEY",
            zone: Some("Europe/Berlin".to_owned()),
            models: &|_| if rows.is_empty() { Err("key-refused: HTTP 401".to_owned()) } else { Ok(rows.clone()) },
            check: &|answers| started(answers).map(drop),
            look: &Look { width: 100, style: Style::Plain, marks: Marks::Ascii, zone: TimeZone::UTC },
        };
        let mut script = Script { answers: answers.to_vec(), said: String::new() };
        let result = interview(&mut script, &known, Answers::default());
        (result, script.said)
    }

    #[test]
    fn a_talk_leads_to_a_file() {
        let models = ["hf:zai-org/GLM-4.6", "syn:large:text", "syn:small:text"];
        let (answers, said) = asked(
            &[
                "1",
                "",
                "syn",
                "1",
                "2",
                "",
                "Mon-Fri 8-19",
                "",
                "Mon-Fri 08:00-19:00",
                "Mars/Base",
                "Mon-Fri 08:00-19:00",
                "",
            ],
            &models,
        );
        insta::assert_snapshot!("init_talk", said);
        let answers = answers.unwrap();
        assert_eq!(answers.models, ["syn:large:text", "syn:small:text"]);
        assert_eq!(answers.warm, Some(("Mon-Fri 08:00-19:00".to_owned(), Some("Europe/Berlin".to_owned()))));
        insta::assert_snapshot!("init_file", started(&answers).unwrap().yaml());
    }

    #[test]
    fn a_key_is_not_taken_for_its_variable() {
        let key = "sk-hunter2hunter2hunter2";
        let (answers, said) = asked(
            &[
                "openai-compatible",
                "host",
                "https://llm.example/v1/chat/completions",
                "https://llm.example/v1",
                key,
                "hunter2hunter2hunter2",
                "MINE",
                "m",
                "",
                "",
            ],
            &[],
        );
        assert_eq!(answers.unwrap().key_env, Some("MINE".to_owned()));
        assert!(said.contains("write https://llm.example/v1"), "{said}");
        assert!(said.contains("there is no list to choose from: key-refused"), "{said}");
        let told: Vec<&str> =
            said.lines().filter(|line| line.contains("hunter2") && !line.starts_with("variable")).collect();
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn nobody_and_nonsense_end_it() {
        assert!(matches!(asked(&[], &[]).0, Err(Unanswered::End)));
        assert!(matches!(asked(&[""; 100], &[]).0, Err(Unanswered::Nonsense)));
    }
}
