//! The scripts of locks and rate limits, as the simulated Redis runs them.

use super::script::Script;
use super::{Held, Reply, number};

/// What a script of a store says to these keys and arguments.
pub fn run(script: Script, held: &mut Held, keys: &[Vec<u8>], arguments: &[Vec<u8>]) -> Reply {
    match script {
        Script::Lock => lock(held, keys, arguments),
        Script::Keep => {
            let own = held.own(&keys[0], &arguments[0]);
            if own.is_some() {
                held.expire(&keys[0], number(&arguments[1]) as u64);
            }
            own.map_or(Reply::Nil, Reply::Number)
        }
        Script::Unlock => unlock(held, keys, arguments),
        _ => permits(script, held, &keys[0], arguments),
    }
}

/// A list that has an element, or whatever else a `BLPOP` finds at once. Who would have to wait is told that it has: calls take
/// their time here too.
pub fn pop(held: &mut Held, key: &[u8]) -> Reply {
    match held.remove(key) {
        true => Reply::List(vec![Reply::Text(key.to_vec()), Reply::Text(b"1".to_vec())]),
        false => Reply::NoList,
    }
}

fn lock(held: &mut Held, keys: &[Vec<u8>], arguments: &[Vec<u8>]) -> Reply {
    let [token, hold, wait] = arguments else { panic!("a lock has three arguments") };
    if let Some(own) = held.own(&keys[0], token) {
        held.expire(&keys[0], number(hold) as u64);
        return Reply::Number(own);
    }
    if held.get(&keys[0]).is_some() {
        if !wait.is_empty() {
            held.set(&keys[2], b"1".to_vec(), Some(number(wait) as u64));
        }
        return Reply::Nil;
    }
    let last = held.get(&keys[1]).map_or(0, |item| number(&item.bytes));
    let next = held.micros().max(last + 1);
    held.set(&keys[1], next.to_string().into_bytes(), None);
    let text = [token.as_slice(), b":", next.to_string().as_bytes()].concat();
    held.set(&keys[0], text, Some(number(hold) as u64));
    Reply::Number(next)
}

fn unlock(held: &mut Held, keys: &[Vec<u8>], arguments: &[Vec<u8>]) -> Reply {
    if held.own(&keys[0], &arguments[0]).is_none() {
        return Reply::Number(if held.get(&keys[0]).is_some() { -1 } else { 0 });
    }
    held.remove(&keys[0]);
    if held.get(&keys[1]).is_some() {
        held.set(&keys[2], b"1".to_vec(), Some(1_000));
    }
    Reply::Number(1)
}

/// What has been taken, and whether there is something new to keep.
struct Step {
    allowed: bool,
    changed: bool,
    state: Vec<i64>,
    /// For how long it means something.
    rest: i64,
}

fn permits(script: Script, held: &mut Held, key: &[u8], arguments: &[Vec<u8>]) -> Reply {
    let (time, stay, n) = (&arguments[0], &arguments[1], number(&arguments[2]));
    let now = if time.is_empty() { held.micros() } else { number(time) };
    let terms: Vec<i64> = arguments[3..].iter().map(|term| number(term)).collect();
    let kept = held
        .get(key)
        .map_or(Vec::new(), |item| item.bytes.split(|byte| *byte == b' ').map(number).collect::<Vec<i64>>());
    let step = match script {
        Script::Gcra => gcra(now, &terms, &kept),
        Script::Fixed => fixed(now, n, &terms, &kept),
        _ => sliding(now, n, &terms, kept),
    };
    let text = step.state.iter().map(i64::to_string).collect::<Vec<_>>().join(" ").into_bytes();
    if step.changed && n > 0 {
        let stay = if stay.is_empty() { step.rest / 1_000 + 2 } else { number(stay) };
        held.set(key, text.clone(), Some(stay as u64));
    }
    Reply::List(vec![Reply::Number(i64::from(step.allowed)), Reply::Number(now), Reply::Text(text)])
}

fn gcra(now: i64, terms: &[i64], kept: &[i64]) -> Step {
    let [cost, cost_part, most, most_part, parts] = terms else { panic!("a GCRA has five terms") };
    let latest = (now + most, *most_part);
    let (mut at, mut cut) = ((now, 0), false);
    if let [micros, part] = kept {
        let then = (micros + part / parts, part % parts);
        if then.0 >= now {
            at = then;
        }
        if at > latest {
            (at, cut) = (latest, true);
        }
    }
    let sum = at.1 + cost_part;
    let to = (at.0 + cost + sum / parts, sum % parts);
    let allowed = to <= latest;
    if allowed {
        at = to;
    }
    Step { allowed, changed: allowed || cut, state: vec![at.0, at.1], rest: at.0 - now + 1 }
}

fn fixed(now: i64, n: i64, terms: &[i64], kept: &[i64]) -> Step {
    let [limit, period] = terms else { panic!("a fixed window has two terms") };
    let (mut start, mut count, mut cut) = (now, 0, false);
    if let [began, taken] = kept
        && *taken > 0
        && began + period > now
    {
        (start, count, cut) = ((*began).min(now), *taken, *began > now);
    }
    let allowed = count + n <= *limit;
    if allowed {
        count += n;
    }
    Step { allowed, changed: allowed || cut, state: vec![start, count], rest: start + period - now }
}

fn sliding(now: i64, n: i64, terms: &[i64], kept: Vec<i64>) -> Step {
    let [limit, period, stretch] = terms else { panic!("a sliding window has three terms") };
    let (mut begun, mut cut) = (kept.first().copied().unwrap_or_default(), false);
    let entries = kept.get(1..).unwrap_or_default().chunks(2);
    let mut taken: Vec<(i64, i64)> =
        entries.map(|pair| (pair[0], pair[1])).filter(|(last, _)| last + period > now).collect();
    for at in taken.iter_mut().map(|(last, _)| last).chain([&mut begun]) {
        cut |= *at > now;
        *at = (*at).min(now);
    }
    let allowed = taken.iter().map(|(_, count)| count).sum::<i64>() + n <= *limit;
    if allowed && n > 0 {
        match taken.last_mut() {
            Some((last, count)) if now < begun + stretch => (*last, *count) = ((*last).max(now), *count + n),
            _ => {
                begun = now;
                taken.push((now, n));
            }
        }
    }
    let rest = taken.last().map_or(0, |(last, _)| last + period - now);
    let state = [begun].into_iter().chain(taken.into_iter().flat_map(|(last, count)| [last, count]));
    Step { allowed, changed: allowed || cut, state: state.collect(), rest }
}

impl Held {
    /// TIME.
    fn micros(&self) -> i64 {
        ((crate::sim::UNIX_START * 1_000 + self.now) * 1_000) as i64
    }

    /// The fencing number of a lock that this token holds.
    fn own(&self, key: &[u8], token: &[u8]) -> Option<i64> {
        let number_of = |bytes: &[u8]| Some(number(bytes.strip_prefix(token)?.strip_prefix(b":")?));
        self.get(key).and_then(|item| number_of(&item.bytes))
    }
}
