//! Checking an export, line by line; only the end of each chain is held in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};

use domain::audit::{AuditHead, ChainCheck, Line};
use domain::ids::SubscriptionId;

/// A row that is not as it was written, or a row that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which line of the file; absent for what is missing at its end.
    pub row: Option<u64>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            Some(row) => write!(f, "row {row}: {}", self.problem),
            None => write!(f, "at the end: {}", self.problem),
        }
    }
}

/// What an export holds, and what is wrong with it: of each chain the first bad row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Chains that were looked at.
    pub chains: u64,
    /// Entries that were looked at.
    pub entries: u64,
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
}

/// The heads of an older export, each of which must still be on its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<SubscriptionId, AuditHead>);

impl Known {
    /// Reads the heads of an export; everything else in it is passed over.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(export: impl BufRead) -> io::Result<Self> {
        let mut heads = BTreeMap::new();
        for line in export.lines() {
            if let Some(Line::Head { subscription, head }) = Line::read(&line?) {
                heads.insert(subscription, head);
            }
        }
        Ok(Self(heads))
    }
}

/// One chain as far as it was read.
#[derive(Debug, Default)]
struct Chain {
    check: ChainCheck,
    ended: bool,
    broken: bool,
}

/// Checks an export.
///
/// # Errors
/// When it cannot be read. A bad row is a finding, not an error.
pub fn verify(export: impl BufRead, known: &Known) -> io::Result<Report> {
    let mut checking =
        Checking { known, chains: BTreeMap::new(), report: Report::default(), end: None };
    let mut row = 0;
    for line in export.lines() {
        row += 1;
        checking.take(row, &line?);
    }
    Ok(checking.finish())
}

struct Checking<'a> {
    known: &'a Known,
    chains: BTreeMap<SubscriptionId, Chain>,
    report: Report,
    end: Option<(u64, u64)>,
}

impl Checking<'_> {
    fn take(&mut self, row: u64, text: &str) {
        if self.end.is_some() {
            return self.find(Some(row), "follows the end of the export");
        }
        match Line::read(text) {
            Some(Line::Entry(entry)) => {
                self.report.entries = self.report.entries.saturating_add(1);
                let chain = self.chains.entry(entry.subscription.clone()).or_default();
                if chain.broken {
                    return;
                }
                let mut wrong = None;
                if chain.ended {
                    wrong = Some(format!("an entry of {} follows its head", entry.subscription));
                } else if let Err(broken) = chain.check.next(&entry.subscription, &entry) {
                    wrong = Some(broken.to_string());
                } else if let Some(head) = self.known.0.get(&entry.subscription)
                    && head.sequence == entry.sequence
                    && head.hash != entry.hash
                {
                    let (sequence, whose) = (entry.sequence, &entry.subscription);
                    wrong = Some(format!(
                        "audit entry {sequence} of {whose} is not the one that is known"
                    ));
                }
                chain.broken = wrong.is_some();
                if let Some(problem) = wrong {
                    self.find(Some(row), &problem);
                }
            }
            Some(Line::Head { subscription, head }) => {
                let chain = self.chains.entry(subscription.clone()).or_default();
                let ended = std::mem::replace(&mut chain.ended, true);
                let wrong = if chain.broken {
                    None
                } else if ended {
                    Some(format!("{subscription} has a second head"))
                } else {
                    chain.check.end(&subscription, &head).err().map(|broken| broken.to_string())
                };
                chain.broken |= wrong.is_some();
                if let Some(problem) = wrong {
                    self.find(Some(row), &problem);
                }
            }
            Some(Line::End { subscriptions, entries }) => self.end = Some((subscriptions, entries)),
            None => self.find(Some(row), "cannot be read, or says more than an export does"),
        }
    }

    fn finish(mut self) -> Report {
        self.report.chains = u64::try_from(self.chains.len()).unwrap_or(u64::MAX);
        let without_head: Vec<_> = self
            .chains
            .iter()
            .filter(|(_, chain)| !chain.ended && !chain.broken)
            .map(|(id, _)| format!("the chain of {id} has no head: it was cut off"))
            .collect();
        for problem in without_head {
            self.find(None, &problem);
        }
        let behind: Vec<_> = self
            .known
            .0
            .iter()
            .filter_map(|(id, head)| {
                let length = self.chains.get(id).map_or(0, |chain| chain.check.length());
                let broken = self.chains.get(id).is_some_and(|chain| chain.broken);
                (length < head.sequence && !broken).then(|| {
                    format!(
                        "audit entry {} of {id} is missing: it is known",
                        length.saturating_add(1)
                    )
                })
            })
            .collect();
        for problem in behind {
            self.find(None, &problem);
        }
        match self.end {
            None => self.find(None, "the export has no end: it was cut off"),
            Some((chains, entries))
                if (chains, entries) != (self.report.chains, self.report.entries) =>
            {
                let problem = format!("{chains} chains with {entries} entries were exported");
                self.find(None, &problem);
            }
            Some(_) => {}
        }
        self.report
    }

    fn find(&mut self, row: Option<u64>, problem: &str) {
        self.report.findings.push(Finding { row, problem: problem.to_owned() });
    }
}
