use bluegreen_testkit::playground::fault::Fault as Trouble;
use bluegreen_testkit::playground::remote::Remote;
use serde_json::{Map, Value, json};

use crate::args::{Fault, Matter};
use crate::command::Session;
use crate::exit;
use crate::failure::Failure;

/// Lets something go wrong in a playground that runs, or lifts it.
pub(super) async fn run(session: &Session, options: &Fault) -> Result<u8, Failure> {
    let remote = Remote::new(&options.at.url);
    let out = session.out;
    match (options.what, options.how.as_deref()) {
        (Matter::List, None) => {
            let standing = remote.get("/api/faults").await?;
            if out.is_json() {
                out.json(&standing);
            } else {
                out.text(&listed(&standing));
            }
        }
        (Matter::Clear, None) => {
            remote.delete("/api/faults").await?;
            done(session, "nothing goes wrong any more");
        }
        (Matter::Lift, Some(id)) => {
            let id: u64 =
                id.parse().map_err(|_| Failure::usage(format!("`{id}` is no fault's number")))?;
            remote.delete(&format!("/api/faults/{id}")).await?;
            done(session, &format!("fault {id} is lifted"));
        }
        (Matter::Instance | Matter::Network | Matter::Api, Some(how)) => {
            let fault = wanted(options, how);
            if let Err(error) = serde_json::from_value::<Trouble>(fault.clone()) {
                return Err(Failure::usage(format!("that is no fault: {error}"))
                    .with_hint("`bluegreen playground fault --help` lists them"));
            }
            let made = remote.post("/api/faults", &fault).await?;
            let id = made["id"].as_u64().unwrap_or_default();
            if out.is_json() {
                out.json(&json!({"id": id}));
            } else {
                out.text(&format!("fault {id}: `bluegreen playground fault lift {id}` ends it\n"));
            }
        }
        (Matter::List | Matter::Clear, Some(how)) => {
            return Err(Failure::usage(format!("`{how}` is too much")));
        }
        (Matter::Lift, None) => return Err(Failure::usage("which fault is to be lifted?")),
        (_, None) => {
            return Err(Failure::usage("how is it to go wrong?")
                .with_hint("`bluegreen playground fault --help` lists the ways"));
        }
    }
    Ok(exit::DONE)
}

fn done(session: &Session, text: &str) {
    if session.out.is_json() {
        session.out.json(&json!({}));
    } else {
        session.out.text(&format!("{text}\n"));
    }
}

/// Puts a fault together as scenario files and the page write it.
fn wanted(options: &Fault, how: &str) -> Value {
    let on = match options.what {
        Matter::Network => "network",
        Matter::Api => "api",
        _ => "instance",
    };
    let mut fault = Map::from_iter([("on".to_owned(), json!(on)), ("is".to_owned(), json!(how))]);
    let texts = [
        ("instance", &options.instance),
        ("group", &options.group),
        ("image", &options.image),
        ("zone", &options.zone),
        ("color", &options.of),
        ("service", &options.service),
        ("action", &options.action),
    ];
    let texts = texts.into_iter().map(|(key, value)| (key, value.as_ref().map(|text| json!(text))));
    let numbers = [
        ("ms", options.ms.map(|value| json!(value))),
        ("status", options.status.map(|value| json!(value))),
        ("share", options.share.map(|value| json!(value))),
        ("bytes", options.bytes.map(|value| json!(value))),
        ("seconds", options.time.map(|value| json!(value.as_secs_f64()))),
        ("times", options.times.map(|value| json!(value))),
        ("mutating", options.mutating.then_some(json!(true))),
    ];
    for (key, value) in texts.chain(numbers) {
        if let Some(value) = value {
            fault.insert(key.to_owned(), value);
        }
    }
    Value::Object(fault)
}

fn listed(standing: &Value) -> String {
    let faults = standing.as_array().map(Vec::as_slice).unwrap_or_default();
    if faults.is_empty() {
        return "nothing goes wrong\n".to_owned();
    }
    let line = |fault: &Value| {
        let fields = fault.as_object().into_iter().flatten().filter(|(key, _)| *key != "id");
        let fields: Vec<String> = fields
            .map(|(key, value)| {
                format!("{key} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        format!("{:>4}  {}\n", fault["id"], fields.join(", "))
    };
    faults.iter().map(line).collect()
}
