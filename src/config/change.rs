//! What is different between two configurations, by the tables of `keys`.

use super::keys::{BACKEND, Key, MEMCACHED, MEMORY, REDIS, ROOT, SERVICE};
use super::{BackendConfig, BackendKind, Config};

impl Config {
    /// The paths of the keys in which `new` differs from this one and that caches cannot change while they run.
    pub(crate) fn fixed_changes(&self, new: &Config) -> Vec<String> {
        let mut paths = Vec::new();
        changes(ROOT, self, new, "cache.", &mut paths);
        // Both are looked into.
        paths.retain(|path| path != "cache.backends" && path != "cache.service");
        changes(SERVICE, &self.service, &new.service, "cache.service.", &mut paths);
        let names =
            |config: &Config| config.backends.iter().map(|backend| backend.name.clone()).collect::<Vec<_>>();
        match names(self) == names(new) {
            true => {
                for (index, (old, new)) in self.backends.iter().zip(&new.backends).enumerate() {
                    backend_changes(old, new, &format!("cache.backends[{index}]."), &mut paths);
                }
            }
            false => paths.push("cache.backends (their names, their number or their order)".to_owned()),
        }
        paths
    }
}

fn backend_changes(old: &BackendConfig, new: &BackendConfig, at: &str, paths: &mut Vec<String>) {
    let before = paths.len();
    changes(BACKEND, old, new, at, paths);
    let kind = format!("{at}type");
    match (&old.kind, &new.kind) {
        (BackendKind::Memory(old), BackendKind::Memory(new)) => changes(MEMORY, old, new, at, paths),
        (BackendKind::Redis(old), BackendKind::Redis(new)) => changes(REDIS, old, new, at, paths),
        (BackendKind::Memcached(old), BackendKind::Memcached(new)) => changes(MEMCACHED, old, new, at, paths),
        _ => return,
    }
    // The settings of a type are no other type.
    let kept = paths.split_off(before).into_iter().filter(|path| *path != kind);
    paths.extend(kept);
}

fn changes<T>(table: &[Key<T>], old: &T, new: &T, at: &str, paths: &mut Vec<String>) {
    let changed = table.iter().filter(|row| !row.live && !(row.same)(old, new));
    paths.extend(changed.map(|row| format!("{at}{}", row.name)));
}
