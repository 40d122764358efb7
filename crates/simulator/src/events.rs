//! The EventBridge events, with the keys of the documented and recorded ones (F§6.3, 6.4).

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};

use crate::notice::Channel;
use crate::product::Product;
use crate::records::{Agreement, CancellationRequest, Intent};
use crate::state::State;
use crate::switches::{
    EndedOffer, EventLicenseArn, FreeProductLicenseEvents, LegacyEvents, LicenseEventRole,
    PaygEventEndTime,
};

const SOURCE: &str = "aws.agreement-marketplace";
const CATALOG: &str = "AWSMarketplace";

/// Sent in place of the end of an agreement that has none.
const NO_END: &str = "9999-01-01T00:00:00Z";

impl State {
    /// `Purchase Agreement Created`.
    pub(crate) fn tell_created(&mut self, agreement: &Agreement, at: Timestamp) {
        let mut about = json!({
            "id": agreement.id,
            "intent": agreement.intent.as_str(),
            "status": "ACTIVE",
            "acceptanceTime": exact(agreement.accepted),
            "startTime": exact(agreement.starts),
        });
        self.add_end(agreement, &mut about);
        let mut detail = parties(agreement);
        detail.extend(resale(agreement));
        detail.extend(offer(agreement));
        if agreement.intent == Intent::Renew {
            put(&mut about, "previousAgreementId", json!(agreement.previous_id));
            if let Some(product) = self.product_of(agreement) {
                let name = product.title.clone();
                detail.insert("product".into(), json!({ "id": product.id, "title": name }));
            }
            if let Some(Value::Object(proposer)) = detail.get_mut("proposer") {
                proposer.insert("name".into(), json!("Seller"));
            }
        }
        detail.insert("agreement".into(), about);
        self.tell_agreement("Purchase Agreement Created", agreement, at, detail);
    }

    /// `Purchase Agreement Amended`; `disabled_by` says who switched renewal off.
    pub(crate) fn tell_amended(
        &mut self,
        agreement: &Agreement,
        disabled_by: Option<&str>,
        at: Timestamp,
    ) {
        let mut about = json!({
            "id": agreement.id,
            "intent": "AMEND",
            "status": "ACTIVE",
            "acceptanceTime": exact(agreement.accepted),
            "startTime": exact(agreement.starts),
        });
        self.add_end(agreement, &mut about);
        let mut detail = parties(agreement);
        detail.extend(resale(agreement));
        detail.extend(offer(agreement));
        if agreement.resale_authorization.is_none() {
            put(&mut about, "autoRenewalEnabled", json!(agreement.auto_renew));
            detail.insert(
                "renewalSummary".into(),
                json!({ "lockoutStartTime": null, "disabledBy": disabled_by }),
            );
            if let Some(product) = self.product_of(agreement) {
                let product = json!({ "id": product.id, "title": product.title });
                detail.insert("product".into(), product);
            }
        }
        detail.insert("agreement".into(), about);
        self.tell_agreement("Purchase Agreement Amended", agreement, at, detail);
    }

    /// `Purchase Agreement Ended`.
    pub(crate) fn tell_ended(&mut self, agreement: &Agreement, at: Timestamp) {
        let mut detail = parties(agreement);
        detail.extend(resale(agreement));
        if self.switches.ended_offer == EndedOffer::Include {
            detail.extend(offer(agreement));
        }
        let status = agreement.status.as_str();
        detail.insert("agreement".into(), json!({ "id": agreement.id, "status": status }));
        self.tell_agreement("Purchase Agreement Ended", agreement, at, detail);
    }

    /// `License Updated` or `License Deprovisioned`.
    pub(crate) fn tell_license(&mut self, what: &str, agreement: &Agreement, at: Timestamp) {
        let free = self.switches.free_products.contains(&agreement.product_code);
        let silent = self.switches.free_product_license_events == FreeProductLicenseEvents::Off;
        let Some(product) = self.product_of(agreement) else { return };
        if free && silent {
            return;
        }
        let about_product = json!({ "code": product.code, "id": product.id });
        let arn = self.event_arn(product, &agreement.license_arn);
        let mut detail = parties(agreement);
        detail.extend(offer(agreement));
        detail.insert("agreement".into(), json!({ "id": agreement.id }));
        detail.insert("product".into(), about_product);
        detail.insert("license".into(), json!({ "arn": arn }));
        let roles: &[&str] = match self.switches.license_event_role {
            LicenseEventRole::Manufacturer => &["Manufacturer"],
            LicenseEventRole::Both => &["Manufacturer", "Proposer"],
        };
        for role in roles {
            self.emit(&format!("{what} - {role}"), agreement, at, detail.clone());
        }
    }

    /// `Purchase Agreement Advisory Issued` or `Resolved`; `stamp` names its time.
    pub(crate) fn tell_advisory(
        &mut self,
        what: &str,
        stamp: &str,
        agreement: &Agreement,
        at: Timestamp,
    ) {
        let product = self.product_of(agreement).map(|it| it.id.clone());
        let mut detail = parties(agreement);
        detail.extend(offer(agreement));
        detail.insert("agreement".into(), json!({ "id": agreement.id }));
        detail.insert("product".into(), json!({ "id": product }));
        let mut advisory = json!({});
        put(&mut advisory, stamp, json!(exact(at)));
        detail.insert("advisory".into(), advisory);
        let detail_type = format!("Purchase Agreement Advisory {what} - Manufacturer");
        self.emit(&detail_type, agreement, at, detail);
    }

    /// `Spend Threshold Reached`; its payload is a guess, no source has it (F§6.2).
    pub(crate) fn tell_spend_threshold(&mut self, agreement: &Agreement, at: Timestamp) {
        let mut detail = parties(agreement);
        detail.extend(offer(agreement));
        detail.insert("agreement".into(), json!({ "id": agreement.id }));
        self.emit("Spend Threshold Reached", agreement, at, detail);
    }

    /// `Agreement Cancellation Request …`; its `resources` are empty (F§6.3).
    pub(crate) fn tell_cancellation(
        &mut self,
        request: &CancellationRequest,
        agreement: &Agreement,
        at: Timestamp,
    ) {
        let product = self.product_of(agreement).map(|it| it.id.clone());
        let detail_type =
            format!("Agreement Cancellation Request {} - Proposer", request.status.title());
        let detail = json!({
            "requestId": self.ids.uuid("event-request"),
            "catalog": CATALOG,
            "agreement": {
                "id": agreement.id, "acceptorId": agreement.account,
                "productId": product, "offerId": agreement.offer_id,
            },
            "agreementCancellationRequest": {
                "id": request.id, "reasonCode": request.reason_code,
                "reasonMessage": request.description, "statusCode": request.status.as_str(),
                "statusMessage": null,
                "createdAt": exact(request.created), "updatedAt": exact(request.updated),
            },
        });
        let event = self.envelope(&detail_type, agreement, at, &json!([]), &detail);
        self.notify(Channel::EventBridge, &detail_type, &agreement.id, at, &event);
    }

    /// A direct offer's agreement events come as Proposer only, a reseller's as Manufacturer.
    fn tell_agreement(
        &mut self,
        what: &str,
        agreement: &Agreement,
        at: Timestamp,
        detail: Map<String, Value>,
    ) {
        let role =
            if agreement.resale_authorization.is_some() { "Manufacturer" } else { "Proposer" };
        self.emit(&format!("{what} - {role}"), agreement, at, detail);
    }

    fn emit(
        &mut self,
        detail_type: &str,
        agreement: &Agreement,
        at: Timestamp,
        mut detail: Map<String, Value>,
    ) {
        let legacy = agreement.customer_identifier.is_some();
        if legacy && self.switches.legacy_events == LegacyEvents::Sns {
            return;
        }
        detail.insert("requestId".into(), json!(self.ids.uuid("event-request")));
        detail.insert("catalog".into(), json!(CATALOG));
        let resources = json!([format!("arn:aws:aws-marketplace::aws:agreement:{}", agreement.id)]);
        let event = self.envelope(detail_type, agreement, at, &resources, &Value::Object(detail));
        self.notify(Channel::EventBridge, detail_type, &agreement.id, at, &event);
    }

    fn envelope(
        &mut self,
        detail_type: &str,
        agreement: &Agreement,
        at: Timestamp,
        resources: &Value,
        detail: &Value,
    ) -> Value {
        let account = self.product_of(agreement).map(|it| it.publishing_account.clone());
        json!({
            "version": "0",
            "id": self.ids.uuid("event"),
            "detail-type": detail_type,
            "source": SOURCE,
            "account": account,
            "time": whole(at),
            "region": "us-east-1",
            "resources": resources,
            "detail": detail,
        })
    }

    fn add_end(&self, agreement: &Agreement, about: &mut Value) {
        match (agreement.ends, self.switches.payg_event_end_time) {
            (Some(ends), _) => put(about, "endTime", json!(exact(ends))),
            (None, PaygEventEndTime::Sentinel9999) => put(about, "endTime", json!(NO_END)),
            (None, PaygEventEndTime::Omit) => {}
        }
    }

    fn event_arn(&self, product: &Product, arn: &str) -> String {
        match self.switches.event_license_arn {
            EventLicenseArn::Full => arn.to_owned(),
            EventLicenseArn::DocForm => {
                let tail = arn.rsplit(':').next().unwrap_or_default();
                format!("aws:license-manager:us-east-1:{}:{tail}", product.publishing_account)
            }
        }
    }
}

fn parties(agreement: &Agreement) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("acceptor".into(), json!({ "accountId": agreement.account }));
    detail.insert("proposer".into(), json!({ "accountId": agreement.proposer }));
    detail
}

fn offer(agreement: &Agreement) -> Map<String, Value> {
    Map::from_iter([("offer".to_owned(), json!({ "id": agreement.offer_id }))])
}

fn resale(agreement: &Agreement) -> Map<String, Value> {
    let id = json!({ "id": agreement.resale_authorization });
    Map::from_iter([("resaleAuthorization".to_owned(), id)])
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

/// To the second, as envelopes have it.
pub(crate) fn whole(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// To the millisecond, as details have it.
pub(crate) fn exact(at: Timestamp) -> String {
    at.round(Unit::Millisecond).unwrap_or(at).to_string()
}
