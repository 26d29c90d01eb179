use std::fmt;

/// The body of a request: an action and its parameters.
#[derive(Clone)]
pub(crate) struct Form {
    action: &'static str,
    fields: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn new(action: &'static str) -> Self {
        Self { action, fields: Vec::new() }
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter if it has a value.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list, whose members are numbered from 1.
    pub(crate) fn with_list<T: Into<String>>(
        self,
        name: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        (1..).zip(values).fold(self, |form, (index, value): (u32, T)| {
            form.with(format!("{name}.{index}"), value)
        })
    }

    /// Returns the body as it goes over the wire.
    pub(crate) fn encode(&self, version: &str) -> String {
        let mut body = format!("Action={}&Version={version}", self.action);
        for (name, value) in &self.fields {
            body.push('&');
            encode_into(&mut body, name);
            body.push('=');
            encode_into(&mut body, value);
        }
        body
    }
}

impl fmt::Debug for Form {
    /// Leaves the values out: one of them may be user data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Form").field("action", &self.action).field("names", &names).finish()
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn encode_into(body: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            body.push(char::from(byte));
        } else {
            body.push('%');
            body.push(char::from(HEX[usize::from(byte >> 4)]));
            body.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_percent_encoded_and_its_lists_count_from_one() {
        let form = Form::new("DescribeImages")
            .with_list("ImageId", ["ami-1", "a b"])
            .with_some("X", None::<String>)
            .with("Y", "é$=&");
        assert_eq!(
            form.encode("2016-11-15"),
            "Action=DescribeImages&Version=2016-11-15&ImageId.1=ami-1&ImageId.2=a%20b&Y=%C3%A9%24%3D%26"
        );
    }

    #[test]
    fn the_debug_output_of_a_form_has_no_values() {
        let form = Form::new("CreateLaunchTemplateVersion").with("UserData", "hunter2");
        let text = format!("{form:?}");
        assert!(text.contains("UserData") && !text.contains("hunter2"), "{text}");
    }
}
