//! What a simulator is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::clock::Clock;
use crate::product::Product;
use crate::quota::Stopwatch;
use crate::storage::StorageError;
use crate::switches::Switches;

/// Everything a simulator is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The product that purchases are for unless they name another.
    pub product: Product,
    /// Further products.
    pub more_products: Vec<Product>,
    /// The clock; keep a clone to move it.
    pub clock: Clock,
    /// The switches to begin with.
    pub switches: Switches,
    /// Ids, registration tokens and the hits of rates follow from it.
    pub seed: u64,
    /// A file that keeps all state; without it everything is in memory.
    pub storage: Option<PathBuf>,
    /// Accounts by access key id; every other key is the publishing account of `product`.
    pub accounts: BTreeMap<String, String>,
    /// Where a buyer's browser posts the fulfilment form.
    pub fulfilment_url: String,
    /// Where the simulated SNS has its certificate and takes confirmations, with a slash at the end.
    pub sns_url: String,
    /// What the request quotas are measured with: real time, not the simulator's clock.
    pub stopwatch: Stopwatch,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            product: Product::default(),
            more_products: Vec::new(),
            clock: Clock::wall(),
            switches: Switches::default(),
            seed: 0,
            storage: None,
            accounts: BTreeMap::new(),
            fulfilment_url: "https://seller.example/register".into(),
            sns_url: "http://127.0.0.1/_sim/sns/".into(),
            stopwatch: Stopwatch::real(),
        }
    }
}

/// Why a simulator could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The storage cannot be opened or read.
    #[error("the storage at {path} cannot be opened")]
    Storage {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: StorageError,
    },
    /// Two products with one code.
    #[error("two products have the code {code}")]
    DuplicateProduct {
        /// The code.
        code: String,
    },
}
