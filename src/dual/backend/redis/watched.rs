//! A master that sentinels watch: which server it is changes when it fails, and they know.

use super::maybe_async;
use super::member::{Member, graver};

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::Value;

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::redis::{Endpoint, Sentinels, Settings};
use crate::now::now;
use crate::wire::redis::{self as wire, Request};

pub(super) struct Watched {
    /// The name that the sentinels know the master by.
    name: String,
    /// What the master is reached by, but for the address.
    settings: Settings,
    known: Mutex<Known>,
}

struct Known {
    /// Who answered last comes first.
    sentinels: Vec<Arc<Member>>,
    /// Who was named last.
    master: Option<Arc<Member>>,
    /// It did not answer as a master does.
    doubted: bool,
    /// When a caller last asked whether it still is the one.
    reviewed: Instant,
}

/// Who is taken for the master.
struct Choice {
    master: Arc<Member>,
    /// Whether the sentinels have been asked just now.
    fresh: bool,
    /// Why none of them answered, where the master had failed before.
    unheard: Option<Error>,
}

/// What is known before anybody is asked.
enum Last {
    Unknown,
    /// It failed.
    Doubted(Arc<Member>),
    /// It is time to ask, and this caller's turn.
    Due(Arc<Member>),
    Good(Arc<Member>),
}

impl Watched {
    pub(super) fn new(settings: Settings, sentinels: &Sentinels) -> Watched {
        let Sentinels { master, each } = sentinels;
        let sentinels = each.iter().map(|(at, settings)| Arc::new(Member::at(at.clone(), settings.clone())));
        let known = Known { sentinels: sentinels.collect(), master: None, doubted: false, reviewed: now() };
        Watched { name: master.clone(), settings, known: Mutex::new(known) }
    }

    /// Takes note of who was named, and by whom. One that is named again keeps its connections.
    fn named(&self, endpoint: Endpoint, by: &Arc<Member>) -> Result<Arc<Member>> {
        let mut known = self.lock();
        let place = known.sentinels.iter().position(|one| one == by).unwrap_or_default();
        known.sentinels[..=place].rotate_right(1);
        let master = match &known.master {
            Some(master) if master.endpoint == endpoint => Arc::clone(master),
            _ => Arc::new(Member::new(&self.settings, endpoint)?),
        };
        known.master = Some(Arc::clone(&master));
        known.doubted = false;
        known.reviewed = now();
        Ok(master)
    }

    fn last(&self) -> Last {
        let mut known = self.lock();
        let Some(master) = known.master.clone() else { return Last::Unknown };
        if known.doubted {
            return Last::Doubted(master);
        }
        if now().saturating_duration_since(known.reviewed) < REVIEW {
            return Last::Good(master);
        }
        known.reviewed = now();
        Last::Due(master)
    }

    /// Has the next call ask for the master, unless another has been named since.
    pub(super) fn doubt(&self, master: &Member) {
        let mut known = self.lock();
        if known.master.as_deref() == Some(master) {
            known.doubted = true;
        }
    }

    /// Each change is one assignment, so a poisoned lock guards something whole.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[maybe_async]
impl Watched {
    /// Sends a request to the master. What it has certainly not applied is sent once more, if the sentinels name another by now.
    pub(super) async fn exchange(&self, request: &Request, deadline: Deadline) -> Result<Vec<Value>> {
        let Choice { master, fresh, unheard } = self.choose(deadline).await?;
        let answer = master.node.exchange(request, deadline).await;
        if !is_doubtful(&answer) {
            return answer;
        }
        self.doubt(&master);
        if let (Some(unheard), Err(error)) = (unheard, &answer)
            && error.is_retryable()
        {
            // Both are lost. Which master it should be comes first.
            return Err(unheard);
        }
        if fresh || !is_unapplied(&answer, request) {
            return answer;
        }
        match self.ask(deadline).await {
            Ok(other) if other != master => {
                let answer = other.node.exchange(request, deadline).await;
                if is_doubtful(&answer) {
                    self.doubt(&other);
                }
                answer
            }
            _ => answer,
        }
    }

    /// The master that is known, or that the sentinels name. While none of them answers, the one that was.
    async fn choose(&self, deadline: Deadline) -> Result<Choice> {
        let (master, asked) = match self.last() {
            Last::Good(master) => return Ok(Choice { master, fresh: false, unheard: None }),
            Last::Unknown => {
                let master = self.ask(deadline).await?;
                return Ok(Choice { master, fresh: true, unheard: None });
            }
            Last::Doubted(master) => (master, self.ask(deadline.share(2)).await),
            // After a failover by command the old master answers for a while as if nothing had been. Nobody is kept for long
            // by sentinels that do not answer while it does.
            Last::Due(master) => match self.ask(deadline.share(8)).await {
                Err(error) if error.is_retryable() => {
                    return Ok(Choice { master, fresh: false, unheard: None });
                }
                asked => (master, asked),
            },
        };
        match asked {
            Ok(master) => Ok(Choice { master, fresh: true, unheard: None }),
            Err(error) if error.is_retryable() => Ok(Choice { master, fresh: true, unheard: Some(error) }),
            Err(error) => Err(error),
        }
    }

    /// The master, for requests that belong together.
    pub(super) async fn master(&self, deadline: Deadline) -> Result<Arc<Member>> {
        self.choose(deadline).await.map(|choice| choice.master)
    }

    /// Asks one sentinel after the other; each has its share of the time.
    async fn ask(&self, deadline: Deadline) -> Result<Arc<Member>> {
        let sentinels = self.lock().sentinels.clone();
        let question = wire::master_of(&self.name);
        let (mut failure, mut strange) = (None, false);
        for (tried, sentinel) in sentinels.iter().enumerate() {
            let share = deadline.share(sentinels.len() - tried + 1);
            let reply = sentinel.ask(ASKING, &question, share).await;
            let named = reply
                .and_then(|reply| wire::read_master(reply).map_err(|error| sentinel.blame(ASKING, error)));
            match named {
                Ok(Some(endpoint)) => return self.named(endpoint, sentinel),
                Ok(None) => strange = true,
                Err(error) => failure = Some(graver(failure, error)),
            }
        }
        Err(self.nobody(&sentinels, failure.filter(|error| !strange || !error.is_retryable())))
    }

    /// Why no sentinel named a master.
    fn nobody(&self, sentinels: &[Arc<Member>], failure: Option<Error>) -> Error {
        let names: Vec<_> = sentinels.iter().map(|sentinel| sentinel.endpoint.to_string()).collect();
        let (names, name) = (names.join(", "), &self.name);
        match failure {
            Some(error) if !error.is_retryable() => error,
            Some(error) => {
                let text = format!("no sentinel answers; asked were {names}");
                Error::new(ErrorKind::Unavailable, text).with_source(error)
            }
            None => {
                let text = format!("no sentinel knows a master `{name}`; asked were {names}");
                Error::new(ErrorKind::Misconfigured, text)
            }
        }
    }
}

/// Whether the answer is that of a master that is gone, or is none any more.
pub(super) fn is_doubtful(answer: &Result<Vec<Value>>) -> bool {
    match answer {
        Ok(replies) => replies.iter().any(wire::is_read_only),
        Err(error) => {
            let is_silent =
                matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Ambiguous);
            is_silent && !error.is_our_own()
        }
    }
}

/// Whether another master may be asked the same.
fn is_unapplied(answer: &Result<Vec<Value>>, request: &Request) -> bool {
    match answer {
        Ok(replies) => request.repeatable || replies.iter().all(wire::is_read_only),
        Err(error) => error.kind() == ErrorKind::Unavailable,
    }
}

/// How often a caller asks whether the master is still the one: a round trip more for this call.
const REVIEW: Duration = Duration::from_millis(500);

const ASKING: &str = "asking for the master, the sentinel at";
