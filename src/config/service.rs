//! What holds for all backends: protection of loads, serialisation, watching.

use std::time::Duration;

use super::Serializer;
use crate::policy::OnWaitTimeout;

/// The `service` section.
///
/// Durations of zero mean "off" where a field says so.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// Whether concurrent loads of one key become one, in this process and across processes. Defaults to `true`.
    pub enable_protection: bool,
    /// How long a load in one process keeps the others from loading, should that process die; renewed while the load
    /// lasts. At least 10 ms; on Memcached whole seconds, rounded up. Defaults to 30 s.
    pub protection_lock_ttl: Duration,
    /// How long the others wait for its result; more than zero. Defaults to 10 s.
    pub protection_max_wait: Duration,
    /// The longest pause between two looks for what another process is loading; they begin at 5 to 10 ms. Defaults
    /// to 0.1 s.
    pub protection_retry_interval: Duration,
    /// What a caller does whose wait was in vain. Defaults to loading for itself.
    pub on_wait_timeout: OnWaitTimeout,
    /// The name of the default backend; overrides the backends' `default` flags. Defaults to none.
    pub default_backend: Option<String>,
    /// The form of values for backends that name none. Defaults to [`Serializer::Json`].
    pub default_serializer: Serializer,
    /// Up to this much is added to the lifetime of each loaded value, at random. Zero is off, the default.
    pub ttl_jitter: Duration,
    /// How long every value is kept past its lifetime, for loading verbs to serve while it is reloaded or where that
    /// fails; all programs that share a namespace have to agree on it. Whole seconds on Memcached. Zero is off, the
    /// default.
    pub stale_for: Duration,
    /// The last fraction of a lifetime in which a loading verb serves the value and has one caller reload it, from 0
    /// to below 1. Zero is off, the default.
    pub refresh_ahead: f64,
    /// How long a loaded `None` is remembered. Zero is as long as any other value, the default.
    pub negative_ttl: Duration,
    /// Whether a backend that keeps failing is left alone for a while. Defaults to `true`.
    pub circuit_breaker_enabled: bool,
    /// Failures in a row that open the breaker. Defaults to 5.
    pub circuit_breaker_threshold: u32,
    /// Whether the service counts its hits, misses and loads. Defaults to `true`.
    pub enable_metrics: bool,
    /// Whether the service answers for its backends' health: without it `Caches::health` is empty, and nobody is asked, unasked or not.
    /// Defaults to `true`.
    pub enable_health_checks: bool,
}

impl Default for ServiceConfig {
    fn default() -> ServiceConfig {
        ServiceConfig {
            enable_protection: true,
            protection_lock_ttl: Duration::from_secs(30),
            protection_max_wait: Duration::from_secs(10),
            protection_retry_interval: Duration::from_millis(100),
            on_wait_timeout: OnWaitTimeout::Compute,
            default_backend: None,
            default_serializer: Serializer::Json,
            ttl_jitter: Duration::ZERO,
            stale_for: Duration::ZERO,
            refresh_ahead: 0.0,
            negative_ttl: Duration::ZERO,
            circuit_breaker_enabled: true,
            circuit_breaker_threshold: 5,
            enable_metrics: true,
            enable_health_checks: true,
        }
    }
}

/// What a configuration calls them.
pub(super) const WAIT_TIMEOUTS: &[(&str, OnWaitTimeout)] =
    &[("compute", OnWaitTimeout::Compute), ("stale", OnWaitTimeout::Stale), ("error", OnWaitTimeout::Error)];
