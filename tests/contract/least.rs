//! A backend of the methods that the trait asks for, and no more, while somebody else writes between two calls of ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lexigram_cache::{
    Condition, Deadline, Entry, ErrorKind, Key, Lifetime, LockStore, Released, Remaining, Result, Ttl,
    Version, aio,
};

use crate::shelf::Shelf;
use crate::support::{block_on, call, worlds};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Least {
    shelf: Shelf,
    /// How many of the next conditional steps find that the value was written anew, as it was.
    rivals: Arc<AtomicU32>,
}

impl Least {
    /// Has somebody else be faster by one write.
    fn rival(&self) {
        self.rivals.store(1, Ordering::SeqCst);
    }

    fn interfere(&self, key: &Key<'_>, deadline: Deadline) {
        use lexigram_cache::Backend;
        if let Some(entry) = self.shelf.get(key, deadline).unwrap()
            && self.rivals.swap(0, Ordering::SeqCst) > 0
        {
            let lifetime = match self.shelf.remaining(key, deadline).unwrap() {
                Some(Remaining::For(left)) => Lifetime::For(left),
                _ => Lifetime::Never,
            };
            self.shelf.store(key, &entry.bytes, lifetime, &Condition::Always, deadline).unwrap();
        }
    }

    fn was_rivalled(&self) -> bool {
        self.rivals.load(Ordering::SeqCst) == 0
    }
}

impl lexigram_cache::Backend for Least {
    fn name(&self) -> &str {
        "least"
    }

    fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        self.shelf.get(key, deadline)
    }

    fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        self.interfere(key, deadline);
        self.shelf.store(key, bytes, lifetime, condition, deadline)
    }

    fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        self.interfere(key, deadline);
        self.shelf.remove(key, version, deadline)
    }

    fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        self.shelf.remaining(key, deadline)
    }
}

#[aio::async_trait]
impl aio::Backend for Least {
    fn name(&self) -> &str {
        "least"
    }

    async fn get(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Entry>> {
        aio::Backend::get(&self.shelf, key, deadline).await
    }

    async fn store(
        &self,
        key: &Key<'_>,
        bytes: &[u8],
        lifetime: Lifetime,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<bool> {
        self.interfere(key, deadline);
        aio::Backend::store(&self.shelf, key, bytes, lifetime, condition, deadline).await
    }

    async fn remove(&self, key: &Key<'_>, version: Option<&Version>, deadline: Deadline) -> Result<bool> {
        self.interfere(key, deadline);
        aio::Backend::remove(&self.shelf, key, version, deadline).await
    }

    async fn remaining(&self, key: &Key<'_>, deadline: Deadline) -> Result<Option<Remaining>> {
        aio::Backend::remaining(&self.shelf, key, deadline).await
    }
}

#[test]
fn a_step_that_somebody_came_between_is_taken_again() {
    let least = Least::default();
    for world in worlds!(least) {
        let between = |verb: &dyn Fn()| {
            least.rival();
            verb();
            assert!(least.was_rivalled());
        };
        call!(&world, c => c.set("n", &1_i64, MINUTE)).unwrap();
        between(&|| assert_eq!(call!(&world, c => c.incr("n", 2, Ttl::NEVER)).unwrap(), 3));
        between(&|| assert!(call!(&world, c => c.touch("n", 2 * MINUTE)).unwrap()));
        let left = call!(&world, c => c.ttl("n")).unwrap();
        assert!(matches!(left, Some(Remaining::For(left)) if left > MINUTE), "{left:?}");
        let double = |old: Option<i64>| old.unwrap() * 2;
        between(&|| assert_eq!(call!(&world, c => c.update("n", MINUTE, double)).unwrap(), 6));
        between(&|| assert_eq!(call!(&world, c => c.take::<i64>("n")).unwrap(), Some(6)));
        assert!(!call!(&world, c => c.exists("n")).unwrap());
    }
}

#[test]
fn a_lock_is_kept_and_given_up_though_somebody_comes_between() {
    let least = Least::default();
    let locks = LockStore::builder(lexigram_cache::BackendHandle::from(least.clone())).renewal(false);
    let locks = locks.build().unwrap();
    let first = locks.try_acquire("k", MINUTE).unwrap().unwrap();
    least.rival();
    first.extend(2 * MINUTE).unwrap();
    assert!(least.was_rivalled() && first.remaining() > MINUTE);
    least.rival();
    assert_eq!(first.release().unwrap(), Released::Released);
    assert!(least.was_rivalled());
    // The counter of the numbers is what is written between.
    least.rival();
    let second = locks.try_acquire("k", MINUTE).unwrap().unwrap();
    assert!(least.was_rivalled() && second.fencing() > 0);
    drop(second);
    let tasks =
        aio::LockStore::builder(aio::BackendHandle::from(least.clone())).renewal(false).build().unwrap();
    block_on(async {
        let guard = tasks.try_acquire("k", MINUTE).await.unwrap().unwrap();
        least.rival();
        guard.extend(2 * MINUTE).await.unwrap();
        least.rival();
        assert_eq!(guard.release().await.unwrap(), Released::Released);
    });
}

#[test]
fn what_needs_more_than_the_least_says_so_and_all_else_works() {
    for world in worlds!(Least::default(), degrade(true)) {
        let refused = [
            call!(&world, c => c.clear()).unwrap_err(),
            call!(&world, c => c.delete_prefix("a")).unwrap_err(),
            call!(&world, c => c.delete_pattern("*")).unwrap_err(),
            call!(&world, c => c.keys("*").next_key()).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("cannot list its keys"), "{error}");
        }
        let names = ["a", "b", "c"];
        call!(&world, c => c.set_many(names.map(|name| (name, 1_u64)), MINUTE)).unwrap();
        assert_eq!(call!(&world, c => c.get_many::<u64>(names)).unwrap().len(), 3);
        assert_eq!(call!(&world, c => c.delete_many(names)).unwrap(), 3);
        assert_eq!(world.compute("a", 7_u64).unwrap(), 7);
        assert_eq!(call!(&world, c => c.get::<u64>("a")).unwrap(), Some(7));
        assert!(call!(&world, c => c.servers()).unwrap().is_empty());
        assert!(world.health().0);
    }
}
