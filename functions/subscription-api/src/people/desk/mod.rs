//! The operator's desk: find a subscription, see what happened to it, and act where a human must.

mod act;
mod detail;
mod list;
mod overview;
pub(crate) mod parked;
pub(crate) mod parked_acts;
mod words;

pub(crate) use act::{act, ask};
pub(crate) use detail::detail;
pub(crate) use list::list;

use maud::Markup;
use pages::{Brand, Link, Page, Width};

/// A page of the desk.
fn page<'a>(
    brand: &'a Brand,
    title: &'a str,
    width: Width,
    lead: Markup,
    content: Markup,
) -> Page<'a> {
    let places = [("/marketplace/desk", "Subscriptions"), (parked::PATH, "Parked")];
    let links =
        places.map(|(href, label)| Link { href: href.to_owned(), label, current: title == label });
    let side = maud::html! { "Operator's desk" };
    let footer = maud::html! { p { "All times are UTC. What you do here is kept in the audit trail with your name." } };
    Page {
        lead,
        content,
        links: links.into(),
        side,
        footer,
        for_buyers: false,
        ..Page::new(brand, title, width)
    }
}
