//! Certificate authorities, leaves and signatures.

use std::sync::OnceLock;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, PKCS_RSA_SHA256,
};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use time::OffsetDateTime;

/// The name in the stand-in's certificates.
pub(crate) const NAME: &str = "sns.example";

/// Within the validity of every sound certificate here.
pub(crate) const NOW: &str = "2026-11-24T08:00:00.000Z";

/// One of the two RSA keys that the tests sign with; making one is slow.
pub(crate) fn key(which: usize) -> &'static PrivateKey {
    static KEYS: OnceLock<[PrivateKey; 2]> = OnceLock::new();
    let keys =
        KEYS.get_or_init(|| [(); 2].map(|()| PrivateKey::new(&mut rand::rng(), 2048).unwrap()));
    &keys[which]
}

fn rcgen_key(key: &PrivateKey) -> KeyPair {
    let der = key.to_pkcs8_der().unwrap();
    KeyPair::from_pkcs8_der_and_sign_algo(&der.as_bytes().to_vec().into(), &PKCS_RSA_SHA256)
        .unwrap()
}

/// Somebody who issues certificates.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    pub(crate) fn root(name: &str) -> Self {
        let (params, key) = (ca_params(name), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let (params, key) = (ca_params(name), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for a key.
    pub(crate) fn leaf(&self, wish: &Leaf) -> String {
        let key =
            wish.key.map_or_else(|| KeyPair::generate().unwrap(), |which| rcgen_key(key(which)));
        wish.params().signed_by(&key, &self.issuer).unwrap().pem()
    }
}

/// What a leaf is to be.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) name: &'static str,
    /// Which RSA key; without one an elliptic one.
    pub(crate) key: Option<usize>,
    pub(crate) from: &'static str,
    pub(crate) until: &'static str,
    pub(crate) issuer_url: Option<String>,
    pub(crate) purpose: ExtendedKeyUsagePurpose,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            name: NAME,
            key: Some(0),
            from: "2026-06-01",
            until: "2027-06-01",
            issuer_url: None,
            purpose: ExtendedKeyUsagePurpose::ServerAuth,
        }
    }
}

impl Leaf {
    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new([self.name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, self.name);
        params.not_before = day(self.from);
        params.not_after = day(self.until);
        params.extended_key_usages.push(self.purpose.clone());
        if let Some(url) = &self.issuer_url {
            params.custom_extensions.push(authority_information_access(url));
        }
        params
    }

    /// Issued by nobody but itself.
    pub(crate) fn self_signed(&self) -> String {
        self.params().self_signed(&rcgen_key(key(0))).unwrap().pem()
    }
}

fn day(text: &str) -> OffsetDateTime {
    let at: jiff::Timestamp = format!("{text}T00:00:00Z").parse().unwrap();
    OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap()
}

/// One access description: the issuer's certificate is at `url`.
fn authority_information_access(url: &str) -> CustomExtension {
    let ca_issuers = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let location = der(0x86, url.as_bytes());
    let description = der(0x30, &[ca_issuers.as_slice(), &location].concat());
    let content = der(0x30, &description);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128, "the short form of a length is enough here");
    [&[tag, length], content].concat()
}

/// The signature of version 1 or 2 with one of the keys.
pub(crate) fn sign(which: usize, version: &str, text: &str) -> Vec<u8> {
    let key = key(which).clone();
    match version {
        "1" => SigningKey::<sha1::Sha1>::new(key).sign(text.as_bytes()).to_vec(),
        "2" => SigningKey::<sha2::Sha256>::new(key).sign(text.as_bytes()).to_vec(),
        other => panic!("there is no version {other}"),
    }
}
