//! What a limiter does without its server, as it was told when it was built.

use std::time::{Duration, Instant};

use lexigram_cache::{
    Backend, BackendHandle, Condition, Deadline, Entry, Error, ErrorKind, Key, Lifetime, Outage, Quota,
    Remaining, Result, Version,
};

use crate::limiter::{Ground, Limiter, Setting};
use crate::support::{Heard, RedisServer, Remote, closed_port};

const QUOTA: Quota = Quota::per_hour(5);
const TIMEOUT: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_millis(400);

fn limiters(ground: &Ground, outage: Outage) -> ([Limiter; 2], Heard) {
    let heard = Heard::default();
    let setting = Setting { outage, heard: heard.clone(), ..Setting::default() };
    (ground.clone().timeout(TIMEOUT).apart().limiters(QUOTA, &setting), heard)
}

fn ground(remote: &Remote) -> Ground {
    match remote {
        Remote::Redis(server) => Ground::redis(server.url()),
        Remote::Memcached(server) => Ground::memcached(server.url()),
    }
}

/// Each policy against a server that does not help, and what the failures may be.
fn hold_to_its_word(ground: &Ground, failures: &[ErrorKind]) {
    for outage in [Outage::Error, Outage::Open, Outage::Closed] {
        let (limiters, heard) = limiters(ground, outage);
        for limiter in &limiters {
            heard.take();
            let start = Instant::now();
            let answer = limiter.check("s");
            assert!(start.elapsed() < LATE, "{:?} in {limiter:?}", start.elapsed());
            let told = heard.take();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(failures.contains(&told[0].kind), "{told:?}");
            let counted = limiter.stats();
            match outage {
                Outage::Error => {
                    assert_eq!(answer.unwrap_err().kind(), told[0].kind);
                    assert_eq!((counted.errors, counted.absorbed, told[0].is_absorbed), (1, 0, false));
                }
                _ => {
                    let decision = answer.unwrap();
                    assert_eq!(decision.allowed, outage == Outage::Open);
                    assert_eq!(decision.outage, Some(told[0].kind), "it says that nobody was asked");
                    assert_eq!(decision.retry_after.is_zero(), decision.allowed);
                    assert_eq!((counted.errors, counted.absorbed, told[0].is_absorbed), (1, 1, true));
                }
            }
            assert!(limiter.reset("s").is_err(), "what was not done is not said to be");
        }
    }
}

#[test]
fn a_closed_port_is_an_error_or_open_or_closed_as_was_said() {
    let port = closed_port();
    let nowhere = format!("127.0.0.1:{port}");
    let unavailable = [ErrorKind::Unavailable];
    hold_to_its_word(&Ground::redis(format!("redis://{nowhere}")), &unavailable);
    hold_to_its_word(&Ground::memcached(nowhere), &unavailable);
}

#[test]
fn a_stopped_server_is_an_error_or_open_or_closed_as_was_said_within_the_timeout() {
    Remote::each(|remote| {
        let ground = ground(remote);
        let (before, _) = limiters(&ground, Outage::Error);
        before.iter().for_each(|limiter| assert!(limiter.check("s").unwrap().allowed));
        remote.stop();
        // On Redis the request has left, so that the permit may have been taken.
        hold_to_its_word(&ground, &[ErrorKind::Ambiguous, ErrorKind::Timeout, ErrorKind::Unavailable]);
        remote.cont();
    });
}

#[test]
fn a_limiter_that_was_open_limits_again_when_its_server_is_back() {
    Remote::each(|remote| {
        let (limiters, _) = limiters(&ground(remote), Outage::Open);
        for limiter in &limiters {
            assert_eq!(limiter.admitted(&format!("{limiter:p}"), 7), 5);
            remote.kill();
            assert!(limiter.check("s").unwrap().outage.is_some());
            remote.restart();
            let subject = format!("back {limiter:p}");
            let served = |_| limiter.check(&subject).is_ok_and(|d| d.allowed && d.outage.is_none());
            assert_eq!((0..20).filter(|n| served(*n)).count(), 5, "{}", remote.name());
        }
    });
}

#[test]
fn a_password_that_is_missing_is_an_error_under_every_policy() {
    let server = RedisServer::start_with(&["--requirepass", "secret"]);
    for outage in [Outage::Error, Outage::Open, Outage::Closed] {
        let (limiters, heard) = limiters(&Ground::redis(server.url()), outage);
        for limiter in &limiters {
            let error = limiter.check("s").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Auth, "{outage:?}: {error}");
            assert!(heard.take().iter().all(|trouble| !trouble.is_absorbed));
        }
    }
}

#[test]
fn a_server_that_refuses_to_write_is_decided_by_the_policy() {
    let full = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    let server = RedisServer::start_with(&full);
    let (open, heard) = limiters(&Ground::redis(server.url()), Outage::Open);
    for limiter in &open {
        assert_eq!(limiter.check("s").unwrap().outage, Some(ErrorKind::Refused));
        assert_eq!(heard.take()[0].code.as_deref(), Some("OOM"));
    }
}

/// Fails in one way, whatever is asked.
struct Failing(ErrorKind);

impl Failing {
    fn fail<T>(&self) -> Result<T> {
        Err(Error::custom(self.0, "as the test wants it"))
    }
}

impl Backend for Failing {
    fn name(&self) -> &str {
        "failing"
    }

    fn get(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Entry>> {
        self.fail()
    }

    fn store(&self, _: &Key<'_>, _: &[u8], _: Lifetime, _: &Condition, _: Deadline) -> Result<bool> {
        self.fail()
    }

    fn remove(&self, _: &Key<'_>, _: Option<&Version>, _: Deadline) -> Result<bool> {
        self.fail()
    }

    fn remaining(&self, _: &Key<'_>, _: Deadline) -> Result<Option<Remaining>> {
        self.fail()
    }
}

#[test]
fn only_a_server_that_is_no_help_is_decided_without() {
    use ErrorKind::{
        Ambiguous, Auth, Closed, Conflict, Decode, Misconfigured, Protocol, Refused, Timeout, Unavailable,
    };
    let limiter = |kind, outage| {
        let handle = BackendHandle::from(Failing(kind));
        lexigram_cache::RateLimiter::builder(&handle, "l", QUOTA, outage).build().unwrap()
    };
    for (kind, absorbed) in [
        (Unavailable, true),
        (Timeout, true),
        (Ambiguous, true),
        (Refused, true),
        (Protocol, true),
        (Auth, false),
        (Misconfigured, false),
        (Closed, false),
        (Conflict, false),
        (Decode, false),
    ] {
        for (outage, allowed) in [(Outage::Open, true), (Outage::Closed, false)] {
            match limiter(kind, outage).check("s") {
                Ok(decision) => {
                    assert_eq!((decision.allowed, decision.outage), (allowed, Some(kind)));
                    assert!(absorbed, "{kind:?} became {decision:?}");
                }
                Err(error) => assert!(!absorbed && error.kind() == kind, "{error}"),
            }
        }
        assert_eq!(limiter(kind, Outage::Error).check("s").unwrap_err().kind(), kind);
    }
}
