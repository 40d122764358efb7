//! Pages for when a page cannot be shown: each says what to do.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use lambda_shell::problem::Problem;
use maud::html;
use pages::component::{Tone, note};
use pages::{Brand, Page, Width};

use super::shown;

/// Why a page cannot be shown, and what its reader can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no session, or it is over, or it is for something else.
    SignedOut,
    /// The link was used, is too old, or was not made here.
    DeadLink,
    /// There is no such thing, or none that this visitor may see.
    NotFound,
    /// The visitor's role does not allow it.
    Forbidden,
    /// The form is not from a page of this session.
    ForeignForm,
    /// The subscription changed after the page was shown.
    Overtaken,
    /// The subscription is over.
    Ended,
    /// What was asked for cannot be done as things stand.
    Refused(&'static str),
    /// Something we need does not answer.
    Unavailable,
}

impl From<app::Error> for Trouble {
    fn from(error: app::Error) -> Self {
        if matches!(error, app::Error::ForeignCursor) {
            return Self::NotFound;
        }
        // Logs the chain, once.
        drop(Problem::from(error));
        Self::Unavailable
    }
}

impl Trouble {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "Please open this page again",
                "Your session has ended, or this browser has none. Go back to the application and open this page from there.",
            ),
            Self::DeadLink => (
                StatusCode::GONE,
                "This link has been used",
                "Such a link opens a page once, and within a minute. Go back to the application and open the page from there.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The address names nothing that you can see. Go back and choose from what is listed.",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "This is not open to you",
                "Your role does not allow this. Ask whoever runs the service if you need it.",
            ),
            Self::ForeignForm => (
                StatusCode::FORBIDDEN,
                "This form cannot be taken",
                "It does not belong to your session. Nothing was changed. Go back, reload the page, and try again.",
            ),
            Self::Overtaken => (
                StatusCode::CONFLICT,
                "The subscription has changed meanwhile",
                "Nothing was done. Go back, look at it as it stands now, and decide again.",
            ),
            Self::Ended => (
                StatusCode::CONFLICT,
                "The subscription has ended",
                "Nothing was done: there is no access left to withhold or to give.",
            ),
            Self::Refused(why) => (StatusCode::CONFLICT, "This cannot be done", why),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available right now",
                "Something that this page needs does not answer. Wait a moment, then reload the page.",
            ),
        }
    }

    /// The page.
    pub(crate) fn page(self, brand: &Brand) -> Response {
        let (status, title, text) = self.parts();
        let content = note(Tone::Warn, &html! { p { (text) } });
        let page = Page { content, ..Page::new(brand, title, Width::Narrow) };
        (status, shown(&page)).into_response()
    }
}
