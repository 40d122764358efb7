//! Pages for people: links that work once, sessions, and what may be done from the desk.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use subscription_api::Role;

use crate::support::{Answer, Api, LICENSE, OTHER_LICENSE, active, admin, id_of, tenant};

fn desk() -> Value {
    json!({ "page": "desk" })
}

fn account(api: &Api) -> Value {
    json!({ "page": "account", "subscriptionId": api.id })
}

async fn link(api: &Api, role: Role, wanted: Value) -> Answer {
    api.post(role, "/marketplace/page-sessions", wanted).await
}

/// A browser's request: no caller, perhaps a cookie, perhaps a form.
pub(crate) async fn browse(
    api: &Api,
    method: &str,
    path: &str,
    cookie: &str,
    form: Option<&str>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("cookie", cookie);
    if form.is_some() {
        request = request.header("content-type", "application/x-www-form-urlencoded");
    }
    api.send(request.body(Body::from(form.unwrap_or_default().to_owned())).unwrap()).await
}

/// Opens a page as the platform's visitor does, and answers its address and the session's cookie.
pub(crate) async fn enter(api: &Api, role: Role, wanted: Value) -> (String, String) {
    let issued = link(api, role, wanted).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    let opened = browse(api, "GET", issued.json["url"].as_str().unwrap(), "", None).await;
    assert_eq!(opened.status, 303, "{opened:?}");
    let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
    (opened.header("location").to_owned(), cookie)
}

pub(crate) fn hidden<'a>(page: &'a Answer, name: &str) -> &'a str {
    let marker = format!("name=\"{name}\" value=\"");
    let rest = page.text.split(&marker).nth(1).unwrap_or_else(|| panic!("{name}: {}", page.text));
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn a_link_opens_its_page_once_and_the_session_opens_it_again() {
    let api = Api::new();
    let issued = link(&api, tenant("acme"), account(&api)).await;
    let url = issued.json["url"].as_str().unwrap();
    assert_eq!(browse(&api, "HEAD", url, "", None).await.status, 204, "looking ahead uses nothing");
    let opened = browse(&api, "GET", url, "", None).await;
    let set = opened.header("set-cookie");
    let path = format!("/marketplace/account/{}", api.id);
    for part in ["HttpOnly", "Secure", "SameSite=Lax", &format!("Path={path};")] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let cookie = set.split(';').next().unwrap();
    for _ in 0..2 {
        let page = browse(&api, "GET", &path, cookie, None).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Your subscription is active."), "{}", page.text);
    }
    let again = browse(&api, "GET", url, "", None).await;
    assert_eq!(again.status, 410);
    assert!(
        again.text.contains("This link has been used") && again.header("set-cookie").is_empty()
    );
}

#[tokio::test]
async fn a_link_is_given_to_those_who_may_see_its_page() {
    let api = Api::new();
    api.store.put_state(active(OTHER_LICENSE, "umbrella"));
    let others = json!({ "page": "account", "subscriptionId": id_of(OTHER_LICENSE) });
    let refused = link(&api, tenant("acme"), others).await;
    assert_eq!(refused.problem(), (404, "unknown_subscription"));
    assert_eq!(link(&api, tenant("acme"), desk()).await.problem(), (403, "forbidden"));
    assert_eq!(link(&api, Role::Meter, account(&api)).await.problem(), (403, "forbidden"));
    for role in [admin(), Role::Operator] {
        assert_eq!(link(&api, role.clone(), desk()).await.status, 201);
        assert_eq!(link(&api, role, account(&api)).await.status, 201);
    }
}

#[tokio::test]
async fn a_page_without_its_own_session_says_how_to_come_back() {
    let api = Api::new();
    let (account_page, account_cookie) = enter(&api, tenant("acme"), account(&api)).await;
    let (desk_page, desk_cookie) = enter(&api, Role::Operator, desk()).await;
    let wrong = [
        (&account_page, ""),
        (&account_page, "marketplace_page=forged.value"),
        (&account_page, desk_cookie.as_str()),
        (&desk_page, account_cookie.as_str()),
    ];
    for (page, cookie) in wrong {
        let refused = browse(&api, "GET", page, cookie, None).await;
        assert_eq!(refused.status, 401, "{page} {cookie}");
        assert!(refused.text.contains("Go back to the application"));
    }
}

#[tokio::test]
async fn a_workspace_that_lost_its_subscription_sees_it_no_more() {
    let api = Api::new();
    let (page, cookie) = enter(&api, tenant("acme"), account(&api)).await;
    api.alter(|state| {
        state.tenant = domain::subscription::Tenant::Ready { id: "umbrella".parse().unwrap() };
    });
    assert_eq!(browse(&api, "GET", &page, &cookie, None).await.status, 404);
}

#[tokio::test]
async fn a_hold_is_asked_once_more_and_done_from_its_own_form_only() {
    let api = Api::new();
    let (_, cookie) = enter(&api, Role::Operator, desk()).await;
    let path = format!("/marketplace/desk/subscriptions/{}/hold", api.id);
    let ask = browse(&api, "GET", &path, &cookie, None).await;
    assert!(ask.text.contains("Withhold access?"), "{}", ask.text);
    assert_eq!(api.store.states(), [active(LICENSE, "acme")], "asking does nothing");

    for form in ["", "form_key=guessed&revision=7"] {
        let foreign = browse(&api, "POST", &path, &cookie, Some(form)).await;
        assert_eq!(foreign.status, 403, "{form}");
        assert_eq!(api.store.states(), [active(LICENSE, "acme")], "nothing was done");
    }
    let form =
        format!("form_key={}&revision={}", hidden(&ask, "form_key"), hidden(&ask, "revision"));
    let done = browse(&api, "POST", &path, &cookie, Some(&form)).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let state = api.store.states().remove(0);
    assert!(state.suspended.is_some_and(|suspended| suspended.value));
    let entries = api.get(admin(), &api.path("/audit")).await;
    assert_eq!(entries.json["items"][0]["action"], "hold.set");
    assert_eq!(entries.json["items"][0]["actor"]["id"], "someone");

    let again = browse(&api, "POST", &path, &cookie, Some(&form)).await;
    assert_eq!(again.status, 409, "the page is about another revision");
}

#[tokio::test]
async fn the_desk_finds_a_subscription_by_any_of_its_names() {
    let api = Api::new();
    let (page, cookie) = enter(&api, Role::Operator, desk()).await;
    let detail = format!("/marketplace/desk/subscriptions/{}", api.id);
    let all = browse(&api, "GET", &page, &cookie, None).await;
    assert!(all.text.contains(&detail), "{}", all.text);
    let direct = browse(&api, "GET", &format!("{page}?q={}", api.id), &cookie, None).await;
    assert_eq!((direct.status, direct.header("location")), (303, detail.as_str()));
    let shown = browse(&api, "GET", &detail, &cookie, None).await;
    for text in ["111122223333", "Withhold access…", "Where every unit is", "acme"] {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
}

#[tokio::test]
async fn the_account_page_says_what_is_used_included_and_owed() {
    let api = Api::new();
    let report = json!({"events": [{"key": "one", "metric": "totalScans", "quantity": "620", "at": "2026-11-24T07:10:00Z"}]});
    assert_eq!(api.post(admin(), &api.path("/meter"), report).await.status, 200);
    let (page, cookie) = enter(&api, tenant("acme"), account(&api)).await;
    let shown = browse(&api, "GET", &page, &cookie, None).await;
    for text in ["620 scans", "500 included", "120 scans beyond", "$120.00", "$419.00", "Standard"]
    {
        assert!(shown.text.contains(text), "{text}: {}", shown.text);
    }
    let chart = "The highest column is 24 November: 620.";
    assert!(shown.text.contains(chart), "{}", shown.text);
}

#[tokio::test]
async fn a_settlement_asked_for_at_the_desk_is_audited_with_who_asked() {
    let api = Api::new();
    let (_, cookie) = enter(&api, Role::Operator, desk()).await;
    let path = format!("/marketplace/desk/subscriptions/{}/settle", api.id);
    let ask = browse(&api, "GET", &path, &cookie, None).await;
    assert!(ask.text.contains("Settle now?"), "{}", ask.text);
    let foreign = browse(&api, "POST", &path, &cookie, Some("form_key=guessed")).await;
    assert_eq!(foreign.status, 403);
    assert!(api.aws.requests.lock().unwrap().is_empty(), "nothing was asked of the scheduler");
    let form = format!("form_key={}", hidden(&ask, "form_key"));
    assert_eq!(browse(&api, "POST", &path, &cookie, Some(&form)).await.status, 303);
    assert_eq!(api.aws.requests.lock().unwrap().len(), 1);
    let entries = api.get(admin(), &api.path("/audit")).await;
    assert_eq!(entries.json["items"][0]["action"], "settlement.requested");
    assert_eq!(entries.json["items"][0]["actor"]["id"], "someone");
}

#[tokio::test]
async fn the_desk_leafs_through_its_list_and_only_in_the_same_session() {
    let api = Api::empty();
    for n in 0..60 {
        let license = LICENSE.replace("0123456789abcdef0123456789abcdef", &format!("{n:032x}"));
        api.store.put_state(active(&license, &format!("tenant-{n}")));
    }
    let (page, cookie) = enter(&api, Role::Operator, desk()).await;
    let rows = |answer: &Answer| answer.text.matches("<th scope=\"row\"").count();
    let first = browse(&api, "GET", &page, &cookie, None).await;
    let next = first.text.split("cursor=").nth(1).unwrap().split('"').next().unwrap();
    let next = format!("{page}?q=&status=&cursor={next}");
    let second = browse(&api, "GET", &next, &cookie, None).await;
    assert_eq!((second.status, rows(&first), rows(&second)), (200, 50, 10));

    let (_, other) = enter(&api, Role::Admin, desk()).await;
    assert_eq!(browse(&api, "GET", &next, &other, None).await.status, 404, "another's cursor");
    let elsewhere = next.replace("status=", "status=ACTIVE");
    assert_eq!(browse(&api, "GET", &elsewhere, &cookie, None).await.status, 404);
}
