//! Restricts the root certificates to those of `--ssl-ca`.
//!
//! The `mysql` crate always trusts the web's public authorities, too. With `verify_ca`, which does not check the host's
//! name, any valid certificate would then be accepted. So while `--ssl-ca` is in use, signatures by a public authority's key
//! are rejected, unless `--ssl-ca` has it. Everything else is left to rustls.

use std::path::Path;
use std::sync::{Once, PoisonError, RwLock};

use anyhow::Result;
use rustls::RootCertStore;
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor,
};
use webpki_roots::TLS_SERVER_ROOTS;

use super::options::Tls;
use super::small_file;
use crate::exit;

/// The authorities of `--ssl-ca`; without any, the public ones are trusted. Global, because rustls has one provider for the
/// process; set before each connection.
static NAMED: RwLock<Vec<TrustAnchor<'static>>> = RwLock::new(Vec::new());

/// Sets the authorities for the next connection.
///
/// # Errors
/// A usage error when `--ssl-ca` holds no certificate.
pub fn apply(tls: &Tls) -> Result<()> {
    let ca = tls.ca.as_deref().filter(|_| tls.mode.verifies());
    let named = match ca {
        Some(ca) => {
            authorities(ca).map_err(|why| exit::usage(format!("--ssl-ca: {}: {why}", ca.display())))?
        }
        None => Vec::new(),
    };
    *NAMED.write().unwrap_or_else(PoisonError::into_inner) = named;
    install();
    Ok(())
}

fn authorities(ca: &Path) -> Result<Vec<TrustAnchor<'static>>, String> {
    let mut store = RootCertStore::empty();
    let bytes = small_file::read(ca).map_err(|error| error.to_string())?;
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        store.add(certificate).map_err(|error| error.to_string())?;
    }
    if store.is_empty() {
        return Err("holds no certificate in PEM".into());
    }
    Ok(store.roots)
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut provider = ring::default_provider();
        let ours = provider.signature_verification_algorithms;
        // rustls needs them for the lifetime of the process.
        let all = ours
            .all
            .iter()
            .map(|algorithm| -> &'static dyn SignatureVerificationAlgorithm {
                Box::leak(Box::new(Narrowed(*algorithm)))
            })
            .collect::<Vec<_>>();
        provider.signature_verification_algorithms =
            WebPkiSupportedAlgorithms { all: Box::leak(all.into_boxed_slice()), ..ours };
        assert!(provider.install_default().is_ok(), "nothing else chooses the process's TLS provider");
    });
}

/// A signature algorithm that first checks whether the signer is trusted.
#[derive(Debug)]
struct Narrowed(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Narrowed {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let named = NAMED.read().unwrap_or_else(PoisonError::into_inner);
        if !is_trusted(public_key, &named, TLS_SERVER_ROOTS) {
            return Err(InvalidSignature);
        }
        self.0.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

fn is_trusted(key: &[u8], named: &[TrustAnchor<'_>], public: &[TrustAnchor<'_>]) -> bool {
    // An anchor's key information ends with its key.
    let belongs_to = |anchor: &TrustAnchor<'_>| anchor.subject_public_key_info.ends_with(key);
    named.is_empty() || named.iter().any(belongs_to) || !public.iter().any(belongs_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_authority_counts_only_when_it_is_named_or_none_is() {
        let [first, second, ..] = TLS_SERVER_ROOTS else {
            panic!("no roots");
        };
        // Long enough to be the key and nothing before it.
        let key = |anchor: &TrustAnchor<'static>| {
            let info = anchor.subject_public_key_info.as_ref();
            info[info.len() - 64..].to_vec()
        };
        let named = [first.clone()];
        assert!(is_trusted(&key(first), &named, TLS_SERVER_ROOTS));
        assert!(!is_trusted(&key(second), &named, TLS_SERVER_ROOTS));
        assert!(is_trusted(&key(second), &[], TLS_SERVER_ROOTS));
        // A private or an intermediate authority.
        assert!(is_trusted(&[7; 64], &named, TLS_SERVER_ROOTS));
    }
}
