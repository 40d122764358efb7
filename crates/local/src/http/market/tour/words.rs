//! The steps of the tour, in words.

/// A step. In order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Step {
    Buy,
    SetUp,
    Activate,
    Use,
    Meter,
    Lose,
    Look,
    Cancel,
    End,
}

impl Step {
    pub(super) const ALL: [Self; 9] = [
        Self::Buy,
        Self::SetUp,
        Self::Activate,
        Self::Use,
        Self::Meter,
        Self::Lose,
        Self::Look,
        Self::Cancel,
        Self::End,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::SetUp => "set-up",
            Self::Activate => "activate",
            Self::Use => "use",
            Self::Meter => "meter",
            Self::Lose => "lose",
            Self::Look => "look",
            Self::Cancel => "cancel",
            Self::End => "end",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|step| step.name() == name).unwrap_or(Self::Buy)
    }

    pub(super) fn next(self) -> Self {
        Self::ALL.into_iter().find(|step| *step > self).unwrap_or(Self::End)
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Buy => "A buyer subscribes",
            Self::SetUp => "The buyer sets up the account",
            Self::Activate => "AWS activates the license",
            Self::Use => "The buyer uses the product",
            Self::Meter => "An hour passes: usage goes to AWS",
            Self::Lose => "AWS loses an answer",
            Self::Look => "What buyer and operator see",
            Self::Cancel => "The buyer cancels",
            Self::End => "Billed to the unit",
        }
    }

    pub(super) fn button(self) -> &'static str {
        match self {
            Self::Buy => "Subscribe as a buyer",
            Self::SetUp => "The form is sent: go on",
            Self::Activate => "Let two minutes pass",
            Self::Use => "Report 620 scans",
            Self::Meter => "Let two hours pass",
            Self::Lose => "Report 30 more, and lose AWS's answer",
            Self::Look => "Go on",
            Self::Cancel => "Use 7 more, cancel, and let the final hour pass",
            Self::End => "Begin again",
        }
    }

    /// The words that everyone in this business uses, in the order the tour met them.
    pub(super) const GLOSSARY: [(&'static str, &'static str); 7] = [
        ("Agreement", "what buyer and seller signed in AWS Marketplace: offer, price, term"),
        ("License", "the right to use that follows from it; everything is kept by license"),
        (
            "Registration token",
            "what Set up your account carries, so that the seller can ask AWS who is coming",
        ),
        ("Entitlement", "what the license grants: a plan, or so many units of something"),
        ("Dimension", "something that is counted and has a price, like scans"),
        (
            "Metering record",
            "so many units of a dimension, used under a license in an hour, told to AWS",
        ),
        ("Final hour", "after the end of a license: the last time for metering records"),
    ];

    pub(super) fn explains(self) -> &'static [&'static str] {
        match self {
            Self::Buy => &[
                "Somewhere a company finds the product in AWS Marketplace and accepts the offer: the Standard plan, for a year.",
                "From then on AWS keeps an agreement (what was signed) and a license (the right to use). The seller hears of both in notifications, about a minute later.",
            ],
            Self::SetUp => &[
                "AWS shows the buyer a button, Set up your account. It carries a token to the seller's registration page, so that the seller can ask AWS who is coming.",
                "The page asks for an e-mail address and little else. AWS bills; no payment data is asked for.",
            ],
            Self::Activate => &[
                "The buyer has registered, but access is granted only when AWS says that the license is active. That notification is on its way.",
                "When it comes, the seller asks AWS what was bought, and tells its platform to make a workspace.",
            ],
            Self::Use => &[
                "The platform counts scans and reports them. The Standard plan includes 500 a month; each one beyond costs a dollar.",
                "A report may come twice: every event has a key, and counts once.",
            ],
            Self::Meter => &[
                "Ten minutes past every hour the seller sends AWS what is due: one record per license, dimension and hour, in whole units. A dimension is what is counted, here scans.",
                "AWS puts it on the buyer's next AWS bill, and later pays the seller. It never takes a second record for the same hour, and never takes one back: what is sent must be right.",
            ],
            Self::Lose => &[
                "The hardest case: AWS takes the record, but the answer never arrives. Was it billed or not? The seller cannot know.",
                "So it sends the same record again, never another. AWS answers that it has it already, and the bill is right.",
            ],
            Self::Look => &[
                "The buyer sees status, usage and estimated charges on the account page. The operator finds every subscription and its history at the desk. Both open with a link that works once.",
            ],
            Self::Cancel => &[
                "The buyer cancels in AWS Marketplace. Access ends at once, and AWS takes final usage for one hour more. What is not sent by then is never billed.",
                "Most agreements do not end like this: they renew, are changed to another plan, or run out. The storefront has a button for each.",
            ],
            Self::End => &[
                "That is the whole business. The seller's meters and AWS's ledger were kept apart all the time, and they say the same.",
                "Now try your own story: several buyers, another plan in the middle of a month, a free trial, a month end, faults. The money page must always agree in the end.",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_to_the_end_one_by_one() {
        let way: Vec<Step> = std::iter::successors(Some(Step::Buy), |step| {
            (*step != Step::End).then(|| step.next())
        })
        .collect();
        assert_eq!(way, Step::ALL);
        for step in Step::ALL {
            assert_eq!(Step::named(step.name()), step);
        }
    }
}
