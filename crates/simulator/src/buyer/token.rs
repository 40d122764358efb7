//! *Set up your account*: a registration token and the form that carries it (F§2.1, 2.3).

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;
use crate::records::{Agreement, Token};
use crate::state::State;
use crate::switches::{ExtraFormFields, TokenSupersede};

use super::change::ChangeError;

impl State {
    /// Mints a token and answers the fields that the buyer's browser posts.
    pub(crate) fn fulfilment_form(
        &mut self,
        agreement_id: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>, ChangeError> {
        let agreement = self.agreements.get(agreement_id).cloned();
        let agreement = agreement.ok_or_else(|| ChangeError::Unknown(agreement_id.to_owned()))?;
        let token = self.mint(&agreement, self.switches.token_ttl, now);
        let mut form = vec![("x-amzn-marketplace-token".to_owned(), token)];
        let mut add = |name: &str, value: String| form.push((name.to_owned(), value));
        if agreement.free_trial_ends.is_some() {
            add("x-amzn-marketplace-offer-type", "free-trial".into());
        }
        if self.switches.extra_form_fields == ExtraFormFields::All {
            let product = self.product_of(&agreement).map(|it| it.id.clone()).unwrap_or_default();
            add("x-amzn-marketplace-agreement-id", agreement.id.clone());
            add("x-amzn-marketplace-product-id", product);
            add("x-amzn-marketplace-fulfillment-url", self.fulfilment_url.clone());
        }
        Ok(form)
    }

    /// Mints a token that lives for `life`.
    pub(crate) fn mint(
        &mut self,
        agreement: &Agreement,
        life: SignedDuration,
        now: Timestamp,
    ) -> String {
        if self.switches.token_supersede == TokenSupersede::ExpireOlder {
            let older = self
                .tokens
                .values()
                .filter(|it| it.agreement_id == agreement.id && it.expires > now);
            let older: Vec<String> = older.map(|it| it.text.clone()).collect();
            for text in older {
                self.tokens.update(&text, |token| token.expires = now);
            }
        }
        let text = self.ids.registration_token();
        let token = Token {
            text: text.clone(),
            agreement_id: agreement.id.clone(),
            expires: later(now, life),
            uses: 0,
        };
        self.tokens.insert(text.clone(), token);
        text
    }
}
