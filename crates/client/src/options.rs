//! How a client works.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where the token comes from. Asked for every request, so that it may be renewed.
pub(crate) type Token = Arc<dyn Fn() -> String + Send + Sync>;

/// How a client works.
#[derive(Clone)]
pub struct Options {
    /// The API, without `/marketplace` and without a slash at its end.
    pub url: String,
    /// The file that keeps what is not delivered yet; one process at a time.
    pub spool: PathBuf,
    /// How large that file may become, in bytes.
    pub spool_limit: u64,
    /// How long one request may take.
    pub timeout: Duration,
    /// The first pause after a failure; later ones double.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    pub(crate) token: Token,
}

impl Options {
    /// 64 MiB of spool, 30 seconds a request, pauses from half a second to a minute.
    pub fn new(
        url: impl Into<String>,
        token: impl Fn() -> String + Send + Sync + 'static,
        spool: impl Into<PathBuf>,
    ) -> Self {
        Self {
            url: url.into(),
            spool: spool.into(),
            spool_limit: 64 << 20,
            timeout: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            token: Arc::new(token),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &self.url)
            .field("spool", &self.spool)
            .finish_non_exhaustive()
    }
}
