//! Whom the server's certificate may come from.
//!
//! The `mysql` crate trusts the public authorities of the web besides the one that `--ssl-ca` names,
//! and cannot be told not to. Where names are not compared (`verify_ca`) that would let in everybody
//! who has a certificate for anything at all. So while an authority is named, no signature made with
//! a public authority's key counts, unless it is the one named. TLS itself stays rustls' own.

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

/// The authorities of `--ssl-ca`; while there are none, the public ones count. One for the process, as
/// rustls knows but one provider: it is set anew for each connection.
static NAMED: RwLock<Vec<TrustAnchor<'static>>> = RwLock::new(Vec::new());

/// Settles it for the connection that comes next.
///
/// # Errors
/// A usage error when `--ssl-ca` holds no certificate.
pub fn settle(tls: &Tls) -> Result<()> {
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
        // rustls wants them for as long as the process lives.
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

/// An algorithm that checks a certificate's signature, unless the signer does not count.
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
        if !counts(public_key, &named, TLS_SERVER_ROOTS) {
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

fn counts(key: &[u8], named: &[TrustAnchor<'_>], public: &[TrustAnchor<'_>]) -> bool {
    // The key is the last part of an anchor's key information.
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
        assert!(counts(&key(first), &named, TLS_SERVER_ROOTS));
        assert!(!counts(&key(second), &named, TLS_SERVER_ROOTS));
        assert!(counts(&key(second), &[], TLS_SERVER_ROOTS));
        // An authority of one's own, or one in between.
        assert!(counts(&[7; 64], &named, TLS_SERVER_ROOTS));
    }
}
