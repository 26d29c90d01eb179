use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Form;

/// How the items of lists are called.
const ITEM: &str = "member";

/// A part of a reply as it stands, for what is carried whole: texts at the ends, lists where all
/// items are called `member`. What is empty is nothing.
///
/// So what AWS adds to such a part one day is carried too, and what it adds elsewhere is noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) Value);

impl Tree {
    /// Reads a whole document; nothing if it is none.
    pub(crate) fn parse(document: &[u8]) -> Self {
        let text = std::str::from_utf8(document).unwrap_or_default();
        quick_xml::de::from_str(text).unwrap_or_default()
    }

    /// Returns the items of a list in the result of a reply.
    pub(crate) fn items(&self, result: &str, list: &str) -> Vec<Self> {
        let items = self.0[result][list].as_array().into_iter().flatten();
        items.map(|item| Self(item.clone())).collect()
    }

    /// Returns the names of what an object has.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Returns what an object has under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let (mut text, mut items, mut members) = (None, Vec::new(), Map::new());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "$text" => text = Some(map.next_value::<String>()?),
                ITEM => items.push(map.next_value::<Tree>()?.0),
                attribute if attribute.starts_with('@') => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => match map.next_value::<Tree>()?.0 {
                    Value::Null => {}
                    value => drop(members.insert(key, value)),
                },
            }
        }
        Ok(Tree(match text {
            _ if !items.is_empty() => Value::Array(items),
            _ if !members.is_empty() => Value::Object(members),
            Some(text) => Value::String(text),
            None => Value::Null,
        }))
    }
}

impl Form {
    /// Adds a tree as AWS spells it in requests.
    pub(crate) fn with_tree(self, name: &str, tree: &Value) -> Self {
        match tree {
            Value::Null => self,
            Value::Object(members) => members
                .iter()
                .fold(self, |form, (key, value)| form.with_tree(&format!("{name}.{key}"), value)),
            Value::Array(items) => (1..).zip(items).fold(self, |form, (index, item): (u32, _)| {
                form.with_tree(&format!("{name}.{ITEM}.{index}"), item)
            }),
            Value::String(text) => self.with(name, text),
            other => self.with(name, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REPLY: &str = r#"<R xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">
        <Result><Groups><member><Name>a &amp; b</Name><Empty/><Zones></Zones>
        <Policy><Types>
          <member><Type>m5.large</Type><Weight>1</Weight></member>
          <member><Type>m4.large</Type></member>
        </Types></Policy></member></Groups></Result></R>"#;

    #[test]
    fn a_part_of_a_reply_is_read_as_it_stands_and_written_as_requests_spell_it() {
        let items = Tree::parse(REPLY.as_bytes()).items("Result", "Groups");
        let types = json!([{"Type": "m5.large", "Weight": "1"}, {"Type": "m4.large"}]);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].0, json!({"Name": "a & b", "Policy": {"Types": types}}));
        let form = Form::new("Create").with_tree("P", &items[0].0["Policy"]).encode("v");
        assert_eq!(
            form,
            "Action=Create&Version=v&P.Types.member.1.Type=m5.large&P.Types.member.1.Weight=1\
             &P.Types.member.2.Type=m4.large"
        );
    }

    #[test]
    fn what_is_no_reply_is_nothing() {
        assert_eq!(Tree::parse(b"<html><p>"), Tree::default());
        assert!(Tree::parse(b"").items("Result", "Groups").is_empty());
    }
}
