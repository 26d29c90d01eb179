use super::{Service, Xml};

/// How a service says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl WireError {
    /// Makes an error with AWS's code and message; the status is 400 as nearly everywhere.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into() }
    }

    /// Sets the HTTP status.
    #[must_use]
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Refuses an action that a service does not have, or that this one does not know.
    pub(crate) fn unknown_action(action: &str) -> Self {
        let message = format!("The playground does not know the action {action}");
        Self::new("InvalidAction", message)
    }

    /// Returns the body of the answer, as the service writes it.
    pub(crate) fn body(&self, service: Service, request_id: &str) -> String {
        let error = Xml::new().text("Code", &self.code).text("Message", &self.message);
        if service == Service::Compute {
            return Xml::new()
                .list("Errors", "Error", [error])
                .text("RequestID", request_id)
                .document("Response", service.namespace());
        }
        let at_fault = if self.status < 500 { "Sender" } else { "Receiver" };
        Xml::new()
            .node("Error", Xml::new().text("Type", at_fault).with(error))
            .text("RequestId", request_id)
            .document("ErrorResponse", service.namespace())
    }
}
