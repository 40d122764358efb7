//! SearchAgreements and `GetAgreementEntitlements`: the truth that notifications only hint at (fact sheet §5.1).

use app::Error;
use app::ports::{
    AgreementDirectory, AgreementPage, AgreementSearch, AgreementSummary, Provisioned, Standing,
};
use aws_sdk_marketplaceagreement::types::{
    AgreementEntitlementStatus, AgreementStatus, AgreementViewSummary, EndTimeBehaviorType, Filter,
    Sort, SortOrder,
};
use aws_smithy_types::DateTime;
use domain::ids::AgreementId;
use domain::notice::EndStatus;
use jiff::Timestamp;

use crate::agreements::{Agreements, SERVICE};
use crate::failure::Failure;

/// Most agreements AWS puts on a page.
const PAGE: i32 = 50;

/// What a search for agreements without an end date answers in the place of one (fact sheet §6.4).
const NEVER: i16 = 9999;

impl AgreementDirectory for Agreements {
    async fn search(
        &self,
        search: &AgreementSearch,
        page: Option<&str>,
    ) -> Result<AgreementPage, Error> {
        let mut filters =
            vec![filter("PartyType", "Proposer"), filter("AgreementType", "PurchaseAgreement")];
        filters.extend(self.product_id.as_ref().map(|id| filter("ResourceIdentifier", id)));
        filters.extend(match search {
            AgreementSearch::ChangedAfter(after) => {
                after.map(|after| filter("AfterLastUpdateTime", &after.to_string()))
            }
            AgreementSearch::Chain(initial) => Some(filter("InitialAgreementId", initial.as_str())),
            AgreementSearch::License(arn) => Some(filter("LicenseArn", &arn.to_string())),
        });
        let sort = Sort::builder().sort_by("LastUpdateTime").sort_order(SortOrder::Ascending);
        let answer = self
            .client
            .search_agreements()
            .catalog("AWSMarketplace")
            .set_filters(Some(filters))
            .sort(sort.build())
            .max_results(PAGE)
            .set_next_token(page.map(str::to_owned))
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(SERVICE))?;
        let items = answer.agreement_view_summaries.unwrap_or_default();
        Ok(AgreementPage {
            items: items.into_iter().map(read).collect::<Result<_, _>>()?,
            next: answer.next_token.filter(|token| !token.is_empty()),
        })
    }

    async fn provisioned(&self, agreement: &AgreementId) -> Result<Option<Provisioned>, Error> {
        let asked = self.client.get_agreement_entitlements().agreement_id(agreement.as_str());
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let failure = Failure::of(&error);
                return match failure.code.as_str() {
                    "AccessDeniedException" | "ResourceNotFoundException" => Ok(None),
                    _ => Err(failure.into_error(SERVICE)),
                };
            }
        };
        let entitlements = answer.agreement_entitlements.unwrap_or_default();
        Ok(entitlements.first().and_then(|entitlement| match entitlement.status.as_ref()? {
            AgreementEntitlementStatus::Provisioned => Some(Provisioned::Yes),
            AgreementEntitlementStatus::Pending | AgreementEntitlementStatus::Scheduled => {
                Some(Provisioned::NotYet)
            }
            AgreementEntitlementStatus::Failed => Some(Provisioned::Failed),
            AgreementEntitlementStatus::Deprovisioned => Some(Provisioned::NoMore),
            _ => None,
        }))
    }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn read(found: AgreementViewSummary) -> Result<AgreementSummary, Error> {
    let missing = |what: &'static str| Error::Corrupt {
        what: "an agreement of SearchAgreements",
        source: what.into(),
    };
    let license = found.entitlements.unwrap_or_default().into_iter().find_map(|it| it.license_arn);
    let standing = match found.status {
        Some(AgreementStatus::Active) => Standing::Active,
        Some(AgreementStatus::Cancelled) => Standing::Ended(EndStatus::Cancelled),
        Some(AgreementStatus::Expired) => Standing::Ended(EndStatus::Expired),
        Some(AgreementStatus::Terminated) => Standing::Ended(EndStatus::Terminated),
        Some(AgreementStatus::Renewed) => Standing::Ended(EndStatus::Renewed),
        Some(AgreementStatus::Replaced) => Standing::Ended(EndStatus::Replaced),
        Some(_) => Standing::Ended(EndStatus::Other),
        None => return Err(missing("it has no status")),
    };
    let ends = found.end_time.as_ref().and_then(instant);
    Ok(AgreementSummary {
        agreement: found
            .agreement_id
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| missing("it has no id"))?,
        initial: found.initial_agreement_id.and_then(|id| id.parse().ok()),
        account: found.acceptor.and_then(|it| it.account_id).and_then(|id| id.parse().ok()),
        license: license.and_then(|arn| arn.parse().ok()),
        offer: found.proposal_summary.and_then(|it| it.offer_id).and_then(|id| id.parse().ok()),
        standing,
        accepted: found.acceptance_time.as_ref().and_then(instant),
        starts: found.start_time.as_ref().and_then(instant),
        ends: ends.filter(|at| jiff::tz::TimeZone::UTC.to_datetime(*at).year() < NEVER),
        auto_renew: found.end_time_behavior_type.map(|how| how == EndTimeBehaviorType::Renew),
        changed: found
            .last_update_time
            .as_ref()
            .and_then(instant)
            .ok_or_else(|| missing("it has no time of its last change"))?,
    })
}

fn instant(at: &DateTime) -> Option<Timestamp> {
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}
