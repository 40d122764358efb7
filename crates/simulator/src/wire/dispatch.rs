//! From a parsed call to its operation, with the faults that strike on the way.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::caller::Caller;
use super::error::{ApiError, Failure, Service};
use super::shape::Shape;
use crate::simulator::Simulator;
use crate::state::State;
use crate::switches::{LostResponse, Switches};

/// Every operation that is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    ResolveCustomer,
    BatchMeterUsage,
    GetEntitlements,
    DescribeAgreement,
    SearchAgreements,
    GetAgreementTerms,
    GetAgreementEntitlements,
    SendAgreementCancellationRequest,
}

impl Operation {
    fn named(service: Service, name: &str) -> Option<Self> {
        match (service, name) {
            (Service::Metering, "ResolveCustomer") => Some(Self::ResolveCustomer),
            (Service::Metering, "BatchMeterUsage") => Some(Self::BatchMeterUsage),
            (Service::Entitlement, "GetEntitlements") => Some(Self::GetEntitlements),
            (Service::Agreement, "DescribeAgreement") => Some(Self::DescribeAgreement),
            (Service::Agreement, "SearchAgreements") => Some(Self::SearchAgreements),
            (Service::Agreement, "GetAgreementTerms") => Some(Self::GetAgreementTerms),
            (Service::Agreement, "GetAgreementEntitlements") => {
                Some(Self::GetAgreementEntitlements)
            }
            (Service::Agreement, "SendAgreementCancellationRequest") => {
                Some(Self::SendAgreementCancellationRequest)
            }
            _ => None,
        }
    }

    /// Calls per second (F§3.7, 4, 5.4).
    fn quota(self, switches: &Switches) -> u32 {
        match self {
            Self::ResolveCustomer => switches.resolve_rps,
            Self::BatchMeterUsage => switches.metering_rps,
            Self::GetEntitlements => switches.entitlement_rps,
            Self::DescribeAgreement
            | Self::SearchAgreements
            | Self::SendAgreementCancellationRequest => switches.agreement_rps,
            Self::GetAgreementTerms | Self::GetAgreementEntitlements => {
                switches.agreement_detail_rps
            }
        }
    }

    fn run(
        self,
        state: &mut State,
        caller: &Caller,
        request: &Value,
        now: Timestamp,
    ) -> Result<Shape, ApiError> {
        match self {
            Self::ResolveCustomer => state.resolve_customer(caller, request, now),
            Self::BatchMeterUsage => state.batch_meter_usage(caller, request, now),
            Self::GetEntitlements => state.get_entitlements(caller, request, now),
            Self::DescribeAgreement => state.describe_agreement(caller, request, now),
            Self::SearchAgreements => state.search_agreements(caller, request),
            Self::GetAgreementTerms => state.get_agreement_terms(caller, request),
            Self::GetAgreementEntitlements => {
                state.get_agreement_entitlements(caller, request, now)
            }
            Self::SendAgreementCancellationRequest => {
                state.send_cancellation_request(caller, request, now)
            }
        }
    }
}

/// The answer to a call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: Result<Shape, ApiError>,
    /// The effect is there, but the caller must not see the answer.
    pub(super) lost: bool,
}

/// Runs one call. Order: credentials, quota, internal error, the operation, the lost response.
pub(super) fn call(
    simulator: &Simulator,
    service: Service,
    name: &str,
    caller: &Caller,
    request: &Value,
) -> Answer {
    let mut lost = None;
    let result = simulator.change(|state, now| {
        let none = crate::Rate::ZERO;
        let State { faults, random, switches, .. } = &mut *state;
        if faults.expired_credentials.strikes(name, none, random) {
            return Err(ApiError::common(
                StatusCode::FORBIDDEN,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            )
            .into());
        }
        let operation = Operation::named(service, name).ok_or_else(|| unknown(name))?;
        let bucket = format!("{}/{}/{name}", caller.account, caller.region);
        let throttled = faults.throttle.strikes(name, none, random)
            || !simulator.quotas().take(bucket, operation.quota(switches));
        if throttled {
            return Err(service.throttling().into());
        }
        if faults.internal_error.strikes(name, none, random) {
            return Err(service.internal().into());
        }
        if matches!(operation, Operation::BatchMeterUsage)
            && faults.unknown_dimension.strikes(name, none, random)
        {
            let message = "The product has no such dimension";
            return Err(ApiError::metering("InvalidUsageDimensionException", message).into());
        }
        let answer = operation.run(state, caller, request, now)?;
        let State { faults, random, switches, .. } = &mut *state;
        if faults.lost_response.strikes(name, switches.lost_response_rate, random) {
            lost = Some(switches.lost_response);
        }
        Ok(answer)
    });
    let result = result.map_err(|failure: Failure| failure.of(service));
    match (result, lost) {
        (Ok(_), Some(LostResponse::InternalError)) => {
            Answer { result: Err(service.internal()), lost: false }
        }
        (result, lost) => Answer { lost: lost.is_some() && result.is_ok(), result },
    }
}

fn unknown(name: &str) -> ApiError {
    let message = format!("The operation {name} is unknown");
    ApiError::common(StatusCode::NOT_FOUND, "UnknownOperationException", message)
}
