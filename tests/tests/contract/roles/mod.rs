//! Who may what: every route, as every role, on its own, another's and no subscription. Written into `docs/roles.md`. A
//! route without a row fails.

mod people;
mod rows;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write;

use local::client::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};

use self::rows::{Row, Whom, rows};
use self::world::{ABSENT, World, seen};
use crate::compare;

/// What became of a request, in a word.
fn word(answer: &Answer) -> &'static str {
    match (answer.status.as_u16(), answer.code()) {
        (401, _) => "401",
        (403, Some("forbidden")) => "403",
        (404, Some("unknown_subscription" | "unknown_reservation")) => "404",
        // Past the door, and perhaps then something about the request itself.
        (200..=299 | 400..=499, _) => "✓",
        (status, _) => panic!("{status}: {answer}"),
    }
}

/// One row as it was lived through.
struct Lived<'a> {
    world: &'a World,
    row: &'a Row,
    line: String,
    cells: usize,
}

impl Lived<'_> {
    fn of_one(&self) -> bool {
        self.row.path.contains("{id}") || self.row.body.to_string().contains("{id}")
    }

    async fn ask(&self, role: &str, id: &str) -> (Answer, u64) {
        let Row { method, path, body, .. } = self.row;
        let path = path.replace("{id}", id).replace("{item}", "bm9uZQ");
        let body = body.to_string().replace("{id}", id);
        let body = body.replace("{tenant}", &self.world.first.tenant);
        let body: Value = serde_json::from_str(&body).unwrap();
        self.world.ask(role, method, &path, &body).await
    }

    fn cell(&mut self, answer: &Answer, wanted: &str) {
        let word = word(answer);
        assert_eq!(word, wanted, "{} {}: {answer}", self.row.method, self.row.path);
        write!(self.line, " {word} |").unwrap();
        self.cells += 1;
    }

    /// What a role must be answered about its own subscription and about none.
    fn wanted(&self, role: &str) -> (&'static str, &'static str) {
        if self.row.may == Whom::Signed {
            return ("401", "401");
        }
        if !self.row.may.lets_in(role) {
            return ("403", "403");
        }
        ("✓", if self.of_one() { "404" } else { "✓" })
    }

    async fn staff(&mut self, role: &str) {
        let (of_own, of_none) = self.wanted(role);
        let own = self.ask(role, &self.world.first.id).await;
        let none = self.ask(role, ABSENT).await;
        self.cell(&own.0, of_own);
        self.cell(&none.0, of_none);
        for (_, asked) in [own, none] {
            let may = self.row.may.lets_in(role);
            assert!(may || asked == 0, "{role} makes the store work: {}", self.row.path);
        }
    }

    /// A tenant: another's subscription is answered exactly like none, after asking the store equally often.
    async fn tenant(&mut self) {
        let (of_own, of_none) = self.wanted("tenant");
        let role = self.world.first.role();
        let own = self.ask(&role, &self.world.first.id).await;
        let (another, asked_for_another) = self.ask(&role, &self.world.second.id).await;
        let (none, asked_for_none) = self.ask(&role, ABSENT).await;
        self.cell(&own.0, of_own);
        self.cell(&another, of_none);
        self.cell(&none, of_none);
        if self.of_one() {
            let Row { method, path, .. } = self.row;
            assert_eq!(seen(&another), seen(&none), "{method} {path} tells");
            assert_eq!(asked_for_another, asked_for_none, "{method} {path} works differently");
        }
    }

    async fn nobody(&mut self) {
        let (answer, asked) = self.ask("nobody", &self.world.first.id).await;
        let public = self.row.may == Whom::Public;
        self.cell(&answer, if public { "✓" } else { "401" });
        assert!(public || asked == 0, "nobody makes the store work: {}", self.row.path);
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_must_and_hides_what_is_not_theirs() {
    let rows = rows();
    let served = crate::document::routes();
    let served: BTreeSet<(&str, &str)> =
        served.iter().map(|route| (route.method.as_str(), route.path.as_str())).collect();
    let known: BTreeSet<_> = rows.iter().map(|row| (row.method, row.path)).collect();
    assert_eq!(served, known, "a route without a row, or a row without a route: say who may");

    let world = World::start().await;
    let (mut table, mut cells, mut hidden) = (String::new(), 0, 0);
    for row in &rows {
        let part = if row.part.is_empty() { String::new() } else { format!(" ({})", row.part) };
        let line = format!("| `{} {}`{part} |", row.method, row.path);
        let mut lived = Lived { world: &world, row, line, cells: 0 };
        for role in ["admin", "operator", "meter"] {
            lived.staff(role).await;
        }
        lived.tenant().await;
        lived.nobody().await;
        writeln!(table, "{}", lived.line).unwrap();
        cells += lived.cells;
        hidden += usize::from(lived.of_one());
    }
    let (pages, looks) = people::table(&world).await;
    let text = format!(
        include_str!("roles.md.txt"),
        routes = served.len(),
        cells = cells,
        hidden = hidden,
        looks = looks,
        table = table,
        pages = pages
    );
    compare("docs/roles.md", &text);
}

#[tokio::test]
async fn a_cursor_goes_on_for_the_caller_and_role_that_it_was_given_to() {
    let world = World::start().await;
    let (own, tenant) = (&world.first.id, world.first.role());
    let (another, other_tenant) = (&world.second.id, world.second.role());
    let audit = format!("/marketplace/subscriptions/{own}/audit?limit=1");
    let page = world.developer.get(&audit).await.unwrap().ok().unwrap();
    let cursor = page["nextCursor"].as_str().unwrap();
    let with = |path: &str| format!("{path}&cursor={cursor}");
    let next = world.developer.get(&with(&audit)).await.unwrap().ok().unwrap();
    assert_ne!(next["items"], page["items"], "it goes on in its own list");
    let of_another = format!("/marketplace/subscriptions/{another}/audit?limit=1");
    for (role, path) in [("admin", of_another.as_str()), ("operator", &audit)] {
        let answer = world.role(role).get(&with(path)).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, Some("invalid_cursor")),
            "{role} {path}"
        );
    }
    for tenant in [&tenant, &other_tenant] {
        assert_eq!(world.role(tenant).get(&with(&audit)).await.unwrap().status, 403);
    }
}

#[tokio::test]
async fn an_answer_kept_under_a_key_is_for_the_same_tenant_and_role_only() {
    let world = World::start().await;
    let (own, tenant) = (&world.first.id, world.first.role());
    let other_tenant = world.second.role();
    let check = format!("/marketplace/subscriptions/{own}/entitlements/check");
    let keyed = |role: &str, path: &str, body: &Value| {
        let request = world.role(role).request(Method::POST, path).json(body);
        Client::send(request.header("idempotency-key", "same"))
    };
    let nothing = json!({});
    assert_eq!(keyed("meter", &check, &nothing).await.unwrap().status, 200);
    let again = keyed("meter", &check, &nothing).await.unwrap();
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other_role = keyed("operator", &check, &nothing).await.unwrap();
    assert!(!other_role.headers.contains_key("idempotency-replayed"));
    for tenant in [&tenant, &other_tenant] {
        let answer = keyed(tenant, &check, &nothing).await.unwrap();
        assert_eq!(answer.status, 403, "no answer of others from memory");
    }

    let page = json!({"page": "account", "subscriptionId": own});
    let link = keyed(&tenant, "/marketplace/page-sessions", &page).await.unwrap();
    assert_eq!(link.status, 201);
    let others = keyed(&other_tenant, "/marketplace/page-sessions", &page).await.unwrap();
    assert_eq!((others.status.as_u16(), others.code()), (404, Some("unknown_subscription")));
}
