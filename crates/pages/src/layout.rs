//! The frame of every page: head, header with brand and navigation, content, footer.

use maud::{DOCTYPE, Markup, Render, html};

use crate::assets::{ENHANCEMENT, ICON, STYLESHEET};
use crate::brand::Brand;

/// Where buyers manage what they bought.
pub const MARKETPLACE_CONSOLE: &str =
    "https://console.aws.amazon.com/marketplace/home#/subscriptions";

/// How much room a page takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Text and a form.
    Narrow,
    /// Two columns.
    Middle,
    /// Tables.
    Wide,
}

/// An entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to.
    pub href: String,
    /// What it is called.
    pub label: &'static str,
    /// Whether this is the page shown.
    pub current: bool,
}

/// A page, rendered as a whole document.
#[derive(Debug)]
pub struct Page<'a> {
    /// Who it speaks for.
    pub brand: &'a Brand,
    /// What it is about; its one `h1`.
    pub title: &'a str,
    /// A sentence below the title.
    pub lead: Markup,
    /// The navigation; may be empty.
    pub links: Vec<Link>,
    /// What stands at the end of the header; may be empty.
    pub side: Markup,
    /// How much room it takes.
    pub width: Width,
    /// Between title and footer.
    pub content: Markup,
    /// Below everything; may be empty.
    pub footer: Markup,
    /// Whether buyers read it, who are shown where to sign in and whom to ask.
    pub for_buyers: bool,
}

impl<'a> Page<'a> {
    /// A page with nothing but a title yet.
    pub fn new(brand: &'a Brand, title: &'a str, width: Width) -> Self {
        let nothing = || html! {};
        Self {
            brand,
            title,
            lead: nothing(),
            links: Vec::new(),
            side: nothing(),
            width,
            content: nothing(),
            footer: nothing(),
            for_buyers: true,
        }
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (self.title) " · " (self.brand.product()) }
                link rel="stylesheet" href=(STYLESHEET.path());
                @if let Some(href) = self.brand.stylesheet() { link rel="stylesheet" href=(href); }
                @if let Some(href) = self.brand.logo() { link rel="icon" href=(href); }
                @else { link rel="icon" href=(ICON.path()); }
                script src=(ENHANCEMENT.path()) defer {}
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header.top {
                div.bar {
                    div.brand {
                        @if let Some(src) = self.brand.logo() { img src=(src) alt=""; }
                        span { (self.brand.product()) }
                    }
                    @if !self.links.is_empty() {
                        nav aria-label="Main" {
                            ul {
                                @for link in &self.links {
                                    li { a href=(link.href) aria-current=[link.current.then_some("page")] { (link.label) } }
                                }
                            }
                        }
                    }
                    @if !self.side.0.is_empty() { div.side { (self.side) } }
                }
            }
        }
    }
}

impl Render for Page<'_> {
    fn render(&self) -> Markup {
        let width = match self.width {
            Width::Narrow => "narrow",
            Width::Middle => "middle",
            Width::Wide => "wide",
        };
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body class=(width) {
                    a.skip href="#content" { "Skip to content" }
                    (self.header())
                    main id="content" tabindex="-1" {
                        header {
                            h1 { (self.title) }
                            @if !self.lead.0.is_empty() { p.lead { (self.lead) } }
                        }
                        (self.content)
                    }
                    footer.foot { div { (self.footer) @if self.for_buyers { (help(self.brand)) } } }
                }
            }
        }
    }
}

/// What AWS asks to stand on each page (fact sheet §9): sign-in, support, and where billing is managed.
fn help(brand: &Brand) -> Markup {
    html! {
        @if let Some(url) = &brand.sign_in_url {
            p { "Already a customer? " a href=(url) { "Sign in" } }
        }
        @if brand.support_url.is_some() || brand.support_email.is_some() {
            p {
                "Need help? "
                @if let Some(url) = &brand.support_url { a href=(url) { "Visit support" } }
                @if brand.support_url.is_some() && brand.support_email.is_some() { " or write to " }
                @if let Some(email) = &brand.support_email { a href={ "mailto:" (email) } { (email) } }
            }
        }
        @if brand.privacy_url.is_some() || brand.terms_url.is_some() {
            p {
                @if let Some(url) = &brand.privacy_url { a href=(url) { "Privacy" } }
                @if brand.privacy_url.is_some() && brand.terms_url.is_some() { " · " }
                @if let Some(url) = &brand.terms_url { a href=(url) { "Terms" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_no_inline_script_or_style_and_escapes_what_it_is_given() {
        let brand = Brand { name: Some("<b>\"A\" & B</b>".to_owned()), ..Brand::default() };
        let page = Page::new(&brand, "<script>alert(1)</script>", Width::Narrow);
        let text = page.render().into_string();
        assert!(!text.contains("<b>") && !text.contains("<script>"), "{text}");
        assert!(!text.contains("<style") && !text.contains("style="), "{text}");
        assert!(text.contains("<html lang=\"en\">"));
    }

    #[test]
    fn the_footer_shows_what_is_configured_and_nothing_else() {
        let plain = Page::new(&Brand::default(), "Title", Width::Narrow).render().into_string();
        assert!(!plain.contains("Sign in") && !plain.contains("Need help"));
        let brand = Brand {
            sign_in_url: Some("https://app.example.com".to_owned()),
            support_email: Some("help@example.com".to_owned()),
            ..Brand::default()
        };
        let page = Page::new(&brand, "Title", Width::Narrow).render().into_string();
        assert!(
            page.contains("https://app.example.com") && page.contains("mailto:help@example.com")
        );
    }
}
