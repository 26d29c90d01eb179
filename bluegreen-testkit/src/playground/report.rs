//! A page that shows how a load went, in one file.

use serde_json::json;

use super::load::Load;

const PAGE: &str = include_str!("page/report.html");
const STYLE: &str = include_str!("page/style.css");
const PLOT: &str = include_str!("page/plot.js");

/// Writes the page.
pub(super) fn html(title: &str, load: Option<&Load>) -> String {
    let data = json!({
        "title": title,
        "rate": load.map(|load| load.options().rate),
        "scores": load.map(Load::scores),
        "marks": load.map(Load::marks),
        "bins": load.map(|load| load.bins(0)),
    });
    // Within a script only a closing tag could break out.
    let data = data.to_string().replace("</", "<\\/");
    PAGE.replace("/*STYLE*/", STYLE).replace("/*PLOT*/", PLOT).replace("/*DATA*/null", &data)
}
