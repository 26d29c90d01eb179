use std::error::Error;
use std::fmt;

/// Why a call to the cloud failed, sorted by what the caller can do about it.
#[derive(Debug)]
pub struct CloudError {
    kind: CloudErrorKind,
    operation: String,
    resource: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloudErrorKind {
    /// The resource is not there. The call changed nothing.
    NotFound,
    /// The caller may not do this. The call changed nothing.
    Denied,
    /// The credentials are missing, expired or wrong: every further call would fail alike.
    Credentials,
    /// Too many calls, or the resource is busy with an earlier one: later the same call may
    /// succeed. The call changed nothing.
    Busy,
    /// The cloud refused, and would again. The call changed nothing.
    Rejected,
    /// The call may have landed or may still land; only a look at the world can tell.
    OutcomeUnknown,
}

impl CloudError {
    /// Makes an error of the call `operation` on `resource`.
    pub fn new(
        kind: CloudErrorKind,
        operation: impl Into<String>,
        resource: impl fmt::Display,
    ) -> Self {
        Self { kind, operation: operation.into(), resource: resource.to_string(), source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what a caller can do about it.
    pub fn kind(&self) -> CloudErrorKind {
        self.kind
    }

    /// Returns the call that failed, as the provider names it.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the resource that the call was about.
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, resource, .. } = self;
        match self.kind {
            CloudErrorKind::NotFound => write!(f, "{operation}: `{resource}` does not exist"),
            CloudErrorKind::Denied => write!(f, "{operation} on `{resource}` is not allowed"),
            CloudErrorKind::Credentials => {
                write!(f, "{operation} on `{resource}`: the credentials were not accepted")
            }
            CloudErrorKind::Busy => write!(f, "{operation} on `{resource}` was put off"),
            CloudErrorKind::Rejected => write!(f, "{operation} on `{resource}` was refused"),
            CloudErrorKind::OutcomeUnknown => {
                write!(f, "{operation} on `{resource}` ended without an answer")
            }
        }
    }
}

impl Error for CloudError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
