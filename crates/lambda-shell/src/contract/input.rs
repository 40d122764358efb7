//! What the parts of a request are, told by the extractors that take them.

use axum::extract::State;
use http::HeaderMap;
use schemars::JsonSchema;

use super::Operation;
use crate::extract::{Form, Json, Query, Raw};
use crate::problem::Problem;

/// A part of a request that can describe itself.
pub trait Input {
    /// Adds what it takes and what it refuses.
    fn describe(operation: &mut Operation<'_>);
}

/// A handler whose inputs describe themselves.
pub trait Described<Inputs> {
    /// Describes them all.
    fn inputs(operation: &mut Operation<'_>);
}

macro_rules! handlers {
    ($($input:ident),*) => {
        impl<Handler, Answer, $($input: Input),*> Described<($($input,)*)> for Handler
        where
            Handler: FnOnce($($input),*) -> Answer,
        {
            #[allow(unused_variables, reason = "a handler may have no inputs")]
            fn inputs(operation: &mut Operation<'_>) {
                $($input::describe(operation);)*
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A, B);
handlers!(A, B, C);
handlers!(A, B, C, D);
handlers!(A, B, C, D, E);
handlers!(A, B, C, D, E, F);

impl<T> Input for State<T> {
    fn describe(_: &mut Operation<'_>) {}
}

/// Headers that are read one by one are described by whoever reads them.
impl Input for HeaderMap {
    fn describe(_: &mut Operation<'_>) {}
}

impl<T: Input> Input for Result<T, Problem> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

impl Input for Raw {
    fn describe(operation: &mut Operation<'_>) {
        operation.refuses(413, &["body_too_large"]).refuses(400, &["unreadable_body"]);
    }
}

impl<T: JsonSchema> Input for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes::<T>("application/json");
        Raw::describe(operation);
        operation
            .refuses(415, &["unsupported_media_type"])
            .refuses(400, &["malformed_json"])
            .refuses(422, &["invalid_body"]);
    }
}

impl<T: JsonSchema> Input for Form<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .takes::<T>("application/x-www-form-urlencoded")
            .refuses(413, &["body_too_large"])
            .refuses(415, &["unsupported_media_type"])
            .refuses(422, &["invalid_form"]);
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.queried::<T>().refuses(400, &["invalid_query"]);
    }
}
