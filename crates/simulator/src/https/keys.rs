//! A root, a certificate under it, and the key that signs. Made when they are first needed, never stored.

use std::fmt;
use std::sync::OnceLock;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_RSA_SHA256,
};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};

use super::SNS_NAME;

/// The root is made at once; the certificate and its RSA key, which take longer, when something is signed or asked for.
pub(super) struct Keys {
    pub(super) root: String,
    issuer: Issuer<'static, KeyPair>,
    leaf: OnceLock<Leaf>,
}

struct Leaf {
    pem: String,
    key: PrivateKey,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Makes the root.
    #[expect(clippy::expect_used, reason = "only a machine without randomness could fail")]
    pub(super) fn make() -> Self {
        let key = KeyPair::generate().expect("randomness");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Simulated Amazon Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a root").pem();
        Self { root, issuer: Issuer::new(params, key), leaf: OnceLock::new() }
    }

    pub(super) fn certificate(&self) -> String {
        self.leaf().pem.clone()
    }

    pub(super) fn sign_with_sha1(&self, text: &str) -> Vec<u8> {
        let key = self.leaf().key.clone();
        SigningKey::<sha1::Sha1>::new(key).sign(text.as_bytes()).to_vec()
    }

    pub(super) fn sign_with_sha256(&self, text: &str) -> Vec<u8> {
        let key = self.leaf().key.clone();
        SigningKey::<sha2::Sha256>::new(key).sign(text.as_bytes()).to_vec()
    }

    #[expect(clippy::expect_used, reason = "only a machine without randomness could fail")]
    fn leaf(&self) -> &Leaf {
        self.leaf.get_or_init(|| {
            let key = PrivateKey::new(&mut rand::rng(), 2048).expect("randomness");
            let der = key.to_pkcs8_der().expect("a key").as_bytes().to_vec();
            let same = KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_RSA_SHA256);
            let mut params = CertificateParams::new([SNS_NAME.to_owned()]).expect("a name");
            params.distinguished_name.push(DnType::CommonName, SNS_NAME);
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            let signed = params.signed_by(&same.expect("the same key"), &self.issuer);
            Leaf { pem: signed.expect("a certificate").pem(), key }
        })
    }
}
