use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, process};

use super::{RedisServer, Wire, ask_raw, eventually};

/// Three masters of one Redis Cluster, a third of the slots each, and on request a replica of the first.
///
/// A node that is restarted comes back to the cluster, without its keys.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
    /// What each node remembers of the others.
    files: Vec<PathBuf>,
}

impl RedisCluster {
    pub fn start() -> RedisCluster {
        RedisCluster::of(&[FIRST, SECOND, THIRD])
    }

    /// With a fourth node that copies the first.
    pub fn start_with_replica() -> RedisCluster {
        let cluster = RedisCluster::of(&[FIRST, SECOND, THIRD, ""]);
        let master = cluster.id(0);
        // It has to have heard of its master.
        eventually("the replica copies its master", PATIENCE, || {
            cluster.ask(3, &format!("CLUSTER REPLICATE {master}")) == "+OK\r\n"
        });
        eventually("the replica is linked", PATIENCE, || {
            cluster.ask(3, "INFO replication").contains("master_link_status:up")
        });
        eventually("all know of the replica", PATIENCE, || {
            (0..4).all(|node| cluster.ask(node, "CLUSTER NODES").contains(&format!("slave {master}")))
        });
        cluster
    }

    /// Nodes with these slots, which know each other.
    fn of(slots: &[&str]) -> RedisCluster {
        let files: Vec<_> = slots.iter().map(|_| new_file()).collect();
        let start = |file: &PathBuf| {
            let file = file.display().to_string();
            let cluster = ["--cluster-enabled", "yes", "--cluster-config-file", &file];
            let alone = ["--cluster-require-full-coverage", "no", "--cluster-node-timeout", "5000"];
            // A replica is sent its copy at once, and not when more might have come.
            RedisServer::start_with(&[&cluster[..], &alone, &["--repl-diskless-sync-delay", "0"]].concat())
        };
        let cluster = RedisCluster { nodes: files.iter().map(start).collect(), files };
        for (node, slots) in slots.iter().enumerate() {
            assert_eq!(cluster.ask(node, &format!("CLUSTER SET-CONFIG-EPOCH {}", node + 1)), "+OK\r\n");
            if !slots.is_empty() {
                assert_eq!(cluster.ask(node, &format!("CLUSTER ADDSLOTSRANGE {slots}")), "+OK\r\n");
            }
            for other in &cluster.nodes[..node] {
                cluster.ask(node, &format!("CLUSTER MEET 127.0.0.1 {}", other.port()));
            }
        }
        let known = format!("cluster_known_nodes:{}\r\n", slots.len());
        let whole = ["cluster_state:ok", "cluster_slots_assigned:16384", "cluster_size:3", &known];
        eventually("the nodes are one cluster", PATIENCE, || {
            (0..slots.len()).all(|node| {
                let info = cluster.ask(node, "CLUSTER INFO");
                whole.iter().all(|line| info.contains(line))
            })
        });
        cluster
    }

    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    pub fn addr(&self, node: usize) -> SocketAddr {
        self.nodes[node].addr()
    }

    /// What a foreign client is answered by a node.
    pub fn ask(&self, node: usize, command: &str) -> String {
        ask_raw(self.addr(node), format!("{command}\r\n").as_bytes())
    }

    pub fn slot(&self, key: &str) -> u16 {
        let answer = self.ask(1, &format!("CLUSTER KEYSLOT {key}"));
        answer.trim_start_matches(':').trim_end().parse().expect("a slot is a number")
    }

    /// The node that has a key, while no slot has moved.
    pub fn home(&self, key: &str) -> usize {
        usize::from(self.slot(key) / 5_461)
    }

    /// The first key of this kind that lives on a node.
    pub fn key_on(&self, node: usize, kind: &str) -> String {
        let keys = (0..).map(|number| format!("{kind}{number}"));
        keys.take(1_000).find(|key| self.home(key) == node).expect("one in three keys lives there")
    }

    /// Begins to move a slot: keys that are not there any more are asked for elsewhere.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let (giver, taker) = (self.id(from), self.id(to));
        assert_eq!(self.ask(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {giver}")), "+OK\r\n");
        assert_eq!(self.ask(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {taker}")), "+OK\r\n");
    }

    /// Moves one key of such a slot.
    pub fn move_key(&self, key: &str, from: usize, to: usize) {
        assert_eq!(self.try_move_key(key, from, to), "+OK\r\n");
    }

    /// The same for one that may be gone.
    pub fn try_move_key(&self, key: &str, from: usize, to: usize) -> String {
        self.ask(from, &format!("MIGRATE 127.0.0.1 {} {key} 0 5000", self.nodes[to].port()))
    }

    /// The slot, with all its keys moved, is the other node's from now on. The third hears of it later, or never.
    pub fn end_move(&self, slot: u16, from: usize, to: usize) {
        let taker = self.id(to);
        for node in [to, from] {
            assert_eq!(self.ask(node, &format!("CLUSTER SETSLOT {slot} NODE {taker}")), "+OK\r\n");
        }
    }

    /// Tells the giver alone that a slot without keys is the other node's, who does not know of it.
    pub fn give_unasked(&self, slot: u16, from: usize, to: usize) {
        let taker = self.id(to);
        assert_eq!(self.ask(from, &format!("CLUSTER SETSLOT {slot} NODE {taker}")), "+OK\r\n");
    }

    /// Takes a slot from whoever has it.
    pub fn give_up(&self, slot: u16) {
        for node in 0..self.nodes.len() {
            assert_eq!(self.ask(node, &format!("CLUSTER DELSLOTS {slot}")), "+OK\r\n");
        }
    }

    /// Tells everybody, as `redis-cli --cluster reshard` does, and waits until all have heard of the change. Where slots move faster than
    /// that, two nodes can come to believe that each has given the slot to the other.
    pub fn tell_all(&self, slot: u16, to: usize) {
        let taker = self.id(to);
        for node in 0..self.nodes.len() {
            assert_eq!(self.ask(node, &format!("CLUSTER SETSLOT {slot} NODE {taker}")), "+OK\r\n");
        }
        let epoch = |node| {
            let info = self.ask(node, "CLUSTER INFO");
            info.lines().find(|line| line.starts_with("cluster_current_epoch")).map(str::to_owned)
        };
        eventually("all are of one epoch", PATIENCE, || {
            (1..self.nodes.len()).all(|node| epoch(node) == epoch(0))
        });
    }

    /// A relay before each node, which the nodes name in their own place.
    pub fn wires(&self) -> Vec<Wire> {
        let wires: Vec<_> = self.nodes.iter().map(|node| Wire::before(node.addr())).collect();
        for (node, wire) in wires.iter().enumerate() {
            let port = wire.addr().port();
            assert_eq!(self.ask(node, &format!("CONFIG SET cluster-announce-port {port}")), "+OK\r\n");
        }
        eventually("all nodes name the relays", PATIENCE, || {
            (0..wires.len()).all(|node| {
                let slots = self.ask(node, "CLUSTER SLOTS");
                wires.iter().all(|wire| slots.contains(&format!(":{}\r\n", wire.addr().port())))
            })
        });
        wires
    }

    fn id(&self, node: usize) -> String {
        let answer = self.ask(node, "CLUSTER MYID");
        answer.lines().nth(1).expect("an id is a string").to_owned()
    }
}

impl Drop for RedisCluster {
    fn drop(&mut self) {
        self.nodes.clear();
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
    }
}

// Outside the folder of the server, which is new at each start.
fn new_file() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = env::temp_dir().join(format!("lexigram-cluster-{}-{number}.conf", process::id()));
    let _ = fs::remove_file(&file);
    file
}

const FIRST: &str = "0 5460";
const SECOND: &str = "5461 10921";
const THIRD: &str = "10922 16383";
/// Nodes hear of each other once a second or so.
const PATIENCE: Duration = Duration::from_secs(20);
