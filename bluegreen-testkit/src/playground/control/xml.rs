use std::fmt::Display;

use quick_xml::escape::escape;

/// A piece of an XML document, put together from the inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Xml(String);

impl Xml {
    /// Makes an empty piece.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds an element that holds text.
    #[must_use]
    pub(crate) fn text(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.element(name, &escape(value.as_str()));
        self
    }

    /// Adds an element that holds text, if there is any.
    #[must_use]
    pub(crate) fn maybe(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds an element that holds other ones.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "what is put together is put in")]
    pub(crate) fn node(mut self, name: &str, inner: Self) -> Self {
        self.element(name, &inner.0);
        self
    }

    /// Adds a list: an element `name` that holds an element `item` for each.
    #[must_use]
    pub(crate) fn list(
        self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = Self>,
    ) -> Self {
        let inner = items.into_iter().fold(Self::new(), |list, one| list.node(item, one));
        self.node(name, inner)
    }

    /// Adds a list of texts.
    #[must_use]
    pub(crate) fn texts(
        self,
        name: &str,
        item: &str,
        items: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let inner = items.into_iter().fold(Self::new(), |list, one| list.text(item, one));
        self.node(name, inner)
    }

    /// Adds what another piece holds.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "what is put together is put in")]
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    fn element(&mut self, name: &str, inner: &str) {
        for part in ["<", name, ">", inner, "</", name, ">"] {
            self.0.push_str(part);
        }
    }

    /// Makes a whole document of it.
    pub(crate) fn document(&self, root: &str, namespace: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{namespace}\">{}</{root}>",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_cannot_break_out() {
        let xml = Xml::new().text("Name", "a<b & \"c\"").maybe("None", None::<&str>).list(
            "Tags",
            "member",
            [Xml::new().text("Key", "k")],
        );
        assert_eq!(
            xml.document("R", "n"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"n\"><Name>a&lt;b &amp; &quot;c&quot;</Name>\
             <Tags><member><Key>k</Key></member></Tags></R>"
        );
    }
}
