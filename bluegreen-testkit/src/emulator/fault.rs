//! What can go wrong with a call, and the script of which calls it goes wrong with.

use std::time::Duration;

use super::call::Call;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is not applied, and answered with an error in the shape of its service.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `AccessDenied`.
        code: String,
        /// The text for people.
        message: String,
    },
    /// The call is not applied: too many requests, in the words of its service.
    Throttle,
    /// The call is applied, then the connection is cut: the caller cannot know.
    LoseReply,
    /// The call is applied, then answered with an error.
    ErrorAfter {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `InternalFailure`.
        code: String,
        /// The text for people.
        message: String,
    },
    /// The call is applied that much later, even if the caller has given up by then.
    Stall(Duration),
    /// The connection is cut; the call is not applied.
    Drop,
}

impl Fault {
    /// [`Fault::Refuse`] from plain text.
    pub fn refuse(status: u16, code: &str, message: &str) -> Self {
        Self::Refuse { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// [`Fault::ErrorAfter`] with status 500 and the code `InternalFailure`.
    pub fn error_after() -> Self {
        let message = "The request processing has failed because of an unknown error.";
        Self::ErrorAfter {
            status: 500,
            code: "InternalFailure".to_owned(),
            message: message.to_owned(),
        }
    }
}

/// Which calls a fault strikes, counted from 0 and from the moment the fault is set.
///
/// A client retries by itself, and each try is a call: see [`Trigger::with_retries`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    scope: Scope,
    first: usize,
    span: Span,
}

/// Which calls are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Mutations,
    Action(String),
}

/// How far a fault goes on once it has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Times(usize),
    Onwards,
    Retries,
}

impl Trigger {
    /// The `n`-th mutating call.
    pub fn mutation(n: usize) -> Self {
        Self { scope: Scope::Mutations, first: n, span: Span::Times(1) }
    }

    /// The `n`-th call of `action`.
    pub fn action(action: &str, n: usize) -> Self {
        Self { scope: Scope::Action(action.to_owned()), first: n, span: Span::Times(1) }
    }

    /// Strikes so many counted calls in a row, whatever their parameters.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { span: Span::Times(times), ..self }
    }

    /// Strikes every counted call from the first one on.
    #[must_use]
    pub fn onwards(self) -> Self {
        Self { span: Span::Onwards, ..self }
    }

    /// Strikes one call and every repetition of it, that is, of the same action with the same
    /// parameters: what the client does by way of retrying fails as well.
    #[must_use]
    pub fn with_retries(self) -> Self {
        Self { span: Span::Retries, ..self }
    }
}

/// The faults that are set, each with how far it has counted.
#[derive(Debug, Default)]
pub(super) struct Script(Vec<Line>);

#[derive(Debug)]
struct Line {
    trigger: Trigger,
    fault: Fault,
    counted: usize,
    struck: Option<Call>,
}

impl Script {
    /// Sets one more fault.
    pub(super) fn add(&mut self, trigger: Trigger, fault: Fault) {
        self.0.push(Line { trigger, fault, counted: 0, struck: None });
    }

    /// Counts a call: the fault that strikes it, the one that was set first if there are several.
    pub(super) fn strike(&mut self, call: &Call) -> Option<Fault> {
        let mut fault = None;
        // Every line counts, also behind one that has struck.
        for line in &mut self.0 {
            if line.strikes(call) && fault.is_none() {
                fault = Some(line.fault.clone());
            }
        }
        fault
    }
}

impl Line {
    fn strikes(&mut self, call: &Call) -> bool {
        let counts = match &self.trigger.scope {
            Scope::Mutations => call.mutating,
            Scope::Action(action) => call.action == *action,
        };
        if !counts {
            return false;
        }
        let Some(distance) = self.counted.checked_sub(self.trigger.first) else {
            self.counted += 1;
            return false;
        };
        self.counted += 1;
        match self.trigger.span {
            Span::Times(times) => distance < times,
            Span::Onwards => true,
            Span::Retries => self.struck.get_or_insert_with(|| call.clone()).repeats(call),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: &str, group: &str) -> Call {
        Call {
            service: "autoscaling".to_owned(),
            action: action.to_owned(),
            mutating: !action.starts_with("Describe"),
            params: [("Group".to_owned(), group.to_owned())].into(),
            started: Duration::ZERO,
            finished: None,
            status: None,
            emulator_status: None,
        }
    }

    /// Which of these calls are struck.
    fn struck(trigger: Trigger, calls: &[(&str, &str)]) -> Vec<usize> {
        let mut script = Script::default();
        script.add(trigger, Fault::Drop);
        let hits = calls.iter().enumerate();
        hits.filter(|(_, (action, group))| script.strike(&call(action, group)).is_some())
            .map(|(index, _)| index)
            .collect()
    }

    const CALLS: [(&str, &str); 7] = [
        ("Set", "blue"),
        ("Describe", "green"),
        ("Set", "green"),
        ("Update", "blue"),
        ("Set", "green"),
        ("Set", "blue"),
        ("Set", "green"),
    ];

    #[test]
    fn a_trigger_counts_what_it_is_about() {
        assert_eq!(struck(Trigger::mutation(1), &CALLS), [2]);
        assert_eq!(struck(Trigger::action("Set", 2), &CALLS), [4]);
        assert_eq!(struck(Trigger::action("Describe", 1), &CALLS), [0_usize; 0]);
    }

    #[test]
    fn a_trigger_goes_on_as_far_as_told() {
        assert_eq!(struck(Trigger::mutation(1).times(2), &CALLS), [2, 3]);
        assert_eq!(struck(Trigger::action("Set", 1).onwards(), &CALLS), [2, 4, 5, 6]);
        assert_eq!(struck(Trigger::mutation(1).with_retries(), &CALLS), [2, 4, 6]);
    }

    #[test]
    fn the_fault_that_was_set_first_wins_and_the_others_still_count() {
        let mut script = Script::default();
        script.add(Trigger::mutation(0), Fault::Drop);
        script.add(Trigger::mutation(1), Fault::Throttle);
        script.add(Trigger::mutation(0), Fault::LoseReply);
        assert_eq!(script.strike(&call("Set", "blue")), Some(Fault::Drop));
        assert_eq!(script.strike(&call("Set", "blue")), Some(Fault::Throttle));
        assert_eq!(script.strike(&call("Set", "blue")), None);
    }
}
