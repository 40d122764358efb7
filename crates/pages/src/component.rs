//! Pieces that pages are made of.

use domain::subscription::Status;
use maud::{Markup, html};

/// How something stands, said by a word and shown by a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Needs attention.
    Warn,
    /// Wrong.
    Bad,
    /// Neither.
    Plain,
    /// Worth knowing.
    Info,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Plain => "plain",
            Self::Info => "info",
        }
    }
}

/// A word that carries a state.
pub fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// The status of a subscription in a word.
pub fn status(status: Status) -> Markup {
    match status {
        Status::Pending => badge(Tone::Warn, "Waiting"),
        Status::Active => badge(Tone::Good, "Active"),
        Status::Suspended => badge(Tone::Bad, "On hold"),
        Status::Cancelling => badge(Tone::Warn, "Ending"),
        Status::Cancelled => badge(Tone::Plain, "Cancelled"),
        Status::Expired => badge(Tone::Plain, "Expired"),
    }
}

/// A message set apart. Bad ones are read out at once.
pub fn note(tone: Tone, content: &Markup) -> Markup {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    html! { div class={ "note " (tone.class()) } role=(role) { (content) } }
}

/// A card with a heading.
pub fn card(heading: &str, content: &Markup) -> Markup {
    html! { section.card { h2 { (heading) } (content) } }
}

/// A number worth a glance: what it is, and what it is about.
pub fn figure(label: &str, value: &Markup, hint: &Markup) -> Markup {
    html! {
        div.card {
            div.figure {
                span.quiet { (label) }
                b { (value) }
                @if !hint.0.is_empty() { span.quiet.small { (hint) } }
            }
        }
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Text, to the left.
    Text(&'static str),
    /// Numbers, to the right.
    Number(&'static str),
}

/// A table that scrolls in its own box where it is too wide. Rows are `tr` elements.
pub fn table(caption: &str, columns: &[Column], rows: &Markup, footer: &Markup) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for column in columns {
                            @match column {
                                Column::Text(name) => th scope="col" { (name) },
                                Column::Number(name) => th.number scope="col" { (name) },
                            }
                        }
                    }
                }
                tbody { (rows) }
                @if !footer.0.is_empty() { tfoot { (footer) } }
            }
        }
    }
}

/// A field of a form, with its problem beside it.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Its name, and its id on the page.
    pub name: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// The kind of input.
    pub kind: &'static str,
    /// What browsers may fill in.
    pub autocomplete: &'static str,
    /// What stands in it.
    pub value: &'a str,
    /// Whether it must be filled in.
    pub required: bool,
    /// The longest entry.
    pub longest: usize,
    /// What is wrong with the entry.
    pub problem: Option<&'a str>,
}

impl maud::Render for Field<'_> {
    fn render(&self) -> Markup {
        let note = format!("{}-problem", self.name);
        html! {
            div.field {
                label for=(self.name) {
                    (self.label)
                    @if !self.required { " " span.optional { "(optional)" } }
                }
                input id=(self.name) name=(self.name) type=(self.kind) autocomplete=(self.autocomplete)
                    value=(self.value) maxlength=(self.longest) required[self.required]
                    aria-invalid=[self.problem.map(|_| "true")]
                    aria-describedby=[self.problem.map(|_| note.as_str())];
                @if let Some(problem) = self.problem { p.wrong id=(note) { (problem) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use maud::Render;

    use super::*;

    #[test]
    fn a_wrong_field_says_so_to_screen_readers_too() {
        let field = Field {
            name: "email",
            label: "E-mail",
            kind: "email",
            autocomplete: "email",
            value: "\"><script>",
            required: true,
            longest: 200,
            problem: Some("enter an e-mail address"),
        };
        let text = field.render().into_string();
        assert!(
            text.contains("aria-invalid=\"true\" aria-describedby=\"email-problem\""),
            "{text}"
        );
        assert!(text.contains("id=\"email-problem\">enter an e-mail address"));
        assert!(!text.contains("<script>"));
    }

    #[test]
    fn a_table_has_a_caption_and_column_headers() {
        let rows = html! { tr { td { "a" } td.number { "1" } } };
        let columns = [Column::Text("Name"), Column::Number("Count")];
        let text = table("Things", &columns, &rows, &html! {}).into_string();
        assert!(text.contains("<caption>Things</caption>"));
        assert!(
            text.contains(
                "<th scope=\"col\">Name</th><th class=\"number\" scope=\"col\">Count</th>"
            )
        );
        assert!(!text.contains("tfoot"));
    }
}
