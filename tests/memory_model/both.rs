//! Takes the same steps with a cache and with its model, and compares the two after each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lexigram_cache::{BoxError, Cache, Clock, Error, ErrorKind, Memory, Removal, RemovalCause, Ttl};

use super::eventually::eventually;
use super::model::{Answer, Left, Model, weigh};
use super::step::{During, Settings, Step, name};

/// Fills a cache, takes the steps, and reads every key at the end.
///
/// # Panics
/// If the two differ.
pub fn run(settings: &Settings, steps: &[Step]) {
    let mut both = Both::new(settings.clone());
    (0..settings.filled).for_each(|key| both.take(&Step::Set(key, key as i64, None)));
    steps.iter().for_each(|step| both.take(step));
    (0..settings.keys()).for_each(|key| both.take(&Step::Get(key)));
}

const MINUTE: Duration = Duration::from_secs(60);

/// The cache, and what it should be.
struct Both {
    cache: Cache,
    clock: Clock,
    settings: Settings,
    told: Arc<Mutex<Vec<Left>>>,
    all_told: Vec<Left>,
    model: Model,
}

impl Both {
    fn new(settings: Settings) -> Both {
        let (clock, told) = (Clock::hand(), Arc::new(Mutex::new(Vec::new())));
        let listener = {
            let told = Arc::clone(&told);
            move |removal: &Removal<'_>| told.lock().unwrap().push(left(removal))
        };
        let interval = if settings.swept { Duration::from_micros(200) } else { 60 * MINUTE };
        let mut memory = Memory::builder()
            .max_entries(settings.capacity)
            .eviction(settings.eviction)
            .cleanup_interval(interval)
            .on_removal(listener)
            .clock(clock.clone());
        if let Some(most) = settings.max_bytes {
            let value = |entry: &lexigram_cache::Weighing<'_>| *entry.value::<i64>().unwrap();
            memory = memory.max_bytes(most).weigher(move |entry| weigh(most, value(entry)));
        }
        let cache = Cache::builder().backend(memory.build().unwrap()).build().unwrap();
        Both { cache, clock, told, all_told: Vec::new(), model: Model::new(settings.clone()), settings }
    }

    fn take(&mut self, step: &Step) {
        let answer = self.call(step).unwrap_or_else(|error| match error.kind() {
            ErrorKind::TooLarge => Answer::TooLarge,
            ErrorKind::Loader => Answer::Failed,
            _ => panic!("{step:?} came to {error}"),
        });
        let mut told = std::mem::take(&mut *self.told.lock().unwrap());
        let (expected, mut leaving) = self.model.take(step, &told);
        assert_eq!(answer, expected, "{step:?}");
        self.all_told.extend(told.iter().cloned());
        // A clear goes by the places of entries, which are nobody's business.
        told.sort();
        leaving.sort();
        assert_eq!(told, leaving, "{step:?}");
        self.check_counts();
        if self.settings.capacity < 10 {
            (0..self.settings.keys()).for_each(|key| self.check_presence(key));
        }
    }

    fn call(&self, step: &Step) -> Result<Answer, Error> {
        let cache = &self.cache;
        Ok(match *step {
            Step::Get(key) => Answer::Value(cache.get(name(key))?),
            Step::GetWith(key) => Answer::Value(cache.get_with(name(key), |value: &i64| *value)?),
            Step::GetArc(key) => Answer::Value(cache.get_arc(name(key))?.map(|value| *value)),
            Step::Set(key, value, life) => {
                cache.set(name(key), &value, ttl(life))?;
                Answer::Done
            }
            Step::Add(key, value, life) => Answer::Flag(cache.add(name(key), &value, ttl(life))?),
            Step::Replace(key, value, life) => Answer::Flag(cache.replace(name(key), &value, ttl(life))?),
            Step::Take(key) => Answer::Value(cache.take(name(key))?),
            Step::Delete(key) => Answer::Flag(cache.delete(name(key))?),
            Step::Touch(key, life) => Answer::Flag(cache.touch(name(key), ttl(life))?),
            Step::Incr(key, delta, life) => Answer::Value(Some(cache.incr(name(key), delta, ttl(life))?)),
            Step::Update(key, delta) => {
                let sum = |value: Option<i64>| value.unwrap_or(0) + delta;
                Answer::Value(Some(cache.update(name(key), Ttl::NEVER, sum)?))
            }
            Step::Load(key, value, life, during) => {
                let load = || self.load(&name(key), value, during);
                Answer::Value(Some(cache.get_or_compute(name(key), ttl(life), load)?))
            }
            Step::DeletePrefix(prefix) => Answer::Count(cache.delete_prefix(prefix)?),
            Step::Clear => {
                cache.clear()?;
                Answer::Done
            }
            Step::Advance(seconds) => {
                self.clock.advance(Duration::from_secs(seconds));
                if self.settings.swept {
                    self.await_sweep();
                }
                Answer::Done
            }
        })
    }

    fn load(&self, key: &str, value: i64, during: During) -> Result<i64, BoxError> {
        match during {
            During::Nothing => {}
            During::Failure => return Err("as the test wants it to".into()),
            // It may be refused for its weight.
            During::Write(other) => drop(self.cache.set(key, &other, Ttl::NEVER)),
            During::Removal => assert!(!self.cache.delete(key)?),
        }
        Ok(value)
    }

    /// The clock stands still, so nothing else comes due meanwhile.
    fn await_sweep(&self) {
        let exists = |key: &usize| self.cache.exists(name(*key)).unwrap();
        let alive = (0..self.settings.keys()).filter(exists).count() as u64;
        let counts = || {
            let stats = self.cache.stats();
            (stats.entries, stats.expired)
        };
        eventually("what is due is swept", MINUTE, || counts().0 == Some(alive));
        // An entry is counted and told of after it has left.
        let expired = |told: &[Left]| told.iter().filter(|(_, cause, _)| *cause == "Expired").count() as u64;
        let all_told = || Some(expired(&self.all_told) + expired(&self.told.lock().unwrap()));
        let held = self.model.len() as u64;
        eventually("who left is told of", MINUTE, || {
            let told_now = expired(&self.told.lock().unwrap());
            counts().1 == all_told() && held - told_now == alive
        });
    }

    fn check_counts(&self) {
        let stats = self.cache.stats();
        let of = |cause| Some(self.all_told.iter().filter(|(_, told, _)| *told == cause).count() as u64);
        let (evicted, expired, removed, cleared) =
            (of("Evicted"), of("Expired"), of("Deleted"), of("Cleared"));
        assert_eq!(
            [stats.evicted, stats.expired, stats.removed, stats.cleared, stats.replaced],
            [evicted, expired, removed, cleared, of("Replaced")]
        );
        let left: u64 = [evicted, expired, removed, cleared].iter().flatten().sum();
        assert_eq!(stats.entries, Some(self.model.inserted - left));
        assert_eq!(stats.entries, Some(self.model.len() as u64));
        assert!(self.model.len() <= self.settings.capacity);
        assert_eq!(stats.weight, self.settings.max_bytes.map(|_| self.model.weight()));
        assert!(stats.weight <= self.settings.max_bytes);
    }

    /// Without using the entry, so that it leaves no later for it.
    fn check_presence(&self, key: usize) {
        let alive = self.model.alive(key).is_some();
        assert_eq!(self.cache.exists(name(key)).unwrap(), alive, "{}", name(key));
    }
}

fn left(removal: &Removal<'_>) -> Left {
    let cause = match removal.cause() {
        RemovalCause::Expired => "Expired",
        RemovalCause::Evicted => "Evicted",
        RemovalCause::Replaced => "Replaced",
        RemovalCause::Deleted => "Deleted",
        RemovalCause::Cleared => "Cleared",
        _ => "unheard of",
    };
    (removal.key().to_owned(), cause, *removal.value::<i64>().unwrap())
}

fn ttl(seconds: Option<u64>) -> Ttl {
    seconds.map_or(Ttl::NEVER, |seconds| Duration::from_secs(seconds).into())
}
