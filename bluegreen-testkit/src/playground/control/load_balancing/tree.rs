use serde_json::{Map, Value};

use super::super::{Params, Xml};

/// What a request says, as JSON with AWS's names: lists are arrays, all else is text.
///
/// What only has to be given back as it came is kept so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree(pub(in super::super) Value);

impl Tree {
    /// Reads a part of a request.
    pub(crate) fn read(params: &Params) -> Self {
        let mut root = Value::Object(Map::new());
        for (name, text) in params.iter() {
            let segments: Vec<_> = name.split('.').filter(|segment| !segment.is_empty()).collect();
            put(&mut root, &segments, text);
        }
        Self(lists(root))
    }

    /// Reads the structures of a list.
    pub(crate) fn read_list(params: &Params, name: &str) -> Vec<Value> {
        params.structs(name).iter().map(|one| Self::read(one).0).collect()
    }

    /// Writes it as the inside of an element.
    pub(crate) fn write(&self) -> Xml {
        inside(&self.0)
    }
}

fn put(into: &mut Value, segments: &[&str], text: &str) {
    let Some((first, rest)) = segments.split_first() else {
        *into = text.into();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    if let Some(members) = into.as_object_mut() {
        put(members.entry(*first).or_insert(Value::Null), rest, text);
    }
}

/// Turns what is numbered under `member` into arrays.
fn lists(value: Value) -> Value {
    let Value::Object(mut members) = value else { return value };
    if members.len() == 1
        && let Some(Value::Object(numbered)) = members.get_mut("member").map(Value::take)
    {
        let mut items: Vec<(u32, Value)> = numbered
            .into_iter()
            .filter_map(|(number, item)| Some((number.parse().ok()?, lists(item))))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        return items.into_iter().map(|(_, item)| item).collect();
    }
    Value::Object(members.into_iter().map(|(name, value)| (name, lists(value))).collect())
}

fn inside(value: &Value) -> Xml {
    let members = value.as_object().into_iter().flatten();
    members.fold(Xml::new(), |xml, (name, value)| match value {
        Value::Null => xml,
        Value::Array(items) if items.iter().any(Value::is_object) => {
            xml.list(name, "member", items.iter().map(inside))
        }
        Value::Array(items) => xml.texts(name, "member", items.iter().map(text)),
        Value::Object(_) => xml.node(name, inside(value)),
        leaf => xml.text(name, text(leaf)),
    })
}

fn text(leaf: &Value) -> String {
    leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_a_request_is_given_back_as_it_came() {
        let params = Params::read(
            b"C.member.1.Field=http-header&C.member.1.HttpHeaderConfig.HttpHeaderName=X-A\
              &C.member.1.HttpHeaderConfig.Values.member.2=b&C.member.1.HttpHeaderConfig.Values.member.1=a",
        );
        let read = Tree::read_list(&params, "C");
        let config = json!({"HttpHeaderName": "X-A", "Values": ["a", "b"]});
        assert_eq!(read, [json!({"Field": "http-header", "HttpHeaderConfig": config})]);
        assert_eq!(
            Tree(read[0].clone())
                .write()
                .document("R", "n")
                .split_once("<R xmlns=\"n\">")
                .unwrap()
                .1,
            "<Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-A</HttpHeaderName>\
             <Values><member>a</member><member>b</member></Values></HttpHeaderConfig></R>"
        );
    }
}
