//! The frame of the box's pages: where one is, and what time it is.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, Render, html};
use pages::component::{Tone, note};
use pages::{Brand, Link, Page, Width};

use super::note::Note;
use crate::system::Handle;

/// Pages and what they are called.
const PLACES: [(&str, &str); 8] = [
    ("/", "Start"),
    ("/box/tour", "Tour"),
    ("/box/store", "Storefront"),
    ("/box/usage", "Usage"),
    ("/box/faults", "Faults"),
    ("/box/wire", "Wire log"),
    ("/box/money", "Money"),
    ("/box/messages", "Messages"),
];

/// A page of the box.
pub(super) struct Sheet<'a> {
    pub(super) system: &'a Handle,
    /// Its address; where the clock's buttons come back to.
    pub(super) path: &'a str,
    pub(super) title: &'a str,
    pub(super) lead: Markup,
    pub(super) note: Option<Note>,
    pub(super) content: Markup,
}

impl Sheet<'_> {
    pub(super) fn page(self) -> Response {
        let mut brand = Brand::default();
        brand.name = Some("Marketplace in a box".to_owned());
        let links = PLACES.map(|(href, label)| Link {
            href: href.to_owned(),
            label,
            current: href == self.path,
        });
        let content = html! {
            (clock(self.system, self.path))
            @if let Some(done) = &self.note { (note(done.tone(), &html! { p { (done) } })) }
            (self.content)
        };
        let footer = html! {
            p { "A simulation on this machine. AWS is not asked, and nothing costs anything." }
        };
        let page = Page {
            lead: self.lead,
            links: links.into(),
            content,
            footer,
            ..Page::new(&brand, self.title, Width::Wide)
        };
        Html(page.render().into_string()).into_response()
    }
}

/// What could not be done, with the way back.
pub(super) fn refused(system: &Handle, back: &str, why: &str) -> Response {
    let content = html! {
        (note(Tone::Bad, &html! { p { (why) } }))
        p { a.button.plain href=(back) { "Back" } }
    };
    let sheet = Sheet {
        system,
        path: back,
        title: "That did not work",
        lead: html! {},
        note: None,
        content,
    };
    (StatusCode::UNPROCESSABLE_ENTITY, sheet.page()).into_response()
}

fn clock(system: &Handle, path: &str) -> Markup {
    let now = system.now();
    let button = |by: &str, label: &str| {
        html! { button.plain.compact type="submit" name="by" value=(by) data-busy="Time passes…" { (label) } }
    };
    html! {
        section.card aria-label="Clock" {
            form.row.apart method="post" action="/box/clock" data-stay {
                span { span.quiet { "It is " } b { time datetime=(now) { (now.strftime("%A, %-d %B %Y, %H:%M")) } } span.quiet { " UTC here" } }
                input type="hidden" name="back" value=(path);
                span.row {
                    (button("2m", "+ 2 minutes")) (button("1h", "+ 1 hour")) (button("1d", "+ 1 day")) (button("month", "To month end"))
                }
            }
        }
    }
}
