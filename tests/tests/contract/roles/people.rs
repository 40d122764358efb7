//! The pages for people: every page, with every session, of its own, another's and no subscription.

use std::collections::BTreeSet;
use std::fmt::Write;

use local::client::{Answer, Client};
use reqwest::Method;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use super::world::{ABSENT, World, seen};
use crate::at;

/// Who a page is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// Whoever has a link that was not used yet; a made-up one opens nothing.
    Link,
    /// Whoever has a session for the account page of this subscription.
    Account,
    /// Whoever has a session for the desk.
    Desk,
}

/// The expected table, by hand. `{act}` is a settlement, which both roles of the desk may ask for.
const ROWS: [(&str, &str, For); 11] = [
    ("GET", "/marketplace/page-sessions/{ticket}", For::Link),
    ("GET", "/marketplace/account/{id}", For::Account),
    ("GET", "/marketplace/desk", For::Desk),
    ("GET", "/marketplace/desk/parked", For::Desk),
    ("GET", "/marketplace/desk/parked/{item}/retry", For::Desk),
    ("POST", "/marketplace/desk/parked/{item}/retry", For::Desk),
    ("GET", "/marketplace/desk/parked/{item}/close", For::Desk),
    ("POST", "/marketplace/desk/parked/{item}/close", For::Desk),
    ("GET", "/marketplace/desk/subscriptions/{id}", For::Desk),
    ("GET", "/marketplace/desk/subscriptions/{id}/{act}", For::Desk),
    ("POST", "/marketplace/desk/subscriptions/{id}/{act}", For::Desk),
];

/// The pages of the router, as its source names them.
fn pages() -> BTreeSet<(String, String)> {
    let source = std::fs::read_to_string(at("functions/subscription-api/src/people/mod.rs"));
    let source = source.unwrap();
    let mut pages = BTreeSet::new();
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split_once(',').unwrap().1;
        let handlers = handlers.split(".layer(").next().unwrap();
        for (call, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT")] {
            if handlers.contains(call) {
                pages.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    pages
}

/// A browser with a session.
struct Visitor {
    cookie: String,
    form_key: String,
}

impl World {
    /// Opens a page as the platform's backend and a browser do.
    async fn enter(&self, role: &str, wanted: &Value) -> Visitor {
        let path = "/marketplace/page-sessions";
        let issued = self.role(role).post(path, wanted).await.unwrap().ok().unwrap();
        let url = format!("{}{}", self.system.url(), issued["url"].as_str().unwrap());
        let stays = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().redirect(stays).build().unwrap();
        let opened = browser.get(url).send().await.unwrap();
        assert_eq!(opened.status(), 303);
        let cookie = opened.headers()[SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let ask = format!("/marketplace/desk/subscriptions/{}/settle", self.first.id);
        let asked = self.nobody.request(Method::GET, &ask).header(COOKIE, &cookie);
        let page = Client::send(asked).await.unwrap().body;
        let form = page.as_str().unwrap().split("name=\"form_key\" value=\"").nth(1);
        let form_key = form.and_then(|rest| rest.split('"').next()).unwrap_or("guessed").to_owned();
        Visitor { cookie, form_key }
    }

    async fn look(&self, visitor: &Visitor, method: &str, path: &str) -> (Answer, u64) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.nobody.request(method.clone(), path).header(COOKIE, &visitor.cookie);
        if method == Method::POST {
            request = request.form(&[
                ("form_key", visitor.form_key.as_str()),
                ("how", "written-off"),
                ("note", "agreed"),
            ]);
        }
        self.counted(request).await
    }
}

fn word(answer: &Answer) -> &'static str {
    match answer.status.as_u16() {
        200 => "✓",
        401 => "401",
        403 => "403",
        404 => "404",
        410 => "410",
        status => panic!("{status}: {answer}"),
    }
}

/// The table of the pages, and how many requests are in it.
pub(super) async fn table(world: &World) -> (String, usize) {
    let known: BTreeSet<(String, String)> =
        ROWS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(pages(), known, "a page without a row, or a row without a page: say who may");

    let account = json!({"page": "account", "subscriptionId": world.first.id});
    let desk = json!({"page": "desk"});
    let visitors = [
        world.enter("admin", &desk).await,
        world.enter("operator", &desk).await,
        world.enter(&world.first.role(), &account).await,
        Visitor { cookie: String::new(), form_key: "guessed".to_owned() },
    ];
    let [admin, operator, buyer, nobody] = &visitors;
    let (own, another) = (world.first.id.as_str(), world.second.id.as_str());
    let (mut table, mut cells) = (String::new(), 0);
    for (method, path, whose) in ROWS {
        let of_one = path.contains("{id}") || path.contains("{item}");
        write!(table, "| `{method} {path}` |").unwrap();
        let at = |id: &str| {
            // No item of the other subscription's is parked: its id is as good as none.
            let path = path.replace("{id}", id).replace("{item}", "bm9uZQ");
            path.replace("{act}", "settle").replace("{ticket}", "bm9uZQ.bm9uZQ")
        };
        let signed_out = if whose == For::Link { "410" } else { "401" };
        let staffed = if whose == For::Desk { "✓" } else { signed_out };
        let in_none = if of_one && whose == For::Desk { "404" } else { staffed };
        let in_own = if path.contains("{item}") { in_none } else { staffed };
        let bought = if whose == For::Account { "✓" } else { signed_out };
        let looks = [
            (admin, own, in_own),
            (admin, ABSENT, in_none),
            (operator, own, in_own),
            (operator, ABSENT, in_none),
            (buyer, own, bought),
            (buyer, another, signed_out),
            (buyer, ABSENT, signed_out),
            (nobody, own, signed_out),
        ];
        let mut hidden = Vec::new();
        for (visitor, id, wanted) in looks {
            let (answer, asked) = world.look(visitor, method, &at(id)).await;
            let told = word(&answer);
            assert_eq!(told, wanted, "{method} {path}: {answer}");
            assert!(told != signed_out || asked == 0, "without a session the store works: {path}");
            if std::ptr::eq(visitor, buyer) && id != own {
                hidden.push(seen(&answer));
            }
            write!(table, " {told} |").unwrap();
            cells += 1;
        }
        assert_eq!(hidden[0], hidden[1], "{method} {path} tells");
        table.push('\n');
    }
    (table, cells)
}
