//! Accounts: whose key a request carries, and what that account may do.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::clock::{Clock, Moment};
use super::http::Request;
use super::limits::{Allowance, Minute};
use super::quota::{Quota, Spent};
use super::refusals::Situation;
use super::scenario::{AccountSpec, AccountState, AuthPolicy, Scenario};

/// What a request wants, as far as an account's state matters to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read the model list.
    List,
    /// A free check: quota, balance, key information, counting tokens.
    Check,
    /// To run a model.
    Generate,
}

/// The key that a request carries, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential<'a> {
    /// The header (in lower case), or `query:key`.
    pub(crate) place: &'static str,
    pub(crate) key: &'a str,
}

/// Finds the credential of a request; the first of the places that APIs use.
pub(crate) fn credential(request: &Request) -> Option<Credential<'_>> {
    let headers = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
    let in_header = headers.iter().find_map(|place| {
        let value = request.header(place)?.trim();
        // Z.AI's own tools send the key without a scheme.
        let bearer = value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
        let key = if bearer { value.get(7..).unwrap_or("").trim() } else { value };
        Some(Credential { place, key })
    });
    in_header.or_else(|| request.query("key").map(|key| Credential { place: "query:key", key }))
}

/// One account and what it has used.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) spec: AccountSpec,
    quota: Option<Mutex<Quota>>,
    minute: Mutex<Minute>,
    fresh: Option<Quota>,
}

impl Account {
    /// Whether a window of its quota is spent.
    pub(crate) fn spent(&self, now: Moment) -> Option<Spent> {
        self.with_quota(|quota| quota.spent(now)).flatten()
    }

    /// Charges one request.
    pub(crate) fn charge(&self, price: f64, now: Moment) {
        self.with_quota(|quota| quota.charge(price, now));
    }

    /// Its quota as Synthetic's JSON; `None` when it has none.
    pub(crate) fn quota_json(&self, clock: &Clock) -> Option<Value> {
        self.with_quota(|quota| quota.json(clock))
    }

    /// Counts a request against the rate limit.
    pub(crate) fn take(&self, limit: u32, now: Moment) -> Allowance {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner).take(limit, now)
    }

    fn with_quota<T>(&self, look: impl FnOnce(&mut Quota) -> T) -> Option<T> {
        self.quota.as_ref().map(|quota| look(&mut quota.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn reset(&self) {
        *self.minute.lock().unwrap_or_else(PoisonError::into_inner) = Minute::default();
        if let Some(fresh) = &self.fresh {
            self.with_quota(|quota| *quota = fresh.clone());
        }
    }

    /// The account as `/_sim/state` shows it.
    pub(crate) fn state(&self, now: Moment) -> Value {
        json!({ "name": self.name, "quota": self.with_quota(|quota| quota.state(now)) })
    }
}

/// All accounts of a provider.
#[derive(Debug)]
pub(crate) struct Accounts {
    known: Vec<Arc<Account>>,
    /// Whoever comes without a key where none is needed.
    anyone: Arc<Account>,
    needed: bool,
}

impl Accounts {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let account = |name: String, spec: &AccountSpec| {
            let fresh = scenario.quota_of(spec).map(|quota| Quota::new(&quota));
            let quota = fresh.clone().map(Mutex::new);
            Arc::new(Account { name, spec: spec.clone(), quota, minute: Mutex::default(), fresh })
        };
        let named = |(index, spec): (usize, &AccountSpec)| {
            account(spec.name.clone().unwrap_or_else(|| format!("account-{}", index + 1)), spec)
        };
        let nobody = AccountSpec {
            key: String::new(),
            name: None,
            state: AccountState::Good,
            quota: None,
            used: None,
            balance: 10.0,
        };
        let needed = match scenario.auth {
            AuthPolicy::Auto => !scenario.accounts.is_empty(),
            AuthPolicy::Required => true,
            AuthPolicy::Off => false,
        };
        let known = scenario.accounts.iter().enumerate().map(named).collect();
        Self { known, anyone: account("anyone".to_owned(), &nobody), needed }
    }

    /// The account of a request's key, if it is known.
    pub(crate) fn holder(&self, request: &Request) -> Option<&Arc<Account>> {
        let credential = credential(request)?;
        self.known.iter().find(|account| account.spec.key == credential.key)
    }

    /// The account of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Account>> {
        self.known.iter().find(|account| account.name == name)
    }

    /// Whether a known key stands in a place where no key belongs: in the path, another query field, or the body.
    pub(crate) fn misplaced(&self, request: &Request) -> bool {
        let holds = |text: &[u8], key: &str| text.windows(key.len()).any(|window| window == key.as_bytes());
        self.known.iter().map(|account| account.spec.key.as_str()).any(|key| {
            holds(request.path.as_bytes(), key) || holds(request.query.as_bytes(), key) || holds(&request.body, key)
        })
    }

    /// Lets a request in, or says what its account is refused with.
    pub(crate) fn admit(&self, request: &Request, purpose: Purpose) -> Result<Arc<Account>, Situation> {
        let Some(credential) = credential(request) else {
            return if self.needed { Err(Situation::MissingKey) } else { Ok(Arc::clone(&self.anyone)) };
        };
        let Some(account) = self.known.iter().find(|account| account.spec.key == credential.key) else {
            return if self.needed { Err(Situation::BadKey) } else { Ok(Arc::clone(&self.anyone)) };
        };
        match refusal(account.spec.state, purpose) {
            Some(situation) => Err(situation),
            None => Ok(Arc::clone(account)),
        }
    }

    /// A refusal that comes before the path is even looked at: the edge does not know which paths are public.
    pub(crate) fn barred(&self, request: &Request) -> Option<Situation> {
        match self.holder(request)?.spec.state {
            AccountState::RegionBlocked => Some(Situation::RegionBlocked),
            AccountState::EdgeBlocked => Some(Situation::EdgeBlocked),
            _ => None,
        }
    }

    /// Forgets all use.
    pub(crate) fn reset(&self) {
        self.known.iter().for_each(|account| account.reset());
        self.anyone.reset();
    }

    /// The accounts as `/_sim/state` shows them: names, never keys.
    pub(crate) fn state(&self, now: Moment) -> Value {
        self.known.iter().map(|account| account.state(now)).collect()
    }
}

/// What an account in this state is refused with when it wants this.
fn refusal(state: AccountState, purpose: Purpose) -> Option<Situation> {
    let generating = purpose == Purpose::Generate;
    match state {
        AccountState::Bad => Some(Situation::BadKey),
        AccountState::RegionBlocked => Some(Situation::RegionBlocked),
        AccountState::EdgeBlocked => Some(Situation::EdgeBlocked),
        AccountState::Unpaid => generating.then_some(Situation::Unpaid),
        AccountState::PlanEnded => generating.then_some(Situation::PlanEnded),
        AccountState::Suspended => generating.then_some(Situation::Suspended),
        AccountState::NoPermission => generating.then_some(Situation::NoPermission),
        AccountState::MissingScope => (purpose == Purpose::List).then_some(Situation::MissingScope),
        AccountState::Good => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Request { headers, ..Request::default() }
    }

    #[test]
    fn a_key_is_found_in_each_usual_place() {
        for (header, value) in [
            ("Authorization", "Bearer k"),
            ("authorization", "bearer k"),
            ("Authorization", "k"),
            ("x-api-key", "k"),
            ("api-key", "k"),
        ] {
            assert_eq!(credential(&request(&[(header, value)])).unwrap().key, "k");
        }
        let in_query = Request { query: "alt=sse&key=k".to_owned(), ..Request::default() };
        assert_eq!(credential(&in_query), Some(Credential { place: "query:key", key: "k" }));
        assert_eq!(credential(&request(&[])), None);
    }

    #[test]
    fn states_refuse_what_they_should() {
        let scenario = Scenario::from_yaml(
            "accounts: [{ key: good }, { key: unpaid, state: unpaid }, { key: scope, state: missing-scope }, { key: bad, state: bad }]",
        );
        let accounts = Accounts::new(&scenario.unwrap());
        let admit =
            |key, purpose| accounts.admit(&request(&[("x-api-key", key)]), purpose).map(|account| account.name.clone());
        assert_eq!(admit("good", Purpose::Generate), Ok("account-1".to_owned()));
        assert_eq!(admit("unpaid", Purpose::Check), Ok("account-2".to_owned()));
        assert_eq!(admit("unpaid", Purpose::Generate), Err(Situation::Unpaid));
        assert_eq!(admit("scope", Purpose::List), Err(Situation::MissingScope));
        assert_eq!(admit("bad", Purpose::Check), Err(Situation::BadKey));
        assert_eq!(admit("stranger", Purpose::Check), Err(Situation::BadKey));
        assert!(matches!(accounts.admit(&request(&[]), Purpose::Check), Err(Situation::MissingKey)));
    }
}
