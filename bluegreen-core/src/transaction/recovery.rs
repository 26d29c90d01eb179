use super::StepId;

/// How to finish what an interrupted run left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Who does it, and where.
    pub actor: String,
    /// Whether to go on with the plan, instead of back.
    pub forward: bool,
    /// The stuck changes that are to be left as they are.
    pub skip: Vec<StepId>,
}

impl Recovery {
    /// Takes everything back, or commits where nothing else was missing. A run that is past its
    /// point of no return goes on all the same.
    pub fn by(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), forward: false, skip: Vec::new() }
    }

    /// Goes on with the plan instead.
    #[must_use]
    pub fn with_forward(mut self, forward: bool) -> Self {
        self.forward = forward;
        self
    }

    /// Leaves these stuck changes as they are; that is a person's decision.
    #[must_use]
    pub fn with_skip(mut self, skip: impl IntoIterator<Item = StepId>) -> Self {
        self.skip = skip.into_iter().collect();
        self
    }
}
