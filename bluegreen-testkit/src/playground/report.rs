//! A page that shows how a load went, in one file.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Loading, Shared};

const PAGE: &str = include_str!("page/report.html");
const STYLE: &str = include_str!("page/style.css");
const PLOT: &str = include_str!("page/plot.js");

/// Writes the page.
pub(super) async fn html(title: &str, shared: &Shared) -> String {
    let loading = shared.load.lock().await;
    let load = loading.as_ref().map(|loading| &loading.load);
    let data = json!({
        "title": title,
        "rate": load.map(|load| load.options().rate),
        "scores": load.map(super::Load::scores),
        "marks": load.map(super::Load::marks),
        "changes": loading.as_ref().map(|loading| changes(shared, loading)),
        "bins": load.map(|load| load.bins(0)),
    });
    // Within a script only a closing tag could break out.
    let data = data.to_string().replace("</", "<\\/");
    PAGE.replace("/*STYLE*/", STYLE).replace("/*PLOT*/", PLOT).replace("/*DATA*/null", &data)
}

/// Returns every call that changed something while the load went on.
pub(super) fn changes(shared: &Shared, loading: &Loading) -> Vec<Value> {
    let calls = shared.calls();
    let changes = calls.iter().filter(|call| call.mutating && call.error.is_none());
    changes
        .filter_map(|call| {
            let at: Duration = call.at.checked_sub(loading.began)?;
            Some(json!({"at": at.as_secs_f64(), "label": call.action}))
        })
        .collect()
}
