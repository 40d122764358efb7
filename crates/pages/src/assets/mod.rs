//! What pages load: addresses that change with the content, so that it may be kept for a year.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lambda_shell::problem::Problem;
use sha2::{Digest, Sha256};

use crate::brand::Brand;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("enhance.js");
const MARK: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"4\" fill=\"#1f5fa8\"/><path d=\"M4 11V8m4 3V5m4 6V7\" stroke=\"#fff\" stroke-width=\"2\" stroke-linecap=\"round\"/></svg>";

/// Something that a page loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    file: String,
    kind: &'static str,
    body: String,
}

impl Asset {
    pub(crate) fn new(name: &str, kind: &'static str, body: String) -> Self {
        let extension = match kind {
            "text/css; charset=utf-8" => "css",
            "image/svg+xml" => "svg",
            _ => "js",
        };
        let hash: String = hex::encode(Sha256::digest(&body)).chars().take(12).collect();
        Self { file: format!("{name}-{hash}.{extension}"), kind, body }
    }

    pub(crate) fn css(name: &str, body: String) -> Self {
        Self::new(name, "text/css; charset=utf-8", body)
    }

    pub(crate) fn svg(name: &str, body: String) -> Self {
        Self::new(name, "image/svg+xml", body)
    }

    /// Its address.
    pub fn path(&self) -> String {
        format!("/marketplace/assets/{}", self.file)
    }

    /// Its size in bytes.
    pub fn weight(&self) -> usize {
        self.body.len()
    }
}

pub(crate) static STYLESHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::css("pages", STYLE.to_owned()));
pub(crate) static ENHANCEMENT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("pages", "text/javascript; charset=utf-8", SCRIPT.to_owned()));

/// The icon of pages without a logo.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::svg("icon", MARK.to_owned()));

/// The route `/marketplace/assets/{file}`: the stylesheet, the script, and what the brand adds.
pub fn router(brand: &Brand) -> Router {
    let all: Vec<Asset> = [STYLESHEET.clone(), ENHANCEMENT.clone(), ICON.clone()]
        .into_iter()
        .chain(brand.assets().cloned())
        .collect();
    Router::new().route("/marketplace/assets/{file}", get(serve)).with_state(Arc::from(all))
}

async fn serve(State(all): State<Arc<[Asset]>>, Path(file): Path<String>) -> Response {
    let Some(asset) = all.iter().find(|asset| asset.file == file) else {
        return Problem::not_found("There is nothing at this address.").into_response();
    };
    let mut response = asset.body.clone().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    let year = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, year);
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::middleware::map_response;
    use http::{Request, StatusCode};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> Response {
        let router = router(&Brand::default()).layer(map_response(crate::secured));
        router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_stylesheet_is_kept_for_a_year_at_an_address_of_its_content() {
        let response = get(&STYLESHEET.path()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, STYLE.as_bytes());
        assert_ne!(Asset::css("pages", "other".into()).path(), STYLESHEET.path());
    }

    #[tokio::test]
    async fn another_hash_is_not_found_and_is_not_kept() {
        let response = get("/marketplace/assets/pages-000000000000.css").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }
}
