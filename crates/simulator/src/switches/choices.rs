//! The values of the switches; the first of each is the default.

use serde::{Deserialize, Serialize};

macro_rules! choices {
    ($(
        $(#[$doc:meta])*
        $name:ident {
            $first:ident = $first_text:literal $first_doc:literal
            $(, $other:ident = $other_text:literal $other_doc:literal)* $(,)?
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            #[doc = $first_doc]
            #[default]
            #[serde(rename = $first_text)]
            $first,
            $(
                #[doc = $other_doc]
                #[serde(rename = $other_text)]
                $other,
            )*
        }
    )*};
}

choices! {
    /// A behaviour that is off unless asked for.
    OnOff { Off = "off" "Off.", On = "on" "On." }
    /// F§2.3.
    TokenReuse {
        UntilExpiry = "until_expiry" "The same answer until the token expires.",
        SingleUse = "single_use" "The second use fails.",
    }
    /// F§2.3.
    TokenSupersede {
        Keep = "keep" "Older tokens live on.",
        ExpireOlder = "expire_older" "A newer token of the agreement expires the older ones.",
    }
    /// F§2.2.
    ResolveLicenseArn {
        Always = "always" "Always.",
        AfterLicenseUpdated = "after_license_updated" "Once `License Updated` is due.",
        AbsentFirstCall = "absent_first_call" "From the token's second use on.",
    }
    /// F§2.2.
    WrongAccount {
        InvalidToken = "invalid_token" "`InvalidTokenException`.",
        AccessDenied = "access_denied" "`AccessDeniedException`.",
    }
    /// F§2.1.
    ExtraFormFields {
        None = "none" "Only what AWS documents.",
        All = "all" "Also agreement id, product id and fulfilment URL, as vendors report.",
    }
    /// For an agreement bought the legacy way.
    LegacyLicenseArn {
        Absent = "absent" "No `LicenseArn` in `ResolveCustomer`.",
        Present = "present" "As for any other product.",
    }
    /// For an agreement bought the legacy way.
    LegacyEvents {
        Sns = "sns" "The SNS topics only.",
        Both = "both" "EventBridge as well.",
    }
    /// F§3.3.
    IdenticalResend {
        Success = "success" "`Success`, as the model says.",
        Duplicate = "duplicate" "`DuplicateRecord`, as the metering skill says.",
    }
    /// F§3.3.
    IdenticalResendId {
        Same = "same" "The first record's id.",
        New = "new" "A new id.",
    }
    /// For `DuplicateRecord` (F§3.2: "echo of the input record").
    DuplicateEcho {
        Sent = "sent" "What was sent.",
        Held = "held" "The quantity that AWS holds and bills.",
    }
    /// F§3.5 says that metering is judged when it is submitted; a resend is a submission.
    ResendAfterWindow {
        NotSubscribed = "not_subscribed" "As any record after the window.",
        AsBefore = "as_before" "As a resend inside the window.",
    }
    /// F§3.3.
    SameKeyInBatch {
        Sequential = "sequential" "In order; the second is a resend.",
        Reject = "reject" "The whole request fails.",
    }
    /// F§3.2.
    ResultOrder {
        Input = "input" "The order of the request.",
        Shuffled = "shuffled" "Any order.",
    }
    /// F§3.3.
    EchoTimestamp {
        Verbatim = "verbatim" "As sent.",
        Hour = "hour" "Cut to the hour.",
    }
    /// F§3.3.
    MixedPath {
        DoubleBill = "double_bill" "Both are billed.",
        Reject = "reject" "The later request fails.",
    }
    /// F§3.1.
    EmptyCustomerIdentifier {
        Absent = "absent" "As if it were not there.",
        Reject = "reject" "The whole request fails.",
    }
    /// F§3.1.
    BothIdentifiers {
        Reject = "reject" "The whole request fails.",
        PreferAccount = "prefer_account" "The account id counts.",
    }
    /// F§3.1.
    TagLimit {
        PerAllocation = "per_allocation" "Five for each allocation.",
        WholeList = "whole_list" "Five for all allocations of a record together.",
    }
    /// F§3.1.
    EmptyTagValue {
        Reject = "reject" "The whole request fails.",
        Accept = "accept" "It is a value like any other.",
    }
    /// F§3.6.
    ValidationCode {
        ValidationException = "ValidationException" "`ValidationException`.",
        ValidationError = "ValidationError" "`ValidationError`.",
    }
    /// F§3.4.
    BeforeStart {
        InvalidLicense = "invalid_license"
            "`InvalidLicenseException`; for legacy records `TimestampOutOfBoundsException`.",
        OutOfBounds = "out_of_bounds" "`TimestampOutOfBoundsException`.",
        Accept = "accept" "It is metered.",
    }
    /// F§3.5.
    BeforeActive {
        NotSubscribed = "not_subscribed" "`CustomerNotSubscribed`.",
        SuccessUnbilled = "success_unbilled" "`Success`, yet never billed.",
    }
    /// F§3.5.
    AfterWindow {
        NotSubscribed = "not_subscribed" "`CustomerNotSubscribed`.",
        InvalidLicense = "invalid_license" "`InvalidLicenseException` for the whole request.",
    }
    /// F§8.2.
    FinalHourOpener {
        Earlier = "earlier" "Whichever comes first.",
        Ended = "ended" "`Purchase Agreement Ended`.",
        Deprovisioned = "deprovisioned" "`License Deprovisioned`.",
    }
    /// F§8.6.
    LicenseOnRenew { Same = "same" "It stays.", New = "new" "There is a new one." }
    /// F§8.6.
    LicenseOnReplace { New = "new" "There is a new one.", Same = "same" "It stays." }
    /// F§8.6.
    LicenseOnResubscribe {
        New = "new" "There is a new one.",
        Same = "same" "The account's last license of the product comes back.",
    }
    /// F§8.6.
    RenewalCreatedEvent { On = "on" "It is.", Off = "off" "It is not." }
    /// F§8.6.
    FutureDatedCreated { Start = "start" "When it starts.", Sign = "sign" "When it is signed." }
    /// F§6.3.
    EventLicenseArn {
        Full = "full" "As `ResolveCustomer` gives it.",
        DocForm = "doc_form" "The malformed form of AWS's sample.",
    }
    /// F§6.4.
    EndedOffer { Omit = "omit" "Absent, as recorded.", Include = "include" "As documented." }
    /// F§6.4.
    PaygEventEndTime {
        Sentinel9999 = "sentinel_9999" "`9999-01-01T00:00:00Z`.",
        Omit = "omit" "Absent.",
    }
    /// F§6.2.
    EndedOnChain { On = "on" "It is.", Off = "off" "It is not." }
    /// F§6.1.
    LicenseEventRole {
        Manufacturer = "manufacturer" "Manufacturer only.",
        Both = "both" "Manufacturer and Proposer.",
    }
    /// F§6.2.
    FreeProductLicenseEvents { On = "on" "They come.", Off = "off" "They do not." }
    /// F§4.
    EntitlementValueType {
        Integer = "integer" "`IntegerValue`.",
        Double = "double" "`DoubleValue`.",
        Boolean = "boolean" "`BooleanValue`: more than nothing is `true`.",
        String = "string" "`StringValue`.",
    }
    /// F§4.
    EntitlementVisible {
        WithLicenseUpdated = "with_license_updated" "Once `License Updated` is due.",
        AtAgreement = "at_agreement" "At once.",
    }
    /// F§5.4.
    CppoVisibility {
        Denied = "denied" "Hidden from search, and refused to `DescribeAgreement`.",
        Describe = "describe" "Hidden from search only.",
        Full = "full" "As a direct offer.",
    }
    /// F§7.2.
    SnsAccountId {
        Absent = "absent" "None.",
        Present = "present" "As `customer-aws-account-id`.",
    }
    /// F§7.5.
    SnsSignatureVersion { One = "1" "`SHA1withRSA`.", Two = "2" "`SHA256withRSA`." }
    /// F§11.
    LostResponse {
        Drop = "drop" "The connection breaks.",
        InternalError = "internal_error" "An internal error, though the effect is there.",
    }
}
