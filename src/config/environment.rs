//! Where a program runs.

/// Where a program runs. In a configuration: `development`, `staging`, `production` or `test`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Environment {
    /// A developer's machine.
    Development,
    /// A rehearsal of production.
    Staging,
    /// The real thing: a Redis on another machine needs a strong password.
    Production,
    /// A test run.
    Test,
}

impl Environment {
    pub(super) const WORDS: &[(&str, Environment)] = &[
        ("development", Environment::Development),
        ("staging", Environment::Staging),
        ("production", Environment::Production),
        ("test", Environment::Test),
    ];

    /// The word for it in a file, and in the name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Environment::Development => "development",
            Environment::Staging => "staging",
            Environment::Production => "production",
            Environment::Test => "test",
        }
    }
}
