//! The program, as a shell sees it: what it prints, what it ends with, and what it leaves on real servers.
#![cfg(feature = "cli")]

#[path = "cli/codes.rs"]
mod codes;
#[path = "cli/load.rs"]
mod load;
#[path = "cli/lock.rs"]
mod lock;
#[path = "cli/pipes.rs"]
mod pipes;
#[path = "cli/secrets.rs"]
mod secrets;
mod support;
#[path = "cli/tool.rs"]
mod tool;
#[path = "cli/values.rs"]
mod values;
#[path = "cli/watching.rs"]
mod watching;
