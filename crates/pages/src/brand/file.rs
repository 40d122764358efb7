//! The brand file, and everything that may be wrong with it.

use serde::Deserialize;

use super::colour::{Colour, DARK, WHITE};
use super::{Brand, ExtraField, FormFields, MOST_EXTRA_FIELDS, Presence};
use crate::assets::Asset;

/// Why a brand file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBrand {
    /// Not TOML, or an entry that does not exist.
    #[error("{0}")]
    Unreadable(String),
    /// Entries that break their rule.
    #[error("{}", .0.join("; "))]
    Wrong(Vec<String>),
}

/// What text on a surface needs (WCAG 2, AA).
const LEAST_CONTRAST: f64 = 4.5;
const LONGEST_LOGO: usize = 32 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    tagline: Option<String>,
    logo_svg: Option<String>,
    sign_in_url: Option<String>,
    support_url: Option<String>,
    support_email: Option<String>,
    privacy_url: Option<String>,
    terms_url: Option<String>,
    welcome: Option<String>,
    #[serde(default)]
    next_steps: Vec<String>,
    #[serde(default)]
    colours: Colours,
    #[serde(default)]
    form: Form,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Colours {
    accent: Option<String>,
    accent_dark: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    company: Presence,
    contact: Presence,
    extra: Vec<ExtraField>,
}

pub(super) fn read(text: &str) -> Result<Brand, InvalidBrand> {
    let file: File = toml::from_str(text)
        .map_err(|error| InvalidBrand::Unreadable(error.message().to_owned()))?;
    let mut wrong = Vec::new();
    check_texts(&file, &mut wrong);
    check_form(&file.form, &mut wrong);
    let colours = colours(&file.colours, &mut wrong);
    let logo = file.logo_svg.map(|svg| {
        if !svg.trim_start().starts_with("<svg") || svg.len() > LONGEST_LOGO {
            wrong.push("logo_svg must be an <svg> element of at most 32 kB".to_owned());
        }
        Asset::svg("logo", svg)
    });
    if !wrong.is_empty() {
        return Err(InvalidBrand::Wrong(wrong));
    }
    Ok(Brand {
        name: file.name,
        tagline: file.tagline,
        sign_in_url: file.sign_in_url,
        support_url: file.support_url,
        support_email: file.support_email,
        privacy_url: file.privacy_url,
        terms_url: file.terms_url,
        welcome: file.welcome,
        next_steps: file.next_steps,
        form: FormFields {
            company: file.form.company,
            contact: file.form.contact,
            extra: file.form.extra,
        },
        colours,
        logo,
    })
}

fn check_texts(file: &File, wrong: &mut Vec<String>) {
    let mut demand = |name: &str, value: Option<&String>, fits: fn(&str) -> bool, rule: &str| {
        if value.is_some_and(|text| !fits(text)) {
            wrong.push(format!("{name} must be {rule}"));
        }
    };
    let short: fn(&str) -> bool = |text| line(text, 80);
    let sentence: fn(&str) -> bool = |text| line(text, 400);
    demand("name", file.name.as_ref(), short, "1 to 80 characters in one line");
    demand("tagline", file.tagline.as_ref(), sentence, "1 to 400 characters in one line");
    demand("welcome", file.welcome.as_ref(), sentence, "1 to 400 characters in one line");
    let rule = "an address that begins with https:// (or http:// on this machine)";
    demand("sign_in_url", file.sign_in_url.as_ref(), link, rule);
    demand("support_url", file.support_url.as_ref(), link, rule);
    demand("privacy_url", file.privacy_url.as_ref(), link, rule);
    demand("terms_url", file.terms_url.as_ref(), link, rule);
    demand("support_email", file.support_email.as_ref(), email, "an e-mail address");
    for step in &file.next_steps {
        demand("next_steps", Some(step), sentence, "sentences of 1 to 400 characters");
    }
    if file.next_steps.len() > 8 {
        wrong.push("next_steps must be at most 8 sentences".to_owned());
    }
}

fn check_form(form: &Form, wrong: &mut Vec<String>) {
    if form.extra.len() > MOST_EXTRA_FIELDS {
        wrong.push(format!("form.extra must be at most {MOST_EXTRA_FIELDS} fields"));
    }
    for (place, field) in form.extra.iter().enumerate() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let taken = ["company", "contact", "email", "registration"].contains(&field.id.as_str())
            || form.extra.iter().take(place).any(|other| other.id == field.id);
        if field.id.is_empty() || field.id.len() > 40 || !field.id.chars().all(plain) || taken {
            let rule = "must be a name of its own: a to z, digits and hyphens";
            wrong.push(format!("form.extra[{place}].id {rule}"));
        }
        if !line(&field.label, 80) {
            wrong.push(format!("form.extra[{place}].label must be 1 to 80 characters in one line"));
        }
    }
}

/// The brand's stylesheet: the accent of light pages and of dark ones, each only where it can be read.
fn colours(colours: &Colours, wrong: &mut Vec<String>) -> Option<Asset> {
    let mut read = |name: &str, text: &Option<String>, surface: Colour, what: &str| {
        let text = text.as_ref()?;
        match text.parse::<Colour>() {
            Ok(colour) if colour.contrast(surface) >= LEAST_CONTRAST => Some(colour),
            Ok(colour) => {
                let has = colour.contrast(surface);
                wrong.push(format!(
                    "colours.{name} must have a contrast of at least 4.5 to {what} ({colour} has {has:.1})"
                ));
                None
            }
            Err(error) => {
                wrong.push(format!("colours.{name} is no colour: {error}"));
                None
            }
        }
    };
    let light = read("accent", &colours.accent, WHITE, "white");
    let dark = read("accent_dark", &colours.accent_dark, DARK, "the dark surface");
    if light.is_none() && dark.is_none() {
        return None;
    }
    let in_light = light.map_or_else(String::new, |accent| {
        format!(":root{{--accent:{accent};--accent-soft:color-mix(in srgb,{accent} 10%,#fff)}}\n")
    });
    // A light accent without a dark one would be unreadable on dark pages: those keep their own.
    let in_dark = match dark {
        Some(accent) => format!(
            "@media (prefers-color-scheme:dark){{:root{{--accent:{accent};--accent-soft:color-mix(in srgb,{accent} 16%,#171e28)}}}}\n"
        ),
        None => {
            "@media (prefers-color-scheme:dark){:root{--accent:#8ab8ee;--accent-soft:#1c2c40}}\n"
                .to_owned()
        }
    };
    Some(Asset::css("brand", format!("{in_light}{in_dark}")))
}

/// One line of 1 to `most` characters.
pub(super) fn line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Any other scheme could run as script where a buyer clicks.
pub(super) fn link(text: &str) -> bool {
    let local = ["http://localhost", "http://127.0.0.1"];
    let safe = text.starts_with("https://") || local.iter().any(|local| text.starts_with(local));
    safe && text.chars().all(|c| c.is_ascii_graphic())
}

pub(super) fn email(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@.+-_".contains(c);
    text.contains('@') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_brand_is_read() {
        let brand = read(
            r##"
            name = "Shepherd"
            logo_svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
            next_steps = ["First.", "Then."]
            [colours]
            accent = "#1f5fa8"
            accent_dark = "#8ab8ee"
            [form]
            company = "required"
            contact = "hidden"
            [[form.extra]]
            id = "phone"
            label = "Phone"
            "##,
        )
        .unwrap();
        assert_eq!(brand.product(), "Shepherd");
        assert_eq!(brand.form.company, Presence::Required);
        assert_eq!(brand.form.contact, Presence::Hidden);
        assert!(!brand.form.extra[0].required);
        assert!(brand.logo().unwrap().starts_with("/marketplace/assets/logo-"));
        assert!(brand.stylesheet().unwrap().starts_with("/marketplace/assets/brand-"));
        assert_eq!(brand.assets().count(), 2);
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_refused_with_its_contrast() {
        let text = "[colours]\naccent = \"#ffcc00\"\naccent_dark = \"#102040\"";
        let problems = problems(text);
        assert!(problems.contains("colours.accent must have a contrast of at least 4.5 to white"));
        assert!(problems.contains("has 1."), "{problems}");
        assert!(problems.contains("colours.accent_dark"));
    }

    #[test]
    fn every_wrong_entry_is_named() {
        let problems = problems(
            "name = \"\"\nsign_in_url = \"javascript:alert(1)\"\nsupport_email = \"x\"\nlogo_svg = \"<script>\"\n\
             [[form.extra]]\nid = \"email\"\nlabel = \"E-mail\"",
        );
        for name in ["name", "sign_in_url", "support_email", "logo_svg", "form.extra[0].id"] {
            assert!(problems.contains(name), "{name}: {problems}");
        }
        assert!(read("colour = 1").unwrap_err().to_string().contains("colour"));
    }
}
