//! Settings that are only handed through: the parts of a request as JSON, and back as XML.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Params, Xml};

/// How a service spells what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As in requests; the items of lists are called `member`.
    Query,
    /// As EC2 does: `imageId`, `tagSet`, `item`.
    Compute,
}

/// Returns what a request says under a name; texts stand at the ends.
pub(crate) fn read(params: &Params, name: &str) -> Option<Value> {
    if let Some(text) = params.text(name) {
        return Some(Value::from(text));
    }
    params.has(name).then(|| branch(params, name))
}

fn branch(params: &Params, name: &str) -> Value {
    let part = params.part(name);
    if is_list(&part) {
        let items = params.structs(name).into_iter();
        return items.map(|item| leaf_or_object(&item)).collect();
    }
    object(&part)
}

fn leaf_or_object(part: &Params) -> Value {
    part.text("").map_or_else(|| object(part), Value::from)
}

fn object(part: &Params) -> Value {
    let members = names(part).into_iter();
    let members = members.filter_map(|name| Some((name.to_owned(), read(part, name)?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn is_list(part: &Params) -> bool {
    let is_index = |name: &str| name == "member" || name.bytes().all(|one| one.is_ascii_digit());
    names(part).into_iter().all(is_index)
}

fn names(part: &Params) -> BTreeSet<&str> {
    part.iter().filter_map(|(key, _)| key.split('.').next()).collect()
}

/// Adds a tree to a reply.
pub(crate) fn write(xml: Xml, name: &str, value: &Value, spelling: Spelling) -> Xml {
    match value {
        Value::Object(members) => {
            let inner = members.iter().fold(Xml::new(), |inner, (member, value)| {
                write(inner, &spelled(name, member, value, spelling), value, spelling)
            });
            xml.node(name, inner)
        }
        Value::Array(items) => {
            let item = if spelling == Spelling::Query { "member" } else { "item" };
            let inner = items.iter().fold(Xml::new(), |inner, value| match value {
                // The members of an item are spelled by the list that they stand in.
                Value::Object(members) => {
                    let fields = members.iter().fold(Xml::new(), |inner, (member, value)| {
                        write(inner, &spelled(name, member, value, spelling), value, spelling)
                    });
                    inner.node(item, fields)
                }
                value => write(inner, item, value, spelling),
            });
            xml.node(name, inner)
        }
        Value::String(text) => xml.text(name, text),
        Value::Null => xml,
        other => xml.text(name, other),
    }
}

/// Returns how a member of `parent` is called in replies.
pub(crate) fn spelled(parent: &str, name: &str, value: &Value, spelling: Spelling) -> String {
    if spelling == Spelling::Query {
        return name.to_owned();
    }
    let mut letters = name.chars();
    let first = letters.next().map(|one| one.to_ascii_lowercase());
    let lower: String = first.into_iter().chain(letters).collect();
    if !value.is_array() {
        return lower;
    }
    match (parent, lower.as_str()) {
        ("networkInterfaceSet", "securityGroupId") => "groupSet".to_owned(),
        (_, "licenseSpecification") => "licenseSet".to_owned(),
        (_, name) => format!("{name}Set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_handed_through_comes_back_as_the_service_spells_it() {
        let params = Params::read(
            b"D.InstanceType=t3.micro&D.SecurityGroupId.1=sg-1&D.NetworkInterface.1.SecurityGroupId.1=sg-2\
              &D.TagSpecification.1.Tag.1.Key=k&D.Monitoring.Enabled=true",
        );
        let tree = read(&params, "D").expect("it is there");
        assert_eq!(tree["SecurityGroupId"], serde_json::json!(["sg-1"]));
        let xml = write(Xml::new(), "d", &tree, Spelling::Compute).document("R", "n");
        for part in [
            "<instanceType>t3.micro</instanceType>",
            "<securityGroupIdSet><item>sg-1</item></securityGroupIdSet>",
            "<networkInterfaceSet><item><groupSet><item>sg-2</item></groupSet></item></networkInterfaceSet>",
            "<tagSpecificationSet><item><tagSet><item><key>k</key></item></tagSet></item></tagSpecificationSet>",
        ] {
            assert!(xml.contains(part), "{part} is not in {xml}");
        }
        assert_eq!(read(&params, "Nothing"), None);
    }

    #[test]
    fn members_are_the_items_of_query_lists() {
        let params = Params::read(
            b"P.Overrides.member.1.InstanceType=a&P.Overrides.member.2.InstanceType=b",
        );
        let tree = read(&params, "P").expect("it is there");
        let xml = write(Xml::new(), "P", &tree, Spelling::Query).document("R", "n");
        assert!(
            xml.contains("<Overrides><member><InstanceType>a</InstanceType></member><member>"),
            "{xml}"
        );
    }
}
