//! From names to checked addresses.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::address::is_public;

/// Where requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Networks {
    /// The public internet only, over TLS.
    Public,
    /// The public internet, TLS or not: for what proves itself, such as the certificates of issuers.
    PublicOrPlain,
    /// Anywhere, TLS or not: for a laptop, where the other side is the same machine. Never deployed.
    Any,
}

impl Networks {
    pub(crate) fn public_only(self) -> bool {
        match self {
            Self::Public | Self::PublicOrPlain => true,
            Self::Any => false,
        }
    }

    pub(crate) fn plain_too(self) -> bool {
        match self {
            Self::Public => false,
            Self::PublicOrPlain | Self::Any => true,
        }
    }
}

/// No address of the name may be asked.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to an address that is not of the public internet")]
pub(crate) struct NotPublic;

/// The operating system's resolver, followed by the check. One bad address refuses the name: whoever mixes public and
/// private addresses under one name hopes that one of them slips through.
#[derive(Debug, Clone)]
pub(crate) struct CheckedResolver {
    pub(crate) networks: Networks,
}

type Resolving = Pin<Box<dyn Future<Output = io::Result<std::vec::IntoIter<SocketAddr>>> + Send>>;

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        let networks = self.networks;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            check(networks, &found)?;
            Ok(found.into_iter())
        })
    }
}

fn check(networks: Networks, found: &[SocketAddr]) -> io::Result<()> {
    let public = found.iter().all(|address| is_public(address.ip()));
    if public || !networks.public_only() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, NotPublic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
    }

    #[test]
    fn one_private_address_among_public_ones_refuses_the_name() {
        assert!(check(Networks::Public, &addresses(&["8.8.8.8", "8.8.4.4"])).is_ok());
        assert!(check(Networks::Public, &addresses(&["8.8.8.8", "10.0.0.1"])).is_err());
        assert!(check(Networks::Any, &addresses(&["10.0.0.1"])).is_ok());
    }
}
