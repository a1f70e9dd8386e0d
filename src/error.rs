//! The one error type: what went wrong, where, and whether trying again can help.
//!
//! A miss is never an error. [`ErrorKind`] sorts failures by what a program can do about them; the
//! text says what to do next.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the caller's own, as loaders and codecs return it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The backend could not be reached. Nothing was applied; trying again is safe.
    Unavailable,
    /// The deadline passed before anything could be applied. Trying again is safe.
    Timeout,
    /// A write left this process and its outcome is unknown. Trying again may apply it twice.
    Ambiguous,
    /// The server said no; [`Error::code`] holds its word for it (`OOM`, `MISCONF`, ..).
    Refused,
    /// The server does not accept our credentials or our rights.
    Auth,
    /// The server's reply was not what its protocol allows.
    Protocol,
    /// The key is empty, or cannot be used on this backend.
    InvalidKey,
    /// The lifetime is zero, or too long for this backend.
    InvalidTtl,
    /// The value, or a counter, exceeds what the backend can hold. Nothing was sent.
    TooLarge,
    /// The value could not be encoded.
    Encode,
    /// The stored bytes are not a value of the type asked for.
    Decode,
    /// This backend cannot do that; the text says why.
    Unsupported,
    /// A setting is wrong; the text says which and what is allowed.
    Config,
    /// The caller's loader failed; see [`Error::loader`].
    Loader,
    /// The loader that this call waited for panicked.
    LoaderPanicked,
    /// A loader asked for the key it is loading.
    RecursiveLoad,
    /// Concurrent writers kept changing the key until the deadline.
    Conflict,
    /// The lock is not held by who asks: it was lost, or somebody else has it.
    NotOwned,
    /// The cache was closed, or the runtime on which a task waited has ended.
    Closed,
    /// The server is not what the configuration says it is.
    Misconfigured,
}

/// A failure of a cache operation. One pointer wide, cheap to clone. Its text includes its cause, which
/// `source()` gives as well.
///
/// ```
/// use lexigram_cache::{Cache, ErrorKind};
///
/// let error = Cache::memory().get::<String>("").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidKey);
/// assert!(!error.is_retryable());
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static str>,
    backend: Option<Arc<str>>,
    code: Option<Box<str>>,
    message: Cow<'static, str>,
    source: Option<Arc<BoxError>>,
    /// It says nothing about the server.
    #[cfg(any(feature = "redis", feature = "memcached"))]
    ours: bool,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may be made again without harm: it was certainly not applied, and the
    /// cause can pass by itself.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Timeout)
    }

    /// Whether time ran out, be it before or after the request was sent.
    pub fn is_timeout(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout => true,
            ErrorKind::Ambiguous => {
                let cause = self.0.source.as_ref().and_then(|source| source.downcast_ref::<Error>());
                cause.is_some_and(Error::is_timeout)
            }
            _ => false,
        }
    }

    /// Whether the outcome of a write is unknown.
    pub fn is_ambiguous(&self) -> bool {
        self.kind() == ErrorKind::Ambiguous
    }

    /// The name of the backend, where one was involved: `memory`, `redis`, `memcached`, or a custom one's.
    pub fn backend(&self) -> Option<&str> {
        self.0.backend.as_deref()
    }

    /// The verb that failed, such as `get` or `set_many`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The server's own word for a refusal: `OOM`, `NOAUTH`, `READONLY`, ..
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The loader's own error, if it is an `E`. Everyone who waited for that load gets the same one.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Ttl};
    ///
    /// let parse = || "x".parse::<u32>();
    /// let error = Cache::memory().get_or_compute("n", Ttl::NEVER, parse).unwrap_err();
    /// assert!(error.loader::<std::num::ParseIntError>().is_some());
    /// ```
    pub fn loader<E: StdError + 'static>(&self) -> Option<&E> {
        match self.kind() {
            ErrorKind::Loader => self.0.source.as_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// The loader's own error by value, where nobody else waited for it; else this error again.
    ///
    /// ```
    /// use lexigram_cache::{Cache, Ttl};
    /// use std::num::ParseIntError;
    ///
    /// fn parse(cache: &Cache) -> Result<u32, ParseIntError> {
    ///     let parsed = cache.get_or_compute("n", Ttl::NEVER, || "x".parse::<u32>());
    ///     parsed.map_err(|error| match error.into_loader::<ParseIntError>() {
    ///         Ok(own) => own,
    ///         Err(error) => panic!("the cache failed: {error}"),
    ///     })
    /// }
    /// assert!(parse(&Cache::memory()).is_err());
    /// ```
    ///
    /// # Errors
    /// This error, if it is not of kind `Loader`, wraps no `E`, or is shared with others.
    pub fn into_loader<E: StdError + 'static>(mut self) -> std::result::Result<E, Error> {
        if self.loader::<E>().is_none() {
            return Err(self);
        }
        let Some(source) = self.0.source.take() else { return Err(self) };
        match Arc::try_unwrap(source).map(<dyn StdError + Send + Sync>::downcast) {
            Ok(Ok(own)) => return Ok(*own),
            Ok(Err(source)) => self.0.source = Some(Arc::new(source)),
            Err(source) => self.0.source = Some(source),
        }
        Err(self)
    }
}

/// How the crate makes and completes its errors.
impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            kind,
            operation: None,
            backend: None,
            code: None,
            message: message.into(),
            source: None,
            #[cfg(any(feature = "redis", feature = "memcached"))]
            ours: false,
        }))
    }

    /// A counter whose sum no `i64` can hold.
    pub(crate) fn overflow() -> Error {
        Error::new(ErrorKind::TooLarge, "the counter would leave the range of i64")
    }

    /// A failure of a custom backend or codec.
    ///
    /// The kind decides how callers react, so choose by [`ErrorKind`]'s descriptions: `Unavailable` only
    /// if nothing was applied, `Ambiguous` if something may have been.
    pub fn custom(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message.into())
    }

    pub(crate) fn waited_in_vain() -> Error {
        Error::new(ErrorKind::Timeout, "the load of another caller did not end within max_wait")
    }

    pub(crate) fn hard_limit() -> Error {
        Error::new(ErrorKind::Timeout, "the load ran over its hard limit")
    }

    pub(crate) fn from_loader(source: impl Into<BoxError>) -> Error {
        Error::new(ErrorKind::Loader, "the loader failed").with_source(source)
    }

    /// Adds the cause to the chain.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Error {
        self.0.source = Some(Arc::new(source.into()));
        self
    }

    /// Adds the server's own word for a refusal.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Box<str>>) -> Error {
        self.0.code = Some(code.into());
        self
    }

    /// Whether a cache that degrades goes on without the server: it is no help right now, and nothing was applied
    /// that its caller has to know of. Not what needs a person, nor what is the caller's own doing.
    pub(crate) fn can_be_absorbed(&self) -> bool {
        use ErrorKind::{
            Ambiguous, Auth, Closed, Config, Conflict, Decode, Encode, InvalidKey, InvalidTtl, Loader,
            LoaderPanicked, Misconfigured, NotOwned, Protocol, RecursiveLoad, Refused, Timeout, TooLarge,
            Unavailable, Unsupported,
        };
        match self.kind() {
            Unavailable | Timeout | Refused | Protocol => true,
            Ambiguous | Auth | Misconfigured | Config | Closed => false,
            InvalidKey | InvalidTtl | TooLarge | Encode | Decode | Unsupported => false,
            Loader | LoaderPanicked | RecursiveLoad | Conflict | NotOwned => false,
        }
    }

    /// Of a call that came to nothing before its server was asked.
    #[cfg(any(feature = "redis", feature = "memcached"))]
    pub(crate) fn of_our_own(mut self) -> Error {
        self.0.ours = true;
        self
    }

    /// Whether the server had no part in it.
    #[cfg(feature = "redis")]
    pub(crate) fn is_our_own(&self) -> bool {
        self.0.ours
    }

    /// The error of a later step of a call whose earlier steps were applied: trying again is no longer harmless.
    #[cfg(any(feature = "redis", feature = "memcached", test))]
    pub(crate) fn after_partial(self, applied: bool) -> Error {
        if !applied || !self.is_retryable() {
            return self;
        }
        let text = "a part of the call was applied before it failed";
        Error::new(ErrorKind::Ambiguous, text).with_source(self)
    }

    /// Says where it happened; what is already known is kept, since the innermost place knows best.
    pub(crate) fn at(mut self, operation: &'static str, backend: &Arc<str>) -> Error {
        self.0.operation.get_or_insert(operation);
        self.0.backend.get_or_insert_with(|| Arc::clone(backend));
        self
    }
}

/// `backend operation: message (code): cause`, on one line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.backend, self.0.operation) {
            (Some(backend), Some(operation)) => write!(f, "{backend} {operation}: ")?,
            (None, Some(operation)) => write!(f, "{operation}: ")?,
            (Some(backend), None) => write!(f, "{backend}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(f, " ({code})")?;
        }
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind);
        if let Some(operation) = self.0.operation {
            debug.field("operation", &operation);
        }
        if let Some(backend) = &self.0.backend {
            debug.field("backend", backend);
        }
        if let Some(code) = &self.0.code {
            debug.field("code", code);
        }
        debug.field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn an_ambiguous_write_is_never_retryable() {
        let error =
            Error::new(ErrorKind::Ambiguous, "gone").with_source(Error::new(ErrorKind::Unavailable, "cut"));
        assert!(error.is_ambiguous());
        assert!(!error.is_retryable());
    }

    #[test]
    fn a_failure_after_a_part_was_applied_is_ambiguous() {
        let gone = || Error::new(ErrorKind::Unavailable, "gone");
        assert!(gone().after_partial(true).is_ambiguous());
        assert!(gone().after_partial(false).is_retryable());
        assert_eq!(Error::new(ErrorKind::Closed, "").after_partial(true).kind(), ErrorKind::Closed);
    }

    #[test]
    fn only_a_server_that_is_no_help_right_now_is_absorbed() {
        use ErrorKind::*;
        let never = [
            Ambiguous,
            Auth,
            InvalidKey,
            InvalidTtl,
            TooLarge,
            Encode,
            Decode,
            Unsupported,
            Config,
            Loader,
            LoaderPanicked,
            RecursiveLoad,
            Conflict,
            NotOwned,
            Closed,
            Misconfigured,
        ];
        for kind in [Unavailable, Timeout, Refused, Protocol] {
            assert!(Error::new(kind, "").can_be_absorbed(), "{kind:?}");
            let ambiguous = Error::new(Ambiguous, "").with_source(Error::new(kind, ""));
            assert!(!ambiguous.can_be_absorbed(), "a write that may have been applied, by {kind:?}");
        }
        never.into_iter().for_each(|kind| assert!(!Error::new(kind, "").can_be_absorbed(), "{kind:?}"));
    }

    #[test]
    fn the_innermost_place_wins() {
        let (memory, redis): (Arc<str>, Arc<str>) = ("memory".into(), "redis".into());
        let error = Error::new(ErrorKind::Timeout, "late").at("get", &redis).at("get_or_compute", &memory);
        assert_eq!(error.to_string(), "redis get: late");
    }

    #[test]
    fn a_loaders_error_comes_back_as_itself() {
        let error = Error::from_loader(std::io::Error::other("disk"));
        assert_eq!(error.loader::<std::io::Error>().unwrap().to_string(), "disk");
        assert!(error.loader::<fmt::Error>().is_none());
    }
}
