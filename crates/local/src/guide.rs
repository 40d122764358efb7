//! What to open and what to try: the same lines on the terminal, on the page, and in the README.

use std::fmt::Write;

use domain::catalog::PricingModel;

use crate::system::Handle;

/// One thing to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub title: &'static str,
    /// Command lines for a shell, in order; later steps use variables of earlier ones.
    pub commands: Vec<String>,
}

/// A subscription's life in command lines that work as they are printed, in order, in one shell.
pub fn steps(system: &Handle) -> Vec<Step> {
    let (url, key) = (system.url(), &system.secrets().api_key);
    let auth = "-H \"Authorization: Bearer $KEY\"";
    let one = |title, command: String| Step { title, commands: vec![command] };
    let purchase = match system.pricing() {
        PricingModel::Usage => "{}",
        PricingModel::Contract => r#"{"entitlements":{"standard":"1","scans":"500"}}"#,
        PricingModel::ContractWithConsumption => r#"{"entitlements":{"standard":"1"}}"#,
    };
    vec![
        Step {
            title: "Be a buyer: accept the offer in the simulated AWS Marketplace",
            commands: vec![
                format!("URL={url} KEY={key}"),
                format!("BOUGHT=$(curl -s $URL/_sim/purchases -d '{purchase}'); echo $BOUGHT"),
                "AGREEMENT=$(echo $BOUGHT | grep -o 'agmt-[a-z0-9]*' | head -1)".to_owned(),
            ],
        },
        Step {
            title: "Click \"Set up your account\": the token is posted to the registration page (or open $URL/_local/set-up/$AGREEMENT in a browser)",
            commands: vec![
                "TOKEN=$(curl -s -X POST $URL/_sim/agreements/$AGREEMENT/fulfilment-form | sed 's/.*marketplace-token\":\"\\([^\"]*\\).*/\\1/')".to_owned(),
                "curl -s -c cookies.txt -H 'Accept: application/json' $URL/marketplace/register --data-urlencode \"x-amzn-marketplace-token=$TOKEN\"; echo".to_owned(),
                "curl -s -b cookies.txt -H 'Accept: application/json' $URL/marketplace/register/complete -d company=Acme -d contact=Jo -d email=jo@example.com; echo".to_owned(),
            ],
        },
        Step {
            title: "Let two minutes pass: AWS activates the license, the tenant is provisioned and confirmed",
            commands: vec![
                "curl -s $URL/_local/clock -d '{\"advanceMinutes\":2}'; echo".to_owned(),
                format!("curl -s $URL/marketplace/subscriptions {auth}; echo"),
                format!("SUB=$(curl -s $URL/marketplace/subscriptions {auth} | grep -o 'sub_[0-9a-f]*' | head -1)"),
            ],
        },
        one(
            "Report usage; the same line again is a duplicate and counts nothing",
            format!("curl -s $URL/marketplace/subscriptions/$SUB/meter {auth} --json '{{\"events\":[{{\"key\":\"scan-1\",\"metric\":\"totalScans\",\"quantity\":\"620\",\"at\":\"'$(curl -s $URL/_local/clock | sed 's/.*\"now\":\"\\([^\"]*\\).*/\\1/')'\"}}]}}'; echo"),
        ),
        one(
            "See quota and use",
            format!("curl -s $URL/marketplace/subscriptions/$SUB/entitlements {auth}; echo"),
        ),
        Step {
            title: "Let two hours pass: the schedule meters what is due; invoice and due agree",
            commands: vec![
                "curl -s $URL/_local/clock -d '{\"advanceHours\":2}'; echo".to_owned(),
                "curl -s $URL/_sim/invoice; echo".to_owned(),
                "curl -s $URL/_local/reconciliation; echo".to_owned(),
            ],
        },
        Step {
            title: "Send a signed webhook message",
            commands: vec![
                format!("SECRET={}", system.secrets().marketplace),
                "BODY='{\"type\":\"usage.reported\",\"id\":\"msg-1\",\"subscriptionId\":\"'$SUB'\",\"events\":[{\"key\":\"call-1\",\"metric\":\"apiCalls\",\"quantity\":\"12.5\",\"at\":\"'$(curl -s $URL/_local/clock | sed 's/.*\"now\":\"\\([^\"]*\\).*/\\1/')'\"}]}'".to_owned(),
                "AT=$(date -d \"$(curl -s $URL/_local/clock | sed 's/.*\"now\":\"\\([^\"]*\\).*/\\1/')\" +%s)".to_owned(),
                "SIGNATURE=$(printf '%s.%s' \"$AT\" \"$BODY\" | openssl dgst -sha256 -hmac \"$SECRET\" | sed 's/.* //')".to_owned(),
                "curl -s $URL/marketplace/webhook -H \"x-marketplace-timestamp: $AT\" -H \"x-marketplace-signature: v1=$SIGNATURE\" --json \"$BODY\"; echo".to_owned(),
            ],
        },
        one(
            "Cancel as the buyer would, and let the final hour pass",
            "curl -s -X POST $URL/_sim/agreements/$AGREEMENT/cancel; curl -s $URL/_local/clock -d '{\"advanceHours\":2}'; echo".to_owned(),
        ),
    ]
}

/// What the terminal shows at the start.
pub fn banner(system: &Handle, data: Option<&str>) -> String {
    let mut text = String::new();
    let url = system.url();
    let data =
        data.map_or_else(|| "in memory, gone at the end".to_owned(), |path| format!("in {path}"));
    let head = [
        ("Open", url.clone()),
        ("Pricing", system.pricing().to_string()),
        ("Data", data),
        ("Simulated AWS Marketplace", system.marketplace_url()),
        ("Embedded DynamoDB", system.database_url()),
        ("Development key (Authorization: Bearer …)", system.secrets().api_key.clone()),
    ];
    for (name, value) in head {
        line(&mut text, &format!("{name}: {value}"));
    }
    line(&mut text, "\nTry it, in order and in one shell:");
    for step in steps(system) {
        line(&mut text, &format!("\n# {}", step.title));
        for command in step.commands {
            line(&mut text, &command);
        }
    }
    line(&mut text, "\nThe whole story by itself: cargo run -- journey\nStop with Ctrl-C.");
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
