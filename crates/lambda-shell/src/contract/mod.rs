//! Routes that describe themselves: one table is both the router and the document of the contract
//! (OpenAPI 3.1).
//!
//! A route is added in one place, with what cannot be read from its handler's signature:
//!
//! ```ignore
//! Routes::new().post("/marketplace/subscriptions/{id}/settle", settle::<S, A>, |it| {
//!     it.named("settle", "operations", "Asks for a settlement now")
//!         .answers::<SettlementAsked>(202, "The scheduler settles what is due");
//! })
//! ```
//!
//! What the extractors of the handler take and refuse they describe themselves ([`Input`]): path, query, body, headers,
//! and the problems of each. Nothing of this runs in a deployed function: the document is made by a test, kept in
//! `docs/openapi.json`, and served from there.

mod document;
mod input;
mod operation;
pub mod shapes;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

pub use document::{Info, document};
pub use input::{Described, Input};
pub use operation::Operation;

/// What describes a route beyond its handler's signature.
pub type Describe = fn(&mut Operation<'_>);

/// One route, and how to describe it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: String,
    inputs: Describe,
    describe: Describe,
}

/// Routes with their descriptions.
#[derive(Debug)]
pub struct Routes<S> {
    router: Router<S>,
    listed: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Self { router: Router::new(), listed: Vec::new() }
    }

    /// Adds a GET route.
    #[must_use]
    pub fn get<M, I, H>(self, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<M, S> + Described<I>,
        M: 'static,
    {
        self.add((Method::GET, MethodFilter::GET), path, handler, describe)
    }

    /// Adds a POST route.
    #[must_use]
    pub fn post<M, I, H>(self, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<M, S> + Described<I>,
        M: 'static,
    {
        self.add((Method::POST, MethodFilter::POST), path, handler, describe)
    }

    /// Adds a PUT route.
    #[must_use]
    pub fn put<M, I, H>(self, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<M, S> + Described<I>,
        M: 'static,
    {
        self.add((Method::PUT, MethodFilter::PUT), path, handler, describe)
    }

    /// Adds a DELETE route.
    #[must_use]
    pub fn delete<M, I, H>(self, path: &str, handler: H, describe: Describe) -> Self
    where
        H: Handler<M, S> + Described<I>,
        M: 'static,
    {
        self.add((Method::DELETE, MethodFilter::DELETE), path, handler, describe)
    }

    fn add<M, I, H>(
        mut self,
        (method, filter): (Method, MethodFilter),
        path: &str,
        handler: H,
        describe: Describe,
    ) -> Self
    where
        H: Handler<M, S> + Described<I>,
        M: 'static,
    {
        self.router = self.router.route(path, on(filter, handler));
        self.listed.push(Route { method, path: path.to_owned(), inputs: H::inputs, describe });
        self
    }

    /// Adds other routes.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    /// The routes, to be served.
    pub fn into_router(self) -> Router<S> {
        self.router
    }

    /// The routes, to be described.
    pub fn into_list(self) -> Vec<Route> {
        self.listed
    }
}
