//! One schedule, from its seed to its verdict.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lexigram_cache::simulation::enter;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::actor::Actor;
use crate::memcached::Memcached;
use crate::oracle::Oracle;
use crate::plan::{Kind, Plan};
use crate::redis::Redis;
use crate::server::{Data, Server};
use crate::sim::{Planted, Sim, View};

/// What came of a schedule.
pub struct Outcome {
    pub digest: u64,
    pub events: u64,
    pub violation: Option<String>,
    /// What happened last, a line each.
    pub story: String,
}

/// Runs the schedule of this seed, with a bug if one is to be found.
pub fn run(seed: u64, bug: Option<Planted>) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(LocalSet::new().run_until(schedule(seed, bug)))
}

async fn schedule(seed: u64, bug: Option<Planted>) -> Outcome {
    let plan = Plan::of(seed);
    let server: Box<dyn Server> = match plan.kind {
        Kind::Redis => Box::new(Redis::new(bug)),
        Kind::Memcached | Kind::Clearable => Box::new(Memcached::new(bug)),
    };
    let sim = Sim::new(seed, plan.knobs, bug, server);
    let _stay = enter(Rc::new(View(Arc::clone(&sim))));
    let oracle = Oracle::new(Arc::clone(&sim), plan.keys, plan.calm && !plan.ages);
    let actors: Vec<Actor> = (0..plan.processes)
        .map(|process| {
            let (sim, oracle) = (Arc::clone(&sim), Arc::clone(&oracle));
            Actor { sim, oracle, cache: plan.cache(seed, process), process, plan }
        })
        .collect();
    if tokio::time::timeout(PATIENCE, all(&plan, &sim, &oracle, &actors)).await.is_err() {
        oracle.violate("P6: somebody waits for ever".into());
    } else {
        settle(&plan, &sim, &oracle, actors).await;
    }
    let (digest, events) = sim.digest();
    Outcome { digest, events, violation: oracle.violation(), story: sim.story() }
}

/// Everybody acts, and the server's own fate takes its course.
async fn all(plan: &Plan, sim: &Arc<Sim>, oracle: &Arc<Oracle>, actors: &[Actor]) {
    let trouble = tokio::task::spawn_local(trouble(*plan, Arc::clone(sim), Arc::clone(oracle)));
    let tasks = actors.iter().flat_map(|actor| (0..plan.tasks).map(|_| actor.clone()));
    let tasks: Vec<_> = tasks.map(|actor| tokio::task::spawn_local(actor.act())).collect();
    for task in tasks {
        if let Err(error) = task.await {
            oracle.violate(format!("a task ended: {error}"));
        }
    }
    trouble.abort();
    sim.come_back();
}

/// The server restarts, and the clock jumps as on a machine that was suspended.
async fn trouble(plan: Plan, sim: Arc<Sim>, oracle: Arc<Oracle>) {
    loop {
        sim.pause(5 + sim.below(300)).await;
        if plan.restarts && sim.chance(600) {
            sim.host().server.replicate();
            oracle.replicate();
            sim.pause(sim.below(40)).await;
            let data = [Data::Kept, Data::Lost, Data::Older][sim.below(3) as usize];
            sim.note("server", 0, "goes down", 0, data as u64);
            sim.go_down(data);
            oracle.restart(data == Data::Kept && plan.kind == Kind::Redis, data == Data::Older);
            sim.pause(sim.below(200)).await;
            sim.come_back();
        }
        if plan.jumps && sim.chance(300) {
            let millis = sim.below(3_000);
            sim.note("clock", 0, "jumps", 0, millis);
            oracle.jump(millis);
            tokio::time::advance(Duration::from_millis(millis)).await;
        }
    }
}

/// Once nothing goes wrong any more, every process gets what it asks for, and nothing is left behind.
async fn settle(plan: &Plan, sim: &Arc<Sim>, oracle: &Arc<Oracle>, actors: Vec<Actor>) {
    sim.heal();
    tokio::time::sleep(RECOVERY).await;
    // What went dark would cost whoever asks next its time.
    sim.reset_all();
    let settled = plan.without_drops();
    for actor in &actors {
        let actor = Actor { plan: settled, ..actor.clone() };
        if let Err(error) = actor.cache.exists("k0").await {
            oracle.violate(format!("P4: process {} has not recovered: {error:?}", actor.process));
        }
        for key in 0..plan.keys {
            actor.load(key).await;
            actor.get(key).await;
        }
    }
    match actors[0].cache.get::<i64>("c").await {
        Ok(sum) => oracle.judge_sum(sum.unwrap_or_default()),
        Err(error) => oracle.violate(format!("P4: the counter cannot be read: {error:?}")),
    }
    drop(actors);
    tokio::time::sleep(RECOVERY).await;
    let left = sim.open_connections();
    if left > 0 {
        oracle.violate(format!("{left} connections are left open"));
    }
}

/// Longer than all that may take, in virtual time.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// What is late has arrived, and breakers have let somebody through.
const RECOVERY: Duration = Duration::from_secs(4);
