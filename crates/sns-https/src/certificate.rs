//! Certificates: reading, judging the chain, and the signature under the leaf's key.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RsaParameters, UnparsedPublicKey,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, TrustAnchor, UnixTime, alg_id,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;

use crate::error::SnsError;

/// Who is trusted to issue certificates.
#[derive(Debug, Clone)]
pub struct Roots(Vec<TrustAnchor<'static>>);

/// There is no root, or one of them is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("the trusted roots cannot be read")]
pub struct InvalidRoots(#[source] Box<dyn Error + Send + Sync>);

impl Roots {
    /// Those of the operating system.
    ///
    /// # Errors
    /// When there are none.
    pub fn system() -> Result<Self, InvalidRoots> {
        let found = rustls_native_certs::load_native_certs();
        // One unreadable certificate of many is the operating system's business.
        let roots: Vec<_> = found.certs.iter().filter_map(anchor).collect();
        match (roots.is_empty(), found.errors.into_iter().next()) {
            (false, _) => Ok(Self(roots)),
            (true, Some(error)) => Err(InvalidRoots(error.into())),
            (true, None) => Err(InvalidRoots("there are none".into())),
        }
    }

    /// Those of a PEM text: for tests and the local system.
    ///
    /// # Errors
    /// When it has none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidRoots> {
        let certificates = read_pem(pem).map_err(|error| InvalidRoots(error.into()))?;
        let roots: Vec<_> = certificates.iter().filter_map(anchor).collect();
        if roots.is_empty() { Err(InvalidRoots("there are none".into())) } else { Ok(Self(roots)) }
    }
}

fn anchor(certificate: &CertificateDer<'static>) -> Option<TrustAnchor<'static>> {
    anchor_from_trusted_cert(certificate).ok().map(|anchor| anchor.to_owned())
}

fn read_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls_pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

/// A leaf and what may lead from it to a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    leaf: CertificateDer<'static>,
    issuers: Vec<CertificateDer<'static>>,
}

/// A version of SNS's signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

impl Chain {
    /// Reads a PEM text, leaf first.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, SnsError> {
        let mut certificates =
            read_pem(pem).map_err(|error| SnsError::Untrusted(error.into()))?.into_iter();
        let leaf = certificates.next();
        let leaf = leaf.ok_or_else(|| SnsError::Untrusted("there is no certificate".into()))?;
        Ok(Self { leaf, issuers: certificates.collect() })
    }

    /// Adds an issuer that was fetched.
    pub(crate) fn push(&mut self, issuer: Vec<u8>) {
        self.issuers.push(CertificateDer::from(issuer));
    }

    /// Where the certificate at the end of what is known says its issuer is.
    pub(crate) fn issuer_url(&self) -> Option<String> {
        let last = self.issuers.last().unwrap_or(&self.leaf);
        let (_, certificate) = x509_parser::parse_x509_certificate(last).ok()?;
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => {
                access.iter().find_map(|description| match &description.access_location {
                    GeneralName::URI(url)
                        if description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS =>
                    {
                        Some((*url).to_owned())
                    }
                    _ => None,
                })
            }
            _ => None,
        })
    }

    /// Whether the chain leads to a root, every certificate in it is valid now, and the leaf was issued for one of the
    /// names.
    pub(crate) fn check(
        &self,
        roots: &Roots,
        names: &[String],
        now: Timestamp,
    ) -> Result<EndEntityCert<'_>, webpki::Error> {
        let leaf = EndEntityCert::try_from(&self.leaf)?;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &roots.0,
            &self.issuers,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::server_auth(),
            None,
            None,
        )?;
        let mut outcome = Err(webpki::Error::UnsupportedNameType);
        for name in names {
            let Ok(name) = ServerName::try_from(name.as_str()) else { continue };
            outcome = leaf.verify_is_valid_for_subject_name(&name);
            if outcome.is_ok() {
                break;
            }
        }
        outcome.map(|()| leaf)
    }
}

/// Whether a signature of this version over `message` was made with the leaf's key.
pub(crate) fn fits(
    leaf: &EndEntityCert<'_>,
    version: Version,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let algorithm: &dyn SignatureVerificationAlgorithm = match version {
        Version::One => &SHA1_WITH_RSA,
        Version::Two => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    };
    leaf.verify_signature(algorithm, message, signature).is_ok()
}

/// What version 1 asks for. Only here: certificates signed so are not accepted.
#[derive(Debug)]
struct LegacyRsa(&'static RsaParameters);

static SHA1_WITH_RSA: LegacyRsa = LegacyRsa(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY);

impl SignatureVerificationAlgorithm for LegacyRsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.0, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // Never asked for: certificates are checked with other algorithms.
        alg_id::RSA_ENCRYPTION
    }
}
