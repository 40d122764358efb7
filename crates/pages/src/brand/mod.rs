//! Who the pages speak for: names, links, colours and texts of the seller, by configuration.

mod colour;
mod file;

use lambda_shell::config::{Configuration, Reader};

use crate::assets::Asset;

pub use colour::Colour;
pub use file::InvalidBrand;

/// Most additional fields of the registration form.
pub const MOST_EXTRA_FIELDS: usize = 5;

/// The seller's brand. The default is a plain page without a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// What the product is called.
    pub name: Option<String>,
    /// What it is, in a few words.
    pub tagline: Option<String>,
    /// Where existing customers log in.
    pub sign_in_url: Option<String>,
    /// Where help is found.
    pub support_url: Option<String>,
    /// Who helps by e-mail.
    pub support_email: Option<String>,
    /// How personal data is handled.
    pub privacy_url: Option<String>,
    /// The terms of use.
    pub terms_url: Option<String>,
    /// The sentence a new buyer is welcomed with.
    pub welcome: Option<String>,
    /// What happens after registration, a sentence each.
    pub next_steps: Vec<String>,
    /// The fields of the registration form.
    pub form: FormFields,
    pub(crate) colours: Option<Asset>,
    pub(crate) logo: Option<Asset>,
}

/// What the registration form asks for besides the e-mail address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFields {
    /// The company's name.
    pub company: Presence,
    /// The contact's name.
    pub contact: Presence,
    /// More, by configuration.
    pub extra: Vec<ExtraField>,
}

/// Whether a field is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It may be left empty.
    #[default]
    Optional,
    /// It must be filled in.
    Required,
    /// It is not there.
    Hidden,
}

/// A field that the seller adds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraField {
    /// Its name in the form and in the buyer's record.
    pub id: String,
    /// What it is called on the page.
    pub label: String,
    /// Whether it must be filled in.
    #[serde(default)]
    pub required: bool,
}

impl Brand {
    /// Reads a brand file.
    ///
    /// # Errors
    /// Everything in it that is not right, by name.
    pub fn from_toml(text: &str) -> Result<Self, InvalidBrand> {
        file::read(text)
    }

    /// The product's name, or a stand-in.
    pub fn product(&self) -> &str {
        self.name.as_deref().unwrap_or("Your subscription")
    }

    /// What the brand adds to the assets.
    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.colours.iter().chain(&self.logo)
    }

    /// The address of the brand's stylesheet.
    pub(crate) fn stylesheet(&self) -> Option<String> {
        self.colours.as_ref().map(Asset::path)
    }

    /// The address of the logo.
    pub(crate) fn logo(&self) -> Option<String> {
        self.logo.as_ref().map(Asset::path)
    }
}

const FILE: &str = "BRAND_FILE";
const LINK: &str = "an address that begins with https:// (or http:// on this machine)";

impl Configuration for Brand {
    fn read(vars: &mut Reader<'_>) -> Option<Self> {
        let brand = from_file(vars);
        let product = vars.optional("PRODUCT_NAME", "1 to 80 characters in one line", |text| {
            file::line(text, 80).then(|| text.to_owned())
        });
        let support_url = vars.optional("SUPPORT_URL", LINK, owned_link);
        let support_email = vars.optional("SUPPORT_EMAIL", "an e-mail address", |text| {
            file::email(text).then(|| text.to_owned())
        });
        let sign_in_url = vars.optional("LOGIN_URL", LINK, owned_link);
        let brand = brand?;
        Some(Self {
            name: product?.or(brand.name),
            support_url: support_url?.or(brand.support_url),
            support_email: support_email?.or(brand.support_email),
            sign_in_url: sign_in_url?.or(brand.sign_in_url),
            ..brand
        })
    }
}

fn owned_link(text: &str) -> Option<String> {
    file::link(text).then(|| text.to_owned())
}

fn from_file(vars: &mut Reader<'_>) -> Option<Brand> {
    let Some(path) = vars.optional(FILE, "a path", |path| Some(path.to_owned()))? else {
        return Some(Brand::default());
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            vars.problem(FILE, &format!("names a file that cannot be read: {error}"));
            return None;
        }
    };
    Brand::from_toml(&text)
        .inspect_err(|error| vars.problem(FILE, &format!("is not a brand: {error}")))
        .ok()
}

#[cfg(test)]
mod tests {
    use lambda_shell::config::Vars;

    use super::*;

    #[test]
    fn without_anything_there_is_a_plain_brand() {
        assert_eq!(Brand::from_vars(&Vars::of([])).unwrap(), Brand::default());
    }

    #[test]
    fn a_variable_wins_over_the_file() {
        let file = std::env::temp_dir().join(format!("brand-{}.toml", std::process::id()));
        std::fs::write(&file, "name = \"From the file\"\nsupport_email = \"a@example.com\"")
            .unwrap();
        let path = file.to_str().unwrap();
        let vars = Vars::of([("BRAND_FILE", path), ("PRODUCT_NAME", "From the variable")]);
        let brand = Brand::from_vars(&vars).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(brand.name.as_deref(), Some("From the variable"));
        assert_eq!(brand.support_email.as_deref(), Some("a@example.com"));
    }

    #[test]
    fn a_wrong_variable_or_file_is_named() {
        let vars = Vars::of([
            ("SUPPORT_URL", "javascript:alert(1)"),
            ("SUPPORT_EMAIL", "nobody"),
            ("BRAND_FILE", "/nowhere/brand.toml"),
        ]);
        let problems = Brand::from_vars(&vars).unwrap_err().problems().join("\n");
        for name in ["SUPPORT_URL must", "SUPPORT_EMAIL must", "BRAND_FILE names a file"] {
            assert!(problems.contains(name), "{name}: {problems}");
        }
    }
}
