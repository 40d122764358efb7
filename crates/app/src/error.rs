//! Why a use case could not be carried out. Refusals are results, not errors; an error is about us or what we depend
//! on, and its source is for the log, never for the caller.

/// Any cause, kept for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error and all its causes on one line, for the log.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// By what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something we depend on failed or did not answer; what was asked may have happened. Try again.
    #[error("{dependency} is not available")]
    Unavailable {
        /// What.
        dependency: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Something we depend on refuses us: credentials, policy or configuration. A human must mend it.
    #[error("{dependency} refuses us")]
    Refused {
        /// What.
        dependency: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Something stored or received cannot be read.
    #[error("{what} cannot be read")]
    Corrupt {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// A cursor that the list did not give: from elsewhere, or from before a change of this code.
    #[error("the cursor is not one that this list has given")]
    ForeignCursor,
    /// Others changed the same thing again and again while we tried. Try again.
    #[error("{what} is being changed by others")]
    Contended {
        /// What.
        what: &'static str,
    },
}

impl Error {
    /// Whether the same request may succeed later without anyone mending anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Contended { .. } => true,
            Self::Refused { .. } | Self::Corrupt { .. } | Self::ForeignCursor => false,
        }
    }
}
