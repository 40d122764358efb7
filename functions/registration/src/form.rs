//! The registration form by the seller's configuration: which fields are there, and what an entry must be.

use std::collections::BTreeMap;

use app::registration::{LONGEST_FIELD, Profile, fits_a_field};
use lambda_shell::problem::FieldProblem;
use pages::brand::{FormFields, Presence};

use crate::wire::ProfileForm;

/// Reads the form by the seller's rules. What the form does not show is not taken.
///
/// # Errors
/// Every field that needs another entry.
pub(crate) fn profile(
    fields: &FormFields,
    form: &ProfileForm,
) -> Result<Profile, Vec<FieldProblem>> {
    let company = shown(fields.company, &form.company);
    let contact = shown(fields.contact, &form.contact);
    let mut problems = Vec::new();
    let mut wrong = |field: &str, detail: String| {
        problems.push(FieldProblem { field: field.to_owned(), detail });
    };
    let demanded = [("company", fields.company, company), ("contact", fields.contact, contact)];
    for (name, presence, text) in demanded {
        if presence == Presence::Required && text.trim().is_empty() {
            wrong(
                name,
                format!("enter the {}", if name == "company" { "company" } else { "contact name" }),
            );
        }
    }
    let profile = Profile::new(company, contact, &form.email);
    if let Err(known) = &profile {
        for problem in known {
            wrong(problem.field(), problem.to_string());
        }
    }
    let mut extra = BTreeMap::new();
    for field in &fields.extra {
        let text = form.extra.get(&field.id).map_or("", String::as_str);
        if field.required && text.trim().is_empty() {
            wrong(&field.id, "fill in this field".to_owned());
        } else if !fits_a_field(text) {
            wrong(&field.id, format!("use one line of at most {LONGEST_FIELD} characters"));
        }
        extra.insert(field.id.clone(), text.to_owned());
    }
    match profile {
        Ok(profile) if problems.is_empty() => Ok(profile.with_extra(extra)),
        Ok(_) | Err(_) => Err(problems),
    }
}

fn shown(presence: Presence, text: &str) -> &str {
    match presence {
        Presence::Optional | Presence::Required => text,
        Presence::Hidden => "",
    }
}

#[cfg(test)]
mod tests {
    use pages::brand::ExtraField;

    use super::*;

    fn fields() -> FormFields {
        FormFields {
            company: Presence::Required,
            contact: Presence::Hidden,
            extra: vec![ExtraField {
                id: "phone".to_owned(),
                label: "Phone".to_owned(),
                required: true,
            }],
        }
    }

    #[test]
    fn every_field_that_needs_another_entry_is_named() {
        let problems = profile(&fields(), &ProfileForm::default()).unwrap_err();
        let named: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(named, ["company", "email", "phone"]);
    }

    #[test]
    fn a_field_that_is_not_shown_is_not_taken() {
        let text = |text: &str| text.to_owned();
        let form = ProfileForm {
            company: text("Acme"),
            contact: text("smuggled\nin"),
            email: text("jo@example.com"),
            extra: BTreeMap::from([(text("phone"), text("1")), (text("admin"), text("yes"))]),
            ..ProfileForm::default()
        };
        let expected = Profile::new("Acme", "", "jo@example.com").unwrap();
        let expected = expected.with_extra([(text("phone"), text("1"))]);
        assert!(profile(&fields(), &form).unwrap() == expected);
    }
}
