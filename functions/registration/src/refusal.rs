//! What a buyer is told when it does not go on, and what the log is told.

use app::ports::ResolveError;
use app::registration::RegistrationError;
use axum::response::{Html, IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use lambda_shell::logs::Chain;
use lambda_shell::problem::Problem;
use lambda_shell::session::SessionError;
use pages::Brand;

use crate::medium::Medium;
use crate::page;

/// A registration that does not go on, for the buyer.
pub(crate) struct Refusal {
    /// What the page is headed.
    pub(crate) heading: &'static str,
    /// The rest: status, code, and what happened.
    pub(crate) problem: Problem,
    /// What to do now.
    pub(crate) remedy: Remedy,
    /// Whose fault it is.
    pub(crate) ours: bool,
}

/// What the buyer can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Click *Set up your account* again: every click makes a new token.
    ComeAgain,
    /// Wait, then reload or click again.
    Wait,
    /// Ask the seller.
    AskSupport,
}

const TRY_AGAIN: &str = "Your subscription is not affected. Please try again in a moment.";

impl Refusal {
    fn theirs(heading: &'static str, problem: Problem, remedy: Remedy) -> Self {
        Self { heading, problem, remedy, ours: false }
    }

    /// The form had no token.
    pub(crate) fn no_token() -> Self {
        let detail = "The registration token that AWS Marketplace sends along is missing.";
        Self::theirs(
            "Start from AWS Marketplace",
            Problem::bad_request("missing_registration_token", detail),
            Remedy::ComeAgain,
        )
    }

    /// The form could not be read.
    pub(crate) fn unreadable(problem: Problem) -> Self {
        Self::theirs("This request could not be read", problem, Remedy::ComeAgain)
    }

    /// The cookie is missing, not ours, or too old.
    pub(crate) fn no_session(why: SessionError) -> Self {
        let (code, detail) = match why {
            SessionError::Expired => (
                "registration_session_expired",
                "For your safety a registration has to be completed within 30 minutes.",
            ),
            SessionError::Malformed | SessionError::Forged => (
                "no_registration_session",
                "This browser has not come from AWS Marketplace, or does not keep cookies.",
            ),
        };
        Self::theirs(
            "Your registration session has ended",
            Problem::bad_request(code, detail),
            Remedy::ComeAgain,
        )
    }

    /// Says why, and logs it once if it is ours.
    pub(crate) fn of(error: RegistrationError) -> Self {
        match error {
            RegistrationError::Resolve(ResolveError::InvalidToken) => Self::theirs(
                "This registration link is not valid",
                Problem::bad_request(
                    "invalid_registration_token",
                    "AWS Marketplace does not know the registration token.",
                ),
                Remedy::ComeAgain,
            ),
            RegistrationError::Resolve(ResolveError::ExpiredToken) => Self::theirs(
                "This registration link has expired",
                Problem::bad_request(
                    "expired_registration_token",
                    "A registration token is valid for a few hours, and this one is older.",
                ),
                Remedy::ComeAgain,
            ),
            RegistrationError::Resolve(error @ ResolveError::Credentials(_)) => {
                tracing::error!(error = %Chain(&error), "AWS refuses our credentials; no buyer can register");
                Self::marketplace_unavailable()
            }
            RegistrationError::Resolve(error @ ResolveError::Unavailable(_)) => {
                tracing::warn!(error = %Chain(&error), "a registration token could not be resolved");
                Self::marketplace_unavailable()
            }
            RegistrationError::OtherListing => {
                tracing::warn!("a registration token belongs to another product");
                Self::theirs(
                    "This registration belongs to another product",
                    Problem::forbidden(
                        "foreign_product",
                        "The registration token was made for another product.",
                    ),
                    Remedy::AskSupport,
                )
            }
            RegistrationError::NotIdentified => {
                tracing::warn!("AWS named neither license nor agreement nor customer of a buyer");
                Self {
                    heading: "Your subscription is still being set up",
                    problem: Problem::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "license_unknown_yet",
                        "AWS Marketplace has not told us yet which license you bought.",
                    )
                    .retry_after(60),
                    remedy: Remedy::Wait,
                    ours: true,
                }
            }
            RegistrationError::Store(error) => Self {
                heading: "Registration is not available right now",
                problem: Problem { detail: TRY_AGAIN.into(), ..Problem::from(error) },
                remedy: Remedy::Wait,
                ours: true,
            },
        }
    }

    /// The session could not be made: a fault of ours.
    pub(crate) fn no_cookie() -> Self {
        tracing::error!("a registration session could not be sealed");
        Self {
            heading: "Registration is not available right now",
            problem: Problem::internal(),
            remedy: Remedy::Wait,
            ours: true,
        }
    }

    fn marketplace_unavailable() -> Self {
        Self {
            heading: "AWS Marketplace could not be reached",
            problem: Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "marketplace_unavailable",
                TRY_AGAIN,
            )
            .retry_after(30),
            remedy: Remedy::Wait,
            ours: true,
        }
    }

    /// The answer, for people or for programs.
    pub(crate) fn answer(self, medium: Medium, brand: &Brand) -> Response {
        match medium {
            Medium::Json => self.problem.into_response(),
            Medium::Page => {
                let body = page::trouble(brand, &self).into_string();
                let mut response = (self.problem.status, Html(body)).into_response();
                if let Some(seconds) = self.problem.retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
        }
    }
}
