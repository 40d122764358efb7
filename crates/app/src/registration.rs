//! Registration: from the buyer's click in AWS Marketplace to a subscription that knows who bought it.
//!
//! A landing resolves the token at once and writes what it says; the form that follows carries only the resolved ids.
//! Both may be repeated, come before or after the license events, or never come.

use std::collections::BTreeMap;

use domain::audit::Actor;
use domain::ids::{AgreementId, LicenseRef};
use domain::subscription::{Access, Subscription, TenantNoticeKind};
use jiff::Timestamp;

use crate::change::{ATTEMPTS, Deed, audited, state_change};
use crate::links::{adopt_agreement, changed_link, end_of_chain, linked};
use crate::ports::{
    AgreementLink, Change, Committed, Customer, ParkedRegistration, RegistrationService,
    RegistrationToken, ResolveError, ResolvedBuyer, Store, ViewKeys,
};
use crate::{Context, Error, about};

/// Longest text a profile field may have.
pub const LONGEST_FIELD: usize = 200;

/// Who the buyer says they are. Its `Debug` tells nothing: it is personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    company: String,
    contact: String,
    email: String,
    extra: BTreeMap<String, String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(redacted)")
    }
}

/// A field that needs another entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    /// No e-mail address; AWS demands one (fact sheet §9).
    #[error("enter an e-mail address")]
    EmailMissing,
    /// Not an e-mail address.
    #[error("enter an e-mail address like name@example.com")]
    EmailMalformed,
    /// Too long.
    #[error("use at most 200 characters")]
    TooLong {
        /// Which field.
        field: &'static str,
    },
    /// Line breaks or other control characters.
    #[error("use one line of plain text")]
    NotPlain {
        /// Which field.
        field: &'static str,
    },
}

impl ProfileProblem {
    /// The form field it belongs to: `company`, `contact` or `email`.
    pub fn field(self) -> &'static str {
        match self {
            Self::EmailMissing | Self::EmailMalformed => "email",
            Self::TooLong { field } | Self::NotPlain { field } => field,
        }
    }
}

impl Profile {
    /// Reads the form. Company and contact may be left out; an e-mail address is needed.
    ///
    /// # Errors
    /// Every field that needs another entry.
    pub fn new(company: &str, contact: &str, email: &str) -> Result<Self, Vec<ProfileProblem>> {
        let mut problems = Vec::new();
        for (field, text) in [("company", company), ("contact", contact), ("email", email)] {
            if text.chars().count() > LONGEST_FIELD {
                problems.push(ProfileProblem::TooLong { field });
            } else if text.chars().any(char::is_control) {
                problems.push(ProfileProblem::NotPlain { field });
            }
        }
        let email = email.trim();
        if email.is_empty() {
            problems.push(ProfileProblem::EmailMissing);
        } else if !looks_like_an_address(email) {
            problems.push(ProfileProblem::EmailMalformed);
        }
        if problems.is_empty() {
            Ok(Self {
                company: company.trim().into(),
                contact: contact.trim().into(),
                email: email.into(),
                extra: BTreeMap::new(),
            })
        } else {
            Err(problems)
        }
    }

    /// Adds what the seller's form asks for besides. Empty entries are left out.
    #[must_use]
    pub fn with_extra(mut self, extra: impl IntoIterator<Item = (String, String)>) -> Self {
        let filled = |(name, text): (String, String)| {
            let text = text.trim().to_owned();
            (!text.is_empty()).then_some((name, text))
        };
        self.extra = extra.into_iter().filter_map(filled).collect();
        self
    }
}

/// Whether a text may stand in a field: one line of at most [`LONGEST_FIELD`] characters.
pub fn fits_a_field(text: &str) -> bool {
    text.chars().count() <= LONGEST_FIELD && !text.chars().any(char::is_control)
}

/// Only what is surely wrong is refused; whether an address works, its owner finds out.
fn looks_like_an_address(text: &str) -> bool {
    match text.rsplit_once('@') {
        Some((name, host)) => {
            !name.is_empty()
                && !host.is_empty()
                && !host.starts_with('.')
                && !text.chars().any(char::is_whitespace)
        }
        None => false,
    }
}

/// Where a buyer stands after the click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Who AWS says it is.
    pub buyer: ResolvedBuyer,
    /// The subscription; absent while AWS has not told the license.
    pub subscription: Option<Subscription>,
    /// Whether the form was completed before.
    pub registered: bool,
}

/// What a completed form came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// The subscription knows its buyer.
    Subscription(Box<Subscription>),
    /// Kept with the agreement until AWS tells the license.
    AwaitingLicense,
}

/// Why a registration did not go on.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The token was not resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The token belongs to another listing.
    #[error("the registration token belongs to another product")]
    OtherListing,
    /// AWS told neither license, nor agreement, nor legacy customer yet.
    #[error("AWS Marketplace has not told which license was bought yet")]
    NotIdentified,
    /// The store or AWS failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Takes a buyer who comes with a token.
///
/// # Errors
/// When the token is not valid or not ours, or AWS or the store cannot be asked.
pub async fn land<S, A>(
    ctx: &Context<S, A>,
    token: &RegistrationToken,
    now: Timestamp,
) -> Result<Landing, RegistrationError>
where
    S: Store,
    A: RegistrationService + Sync,
{
    let buyer = ctx.aws.resolve(token).await?;
    let outcome = write(ctx, &buyer, None, now).await?;
    let (subscription, registered) = match outcome {
        Written::State(state) => {
            let registered = state.registered.is_some();
            (Some(*state), registered)
        }
        Written::Parked { registered } => (None, registered),
    };
    Ok(Landing { buyer, subscription, registered })
}

/// Takes the form of a buyer who was resolved before. May be repeated; the newest entries count.
///
/// # Errors
/// When the store cannot be written, or the buyer is not one of ours.
pub async fn complete<S, A>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
    profile: &Profile,
    now: Timestamp,
) -> Result<Registered, RegistrationError>
where
    S: Store,
    A: Sync,
{
    Ok(match write(ctx, buyer, Some(profile), now).await? {
        Written::State(state) => Registered::Subscription(state),
        Written::Parked { .. } => Registered::AwaitingLicense,
    })
}

/// Tells where a buyer who was resolved before stands now. Writes nothing.
///
/// # Errors
/// When the store cannot be read, or the buyer is not one of ours.
pub async fn standing<S: Store, A: Sync>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
) -> Result<Landing, RegistrationError> {
    if buyer.product != ctx.listing.product {
        return Err(RegistrationError::OtherListing);
    }
    let (license, link) = named_license(ctx, buyer).await?;
    let subscription = match license {
        Some(license) => ctx.store.subscription(&license.subscription_id()).await?,
        None => None,
    };
    let parked = link.and_then(|(_, link)| link).is_some_and(|link| link.registration.is_some());
    let registered =
        subscription.as_ref().map_or(parked, |subscription| subscription.registered.is_some());
    Ok(Landing { buyer: buyer.clone(), subscription, registered })
}

enum Written {
    State(Box<Subscription>),
    Parked { registered: bool },
}

async fn write<S: Store, A>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
    profile: Option<&Profile>,
    now: Timestamp,
) -> Result<Written, RegistrationError> {
    if buyer.product != ctx.listing.product {
        return Err(RegistrationError::OtherListing);
    }
    for _ in 0..ATTEMPTS {
        let (change, written) = match named_license(ctx, buyer).await? {
            (Some(license), link) => with_license(ctx, buyer, license, link, profile, now).await?,
            (None, Some((agreement, link))) => {
                parked(buyer, &agreement, link.as_ref(), profile, now)?
            }
            (None, None) => return Err(RegistrationError::NotIdentified),
        };
        match crate::change::commit(&ctx.store, &change).await? {
            Committed::Done | Committed::AlreadySeen => return Ok(written),
            Committed::Overtaken => {}
        }
    }
    Err(Error::Contended { what: "a registration" }.into())
}

type NamedLicense = (Option<LicenseRef>, Option<(AgreementId, Option<AgreementLink>)>);

/// The license AWS named, or the one that an event has tied to the agreement meanwhile.
async fn named_license<S: Store, A>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
) -> Result<NamedLicense, Error> {
    let link = match &buyer.agreement {
        Some(agreement) => Some(link_for(ctx, buyer, agreement).await?),
        None => None,
    };
    let named = match (&buyer.license, &link, &buyer.customer) {
        (Some(arn), _, _) => Some(LicenseRef::License { arn: arn.clone() }),
        (None, Some((_, Some(AgreementLink { subscription: Some(id), .. }))), _) => {
            ctx.store.subscription(id).await?.map(|state| state.license)
        }
        // Only older listings have a customer identifier; their notices know nothing else.
        (None, _, Some(customer)) => {
            Some(LicenseRef::Legacy { product: buyer.product.clone(), customer: customer.clone() })
        }
        (None, _, _) => None,
    };
    Ok((named, link))
}

/// The agreement's link; where it was renewed or replaced before its license was known, that of the one it goes on in.
async fn link_for<S: Store, A>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
    agreement: &AgreementId,
) -> Result<(AgreementId, Option<AgreementLink>), Error> {
    let keys = ViewKeys { agreements: vec![agreement.clone()], ..ViewKeys::default() };
    let link = ctx.store.view(&keys).await?.links.remove(agreement);
    match link {
        Some(link) if link.subscription.is_none() && buyer.license.is_none() => {
            let end = end_of_chain(&ctx.store, link).await?;
            Ok((end.agreement.clone(), (end.revision > 0).then_some(end)))
        }
        link => Ok((agreement.clone(), link)),
    }
}

async fn with_license<S: Store, A>(
    ctx: &Context<S, A>,
    buyer: &ResolvedBuyer,
    license: LicenseRef,
    link: Option<(AgreementId, Option<AgreementLink>)>,
    profile: Option<&Profile>,
    now: Timestamp,
) -> Result<(Change, Written), Error> {
    let listing = &ctx.listing;
    about(&license.subscription_id(), Some(&license));
    let before = ctx.store.subscription(&license.subscription_id()).await?;
    let mut after = before.clone().unwrap_or_else(|| {
        Subscription::new(license.clone(), listing.product.clone(), listing.pricing, now)
    });
    after.license.refine(&license);
    if after.account.is_none() {
        after.account.clone_from(&buyer.account);
    }
    if after.customer.is_none() {
        after.customer.clone_from(&buyer.customer);
    }
    let mut link_write = None;
    if let Some((agreement, known)) = &link {
        adopt_agreement(&ctx.store, &mut after, agreement, known.as_ref()).await?;
        link_write = linked(agreement, known.as_ref(), &after.id);
    }
    if profile.is_some() {
        after.register(now);
    }
    let action = if profile.is_some() { "registration.completed" } else { "registration.started" };
    let deed = Deed { actor: Actor::Buyer, action };
    let mut change =
        state_change(&ctx.store, listing, before.as_ref(), after.clone(), deed, now).await?;
    change.links.extend(link_write);
    if let Some(customer) = profile.and_then(|profile| customer(buyer, profile, now)) {
        tell_of_new_details(ctx, &mut change, before.as_ref(), &customer, now).await?;
        change.customer = Some(customer);
    }
    Ok((change, Written::State(Box::new(after))))
}

/// A buyer who was registered and gives other details is written to at the new address: the platform is told again.
async fn tell_of_new_details<S: Store, A>(
    ctx: &Context<S, A>,
    change: &mut Change,
    before: Option<&Subscription>,
    customer: &Customer,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(before) = before.filter(|before| before.registered.is_some()) else { return Ok(()) };
    if before.access(now) == Access::Ended {
        return Ok(());
    }
    let known = ctx.store.customer(&customer.id).await?;
    if known.is_some_and(|known| known.says_the_same(customer)) {
        return Ok(());
    }
    if change.state.is_none() {
        let deed = Deed { actor: Actor::Buyer, action: "registration.changed" };
        let links = std::mem::take(&mut change.links);
        *change = Change { links, ..audited(before, deed, [], now) };
    }
    if let Some(write) = &change.state {
        let kind = TenantNoticeKind::Registered;
        change.outbox.push(write.after.tenant_notice(kind, &ctx.listing.catalog, now));
    }
    Ok(())
}

fn parked(
    buyer: &ResolvedBuyer,
    agreement: &AgreementId,
    link: Option<&AgreementLink>,
    profile: Option<&Profile>,
    now: Timestamp,
) -> Result<(Change, Written), RegistrationError> {
    let account = buyer.account.clone().ok_or(RegistrationError::NotIdentified)?;
    let write = changed_link(agreement, link, |after| {
        if profile.is_some() {
            let product = buyer.product.clone();
            after.registration.get_or_insert(ParkedRegistration { at: now, account, product });
        }
    });
    let registered = profile.is_some() || link.is_some_and(|link| link.registration.is_some());
    let change = Change {
        links: write.into_iter().collect(),
        customer: profile.and_then(|profile| customer(buyer, profile, now)),
        ..Change::default()
    };
    Ok((change, Written::Parked { registered }))
}

fn customer(buyer: &ResolvedBuyer, profile: &Profile, now: Timestamp) -> Option<Customer> {
    let id = buyer
        .account
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| buyer.customer.as_ref().map(ToString::to_string))?;
    Some(Customer {
        id,
        account: buyer.account.clone(),
        customer_identifier: buyer.customer.clone(),
        company: profile.company.clone(),
        contact: profile.contact.clone(),
        email: profile.email.clone(),
        extra: profile.extra.clone(),
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_needed_and_free_mail_is_welcome() {
        assert!(Profile::new("", "", "someone@gmail.com").is_ok());
        assert_eq!(Profile::new("Acme", "Jo", " ").unwrap_err(), [ProfileProblem::EmailMissing]);
        assert_eq!(
            Profile::new("Acme", "Jo", "jo at acme").unwrap_err(),
            [ProfileProblem::EmailMalformed]
        );
    }

    #[test]
    fn every_wrong_field_is_named() {
        let problems = Profile::new(&"x".repeat(201), "a\nb", "").unwrap_err();
        assert_eq!(
            problems.iter().map(|problem| problem.field()).collect::<Vec<_>>(),
            ["company", "contact", "email"]
        );
    }
}
